"""Connections that are down and have nothing to send: asked now and then whether they work again.

Where something waits, a lane tries the connection (`store.lanes.claim`); without this one that is idle would stay down
until its statement is read the next day, and its contact would not hear that it is up.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge import log
from bridge.ehr import circuit
from bridge.errors import BridgeError
from bridge.moves.line import SECOND, Line
from bridge.moves.pacing import quiet_until
from bridge.store import leases

FIRST = 5 * SECOND
"""How long lanes have the first try: what they send says more than what is asked here."""

LONGEST = 120 * SECOND
"""How long nobody else tries, at the most; a try ends when its answer came."""


async def retry(line: Line, clock: Callable[[], int]) -> int:
    """Every connection that may be tried again, and that no lane tries, was asked once; how many were.

    Nothing is asked for practices that are suspended or keep quiet hours, nor before an EHR said that it may be.
    """
    with line.ledger.read() as connection:
        states, suspended = leases.connection_states(connection), leases.suspended(connection)
    count = 0
    for name in line.paces:
        now, state = clock(), states.get(name, leases.State())
        question = circuit.question(state.reason)
        if question is None or not state.half_open(now) or state.closed_until + FIRST > now:
            continue
        charts = [
            chart
            for practice, chart in sorted(line.charts.items())
            if chart.connection.id == name
            and practice not in suspended
            and quiet_until(line.project, practice, now) is None
        ]
        hold = now + LONGEST
        if not charts or not await line.write(leases.try_again, (name, now, hold)):
            continue
        pace = line.paces[name]
        pace.probing = True
        try:
            await charts[0].client.send(question)
        except BridgeError as error:
            log.failure("connection-untried", error, connection=name)
        finally:
            pace.probing = False
            await line.write(leases.end_probe, (name, hold, clock()))
        count += 1
    return count
