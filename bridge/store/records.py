"""Records: kept at the door, claimed for translation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from bridge.model import Accepted, Fate, Item, RecordState, Weight
from bridge.store import catching, persons, tables
from bridge.store.engine import run_each
from bridge.store.ledger import Ledger, get_blobs, put_blobs, slices

record = tables.record


@dataclass(frozen=True, slots=True)
class Version:
    """What the ledger already holds of a thing: enough to decide an item's fate."""

    record: int
    ordinal: int
    version: str
    digest: str
    state: RecordState
    final: bool


Fated = Callable[[Item, Sequence[Version]], tuple[Fate, RecordState]]


@dataclass(frozen=True, slots=True)
class Keep:
    """One item to keep, with the ids it would get and the pure decision of its fate."""

    ledger: Ledger
    index: int
    item: Item
    fate: Fated
    record_id: int
    blob_id: int
    person: persons.NewPerson
    now: int


def thing(agency: str, kind: str, source_id: str) -> str:
    """The name of what an agency's versions are versions of."""
    return f"{agency}/{kind}/{source_id}"


def keep_items(ledger: Ledger, items: Sequence[tuple[int, Item]], fate: Fated, now: int) -> list[Accepted]:
    """Every item is durably kept, or recognised; answers in the order asked.

    Digests are kept keyed: they stand beside what is encrypted, and whoever guesses a record cannot compare.
    """
    futures = [
        ledger.submit(
            keep,
            Keep(
                ledger,
                index,
                replace(item, digest=ledger.keyring.hash(item.digest)),
                fate,
                ledger.ids.take(),
                ledger.ids.take(),
                persons.prepare(ledger, item.agency, item.subject),
                now,
            ),
        )
        for index, item in items
    ]
    return [future.result() for future in futures]


ADD = insert(record)


def keep(connection: Connection, asked: Sequence[Keep]) -> list[Accepted]:
    """Operation: see `keep_items`. Positions come from the person's counter under its row's lock.

    Another practice named for a person is a reason to decide anew: it counts in the person's `consent_revision`.
    """
    people = persons.ensure(connection, (keep.person for keep in asked))
    known = versions(connection, {thing(k.item.agency, k.item.kind, k.item.source_id) for k in asked})
    positions: dict[int, int] = {row.id: row.position for row in people.values()}
    practices: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    blobs: list[tuple[int, str, int, bytes]] = []
    superseded: list[int] = []
    answers = []
    for ask in asked:
        item = ask.item
        name = thing(item.agency, item.kind, item.source_id)
        row = people[(item.agency, item.subject)]
        ask.ledger.keys.add(row.id, row.wrapped_key)
        held = known.setdefault(name, [])
        fate, state = ask.fate(item, held)
        if fate is Fate.RESEND:
            same = [version.record for version in held if version.digest == item.digest]
            answers.append(Accepted(ask.index, fate, same[-1] if same else held[-1].record))
            continue
        if state is not RecordState.SUPERSEDED:  # what is unfinished replaces only what was unfinished
            for index, before in enumerate(held):
                if before.state is not RecordState.SUPERSEDED and (item.final or not before.final):
                    superseded.append(before.record)
                    held[index] = replace(before, state=RecordState.SUPERSEDED)
        positions[row.id] += 1
        ordinal = held[-1].ordinal + 1 if held else 1
        held.append(Version(ask.record_id, ordinal, item.version, item.digest, state, item.final))
        if item.practice and state is not RecordState.SUPERSEDED:
            practices[row.id] = item.practice
        blobs.append((ask.blob_id, item.agency, row.id, item.raw))
        rows.append(record_row(ask, state, row.id, positions[row.id], ordinal, name))
        answers.append(Accepted(ask.index, fate, ask.record_id))
    if rows:
        put_blobs(connection, asked[0].ledger.keys.load(connection, {row["person"] for row in rows}), blobs)
        run_each(connection, ADD, rows)
        persons.advance(connection, {row["person"]: positions[row["person"]] for row in rows})
    if superseded:
        supersede(connection, superseded, max(ask.now for ask in asked))
    for row in people.values():
        if practices.get(row.id, row.practice) != row.practice:
            connection.execute(
                update(tables.person)
                .where(tables.person.c.id == row.id)
                .values(practice=practices[row.id], consent_revision=tables.person.c.consent_revision + 1)
            )
            catching.begin(connection, [(row.id, row.agency, practices[row.id])], max(ask.now for ask in asked))
    return answers


def record_row(ask: Keep, state: RecordState, person: int, position: int, ordinal: int, name: str) -> dict[str, Any]:
    """The row of a record to keep; due for translation at once if it is final and none newer is known."""
    item = ask.item
    return {
        "id": ask.record_id,
        "agency": item.agency,
        "program": item.program,
        "thing": name,
        "kind": item.kind,
        "source_id": item.source_id,
        "ordinal": ordinal,
        "version": item.version,
        "person": person,
        "position": position,
        "digest": item.digest,
        "state": state.value,
        "final": item.final,
        "void": item.void,
        "weight": item.weight.value,
        "occurred_at": item.when,
        "accepted_at": ask.now,
        "raw_blob": ask.blob_id,
        "due_at": ask.now if item.final and state is RecordState.ACCEPTED else None,
    }


def supersede(connection: Connection, ids: Sequence[int], now: int) -> None:
    """These versions are done with: not translated any more, their holds closed."""
    lock(connection, ids)
    connection.execute(
        update(record).where(record.c.id.in_(ids)).values(state=RecordState.SUPERSEDED.value, due_at=None, owner=None)
    )
    connection.execute(
        update(tables.hold)
        .where(tables.hold.c.record.in_(ids), tables.OPEN_HOLD)
        .values(closed_at=now, closed_by="superseded")
    )


LOCKED = (
    select(record.c.id, record.c.state, record.c.owner, record.c.ordinal)
    .where(record.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(record.c.id)
    .with_for_update(key_share=True)
)


def lock(connection: Connection, ids: Iterable[int]) -> dict[int, Row[Any]]:
    """State, owner and ordinal of these records by id, locked for this transaction in the order of their ids."""
    found: dict[int, Row[Any]] = {}
    for some in slices(ids):
        found |= {row.id: row for row in connection.execute(LOCKED, {"ids": some})}
    return found


VERSIONS = (
    select(record)
    .where(record.c.thing.in_(bindparam("things", expanding=True)))
    .order_by(record.c.thing, record.c.ordinal)
)


def versions(connection: Connection, things: set[str]) -> dict[str, list[Version]]:
    """All versions of these things, oldest first."""
    found: dict[str, list[Version]] = {}
    for row in connection.execute(VERSIONS, {"things": sorted(things)}):
        version = Version(row.id, row.ordinal, row.version, row.digest, RecordState(row.state), row.final)
        found.setdefault(row.thing, []).append(version)
    return found


# ── claiming for translation ──────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants records to translate, how many, until when nobody else may take them."""

    ledger: Ledger
    owner: str
    limit: int
    now: int
    until: int


@dataclass(frozen=True, slots=True)
class Work:
    """One record claimed for translation."""

    id: int
    agency: str
    program: str
    thing: str
    kind: str
    source_id: str
    person: int
    subject: str
    position: int
    occurred_at: int | None
    void: bool
    claims: int
    raw: bytes = field(repr=False)
    decided: str = ""  # a person's word on this version: send | keep
    weight: Weight = Weight.USUAL
    accepted_at: int = 0


def due_query(now: int, limit: int) -> Select[Any]:
    """The records a worker may translate now; a claimed one is due again when its claim runs out."""
    return (
        select(record.c.id, record.c.claims)
        .where(record.c.due_at <= now)
        .order_by(record.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )


def claim(connection: Connection, asked: Sequence[Claim]) -> list[list[Work]]:
    """Operation: accepted records, each for one worker until the claim runs out.

    A record that cannot be read any more, because its person's key was destroyed, is not due again; of one that is
    damaged nothing is left to translate.
    """
    answers: list[list[Work]] = []
    for ask in asked:
        ids = together(connection.execute(due_query(ask.now, ask.limit)).all())
        if not ids:
            answers.append([])
            continue
        connection.execute(
            update(record)
            .where(record.c.id.in_(ids))
            .values(owner=ask.owner, due_at=ask.until, claims=record.c.claims + 1)
        )
        query = (
            select(record, tables.person.c.source.label("subject"))
            .join(tables.person, tables.person.c.id == record.c.person)
            .where(record.c.id.in_(ids))
            .order_by(record.c.person, record.c.position)
        )
        rows = connection.execute(query).all()
        damaged: set[int] = set()
        raw = get_blobs(connection, ask.ledger.keys, (row.raw_blob for row in rows), damaged)
        raw |= dict.fromkeys(damaged, b"")
        unreadable = [row.id for row in rows if row.raw_blob not in raw]
        if unreadable:
            connection.execute(update(record).where(record.c.id.in_(unreadable)).values(due_at=None, owner=None))
        answers.append(
            [
                Work(
                    row.id, row.agency, row.program, row.thing, row.kind, row.source_id, row.person, row.subject,
                    row.position, row.occurred_at, row.void, row.claims, raw[row.raw_blob], row.decided or "",
                    Weight(row.weight), row.accepted_at,
                )
                for row in rows
                if row.raw_blob in raw
            ]
        )  # fmt: skip
    return answers


def together(due: Sequence[Row[Any]]) -> list[int]:
    """Those of the due records that are claimed at once: what a worker did not finish before is tried alone.

    Else whatever stood beside a record that stops workers would be held with it.
    """
    if due and due[0].claims:
        return [due[0].id]
    return [row.id for row in takewhile(lambda row: not row.claims, due)]


def again(connection: Connection, record_id: int, now: int) -> None:
    """The record is due for translation at once, for whoever claims it."""
    connection.execute(update(record).where(record.c.id == record_id).values(due_at=now, owner=None, claims=0))


MARK = (
    update(record)
    .where(record.c.id == bindparam("record_id"))
    .values(
        state=bindparam("new_state"), mapping_hash=bindparam("mapping"), engine_hash=bindparam("engine"),
        definitions_hash=bindparam("definitions"), due_at=None, owner=None, claims=0,
    )
)  # fmt: skip


def mark(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Records by `record_id` get the given state and hashes and are no longer due."""
    run_each(connection, MARK, rows)


def postpone(connection: Connection, asked: Sequence[tuple[int, str, int]]) -> list[bool]:
    """Operation: `(record, owner, due)`: a claimed record waits until `due`, as if it had not been claimed."""
    for record_id, owner, due in asked:
        mine = (record.c.id == record_id) & (record.c.owner == owner)
        connection.execute(update(record).where(mine).values(owner=None, due_at=due, claims=0))
    return [True] * len(asked)


def first_said(connection: Connection, things: Iterable[str]) -> dict[str, int]:
    """When the first version of each of these things was accepted."""
    query = select(record.c.thing, func.min(record.c.accepted_at)).where(record.c.thing.in_(sorted(things)))
    return {str(thing): int(at) for thing, at in connection.execute(query.group_by(record.c.thing))}
