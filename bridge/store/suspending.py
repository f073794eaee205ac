"""Practices to which nothing is sent for now, as somebody said; what was accepted for them waits (R29)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from bridge.store import lanes, leases, persons, tables

suspension, lane = tables.suspension, tables.lane


@dataclass(frozen=True, slots=True)
class Suspend:
    """Nothing is sent to this practice from now on."""

    practice: str
    reason: str
    by: str
    now: int


def suspend(connection: Connection, asked: Sequence[Suspend]) -> list[bool]:
    """Operation: no step begins for these practices any more, whoever holds a lane; False where that was so before.

    The lanes that somebody holds are locked first: a step either began before or finds its practice suspended.
    """
    held = lane.c.practice.in_(sorted({ask.practice for ask in asked})), lane.c.due_at.isnot(None), lane.c.until > 0
    lanes.lock(connection, connection.execute(select(lane.c.id).where(*held)).scalars())
    answers = []
    for ask in asked:
        row = {"practice": ask.practice, "since": ask.now, "by": ask.by, "reason": ask.reason}
        answers.append(ask.practice not in leases.suspended(connection))
        connection.execute(persons.insert_ignore(connection, suspension).values(**row))
    return answers


def resume(connection: Connection, asked: Sequence[str]) -> list[bool]:
    """Operation: these practices are sent to again, what waited first; False where they were before."""
    return [connection.execute(delete(suspension).where(suspension.c.practice == ask)).rowcount == 1 for ask in asked]


def suspensions(connection: Connection) -> dict[str, dict[str, Any]]:
    """The suspended practices: since when, by whom, why."""
    return {row.practice: dict(row._mapping) for row in connection.execute(select(suspension))}
