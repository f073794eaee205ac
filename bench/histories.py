"""Many histories of consents over the line, each request looked up in a plain book of the forms.

    python -m bench.histories --examples 200 --steps 20 --seed 1

The same machine as `tests/flow/test_consent_histories.py`, longer and by seed; the counts are kept in bench/results.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.flow.histories import World, world
from tests.flow.test_consent_histories import Histories
from tests.postgres import quick_folder

RESULTS = Path(__file__).with_name("results")


def run(opened: World, examples: int, steps: int, drawn: int) -> None:
    """So many histories; raises where one of them is wrong."""
    quietly = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    machine: Any = seed(drawn)(partial(Histories, opened))
    run_state_machine_as_test(machine, settings=quietly)


def main() -> int:
    """Runs them, and keeps what was counted."""
    parser = argparse.ArgumentParser(prog="python -m bench.histories", description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory(dir=quick_folder()) as folder, world(Path(folder)) as opened:
        run(opened, asked.examples, asked.steps, asked.seed)
        forms = sum(len(one.book.forms) for one in opened.histories.values())
        said = {
            "command": f"python -m bench.histories {' '.join(sys.argv[1:])}".strip(), "seed": asked.seed,
            "commit": commit.stdout.strip(), "python": platform.python_version(), "children": len(opened.histories),
            "forms": forms, "clinical_requests": opened.sent, "not_permitted": len(opened.wrong),
        }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    name = f"histories-seed{asked.seed}.json"
    (RESULTS / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(said, indent=1) + f"\nwritten to bench/results/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
