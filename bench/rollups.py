"""Many histories of contacts that a practice wants by the day or the week, over the whole line.

    python -m bench.rollups --examples 100 --steps 20 --seed 1

The same machine as `tests/flow/test_rollup_histories.py`, longer and by seed; the counts are kept in bench/results.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.flow.test_rollup_histories import Histories
from tests.flow.weeks import Weeks, weeks
from tests.postgres import quick_folder

RESULTS = Path(__file__).with_name("results")


def run(practice: Weeks, examples: int, steps: int, drawn: int) -> None:
    """So many histories; raises where what stands is not what there is."""
    quietly = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    machine: Any = seed(drawn)(partial(Histories, practice))
    run_state_machine_as_test(machine, settings=quietly)


def main() -> int:
    """Runs them, and keeps what was counted."""
    parser = argparse.ArgumentParser(prog="python -m bench.rollups", description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory(dir=quick_folder()) as folder, weeks(Path(folder)) as practice:
        run(practice, asked.examples, asked.steps, asked.seed)
        stands = Counter(
            f"{'roll_up' if row['gathers_until'] is not None else 'own'}_{row['state']}"
            for row in practice.opened.entries()
        )
        writes = Counter(one.method for one in practice.tap.asked if one.what == "DocumentReference")
        said = {
            "command": f"python -m bench.rollups {' '.join(sys.argv[1:])}".strip(), "seed": asked.seed,
            "commit": commit.stdout.strip(), "python": platform.python_version(),
            "records": len(practice.opened.records()), "creates": writes["POST"], "updates": writes["PUT"],
            "entries": dict(sorted(stands.items())),
        }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    name = f"rollups-seed{asked.seed}.json"
    (RESULTS / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(said, indent=1) + f"\nwritten to bench/results/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
