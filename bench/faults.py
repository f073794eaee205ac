"""Every fault at once: what an EHR, a network, a login or the practice can do to 10,000 entries while workers die.

    python -m bench.faults [--seed N] [--store sqlite|postgresql] [--workers 1|4] [--whole] [--broken KIND]

An invented caseload goes to three sandbox EHRs that want a SMART login, each in a process of its own, while contacts
are amended and withdrawn, workers are killed by SIGKILL, requests meet a seeded schedule of every fault the sandboxes
have, tokens end after two seconds, the signing key is rotated, the key set cannot be read for a while, and one practice
is suspended. Then all of it is settled and asked of the receivers' own stores and audits: nothing lost, nothing out of
order, nothing sent to the suspended practice, nothing there twice but what an EHR committed after it was looked for.

`--whole` runs both engines with one and four workers. `--broken` runs a sender that is wrong on purpose, and then exit
code 0 says that it was caught. Otherwise 1 says that something was not as it must be.

The table fault x count x outcome goes to `bench/results/` with seed and commit. The same seed kills after the same
amounts of work and draws the same faults for the same requests; the moments themselves are the machine's.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.kills import RESULTS, ledger
from tests.flow.campaign import outcomes
from tests.flow.campaign.crew import nursery
from tests.flow.campaign.nursery import BROKEN
from tests.flow.campaign.torment import Plan, campaign
from tests.postgres import quick_folder

PRACTICES = ("maple", "elm", "birch")
SHUT = "birch"
LATE = 20.0
"""Seconds after which an EHR commits what it had seemed to lose: after the second look, and what was sent then."""

TIMEOUT, LEASE = 4.0, 9
"""Seconds: a busy machine is not to look like an EHR that does not answer."""

LONGEST = 8.0
"""Seconds until the next kill, whatever was done: most of the work is to be done while workers die."""

PATIENCE = 10.0
"""Seconds without progress until the last workers are stopped: longer than any wait while they run."""

FAULTS = (
    "drop-before=2,drop-after=3,error-before=1,error-after=2,half-body=2,reset=1,slow=1/0.2,429=1/1,503=1/1,"
    f"unauthorized=0.5,commit-late=1/{LATE},expire=0.5,unknown-kid=1,pages-expire=0.2,read-only=0.1/0.4,"
    "duplicated=0.3,merge=0.02"
)
WAYS = [(store, workers) for store in ("sqlite", "postgresql") for workers in (1, 4)]


def main() -> int:
    """0 all was well (or the broken sender was caught), 1 something was not, 2 a part is not installed."""
    asked = options().parse_args()
    ways = WAYS if asked.whole else [(asked.store, asked.workers)]
    return max(run(asked, store, workers) for store, workers in ways)


def run(asked: argparse.Namespace, store: str, workers: int) -> int:
    """One campaign; its exit code."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bridge-faults-", dir=quick_folder())))
        address = held.enter_context(ledger(store))
        if not address:
            sys.stdout.write("PostgreSQL is not installed\n")
            return 2
        plan = Plan(
            seed=asked.seed, kills=asked.kills, workers=workers, lanes=asked.families, contacts=asked.contacts,
            practices=PRACTICES, faults=asked.faults, rate=asked.rate, longest=LONGEST, patience=PATIENCE,
            store=address, timeout=TIMEOUT, lease=LEASE, late=LATE + 1, signing=True,
            shut=SHUT, broken=asked.broken,
        )  # fmt: skip
        crew = held.enter_context(nursery(folder / "workers.log"))
        opened = held.enter_context(campaign(plan, crew, folder))
        opened.run()
        found = opened.facts()
        wrong = opened.wrong(found)
        rows = outcomes.table(found, opened.asked, wrong, opened.named(found))
        told = opened.report(found, wrong)
    for name, value in told.items():
        sys.stdout.write(f"{name:40} {value}\n")
    sys.stdout.write(f"\n{outcomes.printed(rows)}\n")
    for rule, complaints in wrong.items():
        sys.stdout.write("\n".join((f"\n{rule}: {len(complaints)}", *complaints[:20])) + "\n")
    write(asked, store, workers, told, rows)
    return int(bool(wrong) != bool(asked.broken))


def write(asked: argparse.Namespace, store: str, workers: int, told: dict[str, Any], rows: list[outcomes.Row]) -> None:
    """The counts are in a file of their own, with what they came about with."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    words = f"--seed {asked.seed} --store {store} --workers {workers}" + (
        f" --broken {asked.broken}" if asked.broken else ""
    )
    said = {
        "command": f"python -m bench.faults {words}",
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "store": store,
        **told,
        "table": {row.fault: row.as_dict() for row in rows},
    }
    name = f"faults-{asked.broken or store}-{workers}-seed{asked.seed}.json"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"\nwritten to bench/results/{name}\n")


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--whole", action="store_true", help="both engines, with one worker and with four")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--faults", default=FAULTS, help="FAULT=WEIGHT[/SECONDS],…")
    parser.add_argument("--rate", type=float, default=0.12, help="share of requests that meet a fault")
    parser.add_argument("--families", type=int, default=200, help="each is a lane at three practices")
    parser.add_argument("--contacts", type=int, default=13, help="of each family; four entries each")
    parser.add_argument("--broken", choices=sorted(BROKEN), default="", help="a sender that is wrong on purpose")
    return parser


if __name__ == "__main__":
    sys.exit(main())
