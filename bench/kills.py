"""Workers killed by SIGKILL at random moments, for long: nothing accepted is lost, nothing is sent twice.

    python -m bench.kills [--seed N] [--kills N] [--store sqlite|postgresql] [--workers N] [--ehr sandbox|hapi] \\
        [--faults none|losses|all|FAULT=WEIGHT,...]

`sandbox` sends an invented caseload to two sandbox EHRs, each in a process of its own, while contacts are amended and
withdrawn and requests meet a seeded schedule of faults. `hapi` sends the whole KoNote export to a real HAPI server.
The same seed kills after the same amounts of work; the moments themselves are the machine's.

The counts go to `bench/results/` with seed and commit. Exit code 1 where anything was not as it must be. The checks are
`tests/flow/campaign/proof.py`; a test shows that they catch a sender that does not look (`tests/flow/test_kills.py`).
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import postgres
from bridge.sandbox.faults import KINDS
from tests.flow.campaign.crew import Nursery, nursery
from tests.flow.campaign.export import Export, ExportPlan, export
from tests.flow.campaign.torment import Campaign, Plan, campaign
from tests.flow.konote import people
from tests.flow.konote.pilot import EVERYTHING
from tests.live.servers import hapi_server, missing
from tests.postgres import quick_folder

RESULTS = Path(__file__).with_name("results")
LATE = "commit-late"
"""An EHR that commits after the window: what no look can exclude. Only where it is asked for by name."""

LOSSES = "drop-after=2,drop-before=1,error-after=2,error-before=1,half-body=1,slow=1,reset=1"
ALL = ",".join(f"{kind}=1" for kind in sorted(KINDS - {LATE}))
FAULTS = {"none": "", "losses": LOSSES, "all": ALL}
SQLITE = "sqlite:///ledger.sqlite"


def main() -> int:
    """0 all was well, 1 something was not, 2 a part is not installed."""
    asked = options().parse_args()
    if asked.ehr == "hapi" and (reason := missing() or ("" if people.EXPORT.is_dir() else people.ABSENT)):
        sys.stdout.write(f"{reason}\n")
        return 2
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bridge-kills-", dir=quick_folder())))
        store = held.enter_context(ledger(asked.store))
        if not store:
            sys.stdout.write("PostgreSQL is not installed\n")
            return 2
        workers = held.enter_context(nursery(folder / "workers.log"))
        run = held.enter_context(opened(asked, store, workers, folder))
        run.run()
        found = run.facts()
        wrong = run.wrong(found)
        told = run.report(found, wrong)
    for name, value in told.items():
        sys.stdout.write(f"{name:40} {value}\n")
    for rule, complaints in wrong.items():
        sys.stdout.write("\n".join((f"\n{rule}: {len(complaints)}", *complaints[:20])) + "\n")
    write(asked, told)
    return 1 if wrong else 0


@contextmanager
def opened(asked: argparse.Namespace, store: str, workers: Nursery, folder: Path) -> Iterator[Campaign | Export]:
    """The campaign asked for, ready to run."""
    if asked.ehr == "sandbox":
        plan = Plan(
            seed=asked.seed, kills=asked.kills, workers=asked.workers, lanes=asked.lanes, contacts=asked.contacts,
            faults=FAULTS.get(asked.faults, asked.faults), rate=asked.rate, store=store,
        )  # fmt: skip
        with campaign(plan, workers, folder) as run:
            yield run
    else:
        enable = EVERYTHING if asked.everything else ()
        whole = ExportPlan(seed=asked.seed, kills=asked.kills, workers=asked.workers, enable=enable, store=store)
        with hapi_server(folder / "hapi.log") as base, export(whole, base, workers, folder) as sent:
            yield sent


@contextmanager
def ledger(store: str) -> Iterator[str]:
    """The address of a new ledger; "" where PostgreSQL is asked for and not installed."""
    if store == "sqlite":
        yield SQLITE
        return
    with postgres.started() as started:
        if started is None:
            yield ""
            return
        server, _ = started
        name = f"kills_{time.time_ns()}"
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield server.url(name)


def write(asked: argparse.Namespace, told: dict[str, Any]) -> None:
    """The counts are in a file of their own, with what they came about with."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    said = {
        "command": "python -m bench.kills " + " ".join(sys.argv[1:]),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "ehr": asked.ehr,
        "store": asked.store,
        **told,
    }
    name = f"kills-{asked.ehr}-{asked.store}-{asked.workers}-seed{asked.seed}.json"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"\nwritten to bench/results/{name}\n")


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ehr", choices=["sandbox", "hapi"], default="sandbox")
    parser.add_argument("--faults", default="losses", help=f"{', '.join(FAULTS)}, or FAULT=WEIGHT,… (sandbox only)")
    parser.add_argument("--rate", type=float, default=0.1, help="share of requests that meet a fault")
    parser.add_argument("--lanes", type=int, default=250, help="families (sandbox only)")
    parser.add_argument("--contacts", type=int, default=10, help="contacts of each family (sandbox only)")
    parser.add_argument("--everything", action="store_true", help="every discrete kind beside documents (hapi only)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
