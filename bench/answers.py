"""Many answers that no EHR should give, read and carried: what came of them.

    python -m bench.answers --count 20000 --contacts 200 --seed 1

The same server as `tests/flow/test_garbage.py`, longer and by seed; the counts are kept in bench/results. Exit code 1
where a worker failed, another host was asked, memory grew, or something counted as delivered that nobody had confirmed.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.flow import fuzzing
from tests.postgres import quick_folder

RESULTS = Path(__file__).with_name("results")
MOST_GROWN = 200
"""MiB that memory may grow: an answer may have 10 MiB, and is read in several forms."""


def main() -> int:
    """0 all was well, 1 something was not."""
    parser = argparse.ArgumentParser(prog="python -m bench.answers", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--contacts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    began = time.monotonic()
    read = fuzzing.read_all(asked.seed, asked.count)
    with tempfile.TemporaryDirectory(dir=quick_folder()) as folder:
        carried = fuzzing.carry_all(Path(folder), asked.seed, asked.contacts)
    wrong = [*read.wrong(), *carried.wrong()]
    wrong += [f"memory grew by {one.grown} MiB" for one in (read, carried) if one.grown > MOST_GROWN]
    said = {
        "command": f"python -m bench.answers {' '.join(sys.argv[1:])}".strip(), "seed": asked.seed,
        "commit": commit.stdout.strip(), "python": platform.python_version(),
        "seconds": round(time.monotonic() - began, 1), "read": read.requests, "forms": len(read.answered),
        "largest_kept": read.largest, "grown_mib": [read.grown, carried.grown], "contacts": asked.contacts,
        "requests_of_workers": carried.requests, "delivered": carried.delivered,
        "said_to_stand": carried.confirmed, "wrong": len(wrong),
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    name = f"answers-seed{asked.seed}.json"
    (RESULTS / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join([*wrong[:20], json.dumps(said, indent=1), f"written to bench/results/{name}", ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
