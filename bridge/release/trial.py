"""What of one record would reach whom at one practice, with consents that are given and not looked up.

For `bridge try` and for the cases of a mapping: the gates, the preview and the release of the line itself, without a
ledger. That the practice knows the person is taken as given; of the person is known what the record says itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from bridge import consent
from bridge.mappings.cases import Case
from bridge.mappings.cases.differences import LEAVES, Stated
from bridge.mappings.kinds import Kind
from bridge.model import Consent, Part, Released
from bridge.release import withhold
from bridge.release.gates import Gate, gate, may_answer
from bridge.release.preview import Shown, preview
from bridge.settings import Contact, Practice, Program


@dataclass(frozen=True, slots=True)
class Asked:
    """One practice, the record's program, the consents there are, and the instant (microseconds) that counts."""

    agency: str
    zone: str
    practice: Practice
    program: Program | None
    consents: tuple[Consent, ...]
    now: int


@dataclass(frozen=True, slots=True)
class Chart:
    """What of a record would leave for one person's chart: every part and section, and what a document is made of."""

    person: str  # the agency's id
    role: str
    gate: Gate
    rows: tuple[Shown, ...]
    released: Released


def charts(parts: Sequence[Part], kind: Kind, occurred: int | None, asked: Asked) -> Iterator[Chart]:
    """A chart for each person these parts are about; nobody's part is in another's (R25)."""
    for person in dict.fromkeys(part.about for part in parts):
        own = [part for part in parts if part.about == person]
        patient = next((part.resource for part in own if part.type == "Patient"), {})
        minor = asked.program is not None and asked.program.minor_consented
        subject = consent.Subject(consent.adult_from(str(patient.get("birthDate", "")), asked.zone), minor)
        theirs = [one for one in asked.consents if one.person == person and one.agency == asked.agency]
        status = may_answer(kind, asked.practice, asked.program)
        found = gate(
            asked.agency, person, asked.practice, theirs, True, occurred, asked.now, subject, status=status
        )  # fmt: skip
        conditions = withhold.conditions_of(asked.practice, asked.program, orjson.dumps(patient) if patient else b"")
        facts = withhold.facts_only_by("document", own, kind.name, asked.practice)
        decision = withhold.facts_only(found.decision) if facts else found.decision
        yield Chart(
            person,
            own[0].role,
            found,
            preview(parts, person, found.decision, conditions, facts=facts),
            withhold.released(own, person, decision, conditions),
        )


def plain_practice(id: str, zone: str, **settings: Any) -> Practice:
    """A practice that asked for nothing but what `settings` say: a document as plain text, from every record."""
    nobody = Contact(id, "nobody@example.org")
    return Practice(id, id, "none", nobody, date(1970, 1, 1), zone, **settings)


# ── the cases of a mapping ────────────────────────────────────────────────────────────────────────────────────────
def stated(case: Case, kind: Kind, parts: Sequence[Part]) -> Mapping[str, Mapping[str, Stated]]:
    """What a case's parts would be for its recipient: person → part → `leaves` or the rule by which it stays.

    Of a document that is looked at section by section, the list of these. {} for a case without a recipient.
    """
    to = case.recipient
    if to is None:
        return {}
    zone, name = case.agency.timezone, case.agency.program
    practice = plain_practice(
        to.practice, zone, referral_status=to.referral_status, caregiver_screening=to.caregiver_screening
    )
    program = Program(name, name, to.part2, to.minor_consented)
    asked = Asked(case.agency.id, zone, practice, program, to.consents, to.at)
    return {one.person: by_part(one.rows) for one in charts(parts, kind, None, asked)}


def by_part(rows: Sequence[Shown]) -> dict[str, Stated]:
    """The rows of one chart by their part."""
    found: dict[str, Stated] = {}
    for row in rows:
        said = LEAVES if row.leaves else row.rule
        before = found.get(row.part, [])
        found[row.part] = [*before, said] if row.section and isinstance(before, list) else said
    return found
