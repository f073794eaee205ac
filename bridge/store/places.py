"""What stands in a family's charts, looked at again when it becomes known that somebody of it must not be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bridge.model import CONSENT_ENDED, EntryState
from bridge.store import kin, lanes, persons, tables
from bridge.store.ledger import slices

entry = tables.entry
STANDING = (EntryState.DELIVERED.value, EntryState.HANDED_OVER.value)


@dataclass(frozen=True, slots=True)
class Endangered:
    """People of one agency of whom it was not known before that they must not be found."""

    agency: str
    people: frozenset[str]
    now: int


def look_again(connection: Connection, asked: Sequence[Endangered]) -> list[int]:
    """Operation: what stands of these people and those near them is due, to be brought to what may stand now; how much.

    Whatever tells no place is found to stand as it should, and nothing is sent for it.
    """
    ids: list[set[int]] = []
    for ask in asked:
        rows = persons.fetch(connection, [(ask.agency, source) for source in ask.people], lock=False)
        own = {row.id for row in rows.values()}
        around = kin.families(connection, sorted(own))
        ids.append(own.union(*(family.close | family.others for family in around.values())))
    lanes.lock(connection, connection.execute(lanes.of_persons(set[int]().union(*ids))).scalars())
    return [due_again(connection, people, ask.now) for people, ask in zip(ids, asked, strict=True)]


def due_again(connection: Connection, people: set[int], now: int) -> int:
    """What stands of these people, whose lanes are locked, is due; how many entries."""
    count = 0
    for some in slices(people):
        standing = (
            entry.c.person.in_(some), entry.c.state.in_(STANDING), entry.c.should,
            entry.c.stands_id.isnot(None), entry.c.kind != CONSENT_ENDED,
        )  # fmt: skip
        woken = list(connection.execute(select(entry.c.lane).where(*standing).distinct()).scalars())
        count += connection.execute(
            update(entry).where(*standing).values(state=EntryState.READY.value, due_at=now)
        ).rowcount
        lanes.wake(connection, woken, now)
    return count
