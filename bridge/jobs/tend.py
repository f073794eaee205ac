"""Tending the ledger: trails sealed, lanes that wait for nothing woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge import log
from bridge.moves import telling
from bridge.moves.line import Line
from bridge.store import audit, lanes


async def seal_trails(line: Line, clock: Callable[[], int]) -> None:
    """What each agency's trail gathered is sealed, and that of people who belong to none."""
    for agency in ("", *line.project.agencies):
        await line.write(audit.seal, audit.Seal(line.ledger.ids.take(), agency, clock()))


async def announce_endings(line: Line, clock: Callable[[], int]) -> None:
    """Agencies are asked for new forms where consents end soon."""
    said = await asyncio.to_thread(telling.announce, line, clock())
    if said:
        log.event("consents-ending", count=said)


async def wake_forgotten(line: Line, clock: Callable[[], int]) -> None:
    """Every lane with something to send is due; there should be none to wake, and it is logged when there was."""
    woken = await line.write(lanes.wake_forgotten, clock())
    if woken:
        log.event("lanes-woken", count=woken)
