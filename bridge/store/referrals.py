"""Practices' own referrals to agencies: every version kept, under the key of whom it is about once somebody said who.

Until then a referral stands under the key of a person of its own (`referral:…`), whom no record speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bridge.model import Accepted, Fate, Hold, Item, RecordState
from bridge.store import holds, persons, tables
from bridge.store.ledger import Ledger, get_blobs, put_blobs, slices
from bridge.store.records import Fated, Version

referral, link, person = tables.referral, tables.link, tables.person
RECEIVED, PLACED, DECLINED, SUPERSEDED = "received", "placed", "declined", "superseded"
UNPLACED = "referral:"
"""How the id of a person begins who stands for a referral that nobody placed yet."""


@dataclass(frozen=True, slots=True)
class Keep:
    """One version of one referral to keep; `item` is as the agencies' door has it, its `source_id` the keyed name.

    `numbers` are keyed hashes of the patient's identifiers: whose link has one of them the referral is about.
    """

    ledger: Ledger
    id: int
    blob: int
    hold_id: int
    item: Item
    value_hash: str
    numbers: tuple[str, ...]
    status: str
    unplaced: persons.NewPerson
    fate: Fated
    holds: dict[Fate, Hold]
    by: str
    now: int
    hold_due: int


def keep(connection: Connection, asked: Sequence[Keep]) -> list[Accepted]:
    """Operation: each version is kept, or recognised as known; the agency is asked about it."""
    people = persons.ensure(connection, (ask.unplaced for ask in asked))
    answers = []
    changed: list[str] = []
    for index, ask in enumerate(asked):
        mine = of_name(ask.item.agency, ask.item.practice, ask.item.source_id)
        before = connection.execute(select(referral).where(*mine).order_by(referral.c.ordinal)).all()
        known = [Version(row.id, row.ordinal, row.version, row.digest, RecordState.ACCEPTED, True) for row in before]
        fate, state = ask.fate(ask.item, known)
        if fate is Fate.RESEND:
            same = [one.record for one in known if one.digest == ask.item.digest]
            answers.append(Accepted(index, fate, same[-1] if same else known[-1].record))
            continue
        late = state is RecordState.SUPERSEDED
        if not late:
            connection.execute(update(referral).where(*mine).values(state=SUPERSEDED))
        unplaced = people[(ask.unplaced.agency, ask.unplaced.source)]
        placed = [row.person for row in before if row.person != unplaced.id][-1:] or linked(connection, ask)
        about = placed[0] if placed else unplaced.id
        ask.ledger.keys.add(unplaced.id, unplaced.wrapped_key)
        keys = ask.ledger.keys.load(connection, [about])
        put_blobs(connection, keys, [(ask.blob, ask.item.agency, about, ask.item.raw)])
        row = {
            "id": ask.id, "agency": ask.item.agency, "practice": ask.item.practice, "name": ask.item.source_id,
            "value_hash": ask.value_hash, "ordinal": len(before) + 1, "version": ask.item.version,
            "digest": ask.item.digest, "status": ask.status, "void": ask.item.void, "person": about,
            "state": SUPERSEDED if late else PLACED if placed else RECEIVED, "raw_blob": ask.blob,
            "received_at": ask.now, "received_by": ask.by,
        }  # fmt: skip
        connection.execute(insert(referral).values(**row))
        if not late:
            hold = ask.holds[fate]
            of_it = tables.hold.c.waits_for == hold.waits_for
            holds.close(connection, of_it & tables.hold.c.entry.is_(None), ask.now, "superseded")
            changed.append(hold.waits_for)
            opened = holds.row(
                ask.hold_id, ask.item.agency, hold, ask.now, ask.hold_due, person=about, practice=ask.item.practice
            )
            connection.execute(insert(tables.hold).values(**opened))
        answers.append(Accepted(index, fate, ask.id))
    if changed:  # a status that waited for the one before is judged by this one
        those = tables.hold.c.waits_for.in_(changed) & tables.hold.c.entry.isnot(None)
        holds.rerun(connection, those, max(ask.now for ask in asked), "referral")
    return answers


def of_name(agency: str, practice: str, name: str) -> tuple[Any, ...]:
    """Every version of one referral."""
    return referral.c.agency == agency, referral.c.practice == practice, referral.c.name == name


def linked(connection: Connection, ask: Keep) -> list[int]:
    """The one person whose link at this practice has one of these numbers; none where there are none or several."""
    query = select(link.c.person).where(
        link.c.agency == ask.item.agency, link.c.practice == ask.item.practice, link.c.value_hash.in_(ask.numbers),
        tables.CURRENT_LINK,
    )  # fmt: skip
    found = list(connection.execute(query.distinct()).scalars())
    return found if len(found) == 1 else []


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agency said of a referral: whom it is about (`person`), or that it does not take it (None)."""

    ledger: Ledger
    id: int
    person: persons.NewPerson | None
    key: str  # what waits for the answer
    by: str
    now: int
    spare: tuple[int, ...] = field(default=())  # ids for the blobs that are written anew, one for each version


def answer(connection: Connection, asked: Sequence[Answer]) -> list[bool]:
    """Operation: the referral is placed, its versions under that person's key, or declined; what waited runs again.

    False where it was answered so before.
    """
    people = persons.ensure(connection, (ask.person for ask in asked if ask.person is not None))
    answers = []
    keys_of_holds: list[str] = []
    for ask in asked:
        row = connection.execute(select(referral).where(referral.c.id == ask.id)).one()
        mine = of_name(row.agency, row.practice, row.name)
        state = DECLINED if ask.person is None else PLACED
        about = row.person if ask.person is None else people[(ask.person.agency, ask.person.source)].id
        new = row.state != state or row.person != about
        answers.append(new)
        keys_of_holds.append(ask.key)
        if not new:
            continue
        if about != row.person and ask.person is not None:
            ask.ledger.keys.add(about, people[(ask.person.agency, ask.person.source)].wrapped_key)
            move(connection, ask, mine, row.agency, about)
        said = {"answered_at": ask.now, "answered_by": ask.by}
        connection.execute(update(referral).where(*mine, referral.c.state != SUPERSEDED).values(state=state, **said))
    holds.arrived(connection, keys_of_holds, max(ask.now for ask in asked), asked[0].by)
    return answers


def move(connection: Connection, ask: Answer, mine: tuple[Any, ...], agency: str, about: int) -> None:
    """What the practice wrote stands under this person's key, and under the other no more."""
    rows = connection.execute(select(referral.c.id, referral.c.raw_blob).where(*mine)).all()
    plain = get_blobs(connection, ask.ledger.keys, [row.raw_blob for row in rows])
    keys = ask.ledger.keys.load(connection, [about])
    for row, blob in zip(rows, ask.spare, strict=False):
        put_blobs(connection, keys, [(blob, agency, about, plain[row.raw_blob])])
        connection.execute(update(referral).where(referral.c.id == row.id).values(raw_blob=blob, person=about))
    for some in slices(row.raw_blob for row in rows):
        connection.execute(tables.blob.delete().where(tables.blob.c.id.in_(some)))


def listed(connection: Connection, agency: str = "", practice: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The referrals in force, the latest first, each with the agency's id of its person ("" until it is placed)."""
    query = select(referral, person.c.source).join(person, person.c.id == referral.c.person)
    query = query.where(referral.c.state != SUPERSEDED).order_by(referral.c.received_at.desc(), referral.c.id.desc())
    query = query.where(referral.c.agency == agency) if agency else query
    query = query.where(referral.c.practice == practice) if practice else query
    return [as_dict(row) for row in connection.execute(query.limit(limit))]


def one(connection: Connection, referral_id: int) -> dict[str, Any] | None:
    """One version by its number, with `versions`: how many there are of it."""
    query = select(referral, person.c.source).join(person, person.c.id == referral.c.person)
    row = connection.execute(query.where(referral.c.id == referral_id)).first()
    if row is None:
        return None
    count = connection.execute(select(referral.c.id).where(*of_name(row.agency, row.practice, row.name))).all()
    return as_dict(row) | {"versions": len(count)}


def as_dict(row: Row[Any]) -> dict[str, Any]:
    """A referral's row; `subject` is the agency's id of its person, "" until somebody said who it is."""
    return {**row._mapping, "subject": "" if row.source.startswith(UNPLACED) else row.source}


def by_key(connection: Connection, agency: str, practice: str, name: str) -> dict[str, Any] | None:
    """The version in force of the referral of this keyed name."""
    query = select(referral, person.c.source).join(person, person.c.id == referral.c.person)
    row = connection.execute(
        query.where(*of_name(agency, practice, name), referral.c.state != SUPERSEDED).limit(1)
    ).first()
    return as_dict(row) if row is not None else None


def of_value(connection: Connection, agency: str, practice: str, value_hash: str) -> list[dict[str, Any]]:
    """The referrals in force that the practice numbers so, in whichever system."""
    query = select(referral, person.c.source).join(person, person.c.id == referral.c.person)
    rows = connection.execute(
        query.where(
            referral.c.agency == agency, referral.c.practice == practice, referral.c.value_hash == value_hash,
            referral.c.state != SUPERSEDED,
        )
    )  # fmt: skip
    return [as_dict(row) for row in rows]


def words(connection: Connection, ledger: Ledger, blob: int) -> bytes:
    """What the practice sent, b"" where the person's key was destroyed."""
    return get_blobs(connection, ledger.keys, [blob]).get(blob, b"")
