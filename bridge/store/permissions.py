"""Consents, links and table rows: what people say, kept, and what waited for it run again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from bridge.model import CONSENT_ENDED, Consent, EntryState, Terms
from bridge.store import catching, holds, lanes, persons, tables
from bridge.store.lanes import as_consents
from bridge.store.ledger import Ledger, get_blobs, put_blobs

consent, link, person = tables.consent, tables.link, tables.person
Said = Mapping[int, Sequence[str]]  # persons, each with the keys that holds about them wait for


@dataclass(frozen=True, slots=True)
class GiveConsent:
    """One consent to record; `keys` are what holds wait for, `source_ref` recognises the same one said again."""

    ledger: Ledger
    id: int
    blob: int
    person: persons.NewPerson
    practice: str
    start: int
    until: int | None
    revoked: int | None
    terms: Terms = field(repr=False)
    source: str
    source_ref: str
    keys: tuple[str, ...]
    by: str
    now: int


def give_consent(connection: Connection, asked: Sequence[GiveConsent]) -> list[bool]:
    """Operation: consents kept, decisions resting on the old ones void, what waited runs again. False = known already.

    A consent said again under the same `source_ref` replaces what it said before (a longer period, a revocation). It
    stays suspended or ended where it was, unless it is from a later day than that: a list imported once more revives
    nothing.
    """
    people = persons.ensure(connection, (ask.person for ask in asked))
    answers: list[bool] = []
    new: dict[int, tuple[str, ...]] = {}
    came: list[catching.Chart] = []
    for ask in asked:
        row = people[(ask.person.agency, ask.person.source)]
        ask.ledger.keys.add(row.id, row.wrapped_key)
        said: dict[str, Any] = {"start": ask.start, "until": ask.until, "revoked": ask.revoked}
        known = connection.execute(
            select(consent).where(
                consent.c.person == row.id, consent.c.practice == ask.practice, consent.c.source_ref == ask.source_ref
            )
        ).first()
        if known is not None and ask.revoked == ask.now and known.revoked is not None:
            said["revoked"] = min(known.revoked, ask.now)  # withdrawn before: it ended then
        if ask.revoked is not None or not ask.terms.classes:  # sharing may end by it, if not at once
            said["tell_at"] = ask.revoked if ask.revoked is not None else max(ask.start, ask.now)
        same = known is not None and terms_of(connection, ask.ledger, known.terms_blob) == ask.terms
        if same and all(getattr(known, name) == value for name, value in said.items() if name != "tell_at"):
            answers.append(False)
            continue
        keys = ask.ledger.keys.load(connection, [row.id])
        put_blobs(connection, keys, [(ask.blob, ask.person.agency, row.id, orjson.dumps(ask.terms.as_dict()))])
        said["terms_blob"] = ask.blob
        if known is not None:
            if ask.start != known.start:
                later = (name for name in ("suspended", "ended") if ask.start > (getattr(known, name) or ask.start))
                said |= dict.fromkeys(later)
            connection.execute(update(consent).where(consent.c.id == known.id).values(**said))
            connection.execute(tables.blob.delete().where(tables.blob.c.id == known.terms_blob))
        else:
            connection.execute(
                insert(consent).values(
                    id=ask.id, agency=ask.person.agency, person=row.id, practice=ask.practice, source=ask.source,
                    source_ref=ask.source_ref, recorded_at=ask.now, recorded_by=ask.by, **said,
                )
            )  # fmt: skip
        new[row.id] = (*new.get(row.id, ()), *ask.keys)
        came.append((row.id, ask.person.agency, ask.practice))
        answers.append(True)
    if new:
        changed(connection, new, max(ask.now for ask in asked), "consent")
        catching.begin(connection, came, max(ask.now for ask in asked))
    return answers


def terms_of(connection: Connection, ledger: Ledger, blob: int) -> Terms | None:
    """The terms kept there; None where the person's key was destroyed."""
    kept = get_blobs(connection, ledger.keys, [blob]).get(blob)
    return Terms.from_dict(orjson.loads(kept)) if kept is not None else None


@dataclass(frozen=True, slots=True)
class RevokeConsent:
    """One person's consents for one practice end now."""

    agency: str
    source: str
    practice: str
    key: str
    by: str
    now: int


def revoke_consent(connection: Connection, asked: Sequence[RevokeConsent]) -> list[int]:
    """Operation: consents neither revoked nor expired end now; what has not gone stays. How many ended."""
    people = persons.fetch(connection, [(ask.agency, ask.source) for ask in asked])
    answers: list[int] = []
    new: dict[int, tuple[str, ...]] = {}
    for ask in asked:
        row = people.get((ask.agency, ask.source))
        if row is None:
            answers.append(0)
            continue
        ends = (consent.c.until, consent.c.revoked, consent.c.ended)
        still = [or_(end.is_(None), end > ask.now) for end in ends]
        done = connection.execute(
            update(consent)
            .where(consent.c.person == row.id, consent.c.practice == ask.practice, *still)
            .values(ended=ask.now, tell_at=ask.now)
        )
        if done.rowcount:
            new[row.id] = (*new.get(row.id, ()), ask.key)
        answers.append(done.rowcount)
    if new:
        changed(connection, new, max(ask.now for ask in asked), "consent")
    return answers


def changed(
    connection: Connection, people: Said, now: int, by: str, confirmed: Mapping[int, Sequence[str]] | None = None
) -> None:
    """Decisions about these persons are taken again; what waited for their keys, or those `confirmed`, runs again.

    All persons before the first lane, and all lanes at once: the order every transaction locks them in.
    """
    everybody = {**(confirmed or {}), **people}
    connection.execute(
        update(person).where(person.c.id.in_(people)).values(consent_revision=person.c.consent_revision + 1)
    )
    lanes.lock(connection, connection.execute(lanes.of_persons(everybody)).scalars())
    keys = [key for said in (people, confirmed or {}) for of_person in said.values() for key in of_person]
    holds.arrived(connection, keys, now, by)
    reconsider(connection, people, now)


def reconsider(connection: Connection, people: Said, now: int) -> None:
    """What was withheld whole from these persons' charts is looked at again: another consent may let it leave."""
    entry = tables.entry
    withheld = (
        entry.c.person.in_(people),
        entry.c.state == EntryState.CANCELLED.value,
        entry.c.kind != CONSENT_ENDED,
        entry.c.should,
    )
    lanes_of = list(connection.execute(select(entry.c.lane).where(*withheld).distinct()).scalars())
    if lanes_of:
        lanes.wake(connection, lanes_of, now)
        connection.execute(update(entry).where(*withheld).values(state=EntryState.READY.value, due_at=now))


@dataclass(frozen=True, slots=True)
class MakeLink:
    """The practice's own identifier for a person, from a roster, a referral or a person's decision."""

    ledger: Ledger
    id: int
    blob: int
    person: persons.NewPerson
    practice: str
    system: str
    value: str = field(repr=False)
    basis: str
    keys: tuple[str, ...]
    by: str
    now: int


def make_link(connection: Connection, asked: Sequence[MakeLink]) -> list[bool]:
    """Operation: links kept, what waited runs again. The same link again changes nothing; another one replaces it.

    A new link counts in the person's `consent_revision`: no step decided on the old one leaves any more. The same link
    said again runs what waits for it again: somebody looked at it once more.
    """
    people = persons.ensure(connection, (ask.person for ask in asked))
    answers: list[bool] = []
    new: dict[int, tuple[str, ...]] = {}
    confirmed: dict[int, tuple[str, ...]] = {}
    came: list[catching.Chart] = []
    for ask in asked:
        row = people[(ask.person.agency, ask.person.source)]
        ask.ledger.keys.add(row.id, row.wrapped_key)
        value_hash = ask.ledger.keyring.hash(ask.system, ask.value)
        current = connection.execute(
            select(link).where(link.c.person == row.id, link.c.practice == ask.practice, tables.CURRENT_LINK)
        ).first()
        if current is not None and current.value_hash == value_hash:
            confirmed[row.id] = (*confirmed.get(row.id, ()), *ask.keys)
            answers.append(False)
            continue
        if current is not None:
            connection.execute(update(link).where(link.c.id == current.id).values(retired_at=ask.now))
        same = link.c.practice == ask.practice, link.c.value_hash == value_hash, link.c.agency == ask.person.agency
        connection.execute(update(link).where(*same).values(patient=""))  # whoever has it too is no longer certain
        keys = ask.ledger.keys.load(connection, [row.id])
        put_blobs(connection, keys, [(ask.blob, ask.person.agency, row.id, f"{ask.system}\x1f{ask.value}".encode())])
        connection.execute(
            insert(link).values(
                id=ask.id, agency=ask.person.agency, person=row.id, practice=ask.practice, value_hash=value_hash,
                value_blob=ask.blob, basis=ask.basis, recorded_at=ask.now, recorded_by=ask.by,
            )
        )  # fmt: skip
        new[row.id] = (*new.get(row.id, ()), *ask.keys)
        came.append((row.id, ask.person.agency, ask.practice))
        answers.append(True)
    changed(connection, new, max(ask.now for ask in asked), "link", confirmed)
    catching.begin(connection, came, max(ask.now for ask in asked))
    return answers


def holders(connection: Connection, agency: str, practice: str, hashes: Sequence[str]) -> set[int]:
    """The agency's persons to whom one of these numbers (keyed hashes) of the practice belongs now."""
    mine = link.c.agency == agency, link.c.practice == practice, link.c.value_hash.in_(hashes), tables.CURRENT_LINK
    return set(connection.execute(select(link.c.person).where(*mine)).scalars())


def current_number(connection: Connection, person_id: int, practice: str) -> str:
    """The keyed hash of the person's number at the practice; "" where it gave none."""
    mine = link.c.person == person_id, link.c.practice == practice, tables.CURRENT_LINK
    return str(connection.execute(select(link.c.value_hash).where(*mine)).scalar() or "")


def matched(connection: Connection, asked: Sequence[tuple[int, str, int]]) -> list[bool]:
    """Operation: `(link id, the EHR's Patient id, now)`: these links were found in the chart. "" forgets the match."""
    for link_id, patient, now in sorted(asked):
        connection.execute(update(link).where(link.c.id == link_id).values(patient=patient, matched_at=now))
    return [True] * len(asked)


TWIN = link.alias()
SHARED = (
    select(TWIN.c.id)
    .join(link, (TWIN.c.practice == link.c.practice) & (TWIN.c.value_hash == link.c.value_hash))
    .where(
        link.c.person == bindparam("of"), link.c.practice == bindparam("at"), tables.CURRENT_LINK,
        TWIN.c.agency == link.c.agency, TWIN.c.person != bindparam("of"), TWIN.c.retired_at.is_(None),
    )
    .limit(1)
)  # fmt: skip


SAME_CHART = (
    select(link.c.id)
    .join(person, person.c.id == bindparam("of"))
    .where(
        link.c.practice == bindparam("at"), link.c.patient == bindparam("chart"), link.c.agency == person.c.agency,
        link.c.person != bindparam("of"), tables.CURRENT_LINK,
    )
    .limit(1)
)  # fmt: skip


def shared_link(connection: Connection, practice: str, person_id: int, chart: str = "") -> bool:
    """Whether this person's identifier at the practice is also another person's of the same agency: never certain.

    So it is where another identifier of theirs was found to be the same `chart` (the EHR's Patient id).
    """
    asked = {"of": person_id, "at": practice}
    if connection.execute(SHARED, asked).first() is not None:
        return True
    return bool(chart) and connection.execute(SAME_CHART, {**asked, "chart": chart}).first() is not None


@dataclass(frozen=True, slots=True)
class AddRow:
    """One row a person added to a code table; `start` is the day from which it holds, "" for one without."""

    id: int
    agency: str
    table: str
    code: str
    row: dict[str, str]
    key: str
    by: str
    now: int
    start: str = ""


def add_row(connection: Connection, asked: Sequence[AddRow]) -> list[int]:
    """Operation: rows added, or put in place of those of their code and start; how many records run again for each."""
    connection.execute(update(tables.counter).where(ROWS).values(next=tables.counter.c.next + 1))
    added = tables.table_row
    for ask in asked:
        same = added.c.agency == ask.agency, added.c.table_name == ask.table, added.c.code == ask.code
        connection.execute(added.delete().where(*same, added.c.start == ask.start))
        connection.execute(
            insert(added).values(
                id=ask.id, agency=ask.agency, table_name=ask.table, code=ask.code, start=ask.start,
                row=json.dumps(ask.row), recorded_at=ask.now, recorded_by=ask.by,
            )
        )  # fmt: skip
    return holds.arrive(connection, [holds.Arrival((ask.key,), ask.now, "table") for ask in asked])


ROWS = tables.counter.c.name == "rows"


def rows_version(connection: Connection, *, lock: bool = False) -> int:
    """Changes with every row added; read it before `added_rows`. With `lock` no row comes before the transaction ends.

    Locked before persons, lanes and records, as `add_row` does.
    """
    query = select(tables.counter.c.next).where(ROWS)
    return int(connection.execute(query.with_for_update(read=True) if lock else query).scalar_one())


def added_rows(connection: Connection) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Rows people added: {agency: {table: [row]}}, in the order of code and start."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    added = tables.table_row
    for row in connection.execute(select(added).order_by(added.c.code, added.c.start)):
        found.setdefault(row.agency, {}).setdefault(row.table_name, []).append(json.loads(row.row))
    return found


@dataclass(frozen=True, slots=True)
class Permissions:
    """What planning needs to know of one person; `revision` changes with any of it."""

    practice: str  # named by the agency's record; "" = none
    consents: tuple[Consent, ...]
    links: frozenset[str]  # practices with a link
    revision: int = 0
    patient: bytes = field(default=b"", repr=False)  # the canonical Patient (JSON); b"" where no record made one
    role: str = ""  # in which records speak of them; "" = none did


def with_consents(connection: Connection, agency: str) -> list[str]:
    """The agency's ids of the persons of whom a form is recorded."""
    query = select(person.c.source).where(person.c.id.in_(select(consent.c.person).where(consent.c.agency == agency)))
    return list(connection.execute(query.order_by(person.c.source)).scalars())


def of_persons(connection: Connection, ledger: Ledger, agency: str, sources: Sequence[str]) -> dict[str, Permissions]:
    """Consents and links of these persons of one agency, by their source id."""
    people = {
        row.id: row
        for row in connection.execute(select(person).where(person.c.agency == agency, person.c.source.in_(sources)))
    }
    forms = connection.execute(select(consent).where(consent.c.person.in_(people))).all()
    patients = [row.patient_blob for row in people.values() if row.patient_blob is not None]
    blobs = get_blobs(connection, ledger.keys, [*patients, *(row.terms_blob for row in forms)])
    given: dict[int, list[Consent]] = {}
    for row in forms:
        given.setdefault(row.person, []).extend(as_consents(row, people[row.person].source, blobs))
    linked: dict[int, set[str]] = {}
    for row in connection.execute(
        select(link.c.person, link.c.practice).where(link.c.person.in_(people), tables.CURRENT_LINK)
    ):
        linked.setdefault(row.person, set()).add(row.practice)
    return {
        row.source: Permissions(
            row.practice,
            tuple(given.get(row.id, ())),
            frozenset(linked.get(row.id, ())),
            row.consent_revision,
            blobs.get(row.patient_blob, b""),
            row.role,
        )
        for row in people.values()
    }
