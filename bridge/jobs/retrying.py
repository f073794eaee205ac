"""Connections and hand-offs that are down and have nothing to send: asked now and then whether they work again.

Where something waits, a lane tries the connection (`store.lanes.claim`); without this one that is idle would stay down
until its statement is read the next day, and its contact would not hear that it is up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge import log
from bridge.ehr import circuit
from bridge.ehr.chart import Chart
from bridge.moves.line import SECOND, Line
from bridge.moves.pacing import quiet_until
from bridge.store import leases

FIRST = 5 * SECOND
"""How long lanes have the first try: what they send says more than what is asked here."""

LONGEST = 120 * SECOND
"""How long nobody else tries, at the most; a try ends when its answer came."""


async def retry(line: Line, clock: Callable[[], int]) -> int:
    """Every connection and every way of handing over that may be tried again, and that no lane tries, was asked once;
    how many were. One that cannot be asked keeps none of the others waiting.

    Nothing is asked for practices that are suspended or keep quiet hours, nor before an EHR said that it may be.
    """
    now = clock()
    with line.ledger.read() as connection:
        states, suspended = leases.connection_states(connection), leases.suspended(connection)
    due = {name for name, one in states.items() if one.half_open(now) and one.closed_until + FIRST <= now}
    awake = [
        chart
        for name, chart in sorted(line.charts.items())
        if name not in suspended and quiet_until(line.project, name, now) is None
    ]
    charts = {chart.connection.id: chart for chart in awake if chart.connection.id in line.paces}
    ways = [line.channels[chart.practice.id] for chart in awake if chart.practice.id in line.channels]
    asked = [asks(line, name, chart, states[name].reason, clock) for name, chart in charts.items() if name in due]
    reached = [channel.ask() for channel in ways if channel.name in due]
    results = await asyncio.gather(*asked, *reached, return_exceptions=True)
    for error in results:
        if isinstance(error, Exception):
            log.failure("connection-untried", error)
    return sum(result is True for result in results)


async def asks(line: Line, name: str, chart: Chart, reason: str, clock: Callable[[], int]) -> bool:
    """The connection was asked what tells whether this is over, and its pace heard the answer; False where nothing
    would tell it, or another tries.
    """
    question, hold = circuit.question(reason), clock() + LONGEST
    if question is None or not await line.write(leases.try_again, (name, clock(), hold)):
        return False
    pace = line.paces[name]
    pace.probing = True
    try:
        await chart.client.send(question)
    finally:
        pace.probing = False
        await line.write(leases.end_probe, (name, hold, clock()))
    return True
