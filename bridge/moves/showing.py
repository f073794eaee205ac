"""What of one record would leave for whom, by which rule and consent: shown to those who may read the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from bridge import release
from bridge.model import Hold, Part
from bridge.moves import own_record, planning
from bridge.moves.line import Line
from bridge.release import withhold
from bridge.release.preview import Shown, preview
from bridge.store import browsing, kin, permissions, persons
from bridge.store.permissions import Permissions


@dataclass(frozen=True, slots=True)
class ForChart:
    """What of a record would leave for one person's chart at one practice.

    `waits`: none of it does before that person's own record comes.
    """

    person: str  # the agency's id
    practice: str
    rows: tuple[Shown, ...]
    waits: Hold | None = None


def leaving(line: Line, record: dict[str, Any], now: int) -> list[ForChart]:
    """For each person of a translated record and each practice of theirs, as things are at `now`; no word of it."""
    with line.ledger.read() as connection:
        kept = browsing.translated_parts(connection, line.ledger, record["id"])
        known = permissions.of_persons(connection, line.ledger, record["agency"], sorted(kept))
        danger = kin.in_danger(connection, line.ledger, record["agency"], sorted(kept), withhold.marked)
        own = {person: unknown(connection, line, record, person, json) for person, json in kept.items()}
    parts = [Part.from_dict(one) for written in kept.values() for one in orjson.loads(written)]
    return [
        one
        for person in sorted(kept)
        for one in for_person(
            line,
            record,
            person,
            parts,
            known.get(person, planning.NOBODY),
            now,
            own[person],
            in_danger=person in danger,
        )
    ]


def unknown(connection: Connection, line: Line, record: dict[str, Any], person: str, kept: bytes) -> Hold | None:
    """What a record's parts about somebody wait for who is known from others' records only; None for anybody else."""
    agency, mappings = record["agency"], line.translator.mappings
    row = persons.fetch(connection, [(agency, person)], lock=False)[agency, person]
    parts = [Part.from_dict(one) for one in orjson.loads(kept)]
    roles = own_record.told_of(mappings, record["kind"], parts, own=row.id == record["person"])
    return own_record.waits(connection, mappings, agency, person, row.id, roles)


def for_person(
    line: Line,
    record: dict[str, Any],
    person: str,
    parts: list[Part],
    has: Permissions,
    now: int,
    waits: Hold | None = None,
    *,
    in_danger: bool = False,
) -> Iterator[ForChart]:
    """The same for one person: their own parts, at every practice they are linked with or consented to."""
    agency, program = line.project.agencies[record["agency"]], line.project.programs.get(record["program"])
    subject = planning.subject_of(line, agency.id, record["program"], has.patient)
    consented = [consent.practice for consent in has.consents]
    own = [part for part in parts if part.about == person]
    for practice_id in sorted({*has.links, *consented, has.practice} & set(agency.practices)):
        practice = line.project.practices[practice_id]
        status = release.may_answer(line.translator.mappings.kinds.get(record["kind"]), practice, program)
        gate = release.gate(
            agency.id, person, practice, has.consents, True, record["occurred_at"], now, subject, status=status
        )
        conditions = withhold.conditions_of(practice, program, has.patient, in_danger=in_danger)
        facts = withhold.facts_only_by("document", own, record["kind"], practice)
        yield ForChart(person, practice_id, preview(own, person, gate.decision, conditions, facts=facts), waits)
