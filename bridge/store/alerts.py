"""Alerts of connections: one for each cause, told once when it lasts and once when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, update

from bridge.store import tables

alert = tables.alert


@dataclass(frozen=True, slots=True)
class Alert:
    """A connection is down since `opened_at` for this cause; up again at `closed_at`."""

    connection: str
    cause: str
    opened_at: int
    closed_at: int | None


def to_tell(connection: Connection, before: int) -> list[Alert]:
    """What began before then and nobody was told of, and what is over and was told of as going on. What was over
    before it could be told is told to nobody.
    """
    begun = alert.c.told_at.is_(None) & alert.c.closed_at.is_(None) & (alert.c.opened_at <= before)
    over = alert.c.told_at.isnot(None) & alert.c.closed_at.isnot(None) & alert.c.told_closed_at.is_(None)
    rows = connection.execute(select(alert).where(or_(begun, over)).order_by(alert.c.opened_at))
    return [Alert(row.connection, row.cause, row.opened_at, row.closed_at) for row in rows]


def told(connection: Connection, asked: Sequence[tuple[Alert, int]]) -> list[bool]:
    """Operation: `(alert, now)`: its contacts were told what it says."""
    for said, now in asked:
        which = alert.c.connection == said.connection, alert.c.opened_at == said.opened_at
        column = "told_at" if said.closed_at is None else "told_closed_at"
        connection.execute(update(alert).where(*which).values({column: now}))
    return [True] * len(asked)


def open_alerts(connection: Connection) -> dict[str, Alert]:
    """The connections that are down, each with its alert."""
    rows = connection.execute(select(alert).where(tables.OPEN_ALERT).order_by(alert.c.opened_at))
    return {row.connection: Alert(row.connection, row.cause, row.opened_at, row.closed_at) for row in rows}
