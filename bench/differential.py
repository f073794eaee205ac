"""Generated expressions, templates and records: our answer against the published engines', counted.

    python -m bench.differential [--pairs 12000] [--seed 1] [--out FILE] [--node-modules FOLDER]

Every pair is also asked with and without the record's schema: both must agree. A difference from the oracle must be a
listed defect (tests/unit/mappings/defects.py); with node's `fhirpath` at hand, a third opinion is asked on each
differing expression. Exit 1 where a difference is not explained.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.unit.mappings.defects import known
from tests.unit.mappings.generated import SCHEMA, expressions, records, templates
from tests.unit.mappings.oracle import (
    ERROR,
    ours_expression,
    ours_template,
    plain,
    same,
    theirs_expression,
    theirs_template,
)


class Campaign:
    """Distinct pairs asked so far, and what differed."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.defects: Counter[str] = Counter()
        self.unexplained: list[dict[str, Any]] = []
        self.differing: list[tuple[str, Any, Any]] = []

    def ask(self, case: Any, record: Any, template: bool) -> None:
        """Put one pair to all engines."""
        key = json.dumps([template, case, record], sort_keys=True)
        if key in self.asked:
            return
        self.asked.add(key)
        ask_ours, ask_theirs = (ours_template, theirs_template) if template else (ours_expression, theirs_expression)
        typed, untyped = ask_ours(case, record, SCHEMA), ask_ours(case, record, None)
        if typed != untyped and not str(typed).startswith(f"{ERROR} FP12") and not _both_refuse(typed, untyped):
            self._unexplained("with and without schema differ", case, record, typed, untyped)
        theirs = ask_theirs(case, record)
        self.counts["templates" if template else "expressions"] += 1
        if same(typed, theirs):
            self.counts["agree"] += 1
            return
        if not template:
            self.differing.append((case, record, typed))
        defect = known(case, typed)
        if defect is None:
            self._unexplained("no listed defect", case, record, typed, theirs)
        else:
            self.counts["listed defect"] += 1
            self.defects[defect.name] += 1

    def _unexplained(self, why: str, case: Any, record: Any, ours: Any, theirs: Any) -> None:
        self.counts["unexplained"] += 1
        self.unexplained.append({"why": why, "case": case, "record": record, "ours": ours, "theirs": theirs})


def _both_refuse(first: Any, second: Any) -> bool:
    return str(first).startswith(ERROR) and str(second).startswith(ERROR)


NODE = """
const fhirpath = require('fhirpath'), fs = require('fs');
const cases = JSON.parse(fs.readFileSync(process.argv[2]));
console.log(JSON.stringify(cases.map(([text, record]) => {
  try { return { items: fhirpath.evaluate(record, text).map(v => (v && v.asStr) || v) }; }
  catch (error) { return { error: true }; }
})));
"""


def third_opinion(cases: list[tuple[str, Any, Any]], modules: Path | None) -> dict[str, Any]:
    """How often node's fhirpath agrees with us where fhirpathpy does not."""
    node = shutil.which("node")
    if node is None or modules is None or not cases:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder) / "ask.js", Path(folder) / "cases.json"
        script.write_text(NODE)
        data.write_text(json.dumps([case[:2] for case in cases]))
        done = subprocess.run(
            [node, str(script), str(data)], capture_output=True, text=True, check=True, timeout=600,
            env={"NODE_PATH": str(modules)},
        )  # fmt: skip
    found: Counter[str] = Counter()
    against: list[dict[str, Any]] = []
    for (text, record, ours), answer in zip(cases, json.loads(done.stdout), strict=True):
        theirs = ERROR if "error" in answer else plain(answer["items"])
        agrees = same(ours, theirs)
        found["agrees with ours" if agrees else "differs from ours"] += 1
        if not agrees:
            against.append({"case": text, "record": record, "ours": ours, "node": theirs})
    return {**found, "against": against[:200]}


def run(pairs: int, number: int) -> Campaign:
    """Ask about `pairs` distinct pairs, two thirds of them expressions."""
    campaign = Campaign()
    rounds = 0
    while len(campaign.asked) < pairs:
        rounds += 1
        share = settings(
            max_examples=600, database=None, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False
        )

        @seed(number * 1000 + rounds)
        @share
        @given(expressions(), records())
        def one_expression(case: str, record: Any) -> None:
            campaign.ask(case, record, template=False)

        @seed(number * 1000 + rounds)
        @settings(share, max_examples=300)
        @given(templates(), records())
        def one_template(case: Any, record: Any) -> None:
            campaign.ask(case, record, template=True)

        one_expression()
        one_template()
    return campaign


def main() -> int:
    """Run the campaign, write its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--node-modules", type=Path)
    options = parser.parse_args()
    campaign = run(options.pairs, options.seed)
    opinion = third_opinion(campaign.differing, options.node_modules)
    against = opinion.pop("against", [])
    report = {
        "seed": options.seed, "pairs": len(campaign.asked), **campaign.counts,
        "defects": dict(campaign.defects.most_common()), "third_opinion": opinion,
    }  # fmt: skip
    print(json.dumps(report, indent=1, ensure_ascii=False))
    for case in campaign.unexplained[:20]:
        print(json.dumps(case, ensure_ascii=False)[:500])
    for case in against[:25]:
        print("node:", json.dumps(case, ensure_ascii=False)[:300])
    if options.out:
        options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 1 if campaign.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
