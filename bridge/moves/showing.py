"""What of one record would leave for whom, by which rule and consent: shown to those who may read the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from bridge import release
from bridge.model import Part
from bridge.moves import planning
from bridge.moves.line import Line
from bridge.release import withhold
from bridge.release.preview import Shown, preview
from bridge.store import browsing, kin, permissions
from bridge.store.permissions import Permissions


@dataclass(frozen=True, slots=True)
class ForChart:
    """What of a record would leave for one person's chart at one practice."""

    person: str  # the agency's id
    practice: str
    rows: tuple[Shown, ...]


def leaving(line: Line, record: dict[str, Any], now: int) -> list[ForChart]:
    """For each person of a translated record and each practice of theirs, as things are at `now`; no word of it."""
    with line.ledger.read() as connection:
        kept = browsing.translated_parts(connection, line.ledger, record["id"])
        known = permissions.of_persons(connection, line.ledger, record["agency"], sorted(kept))
        danger = kin.in_danger(connection, line.ledger, record["agency"], sorted(kept), withhold.marked)
    parts = [Part.from_dict(one) for written in kept.values() for one in orjson.loads(written)]
    return [
        one
        for person in sorted(kept)
        for one in for_person(
            line, record, person, parts, known.get(person, planning.NOBODY), now, in_danger=person in danger
        )
    ]


def for_person(
    line: Line,
    record: dict[str, Any],
    person: str,
    parts: list[Part],
    has: Permissions,
    now: int,
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
        yield ForChart(person, practice_id, preview(own, person, gate.decision, conditions, facts=facts))
