"""What each EHR states about itself: read at start and daily, kept in the ledger, put beside what else is known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import orjson

from bridge import log
from bridge.ehr import capability
from bridge.ehr.chart import Chart, Sender
from bridge.ehr.route import capability_key
from bridge.errors import DefinitionError
from bridge.model import Request
from bridge.moves.line import Line
from bridge.store import holds, leases

DAY = 86_400 * 1_000_000


async def refresh(line: Line, now: int) -> None:
    """Every chart's capability is of the newest statement that could be read; a statement that changed is logged."""
    await read_all(line, [chart for chart in line.charts.values() if chart.serves], now)


async def refresh_missing(line: Line, now: int) -> None:
    """Statements that could not be read before are asked for again."""
    missing = [chart for chart in line.charts.values() if chart.capability is None]
    if missing:
        await read_all(line, missing, now)


async def read_all(line: Line, charts: Sequence[Chart], now: int) -> None:
    """The statements of these charts' connections are read, and all charts know what the ledger knows."""
    clients = {chart.practice.connection: chart.client for chart in charts}
    await asyncio.gather(*(read(line, name, client, now) for name, client in clients.items()))
    await asyncio.to_thread(load, line)


async def read(line: Line, connection: str, client: Sender, now: int) -> None:
    """The connection's statement is in the ledger, or the reason why not is in the log and the old one stays."""
    response = await client.send(Request("GET", "metadata"))
    try:
        statement = capability.read_statement(response)
    except DefinitionError as error:
        log.failure("statement-unread", error, connection=connection)
        return
    content = orjson.dumps({key: value for key, value in statement.items() if key != "date"})
    changed = await line.write(leases.keep_statement, (connection, content, now))
    if changed:
        log.event("statement-changed", connection=connection)
        practices = [name for name, chart in line.charts.items() if chart.connection.id == connection]
        await line.write(holds.arrive, holds.Arrival((), now, "statement", ways_into(practices)))


def ways_into(practices: Iterable[str]) -> tuple[str, ...]:
    """How the keys begin of what found no way into these practices' EHRs: planned anew when what they take changes."""
    return tuple(capability_key(practice, "") for practice in practices)


def load(line: Line) -> None:
    """The charts know what the ledger knows: statements, and what was learned from refusals."""
    with line.ledger.read() as connection:
        statements = leases.statements(connection)
        learned = leases.learned_of(connection)
    for name, chart in line.charts.items():
        of = chart.practice.connection
        if of in statements:
            line.charts[name] = chart.knowing(orjson.loads(statements[of]), learned.get(of, {}))
