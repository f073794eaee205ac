"""What may leave, for which chart, and if not, what is waited for: consent, link and the practice's own limits at once.

Asked when an entry is planned and again when each of its steps is about to leave, with what is known at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from bridge import consent, people
from bridge.mappings.classes import ORDINARY
from bridge.mappings.kinds import Kind
from bridge.model import Consent, Decision, Hold, HoldReason, Owner
from bridge.settings import Practice, Program


@dataclass(frozen=True, slots=True)
class Gate:
    """The consent decision and, where something is missing, the hold; `due` is when time alone may open it."""

    decision: Decision
    hold: Hold | None = None
    due: int | None = None


NOBODY_ASKED = "none"
BARE_STATUS = Decision(True, frozenset({ORDINARY}), "referral-status")
"""On the practice's own authority: it referred, and hears what became of that."""


def may_answer(kind: Kind | None, practice: Practice, program: Program | None) -> bool:
    """Whether a record of this kind is a status that may answer the practice's referral before consent.

    Never one of a Part 2 program: that somebody is known there is itself protected (42 CFR §2.13(c)).
    """
    return kind is not None and kind.before_consent and practice.referral_status and not (program and program.part2)


def settings_key(practice: str) -> str:
    """What a hold waits for that only the practice's own settings can open."""
    return f"settings:{practice}"


def practice_key(agency: str, person: str) -> str:
    """What a record waits for whose person has no practice yet."""
    return f"practice:{agency}/{person}"


def no_practice(agency: str, person: str) -> Hold:
    """The hold of a record that nobody's chart is known for."""
    return Hold(
        HoldReason.PRACTICE,
        practice_key(agency, person),
        Owner.AGENCY,
        "no practice is known for this person",
        "name the practice in the child's record, or import its roster or the family's consent",
    )


def send_from(practice: Practice) -> int:
    """The first instant, in microseconds, whose records this practice wants: local midnight of its `send_from`."""
    midnight = datetime.combine(practice.send_from, time(0), ZoneInfo(practice.timezone))
    return int(midnight.timestamp()) * 1_000_000


def gate(
    agency: str,
    person: str,
    practice: Practice,
    consents: Iterable[Consent],
    linked: bool,
    occurred: int | None,
    now: int,
    subject: consent.Subject = consent.NOBODY,
    *,
    status: bool = False,
) -> Gate:
    """Whether something about `person` from `agency` may go to `practice` at `now`.

    `linked` says whether the practice has identified the person; `occurred` is the record's clinical instant, None
    where it has none (then the `send_from` date does not apply). `subject` is what is known of the person and program.
    `status` (`may_answer`) is of the bare status of the practice's own referral: it waits for the link, and for no
    consent where nobody was asked yet (R26). Once somebody refused, or took back what they gave, it waits too.
    """
    decision = consent.decide(consents, practice.id, now, subject)
    if status and decision.reason == NOBODY_ASKED:
        decision = BARE_STATUS
    if practice.pilot is not None and f"{agency}/{person}" not in practice.pilot:
        return Gate(decision, outside(practice, "this person is not on the practice's pilot panel"))
    if occurred is not None and occurred < send_from(practice):
        return Gate(decision, outside(practice, "it happened before the practice's `send_from` date"))
    if not decision.permit:
        return Gate(decision, consent.hold_for(decision, agency, person, practice.id), decision.from_later)
    if not linked:
        return Gate(decision, people.missing(agency, person, practice.id))
    return Gate(decision)


def outside(practice: Practice, rule: str) -> Hold:
    """The hold of what the practice's own settings leave out for now."""
    step = "nothing needs doing; widening `pilot` or `send_from` in bridge.yaml sends it"
    return Hold(HoldReason.PRACTICE, settings_key(practice.id), Owner.ENGINEER, rule, step)


def charts_for(
    person: str,
    subject: str,
    named: str,
    linked: Iterable[str],
    consented: Sequence[Consent],
    agency_practices: tuple[str, ...],
) -> tuple[str, ...]:
    """The practices whose chart of `person` this is meant for.

    Another person than the record's subject (a caregiver in a child's record) has a chart only where a practice has
    identified them or they have consented themselves: their facts go there or nowhere (R25).
    """
    consents = [given.practice for given in consented]
    if person == subject:
        return people.practices_of(named, linked, consents, agency_practices)
    return tuple(sorted({*linked, *consents} & set(agency_practices)))
