"""How fast documents are pushed to a real FHIR server, beside a raw httpx client that makes the same creates.

    python -m bench.push [--creates N] [--rounds N] [--at-once N] [--ehr hapi|sandbox] [--store sqlite|postgresql]
                         [--shared]

The raw client makes the very creates that the bridge made the round before, with headers of the same kind and under
references of their own, as many at a time, and looks at nothing but the status. The two take turns, so that the
server's warming up and what else the machine does fall on both. `push` begins with planned entries, `line` with
accepted records. Ratios are medians over rounds; the counts go to `bench/results/`.

An EHR does not run on the bridge's machine: the server has half of the cores and each client the other half. With
`--shared` all have all cores, and what a client computes is taken from the server: that says what a create costs, not
how fast it is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import func, select

from bench.caseload import AGENCY, PRACTICE, SORTS, SYSTEM, children, records_of
from bench.counts import keep
from bench.kills import ledger
from bridge import sandbox
from bridge.ehr import send
from bridge.ehr.delivery import SYSTEM as DELIVERY
from bridge.ehr.delivery import delivery_reference
from bridge.intake.rows import Row
from bridge.jobs.collect import accept_rows
from bridge.jobs.open import connected, open_line
from bridge.jobs.serve import settle_down
from bridge.jobs.worker import Worker, system_clock
from bridge.model import Action, Request, type_json
from bridge.moves.line import Line
from bridge.settings import load
from bridge.store import tables, views
from bridge.store.ledger import get_blobs
from tests.flow.pilot import Pilot, Site, write_project
from tests.live.servers import hapi_server, missing

SORT = SORTS[1]
HEADERS = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


@dataclass(slots=True)
class Turn:
    """One turn of either: creates a second of the clock, and CPU microseconds of this process a create."""

    rate: float
    cpu: float


@dataclass(slots=True)
class Rounds:
    """What was measured, in order."""

    raw: list[Turn] = field(default_factory=list)
    push: list[Turn] = field(default_factory=list)
    line: list[Turn] = field(default_factory=list)


def cores(shared: bool) -> tuple[set[int], set[int]]:
    """The clients' cores and the server's; all for both where they share them or there is but one."""
    known = sorted(os.sched_getaffinity(0))
    half = len(known) // 2
    return (set(known), set(known)) if shared or not half else (set(known[:half]), set(known[half:]))


@contextmanager
def server(which: str, folder: Path, shared: bool) -> Iterator[str]:
    """The FHIR base of a server with the children of the caseload."""
    with ExitStack() as held:
        ours, theirs = cores(shared)
        os.sched_setaffinity(0, theirs)  # what a process starts has its cores
        if which == "hapi":
            base = held.enter_context(hapi_server(folder / "hapi.log"))
        else:
            base = held.enter_context(sandbox.start("open")).base_url
        os.sched_setaffinity(0, ours)
        with httpx.Client(headers=HEADERS, timeout=60) as client:
            for child in children(10**6):
                patient = {"resourceType": "Patient", "active": True, "name": [{"family": "Ejemplo"}]}
                identifier = [{"system": SYSTEM, "value": f"m-{child}"}]
                client.post(f"{base}/Patient", json={**patient, "identifier": identifier}).raise_for_status()
        yield base


async def raw(base: str, creates: Sequence[Request], at_once: int) -> Turn:
    """The creates by httpx alone. Raises RuntimeError where one is not answered by 201."""
    waiting = iter(creates)
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx.AsyncClient(headers=HEADERS, timeout=60, limits=limits) as client:

        async def post() -> None:
            for one in waiting:
                answer = await client.post(f"{base}/{one.path}", content=one.body, headers=one.headers)
                if answer.status_code != 201:
                    raise RuntimeError("the server did not take it")

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(post() for _ in range(at_once)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Turn(len(creates) / wall, 1e6 * cpu / len(creates))


def accept(line: Line, name: str, count: int, seed: int) -> None:
    """So many records are accepted."""
    rows = (Row(index, "item", record) for index, record in enumerate(records_of(SORT, count, seed, name), 1))
    for accepted in accept_rows(line, line.project.agencies[AGENCY], SORT.kind, rows, system_clock()):
        if accepted.problem is not None:
            raise RuntimeError(str(accepted.problem))


def pushed(line: Line, name: str, count: int, seed: int, planned: bool) -> Turn:
    """One turn of the bridge. Raises RuntimeError where not all was delivered."""
    accept(line, name, count, seed)

    async def carry(planned: bool) -> Turn:
        async with connected(line):
            worker = Worker(line)
            while planned:
                planned = bool(await asyncio.to_thread(worker.translate_some))
            settle_down()
            wall, cpu = time.perf_counter(), time.process_time()
            await worker.run(until_idle=True)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            return Turn(count / wall, 1e6 * cpu / count)

    turn = asyncio.run(carry(planned))
    with line.ledger.read() as connection:
        states = {state: number for state, number in views.entry_counts(connection).items() if number}
    if set(states) != {"delivered"}:
        raise RuntimeError(f"not all was delivered: {states}")
    return turn


def newest(line: Line, count: int) -> list[Request]:
    """The last creates once more, each under a delivery reference of its own: a server may create only what is new."""
    step = tables.step
    with line.ledger.read() as connection:
        ids = connection.execute(select(step.c.request_blob).order_by(step.c.id.desc()).limit(count)).scalars().all()
        bodies = get_blobs(connection, line.ledger.keys, ids)
    key, capability = os.urandom(32), line.charts[PRACTICE].planned
    return [
        send.request(Action.CREATE, renamed(orjson.loads(body), delivery_reference(key, AGENCY, str(id))), capability)
        for id, body in bodies.items()
    ]


def renamed(document: type_json, reference: str) -> type_json:
    """The document under another delivery reference."""
    own = [one for one in document["identifier"] if one["system"] == DELIVERY]
    if len(own) != 1:
        raise RuntimeError("a document has one delivery reference")
    own[0]["value"] = reference
    return document


def steps_of(line: Line) -> int:
    """How many steps began."""
    with line.ledger.read() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.step)).scalar_one())


def measure(asked: argparse.Namespace, base: str, store: str, folder: Path) -> Rounds:
    """The turns, in order: raw, push, raw, line, …"""
    project = load(write_project(folder / "project", [Site(PRACTICE, base, asked.ehr_vendor)], store=store, timeout=60))
    lanes = {name: replace(one, lanes=asked.at_once) for name, one in project.connections.items()}
    found = Rounds()
    with open_line(replace(project, connections=lanes), "bench", system_clock()) as line:
        pilot, known = Pilot(line, folder, AGENCY), children(10**6)
        pilot.links(PRACTICE, {child: f"m-{child}" for child in known})
        pilot.consents(*(f"{child},{PRACTICE},2026-01-01,,yes" for child in known))
        pushed(line, "warm", max(len(known), asked.creates // 2), 1, planned=False)
        asyncio.run(raw(base, newest(line, asked.creates // 2), asked.at_once))
        for number in range(asked.rounds):
            for turns, planned in ((found.push, True), (found.line, False)):
                name = f"{'push' if planned else 'line'}-{number}"
                turns.append(pushed(line, name, asked.creates, 10 + number, planned))
                found.raw.append(asyncio.run(raw(base, newest(line, asked.creates), asked.at_once)))
    return found


def report(asked: argparse.Namespace, found: Rounds) -> dict[str, Any]:
    """In numbers: each turn of the bridge beside the raw client's right after it."""
    told: dict[str, Any] = {
        "ehr": asked.ehr, "store": asked.store, "creates a turn": asked.creates, "at once": asked.at_once,
        "cores": "shared" if asked.shared else "the server's own",
    }  # fmt: skip
    for name, turns, beside in (("push", found.push, found.raw[::2]), ("line", found.line, found.raw[1::2])):
        ratios = [turn.rate / other.rate for turn, other in zip(turns, beside, strict=True)]
        told[name] = {
            "of the raw client's rate": round(statistics.median(ratios), 3),
            "each round": [round(ratio, 3) for ratio in ratios],
            "creates/s": round(statistics.median(turn.rate for turn in turns), 1),
            "CPU us a create": round(statistics.median(turn.cpu for turn in turns)),
        }
    told["raw"] = {
        "creates/s": round(statistics.median(turn.rate for turn in found.raw), 1),
        "CPU us a create": round(statistics.median(turn.cpu for turn in found.raw)),
    }
    return told


def main() -> int:
    """0 measured, 2 a part is not installed."""
    asked = options().parse_args()
    asked.ehr_vendor = "hapi" if asked.ehr == "hapi" else "open"
    if asked.ehr == "hapi" and (reason := missing()):
        sys.stdout.write(f"{reason}\n")
        return 2
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="bridge-push-")))
        store = held.enter_context(ledger(asked.store))
        if not store:
            sys.stdout.write("PostgreSQL is not installed\n")
            return 2
        base = held.enter_context(server(asked.ehr, folder, asked.shared))
        told = report(asked, measure(asked, base, store, folder))
    where = "-shared" if asked.shared else ""
    keep(f"push-{asked.ehr}-{asked.store}-{asked.at_once}{where}", "bench.push", told)
    return 0


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.push", description=__doc__.splitlines()[0])
    parser.add_argument("--creates", type=int, default=800, help="in each turn")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--ehr", choices=["hapi", "sandbox"], default="hapi")
    parser.add_argument("--shared", action="store_true", help="the server has no cores of its own")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    return parser


if __name__ == "__main__":
    sys.exit(main())
