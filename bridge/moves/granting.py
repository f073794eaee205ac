"""What people say about sharing, brought into the ledger: consents, links, table rows; what waited runs again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from bridge.consent import consent_key
from bridge.errors import RecordError
from bridge.mappings.kinds import Permission
from bridge.mappings.tables import table_key
from bridge.model import Item
from bridge.moves.line import Line
from bridge.people import link_key
from bridge.release import practice_key
from bridge.store import holds, permissions, persons, records


def grant(line: Line, works: Sequence[records.Work], now: int) -> None:
    """The consents that these records carry are recorded; one that is void is revoked from now on."""
    said = []
    for work in works:
        kind = line.translator.mappings.kinds[work.kind]
        if kind.consent is None:
            continue
        try:
            permission = kind.permission(orjson.loads(work.raw), line.project.agencies[work.agency].timezone)
        except RecordError:
            continue  # the translation of this record is held for the same reason
        if permission is not None and permission.practice in line.project.practices:
            given = replace(permission, revoked=permission.revoked or now) if work.void else permission
            said.append(consent_of(line, work.agency, given, "record", work.thing, work.agency, now))
    line.write_all(permissions.give_consent, said)


def practices_named(line: Line, items: Sequence[Item], now: int) -> None:
    """What waited for anyone to say which practice these persons go to runs again."""
    keys = {practice_key(item.agency, item.subject) for item in items if item.practice}
    if keys:
        line.ledger.write(holds.arrive, holds.Arrival(tuple(sorted(keys)), now, "named"))


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
        keys=(consent_key(agency, said.person, said.practice), practice_key(agency, said.person)),
        by=by,
        now=now,
    )


def give(line: Line, agency: str, said: Permission, source_ref: str, by: str, now: int) -> bool:
    """A consent that a person entered is recorded; False where it was known already."""
    return line.ledger.write(permissions.give_consent, consent_of(line, agency, said, "person", source_ref, by, now))


def revoke(line: Line, agency: str, person: str, practice: str, by: str, now: int) -> int:
    """The person's consents for this practice end now; what has not gone stays. How many ended."""
    key = consent_key(agency, person, practice)
    ask = permissions.RevokeConsent(agency, person, practice, key, by, now)
    return line.ledger.write(permissions.revoke_consent, ask)


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
    ask = permissions.AddRow(line.ledger.ids.take(), agency, table, code, row, key, by, now)
    return line.ledger.write(permissions.add_row, ask)
