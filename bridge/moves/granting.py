"""What people say about sharing, brought into the ledger: consents, links, table rows; what waited runs again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from bridge.consent import consent_key, hold_for
from bridge.errors import RecordError
from bridge.mappings.kinds import Permission
from bridge.mappings.tables import table_key
from bridge.model import Accepted, Decision, Fate, Item
from bridge.moves import ending, telling
from bridge.moves.line import Line
from bridge.people import link_key
from bridge.release import practice_key
from bridge.store import audit, custody, holds, permissions, persons, records
from bridge.store.records import thing


def heard(line: Line, items: Mapping[int, Item], kept: Sequence[Accepted], now: int) -> None:
    """What records say of sharing counts from their acceptance on: consents, custody, and which practice is named."""
    current = [items[one.index] for one in kept if one.fate in (Fate.NEW, Fate.VERSION, Fate.VOID)]
    take(line, [Said(i.agency, i.kind, thing(i.agency, i.kind, i.source_id), i.subject, i.void, i.raw)
                for i in current if i.final], now)  # fmt: skip
    keys = {practice_key(item.agency, item.subject) for item in items.values() if item.practice}
    if keys:
        line.ledger.write(holds.arrive, holds.Arrival(tuple(sorted(keys)), now, "named"))


def grant(line: Line, works: Sequence[records.Work], now: int) -> None:
    """The same when they are translated, for those whose acceptance broke off before it counted."""
    take(line, [Said(work.agency, work.kind, work.thing, work.subject, work.void, work.raw) for work in works], now)


@dataclass(frozen=True, slots=True)
class Said:
    """One final record that may say something about sharing."""

    agency: str
    kind: str
    thing: str
    subject: str
    void: bool
    raw: bytes = field(repr=False)


def take(line: Line, records: Sequence[Said], now: int) -> None:
    """Changes of custody suspend what others signed; then consents are recorded. A void one ends now."""
    kinds, changes, given = line.translator.mappings.kinds, [], []
    for one in records:
        kind = kinds[one.kind]
        if kind.consent is None and not kind.custody:
            continue
        record, agency = orjson.loads(one.raw), line.project.agencies[one.agency]
        custodian = kind.custodian(record)
        if custodian is not None and not one.void:
            changes.append(suspension(line, one.agency, one.subject, custodian, now))
        try:
            permission = kind.permission(record, agency.timezone)
        except RecordError:
            continue  # the translation of this record is held for the same reason
        if permission is not None and permission.practice in line.project.practices:
            said = replace(permission, revoked=permission.revoked or now) if one.void else permission
            given.append(consent_of(line, one.agency, said, "record", one.thing, one.agency, now))
    change_custody(line, changes, now)
    give_all(line, given, now)


def change_custody(line: Line, changes: Sequence[custody.Suspend], now: int) -> None:
    """What others signed is suspended where custody changed; each such change stands in the trail."""
    counts = line.write_all(custody.suspend, changes)
    moved = [one.person for one, count in zip(changes, counts, strict=True) if count]
    lines = [
        audit.Line(line.ledger.ids.take(), one.agency, now, one.agency, "consent-suspend", f"person {one.source}")
        for one in moved
    ]
    line.write_all(audit.note, lines)
    if moved:
        ending.tell_ended(line, now)


def give_all(line: Line, forms: Sequence[permissions.GiveConsent], now: int) -> list[bool]:
    """These forms are recorded, and practices told where one of them is a refusal or a revocation; which were new."""
    news = line.write_all(permissions.give_consent, forms)
    if any(new and (one.revoked or not one.terms.classes) for one, new in zip(forms, news, strict=True)):
        ending.tell_ended(line, now)
    return news


def suspension(line: Line, agency: str, person: str, said: str | None, now: int) -> custody.Suspend:
    """What a change of custody does, with the questions it may raise at each practice."""
    denied = Decision(False, frozenset(), "suspended")
    questions = {
        practice: (line.ledger.ids.take(), hold_for(denied, agency, person, practice))
        for practice in line.project.agencies[agency].practices
    }
    new = persons.prepare(line.ledger, agency, person)
    return custody.Suspend(line.ledger, new, said, questions, line.hold_due(now), now)


def suspend(line: Line, agency: str, person: str, now: int) -> int:
    """Who may consent for this person changed, somebody says: what others signed is suspended. How many forms."""
    count = line.ledger.write(custody.suspend, suspension(line, agency, person, None, now))
    ending.tell_ended(line, now)
    return count


def consent_of(
    line: Line, agency: str, said: Permission, source: str, source_ref: str, by: str, now: int
) -> permissions.GiveConsent:
    """One consent as the ledger keeps it."""
    return permissions.GiveConsent(
        ledger=line.ledger,
        id=line.ledger.ids.take(),
        blob=line.ledger.ids.take(),
        person=persons.prepare(line.ledger, agency, said.person),
        practice=said.practice,
        start=said.start,
        until=said.until,
        revoked=said.revoked,
        terms=said.terms,
        source=source,
        source_ref=source_ref,
        keys=keys_of(agency, said),
        by=by,
        now=now,
    )


def keys_of(agency: str, said: Permission) -> tuple[str, ...]:
    """What waits for this form; a practice that was told that nothing more comes is told no longer."""
    keys = consent_key(agency, said.person, said.practice), practice_key(agency, said.person)
    lets = said.terms.classes and said.revoked is None
    return (*keys, telling.notice_key(agency, said.person, said.practice)) if lets else keys


def give(line: Line, agency: str, said: Permission, source_ref: str, by: str, now: int) -> bool:
    """A consent that a person entered is recorded; False where it was known already."""
    return give_all(line, [consent_of(line, agency, said, "person", source_ref, by, now)], now)[0]


def revoke(line: Line, agency: str, person: str, practice: str, by: str, now: int) -> int:
    """The person's consents for this practice end now; what has not gone stays. How many ended."""
    key = consent_key(agency, person, practice)
    ask = permissions.RevokeConsent(agency, person, practice, key, by, now)
    ended = line.ledger.write(permissions.revoke_consent, ask)
    if ended:
        ending.tell_ended(line, now)
    return ended


def link_of(
    line: Line, agency: str, person: str, practice: str, system: str, value: str, basis: str, by: str, now: int
) -> permissions.MakeLink:
    """The practice's own identifier for a person, as the ledger keeps it."""
    return permissions.MakeLink(
        ledger=line.ledger,
        id=line.ledger.ids.take(),
        blob=line.ledger.ids.take(),
        person=persons.prepare(line.ledger, agency, person),
        practice=practice,
        system=system,
        value=value,
        basis=basis,
        keys=(link_key(agency, person, practice), practice_key(agency, person)),
        by=by,
        now=now,
    )


def add_row(line: Line, agency: str, table: str, code: str, row: dict[str, str], by: str, now: int) -> int:
    """A code has its row now; how many records that waited run again."""
    key = table_key(agency, table, code)
    ask = permissions.AddRow(line.ledger.ids.take(), agency, table, code, row, key, by, now, row.get("from", ""))
    return line.ledger.write(permissions.add_row, ask)
