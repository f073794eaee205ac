"""Many lives of entries, explored: workers that die between any two durable steps, lost answers, people who act.

    python -m bench.states --examples 500 --steps 30 --seed 1

The same machine as `tests/flow/test_states.py`, longer and by seed; the counts are kept in bench/results. It ends with
an error, and the shortest history that shows it, where anything accepted was lost, sent twice, out of its thread's
order, without a consent, or to a chart that is not certain.
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

from tests.flow.exploring import World, world
from tests.flow.test_states import States
from tests.postgres import quick_folder

RESULTS = Path(__file__).with_name("results")


def run(opened: World, examples: int, steps: int, drawn: int) -> None:
    """So many histories; raises where one of them is wrong."""
    quietly = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    machine: Any = seed(drawn)(partial(States, opened))
    run_state_machine_as_test(machine, settings=quietly)


def main() -> int:
    """Runs them, and keeps what was counted."""
    parser = argparse.ArgumentParser(prog="python -m bench.states", description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory(dir=quick_folder()) as folder, world(Path(folder)) as opened:
        run(opened, asked.examples, asked.steps, asked.seed)
        said = {
            "command": f"python -m bench.states {' '.join(sys.argv[1:])}".strip(), "seed": asked.seed,
            "commit": commit.stdout.strip(), "python": platform.python_version(),
            "histories": len(set(map(id, opened.children.values()))), "carried": opened.steps,
            "claims": opened.claims, "written": opened.writes, "met": dict(sorted(opened.met.items())),
            "entries": dict(sorted(Counter(entry["state"] for entry in opened.opened.entries()).items())),
            "wrong": len(opened.wrong),
        }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    name = f"states-seed{asked.seed}.json"
    (RESULTS / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(said, indent=1) + f"\nwritten to bench/results/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
