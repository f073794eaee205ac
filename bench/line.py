"""The whole line into an EHR in this process: accepted, translated, validated, sent, settled.

    python -m bench.line [--quick] [--json FILE]

Steps and records a second of CPU time and of the clock, on SQLite and PostgreSQL as they run in production (every
commit durable), at 1, 3 and 12 steps a record. Each is measured with the mapping engine and with translations prepared
beforehand, through httpx and through a plain sender; then once more with every stage timed from outside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event, func, select

from bench import postgres
from bench.caseload import AGENCY, PRACTICE, SORTS, Sort, children, records_of
from bench.sink import BASE, Direct, Sink, Transport
from bench.stages import REST, Stages
from bridge.ehr import facts
from bridge.ehr.chart import Chart
from bridge.fhir.client import Client
from bridge.intake.rows import Row
from bridge.jobs.collect import accept_rows
from bridge.jobs.open import open_line
from bridge.jobs.serve import settle_down
from bridge.jobs.worker import Worker, system_clock
from bridge.mappings.translate import Translator
from bridge.model import Request, Translation
from bridge.moves.line import Line
from bridge.moves.pacing import Pacer
from bridge.settings import load
from bridge.store import tables, views
from tests.flow.pilot import Pilot, Site, write_project

STEPS, QUICK = 2400, 240
COLUMNS = (
    ("steps/s", "a core"), ("records/s", "a core"), ("steps/s", "by clock"), ("CPU µs", "a step"),
    ("server µs", "a step"), ("raw client", "µs a create"), ("times", "the raw"),
)  # fmt: skip
HEADINGS = [
    f"{left:34}" + "".join(f"{column[row]:>11}" for column in COLUMNS)
    for row, left in enumerate(("store      steps  mapping  sender", ""))
]
LANES = 64
"""Requests at a time; a connection's default is 4, which only a server that takes its time needs to know."""

Remembered = dict[tuple[str, str], Translation]


@dataclass(frozen=True, slots=True)
class Way:
    """One way through the line."""

    store: str  # sqlite | postgresql
    sort: Sort
    mapping: str  # engine | prepared
    sender: str  # httpx | direct
    watched: bool = False


@dataclass(slots=True)
class Figures:
    """What one way cost, for so many records and steps; seconds."""

    store: str
    steps_a_record: int
    mapping: str
    sender: str
    records: int
    steps: int
    wall: float
    cpu: float
    raw: float  # CPU seconds of one create by a raw client, measured just before
    server_cpu: float = 0.0
    statements: int = 0
    stages: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """A row of the table."""
        rates = [self.steps / self.cpu, self.records / self.cpu, self.steps / self.wall, 1e6 * self.cpu / self.steps]
        return (
            f"{self.store:11}{self.steps_a_record:5}  {self.mapping:9}{self.sender:7}"
            + "".join(f"{rate:11.0f}" for rate in rates)
            + f"{1e6 * self.server_cpu / self.steps:11.0f}{1e6 * self.raw:11.0f}"
            + f"{self.cpu / self.steps / self.raw:11.1f}"
        )


class Remembering(Translator):
    """Keeps what the engine made."""

    def __init__(self, translator: Translator, kept: Remembered) -> None:
        super().__init__(translator.mappings)
        self._kept = kept

    def translate(self, kind: str, record: dict[str, Any], *more: Any, **named: Any) -> Translation:
        """The engine's translation."""
        made = self._kept[kind, record["id"]] = super().translate(kind, record, *more, **named)
        return made


class Prepared(Translator):
    """Answers with what the engine made before: the line without the engine's time."""

    def __init__(self, translator: Translator, kept: Remembered) -> None:
        super().__init__(translator.mappings)
        self._kept = kept

    def translate(self, kind: str, record: dict[str, Any], *more: Any, **named: Any) -> Translation:
        """The same translation again."""
        return self._kept[kind, record["id"]]


def measure(way: Way, count: int, seed: int, url: str, kept: Remembered, server: int | None) -> Figures:
    """What `count` records of this way cost. Raises RuntimeError where not all of their steps were delivered."""
    sink = Sink()
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        site = Site(PRACTICE, BASE, "open", way.sort.enable)
        project = load(write_project(Path(folder), [site], store=url))
        lanes = {name: replace(one, lanes=LANES) for name, one in project.connections.items()}
        with open_line(replace(project, connections=lanes), "bench", system_clock()) as line:
            line.translator = (Remembering if way.mapping == "engine" else Prepared)(line.translator, kept)
            practice = project.practices[PRACTICE]
            connection = line.project.connections[practice.connection]
            known = facts.vendor("open")
            pace = Pacer(line.project, connection, known, line.ledger, line.write, system_clock)
            line.paces[connection.id] = pace
            sender = (
                Direct(sink)
                if way.sender == "direct"
                else Client(BASE, connections=LANES, transport=Transport(sink), pace=pace)
            )
            line.charts[PRACTICE] = Chart(practice, connection, known, sender)
            return timed(way, line, sink, Path(folder), count, seed, server)


def timed(way: Way, line: Line, sink: Sink, folder: Path, count: int, seed: int, server: int | None) -> Figures:
    """The families are known and every chart was found once, before the clock starts."""
    pilot, known = Pilot(line, folder, AGENCY), children(count)
    pilot.links(PRACTICE, {child: f"m-{child}" for child in known})
    pilot.consents(*(f"{child},{PRACTICE},2026-01-01,,yes" for child in known))
    carry(line, way.sort, records_of(way.sort, len(known), seed + 1, "warm"))
    records, before = list(records_of(way.sort, count, seed)), steps_of(line)
    stages, statements = Stages(), Counted()
    raw = asyncio.run(raw_create())
    settle_down()
    with stages.watching() if way.watched else nullcontext(), statements.of(line) if way.watched else nullcontext():
        there = postgres.cpu_seconds(server) if server else 0.0
        wall, cpu = time.perf_counter(), time.process_time()
        carry(line, way.sort, iter(records))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        there = postgres.cpu_seconds(server) - there if server else 0.0
    made = steps_of(line) - before
    with line.ledger.read() as connection:
        states = {name: number for name, number in views.entry_counts(connection).items() if number}
    if made != count * way.sort.steps or set(states) != {"delivered"} or sink.taken != before + made:
        raise RuntimeError(f"{way.sort.words}: {made} steps of {count} records, {states}")
    seconds = dict(stages.seconds) | ({REST: cpu - sum(stages.seconds.values())} if way.watched else {})
    return Figures(
        way.store, way.sort.steps, way.mapping, way.sender, count, made, wall, cpu, raw, there, statements.count,
        seconds,
    )  # fmt: skip


async def raw_create(times: int = 400) -> float:
    """CPU seconds of one create by the project's client alone: what this machine's speed is now."""
    request = Request("POST", "DocumentReference", body=orjson.dumps({"data": "x" * 3000}))
    async with Client(BASE, transport=Transport(Sink())) as client:
        begun = time.process_time()
        for _ in range(times):
            await client.send(request)
        return (time.process_time() - begun) / times


def carry(line: Line, sort: Sort, records: Iterator[dict[str, Any]]) -> None:
    """The records are accepted, and a worker ran until nothing was left to do."""
    rows = (Row(index, f"item {index}", record) for index, record in enumerate(records, 1))
    agency = line.project.agencies[AGENCY]
    for accepted in accept_rows(line, agency, sort.kind, rows, system_clock()):
        if accepted.problem is not None:
            raise RuntimeError(str(accepted.problem))
    asyncio.run(Worker(line).run(until_idle=True))


def steps_of(line: Line) -> int:
    """How many steps the ledger knows."""
    with line.ledger.read() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.step)).scalar_one())


class Counted:
    """SQL statements as they are sent; many rows for one statement count once."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def of(self, line: Line) -> Iterator[None]:
        """Counts while this lasts."""

        def one(*_: Any) -> None:
            self.count += 1

        event.listen(line.ledger.engine, "before_cursor_execute", one)
        try:
            yield
        finally:
            event.remove(line.ledger.engine, "before_cursor_execute", one)


def ways(store: str, steps: Sequence[int]) -> Iterator[Way]:
    """Everything measured on one store; the engine first, for what it makes is used again."""
    for number in steps:
        sort = SORTS[number]
        yield Way(store, sort, "engine", "httpx")
        yield Way(store, sort, "prepared", "httpx")
        yield Way(store, sort, "prepared", "direct")
        yield Way(store, sort, "prepared", "httpx", watched=True)


def breakdown(watched: Sequence[Figures]) -> Iterator[str]:
    """The table of stages: CPU microseconds a step."""
    names = list(dict.fromkeys(name for one in watched for name in one.stages))
    yield f"{'CPU µs a step':28}" + "".join(f"{f'{one.store[:6]} {one.steps_a_record}':>11}" for one in watched)
    for name in sorted(names, key=lambda name: -sum(one.stages.get(name, 0.0) / one.steps for one in watched)):
        yield f"{name:28}" + "".join(f"{1e6 * one.stages.get(name, 0.0) / one.steps:11.0f}" for one in watched)
    yield f"{'SQL statements a step':28}" + "".join(f"{one.statements / one.steps:11.2f}" for one in watched)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables, and writes them as JSON where asked."""
    asked = options().parse_args(arguments)
    total = asked.total or (QUICK if asked.quick else STEPS)
    found: list[Figures] = []
    watched: list[Figures] = []
    sys.stdout.write("".join(f"{heading}\n" for heading in HEADINGS))
    with postgres.started() if "postgresql" in asked.store and not asked.postgres else nullcontext() as started:
        kept: Remembered = {}
        for store in asked.store:
            for number, way in enumerate(ways(store, asked.steps)):
                if store == "postgresql":
                    url, server = address(asked.postgres, started, f"bench_{time.time_ns()}_{number}")
                    if not url:
                        sys.stdout.write("postgresql: not installed\n")
                        break
                else:
                    url, server = "sqlite:///ledger.sqlite", None
                figures = measure(way, max(1, total // way.sort.steps), asked.seed, url, kept, server)
                (watched if way.watched else found).append(figures)
                if not way.watched:
                    sys.stdout.write(figures.line() + "\n")
                    sys.stdout.flush()
    sys.stdout.write("\n" + "\n".join(breakdown(watched)) + "\n")
    if asked.json:
        write(asked.json, asked.seed, found, watched)
    return 0


def address(given: str, started: tuple[Any, int] | None, name: str) -> tuple[str, int | None]:
    """A database for one measurement and the server's process id where it is ours; "" where there is none."""
    if given:
        return given, None
    if started is None:
        return "", None
    server, pid = started
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.url(name), pid


def write(path: Path, seed: int, found: Sequence[Figures], watched: Sequence[Figures]) -> None:
    """The figures with what they were measured on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    said = {
        "seed": seed,
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [rounded(one) for one in found],
        "stages": [rounded(one) for one in watched],
    }
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def rounded(figures: Figures) -> dict[str, Any]:
    """As JSON, short."""
    said = {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(figures).items()}
    said["stages"] = {name: round(value, 3) for name, value in figures.stages.items()}
    return said


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.line", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} steps of each, not {STEPS}")
    parser.add_argument("--total", type=int, default=0, help="steps of each")
    parser.add_argument("--steps", type=int, nargs="+", choices=sorted(SORTS), default=sorted(SORTS))
    parser.add_argument("--store", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument(
        "--postgres", default="", metavar="URL", help="an empty database of yours; one measurement only"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
