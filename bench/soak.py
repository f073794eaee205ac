"""A long run: 100,000 entries through the line, and the memory of its process as they go.

    python -m bench.soak [--entries N] [--batch N] [--store sqlite|postgresql]

Records come in batches, as from an agency's nightly export; each is accepted, translated, sent into an EHR in this
process that keeps nothing, and settled. Sampled after every batch: resident memory, objects Python tracks, and steps a
second. Flat means that the second half's memory is the first half's.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.caseload import AGENCY, PRACTICE, SORTS, children, records_of
from bench.counts import keep
from bench.kills import ledger
from bench.line import LANES, carry, steps_of
from bench.sink import BASE, Sink, Transport
from bridge.ehr import facts
from bridge.ehr.chart import Chart
from bridge.fhir.client import Client
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.moves.line import Line
from bridge.settings import load
from bridge.store import views
from tests.flow.pilot import Pilot, Site, write_project

SORT = SORTS[1]
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> float:
    """Megabytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def run(line: Line, folder: Path, sink: Sink, entries: int, batch: int) -> list[dict[str, Any]]:
    """A sample a batch. RuntimeError where not everything was delivered."""
    pilot, known = Pilot(line, folder, AGENCY), children(entries)
    pilot.links(PRACTICE, {child: f"m-{child}" for child in known})
    pilot.consents(*(f"{child},{PRACTICE},2026-01-01,,yes" for child in known))
    samples: list[dict[str, Any]] = []
    for number in range(entries // batch):
        begun = time.perf_counter()
        carry(line, SORT, records_of(SORT, batch, number, f"b{number}"))
        took = time.perf_counter() - begun
        gc.collect()
        samples.append(
            {
                "entries": (number + 1) * batch, "MB": round(resident(), 1), "objects": len(gc.get_objects()),
                "entries/s": round(batch / took),
            }
        )  # fmt: skip
        sys.stdout.write(f"{samples[-1]}\n")
        sys.stdout.flush()
    with line.ledger.read() as connection:
        states = {state: number for state, number in views.entry_counts(connection).items() if number}
    if states != {"delivered": entries // batch * batch} or sink.taken != steps_of(line):
        raise RuntimeError(f"not all was delivered: {states}")
    return samples


def main() -> int:
    """0 measured, 2 a part is not installed."""
    asked = options().parse_args()
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bridge-soak-")))
        store = held.enter_context(ledger(asked.store))
        if not store:
            sys.stdout.write("PostgreSQL is not installed\n")
            return 2
        sink, begun = Sink(), time.perf_counter()
        project = load(write_project(folder, [Site(PRACTICE, BASE)], store=store))
        lanes = {name: replace(one, lanes=LANES) for name, one in project.connections.items()}
        with open_line(replace(project, connections=lanes), "bench", system_clock()) as line:
            practice = project.practices[PRACTICE]
            sender = Client(BASE, connections=LANES, transport=Transport(sink))
            line.charts[PRACTICE] = Chart(
                practice, line.project.connections[practice.connection], facts.vendor("open"), sender
            )
            samples = run(line, folder, sink, asked.entries, asked.batch)
        size = sum(path.stat().st_size for path in folder.glob("ledger.sqlite*")) / 2**20
    half = len(samples) // 2
    first, second = (statistics.median(one["MB"] for one in part) for part in (samples[:half], samples[half:]))
    told = {
        "store": asked.store, "entries": samples[-1]["entries"], "seconds": round(time.perf_counter() - begun),
        "MB, median of the first half": first, "MB, median of the second half": second,
        "growth": round(second / first - 1, 4), "MB of the ledger": round(size),
        "entries/s, first and last tenth": [
            round(statistics.mean(one["entries/s"] for one in part))
            for part in (samples[: max(1, len(samples) // 10)], samples[-max(1, len(samples) // 10) :])
        ],
        "samples": samples[:: max(1, len(samples) // 20)],
    }  # fmt: skip
    keep(f"soak-{asked.store}", "bench.soak", told)
    return 0


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=2_500)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    return parser


if __name__ == "__main__":
    sys.exit(main())
