"""Contacts told that a connection or a hand-off is down, and that it is up again: once each (R7).

Nothing of any person is in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from bridge import log
from bridge.ehr import circuit
from bridge.handoff import circuit as handoff
from bridge.moves.line import Line
from bridge.settings import Project
from bridge.store import alerts
from bridge.store.alerts import Alert

SECOND = 1_000_000
LONGEST = 30.0
"""Seconds the site's command may take."""


async def tell(line: Line, clock: Callable[[], int]) -> int:
    """Every alert that lasts was told once, and once that it is over; how many now.

    One whose command failed is told again at the next run.
    """
    settings = line.project.alerts
    with line.ledger.read() as connection:
        found = alerts.to_tell(connection, clock() - settings.after_seconds * SECOND)
    count = 0
    for alert in found:
        state = "down" if alert.closed_at is None else "up"
        if settings.command and not await ran(settings.command, orjson.dumps(message(line.project, alert))):
            log.event("alert-untold", level=logging.WARNING, connection=alert.connection, state=state)
            continue
        await line.write(alerts.told, (alert, clock()))
        log.event("alert-told", connection=alert.connection, state=state)
        count += 1
    return count


def message(project: Project, alert: Alert) -> dict[str, Any]:
    """What the site's command reads: names of bridge.yaml, a cause, instants and what to do."""
    handed = handoff.practice_of(alert.connection)
    practices = [
        one
        for one in project.practices.values()
        if (one.id == handed if handed else one.connection == alert.connection)
    ]
    return {
        "connection": alert.connection,
        "state": "down" if alert.closed_at is None else "up",
        "cause": alert.cause,
        "since": instant(alert.opened_at),
        "until": instant(alert.closed_at) if alert.closed_at is not None else None,
        "next_step": next_step(alert) if alert.closed_at is None else "",
        "contacts": [{"practice": one.name, "name": one.contact.name, "email": one.contact.email} for one in practices],
    }


def next_step(alert: Alert) -> str:
    """What its contact can do."""
    return handoff.next_step(alert.cause) or circuit.next_step(alert.cause)


async def ran(command: Sequence[str], said: bytes) -> bool:
    """Whether the command took what is said; it runs without a shell, and what it prints is not read."""
    quiet = asyncio.subprocess.DEVNULL
    try:
        async with asyncio.timeout(LONGEST):
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet
            )
            try:
                await process.communicate(said)
            except BaseException:
                process.kill()
                await process.wait()
                raise
    except (OSError, TimeoutError):
        return False
    return process.returncode == 0


def instant(at: int) -> str:
    """An instant in UTC, to the second."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="seconds")
