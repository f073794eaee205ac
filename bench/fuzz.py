"""Broken expressions, templates, records and mapping files: no crash, no hang, no escape, every error with a place.

python -m bench.fuzz [--cases 100000] [--seed 1] [--files] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from tests.unit.mappings.lint.broken import check as check_files
from tests.unit.mappings.mutated import check


def main() -> int:
    """Run the campaign, write its counts; a failing case raises and names its number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", action="store_true", help="break whole sets of mapping files, and lint them")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    ended: Counter[str] = Counter()
    begun = time.monotonic()
    slowest = 0.0
    for number in range(options.cases):
        start = time.monotonic()
        try:
            ended[(check_files if options.files else check)(random.Random(f"{options.seed}/{number}"))] += 1
        except BaseException:
            print(f"case {number} of seed {options.seed}")
            raise
        slowest = max(slowest, time.monotonic() - start)
    report = {
        "seed": options.seed, "cases": options.cases, "seconds": round(time.monotonic() - begun, 1),
        "slowest_ms": round(slowest * 1000, 1), "ended": dict(ended.most_common()),
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
