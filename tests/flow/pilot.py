"""A project run against an EHR in one process, with a clock that can be moved: what the flow tests drive."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bridge.intake.rows import Row
from bridge.jobs import rosters
from bridge.jobs.collect import accept_rows
from bridge.jobs.open import connected, open_line
from bridge.jobs.worker import Worker, system_clock
from bridge.model import Accepted, type_json
from bridge.moves.line import Line
from bridge.settings import load
from bridge.store import leases, tables, views
from bridge.store.keys import make_key_file
from tests.flow.sound import unsound

AGENCY = "harbor"
SYSTEM = "urn:oid:2.16.840.1.113883.19.5.1"

BRIDGE_YAML = """\
packs: [{packs}]
store: {store}
programs: {{ outcomes: {{ name: Outcomes{program} }} }}
agencies:
  {agency}:
    name: Harbor Family Partners
    source: synthetic
    program: outcomes
    timezone: America/New_York
    phone: 555-0100
    contact: {{ name: Robin Lake, email: robin@harbor.example }}
    practices: [{names}]
{more}connections:
{connections}
practices:
{practices}
limits: {{ lease_seconds: {lease} }}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """One practice and the EHR behind it."""

    name: str
    base: str
    vendor: str = "open"
    enable: tuple[str, ...] = ()
    login: str = "none"  # of its connection, as YAML
    extra: str = ""  # more settings of the practice, as YAML flow entries


class Clock:
    """The real time, moved ahead by `skip`."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return system_clock() + self.ahead

    def skip(self, seconds: float) -> None:
        """It is so many seconds later."""
        self.ahead += int(seconds * 1_000_000)


def based(site: Site) -> str:
    """The base as YAML, where there is a FHIR server."""
    return f'base: "{site.base}", ' if site.base else ""


def write_project(
    folder: Path,
    sites: Sequence[Site],
    *,
    packs: str = "ma-soc",
    agency: str = AGENCY,
    store: str = "sqlite:///ledger.sqlite",
    lease: int = 120,
    timeout: float = 5,
    visibility: float = 1,
    program: str = "",
    more: str = "",
) -> Path:
    """A project folder with one agency and these practices, each with its own connection.

    `program` holds more settings of the program as YAML flow entries, `more` of the agency as lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    make_key_file(folder / "secrets" / "ledger.key")
    connections = "\n".join(
        f"  {site.name}-ehr: {{ kind: test, {based(site)}vendor: {site.vendor}, login: {site.login}, lanes: 8,"
        f" timeout_seconds: {timeout}, visibility_delay_seconds: {visibility} }}"
        for site in sites
    )
    practices = "\n".join(
        f"  {site.name}: {{ name: {site.name.title()} Pediatrics, connection: {site.name}-ehr,"
        f" timezone: America/New_York, contact: {{ name: Lee Chen, email: lee@{site.name}.example }},"
        f" send_from: 2020-01-01, enable: [{', '.join(site.enable)}]{site.extra} }}"
        for site in sites
    )
    names = ", ".join(site.name for site in sites)
    text = BRIDGE_YAML.format(
        packs=packs,
        store=store,
        agency=agency,
        names=names,
        connections=connections,
        practices=practices,
        lease=lease,
        program=program,
        more=more,
    )
    (folder / "bridge.yaml").write_text(text, encoding="utf-8")
    return folder


@dataclass
class Pilot:
    """A project that is open."""

    line: Line
    folder: Path
    agency: str
    clock: Clock = field(default_factory=Clock)

    def accept(self, kind: str, *records: type_json) -> list[Accepted]:
        """The records' fates at the door."""
        rows = [Row(index, f"item {index}", record) for index, record in enumerate(records, 1)]
        of = self.line.project.agencies[self.agency]
        return list(accept_rows(self.line, of, kind, rows, self.clock()))

    def links(self, practice: str, identifiers: Mapping[str, str]) -> rosters.Imported:
        """The practice said who is who: {person: its identifier}."""
        lines = [f"{self.agency},{person},{practice},{SYSTEM},{value}" for person, value in identifiers.items()]
        return self.roster("links", "agency,person,practice,system,value", lines)

    def consents(self, *lines: str) -> rosters.Imported:
        """Consents, each `person,practice,from,until,narrative`."""
        rows = [f"{self.agency},{line}" for line in lines]
        return self.roster("consents", "agency,person,practice,from,until,narrative", rows)

    def roster(self, what: str, header: str, lines: Sequence[str]) -> rosters.Imported:
        """One CSV imported."""
        path = self.folder / f"{what}.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        take = rosters.import_links if what == "links" else rosters.import_consents
        return take(self.line, path, "test", self.clock())

    def work(self) -> None:
        """A worker ran until what is left waits for a person or for its time."""

        async def run() -> None:
            async with connected(self.line, self.clock):
                await Worker(self.line, self.clock).run(until_idle=True)

        asyncio.run(run())

    def settle(self, most: int = 20, within: float = 86_400, stride: float = 0.0) -> None:
        """As `work`, and the clock moved to the next due time as often as one lies within so many seconds; at least by
        `stride` seconds, where hundreds of lanes are due one after the other.
        """
        for _ in range(most):
            self.work()
            due = self.next_due()
            if due is None or due > self.clock() + within * 1_000_000:
                return
            self.clock.skip(max(stride, (due - self.clock()) / 1_000_000) + 0.01)
        raise AssertionError("there is always something more to do")

    def next_due(self) -> int | None:
        """When the next lane is due, if any; where that was before, when the next connection is tried again."""
        circuit, pace = tables.connection_state.c.closed_until, tables.connection_state.c.not_before
        with self.line.ledger.engine.connect() as connection:
            query = select(tables.lane.c.due_at).where(tables.lane.c.due_at.isnot(None))
            due: int | None = connection.execute(query.order_by(tables.lane.c.due_at).limit(1)).scalar()
            waits = [
                connection.execute(select(func.min(opens)).where(opens > self.clock())).scalar()
                for opens in (circuit, pace)
            ]
            closed = min((one for one in waits if one is not None), default=None)
        return closed if due is not None and due <= self.clock() and closed is not None else due

    def entries(self) -> list[dict[str, Any]]:
        """Every entry's row, by thread and name."""
        with self.line.ledger.engine.connect() as connection:
            query = select(tables.entry).order_by(tables.entry.c.thread, tables.entry.c.practice, tables.entry.c.name)
            return [dict(row._mapping) for row in connection.execute(query)]

    def records(self) -> list[dict[str, Any]]:
        """Every record's row, in the order accepted."""
        with self.line.ledger.engine.connect() as connection:
            query = select(tables.record).order_by(tables.record.c.id)
            return [dict(row._mapping) for row in connection.execute(query)]

    def holds(self) -> list[dict[str, Any]]:
        """What waits for a person."""
        with self.line.ledger.engine.connect() as connection:
            return views.open_holds(connection, limit=10_000)

    def counts(self) -> dict[str, int]:
        """Entries by state."""
        with self.line.ledger.engine.connect() as connection:
            return views.entry_counts(connection)


@contextmanager
def pilot(folder: Path, sites: Sequence[Site], **settings: Any) -> Iterator[Pilot]:
    """A project written and opened; what is in its ledger in the end waits for nothing that cannot come."""
    agency = settings.get("agency", AGENCY)
    project = load(write_project(folder, sites, **settings))
    with open_line(project, "test", system_clock()) as line:
        yield Pilot(line, folder, agency)
        with line.ledger.engine.connect() as connection:
            waits = unsound(connection)
            assert waits == [], waits


@contextmanager
def restored(opened: Pilot) -> Iterator[None]:
    """What is done within is not in the ledger that comes back from the backup."""
    ledger, kept = opened.folder / "ledger.sqlite", opened.folder / "copy.sqlite"
    with sqlite3.connect(ledger) as live, sqlite3.connect(kept) as copy:
        live.backup(copy)
    yield
    with sqlite3.connect(kept) as copy, sqlite3.connect(ledger) as live:
        copy.backup(live)
    opened.line.ledger.write(leases.new_era, (opened.clock(), "backup"))
