"""What each EHR states about itself: read at start and daily, kept in the ledger, put beside what else is known.

What changes is planned anew: entries that waited for a way, and those not begun that have none any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import orjson

from bridge import log
from bridge.ehr import capability
from bridge.ehr.capability import Capability
from bridge.ehr.chart import Chart, Sender
from bridge.ehr.difference import Difference, differences
from bridge.ehr.route import capability_key, usable
from bridge.errors import DefinitionError
from bridge.model import Request
from bridge.moves.line import Line
from bridge.store import holds, leases
from bridge.store import statements as kept

DAY = 86_400 * 1_000_000
ROUTED = ("document", "discrete")


async def refresh(line: Line, now: int) -> None:
    """Every chart's capability is of the newest statement that could be read; a statement that changed is logged."""
    await read_all(line, [chart for chart in line.charts.values() if chart.serves], now)


async def refresh_missing(line: Line, now: int) -> None:
    """Statements that could not be read before are asked for again, where their connection may be used."""
    with line.ledger.read() as connection:
        closed = leases.closed_connections(connection, now)
    charts = line.charts.values()
    missing = [chart for chart in charts if chart.capability is None and chart.connection.id not in closed]
    if missing:
        await read_all(line, missing, now)


async def read_all(line: Line, charts: Sequence[Chart], now: int) -> None:
    """The statements of these charts' connections are read, and all charts know what the ledger knows."""
    clients = {chart.practice.connection: chart.client for chart in charts}
    await asyncio.gather(*(read(line, name, client, now) for name, client in clients.items()))
    await asyncio.to_thread(load, line, now)


async def read(line: Line, connection: str, client: Sender, now: int) -> None:
    """The connection's statement is in the ledger, or the reason why not is in the log and the old one stays."""
    response = await client.send(Request("GET", "metadata"))
    try:
        statement = capability.read_statement(response)
    except DefinitionError as error:
        log.failure("statement-unread", error, connection=connection)
        return
    content = orjson.dumps({key: value for key, value in statement.items() if key != "date"})
    changes = await asyncio.to_thread(changed, line, connection, content)
    said = tuple(change.as_dict() for change in changes)
    if await line.write(kept.keep, kept.Kept(connection, content, now, said)):
        if changes:
            tell(connection, changes)
        practices = [name for name, chart in line.charts.items() if chart.connection.id == connection]
        await asyncio.to_thread(reopen, line, practices, now, "statement")


def changed(line: Line, connection: str, content: bytes) -> tuple[Difference, ...]:
    """What this statement says otherwise than the one the ledger has; nothing where it has none."""
    with line.ledger.read() as reading:
        before = kept.known(reading).get(connection)
    vendor = next(chart.vendor for chart in line.charts.values() if chart.connection.id == connection)
    if before is None:
        return ()
    was, now = (Capability.from_statement(orjson.loads(one), vendor) for one in (before.content, content))
    return differences(was, now)


def tell(connection: str, changes: Sequence[Difference]) -> None:
    """The change is in the log: how much of what, and each interaction that a server offers no more, or anew."""
    log.event("statement-changed", connection=connection, count=len(changes))
    for change in changes:
        if change.of == "interaction":
            state = "offered" if change.now else "withdrawn"
            log.event(
                "statement-difference", connection=connection, resource_type=change.type, interaction=change.name,
                state=state,
            )  # fmt: skip


def reopen(line: Line, practices: Iterable[str], now: int, by: str) -> None:
    """What found no way into these practices' EHRs is planned anew, and its holds are closed."""
    beginnings = ways_into(practices)
    line.ledger.write(kept.replan, kept.Replan(now, beginnings=beginnings))
    line.ledger.write(holds.arrive, holds.Arrival((), now, by, beginnings))


def ways_into(practices: Iterable[str]) -> tuple[str, ...]:
    """How the keys begin of what found no way into these practices' EHRs: planned anew when what they take changes."""
    return tuple(capability_key(practice, "") for practice in practices)


def load(line: Line, now: int) -> None:
    """The charts know what the ledger knows, statements and what was learned from refusals; what was planned otherwise,
    and not begun, is planned anew.
    """
    with line.ledger.read() as connection:
        digests = kept.digests(connection)
        learned = {
            name: frozenset((one.type, one.interaction) for one in lessons)
            for name, lessons in kept.lessons(connection).items()
        }
        new = {
            name: learned.get(chart.connection.id, frozenset())
            for name, chart in line.charts.items()
            if chart.connection.id in digests
            and (chart.stated, chart.lessons)
            != (digests[chart.connection.id], learned.get(chart.connection.id, frozenset()))
        }
        statements = kept.known(connection) if new else {}
    taught = [
        name for name, lessons in new.items() if line.charts[name].stated and lessons != line.charts[name].lessons
    ]
    for name, lessons in new.items():
        one = statements[line.charts[name].connection.id]
        line.charts[name] = line.charts[name].knowing(orjson.loads(one.content), lessons, one.digest)
    if taught:
        line.ledger.write(kept.replan, kept.Replan(now, beginnings=ways_into(taught)))
    if new:
        closed(line, frozenset(new), now)


def closed(line: Line, practices: frozenset[str], now: int) -> int:
    """What was not begun and has no way any more is planned anew: the next way, or a hold. How many records."""
    with line.ledger.read() as connection:
        found = [sort for sort in kept.not_begun(connection, practices) if sort.route in ROUTED]
    shut = [sort for sort in found if not open_now(line.charts[sort.practice], sort)]
    return line.ledger.write(kept.replan, kept.Replan(now, sorts=tuple(shut))) if shut else 0


def open_now(chart: Chart, sort: kept.Sort) -> bool:
    """Whether entries of this sort may go as they were planned."""
    return usable(sort.type, sort.kind, chart.planned, chart.practice, chart.ways).yes
