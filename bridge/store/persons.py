"""Persons: their key, their counter, and locking them in one order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.model import RecordState
from bridge.store import tables
from bridge.store.engine import run_each
from bridge.store.ledger import Ledger
from bridge.store.tables import person


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What a person's row would be made of, prepared before the transaction."""

    id: int
    agency: str
    source: str
    wrapped_key: bytes = field(repr=False)
    wrapping_key: str


def prepare(ledger: Ledger, agency: str, source: str) -> NewPerson:
    """A person's row in waiting; used only when the ledger does not know the person yet."""
    _, wrapped = ledger.keyring.new_person_key()
    return NewPerson(ledger.ids.take(), agency, source, wrapped, ledger.keyring.name)


def ensure(connection: Connection, candidates: Iterable[NewPerson]) -> dict[tuple[str, str], Row[Any]]:
    """The rows of these persons, made where they were missing and locked in the order of their ids.

    New ones are made before any is locked: a row that another worker made meanwhile must not be locked out of order.
    """
    wanted = {(candidate.agency, candidate.source): candidate for candidate in candidates}
    found = fetch(connection, wanted, lock=False)
    missing = [candidate for key, candidate in wanted.items() if key not in found]
    if missing:
        rows = [
            {
                "id": new.id,
                "agency": new.agency,
                "source": new.source,
                "wrapped_key": new.wrapped_key,
                "wrapping_key": new.wrapping_key,
            }
            for new in sorted(missing, key=lambda new: (new.agency, new.source))
        ]
        connection.execute(insert_ignore(connection, person), rows)
    return fetch(connection, wanted)


# Made once, like the other statements of the hot path: making one takes longer than running it.
OF_AGENCY = (
    select(person)
    .where(person.c.agency == bindparam("of"), person.c.source.in_(bindparam("sources", expanding=True)))
    .order_by(person.c.id)
)
LOCKED = OF_AGENCY.with_for_update(key_share=True)


def fetch(
    connection: Connection, keys: Iterable[tuple[str, str]], *, lock: bool = True
) -> dict[tuple[str, str], Row[Any]]:
    """Persons by (agency, source); unless `lock` is False each row is locked for this transaction, in order of ids."""
    wanted: dict[str, list[str]] = {}
    for agency, source in sorted(set(keys)):
        wanted.setdefault(agency, []).append(source)
    if not wanted:
        return {}
    if len(wanted) == 1:
        ((agency, sources),) = wanted.items()
        rows = connection.execute(LOCKED if lock else OF_AGENCY, {"of": agency, "sources": sources})
    else:  # not `(agency, source) IN (…)`, for which SQLite goes through the whole table
        theirs = (and_(person.c.agency == agency, person.c.source.in_(sources)) for agency, sources in wanted.items())
        query = select(person).where(or_(*theirs)).order_by(person.c.id)
        rows = connection.execute(query.with_for_update(key_share=True) if lock else query)
    return {(row.agency, row.source): row for row in rows}


REVISIONS = (
    select(person.c.id, person.c.consent_revision)
    .where(person.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(person.c.id)
    .with_for_update(read=True)
)


def revisions(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """The consent revisions of these persons; nobody changes them before this transaction ends."""
    wanted = sorted(set(ids))
    return {row.id: row.consent_revision for row in connection.execute(REVISIONS, {"ids": wanted})} if wanted else {}


def spoken_of(connection: Connection, agency: str, source: str, thing: str) -> bool:
    """Whether a record in force, other than of this thing, says something of the person."""
    query = (
        select(tables.translation.c.record)
        .join(person, person.c.id == tables.translation.c.person)
        .join(tables.record, tables.record.c.id == tables.translation.c.record)
        .where(
            person.c.agency == agency, person.c.source == source,
            tables.record.c.state == RecordState.TRANSLATED.value, tables.record.c.thing != thing,
        )
        .limit(1)
    )  # fmt: skip
    return connection.execute(query).first() is not None


OWN = (
    select(tables.record.c.id)
    .join(tables.translation, tables.translation.c.record == tables.record.c.id)
    .where(
        tables.record.c.person == bindparam("of"), tables.translation.c.person == bindparam("of"),
        tables.record.c.kind.in_(bindparam("kinds", expanding=True)), ~tables.record.c.void,
        tables.record.c.state == RecordState.TRANSLATED.value,
    )
    .limit(1)
)  # fmt: skip


def has_record(connection: Connection, person_id: int, kinds: Collection[str]) -> bool:
    """Whether a record in force of one of these kinds is this person's own."""
    return connection.execute(OWN, {"of": person_id, "kinds": sorted(kinds)}).first() is not None


SPOKEN_OF_AS = update(person).where(person.c.id == bindparam("person_id")).values(role=bindparam("as_role"))


def insert_ignore(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves an existing row alone, in the dialect at hand."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


ADVANCE = update(person).where(person.c.id == bindparam("person_id")).values(position=bindparam("reached"))


def advance(connection: Connection, positions: dict[int, int]) -> None:
    """The counters of these persons stand at the given positions."""
    reached = [{"person_id": person_id, "reached": position} for person_id, position in positions.items()]
    run_each(connection, ADVANCE, reached)
