"""Hand-offs listened after: what confirms them, and what nothing confirms."""

from __future__ import annotations

import asyncio

from bridge import log
from bridge.moves import confirming
from bridge.moves.line import Line


async def listen(line: Line, now: int) -> None:
    """Every practice's acknowledgements and notifications are heard; one that cannot be listened to stops no other."""
    for name, chart in line.charts.items():
        try:
            said = await confirming.listen(line, chart.practice, now)
        except Exception as error:  # noqa: BLE001 - the other practices are listened to
            log.failure("handoff-unheard", error, practice=name)
            continue
        if said:
            log.event("handoffs-heard", practice=name, count=said)


async def remind(line: Line, now: int) -> None:
    """Somebody is told of what nothing confirmed in time."""
    for name, chart in line.charts.items():
        said = await asyncio.to_thread(confirming.remind, line, chart.practice, now)
        if said:
            log.event("handoffs-unconfirmed", practice=name, count=said)
