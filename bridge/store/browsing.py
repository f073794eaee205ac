"""Looking things up for people: records and where they are, one person's permissions, one practice's share.

`agency` and `practice` leave only what belongs to them, "" leaves open. Nothing here changes a row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from bridge.model import EntryState, RecordState
from bridge.store import answers, tables, telling
from bridge.store.ledger import Ledger, get_blobs

record, entry, person, hold = tables.record, tables.entry, tables.person, tables.hold
link = tables.link
KEPT = "kept"  # of records: a person decided that they stay with the agency


def find_records(
    connection: Connection,
    *,
    agency: str = "",
    practice: str = "",
    state: str = "",
    person_number: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Records, the latest first, each with `subject` and the `entries` that tell of it; from before record `before` on.

    `state` is the record's own, that of one of its entries, or `KEPT`. Versions that were replaced are left out unless
    asked for by their state.
    """
    query = select(record, person.c.source.label("subject")).join(person, person.c.id == record.c.person)
    there = [entry.c.practice == practice] if practice else []
    if state == KEPT:
        query = query.where(record.c.decided == answers.KEEP)
    elif state:
        query = query.where(or_(record.c.state == state, telling.tells_of_record(entry.c.state == state, *there)))
    if practice:
        query = query.where(telling.tells_of_record(*there))
    if state != RecordState.SUPERSEDED.value:
        query = query.where(record.c.state != RecordState.SUPERSEDED.value)
    if agency:
        query = query.where(record.c.agency == agency)
    if person_number is not None:
        query = query.where(record.c.person == person_number)
    if before is not None:
        query = query.where(record.c.id < before)
    rows = [dict(row._mapping) for row in connection.execute(query.order_by(record.c.id.desc()).limit(limit))]
    entries = telling.entries_of(connection, {row["thing"] for row in rows})
    return [row | {"entries": entries.get(row["thing"], [])} for row in rows]


def versions(connection: Connection, thing: str) -> list[dict[str, Any]]:
    """Every version of a thing, the first one above."""
    rows = connection.execute(select(record).where(record.c.thing == thing).order_by(record.c.ordinal))
    return [dict(row._mapping) for row in rows]


def newest(connection: Connection, thing: str) -> int | None:
    """The number of a thing's newest version; None where there is no such thing."""
    query = select(record.c.id).where(record.c.thing == thing).order_by(record.c.ordinal.desc()).limit(1)
    found: int | None = connection.execute(query).scalar()
    return found


def translated_parts(connection: Connection, ledger: Ledger, record_id: int) -> dict[str, bytes]:
    """The parts of a record (JSON) by the agency's id of whom they are about; without those whose key was destroyed."""
    made = tables.translation
    query = select(person.c.source, made.c.parts_blob).join(person, person.c.id == made.c.person)
    blobs = {row.source: row.parts_blob for row in connection.execute(query.where(made.c.record == record_id))}
    content = get_blobs(connection, ledger.keys, blobs.values())
    return {source: content[blob] for source, blob in blobs.items() if blob in content}


def find_person(connection: Connection, source: str, agency: str = "") -> list[dict[str, Any]]:
    """The persons whom an agency calls so: one, or one an agency where no agency is named."""
    query = select(person.c.id, person.c.agency, person.c.source).where(person.c.source == source)
    query = query.where(person.c.agency == agency) if agency else query
    return [dict(row._mapping) for row in connection.execute(query.order_by(person.c.agency))]


def one_person(connection: Connection, number: int) -> dict[str, Any] | None:
    """A person by the ledger's number: agency, the agency's id, the practice their record names; links."""
    columns = (person.c.id, person.c.agency, person.c.source, person.c.practice)
    row = connection.execute(select(*columns).where(person.c.id == number)).first()
    if row is None:
        return None
    known = connection.execute(
        select(link).where(link.c.person == number, tables.CURRENT_LINK).order_by(link.c.practice)
    )
    return {
        **row._mapping,
        "links": [dict(one._mapping) for one in known],
    }


def shares(connection: Connection, agency: str = "") -> dict[str, dict[str, Any]]:
    """For each practice with entries: `entries` by state, `holds` open for it, since when the `oldest` goes.

    How many of those ready wait `behind` another of their record; they do not go.
    """
    found: dict[str, dict[str, Any]] = {}
    mine = [entry.c.agency == agency] if agency else []
    counted = select(entry.c.practice, entry.c.state, func.count()).where(*mine)
    for practice, state, count in connection.execute(counted.group_by(entry.c.practice, entry.c.state)):
        nothing = {"entries": {one.value: 0 for one in EntryState}, "holds": 0, "oldest": None, "behind": 0}
        found.setdefault(practice, nothing)["entries"][state] = count
    for practice, count in telling.behind(connection, agency).items():
        found[practice]["behind"] = count
    for practice, since in telling.oldest(connection, agency).items():
        found[practice]["oldest"] = since
    theirs = [hold.c.agency == agency] if agency else []
    held = select(hold.c.practice, func.count()).where(tables.OPEN_HOLD, hold.c.practice != "", *theirs)
    for practice, count in connection.execute(held.group_by(hold.c.practice)):
        if practice in found:
            found[practice]["holds"] = count
    return found


def connections(connection: Connection, now: int) -> dict[str, dict[str, Any]]:
    """Each connection that was ever used: `down` (why it does not work, or ""), `read_at` of its statement."""
    state = tables.connection_state
    query = select(state.c.connection, state.c.closed_until, state.c.failures, state.c.reason, state.c.statement_at)
    return {
        row.connection: {
            "down": row.reason if row.closed_until > now or row.failures else "",
            "read_at": row.statement_at,
        }
        for row in connection.execute(query)
    }


def latest_delivered(connection: Connection, practice: str, agency: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """What came to stand in this practice's charts last."""
    there = and_(entry.c.practice == practice, entry.c.state == EntryState.DELIVERED.value)
    query = select(entry).where(there, entry.c.stands_id.isnot(None))
    query = query.where(entry.c.agency == agency) if agency else query
    rows = connection.execute(query.order_by(entry.c.updated_at.desc(), entry.c.id.desc()).limit(limit))
    return [dict(row._mapping) for row in rows]


def known_system(connection: Connection, ledger: Ledger, agency: str, practice: str) -> str:
    """The system of the numbers this practice gave the agency's persons last; "" where it gave none."""
    mine = (link.c.agency == agency, link.c.practice == practice, link.c.basis == "roster", tables.CURRENT_LINK)
    latest = connection.execute(
        select(link.c.value_blob).where(*mine).order_by(link.c.recorded_at.desc(), link.c.id.desc()).limit(1)
    ).scalar()
    if latest is None:
        return ""
    return get_blobs(connection, ledger.keys, [latest]).get(latest, b"").decode().partition("\x1f")[0]
