"""How long a record takes from the door into an idle EHR's store: one at a time, while a worker waits for work.

    python -m bench.latency [--records N] [--ehr sandbox|hapi] [--store sqlite|postgresql]

From the answer "accepted" (durable) until the EHR's "created" is durable too, by the ledger's own clock: p50 and p99.
The records come at random moments, so that no worker's pause is hit at the same place.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.caseload import AGENCY, PRACTICE, SORTS, children, records_of
from bench.counts import keep
from bench.kills import ledger
from bench.push import accept, server
from bridge.intake.rows import Row
from bridge.jobs.collect import accept_rows
from bridge.jobs.open import connected, open_line
from bridge.jobs.serve import settle_down
from bridge.jobs.worker import Worker, system_clock
from bridge.moves.line import Line
from bridge.settings import load
from bridge.store import tables
from tests.flow.pilot import Pilot, Site, write_project
from tests.live.servers import missing

SORT = SORTS[1]


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of one record."""

    to_leave: float
    to_commit: float


def measure(line: Line, count: int, seed: int) -> list[Took]:
    """Each record's times; RuntimeError where one did not arrive."""
    chance = random.Random(seed)
    said: list[int] = []
    agency = line.project.agencies[AGENCY]

    async def run() -> None:
        async with connected(line):
            worker = Worker(line)
            working = asyncio.create_task(worker.run())
            for index, record in enumerate(records_of(SORT, count, seed, "one"), 1):
                await asyncio.sleep(chance.uniform(0.4, 0.9))
                rows = [Row(index, "item", record)]
                now = system_clock()
                list(await asyncio.to_thread(accept_rows, line, agency, SORT.kind, rows, now))
                said.append(system_clock())
            await asyncio.sleep(3)
            worker.stop()
            await working

    settle_down()
    asyncio.run(run())
    step, entry = tables.step, tables.entry
    with line.ledger.read() as connection:
        query = select(entry.c.thread, step.c.begun_at, step.c.answered_at).join(step, step.c.entry == entry.c.id)
        rows = {row.thread.rpartition("/")[2]: row for row in connection.execute(query)}
    found = []
    for number, accepted in enumerate(said):
        row = rows.get(f"one-{number}")
        if row is None or row.answered_at is None:
            raise RuntimeError("a record did not arrive")
        found.append(Took((row.begun_at - accepted) / 1000, (row.answered_at - accepted) / 1000))
    return found


def of(times: Sequence[float]) -> dict[str, float]:
    """Milliseconds: the middle one, the 99th of a hundred, the longest."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50 ms": round(cuts[49], 1), "p99 ms": round(cuts[98], 1), "longest ms": round(max(times), 1)}


def main() -> int:
    """0 measured, 2 a part is not installed."""
    asked = options().parse_args()
    if asked.ehr == "hapi" and (reason := missing()):
        sys.stdout.write(f"{reason}\n")
        return 2
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bridge-latency-")))
        store = held.enter_context(ledger(asked.store))
        if not store:
            sys.stdout.write("PostgreSQL is not installed\n")
            return 2
        base = held.enter_context(server(asked.ehr, folder, shared=False))
        vendor = "hapi" if asked.ehr == "hapi" else "open"
        project = load(write_project(folder / "project", [Site(PRACTICE, base, vendor)], store=store, timeout=60))
        line = held.enter_context(open_line(project, "bench", system_clock()))
        pilot, known = Pilot(line, folder, AGENCY), children(10**6)
        pilot.links(PRACTICE, {child: f"m-{child}" for child in known})
        pilot.consents(*(f"{child},{PRACTICE},2026-01-01,,yes" for child in known))
        accept(line, "warm", len(known), 1)
        pilot.work()
        began = time.monotonic()
        found = measure(line, asked.records, asked.seed)
    told: dict[str, Any] = {
        "ehr": asked.ehr, "store": asked.store, "records": len(found), "seconds": round(time.monotonic() - began),
        "accepted to leaving": of([one.to_leave for one in found]),
        "accepted to committed": of([one.to_commit for one in found]),
    }  # fmt: skip
    keep(f"latency-{asked.ehr}-{asked.store}", "bench.latency", told)
    return 0


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--ehr", choices=["hapi", "sandbox"], default="sandbox")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
