"""Whose chart: what a link needs to be certain. Searching is `ehr.match`'s; deciding is here.

Certain is only the practice's own identifier for the person (its referral, a roster it supplied, a person's decision),
found as exactly one active Patient whose birth date is not another. A name and a birth date alone are never enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.ehr.match import Candidate
from bridge.model import Hold, HoldReason, Link, Owner


def link_key(agency: str, person: str, practice: str) -> str:
    """What a hold for a link waits for."""
    return f"link:{agency}/{person}/{practice}"


def practices_of(
    named: str, linked: Iterable[str], consented: Iterable[str], agency_practices: tuple[str, ...]
) -> tuple[str, ...]:
    """The practices a person's records are meant for, sorted.

    Those that have supplied a link or been given a consent, and the one the agency's record names; where nothing names
    one, the agency's practice if it works with exactly one. Empty = nobody knows.
    """
    known = {*linked, *consented, *([named] if named else [])}
    if not known and len(agency_practices) == 1:
        known = set(agency_practices)
    return tuple(sorted(known & set(agency_practices)))


@dataclass(frozen=True, slots=True)
class Certain:
    """The one chart: the EHR's own Patient id."""

    patient: str


def missing(agency: str, person: str, practice: str) -> Hold:
    """The hold of a person whom the practice has not identified."""
    return Hold(
        HoldReason.LINK,
        link_key(agency, person, practice),
        Owner.PRACTICE,
        "the practice has not said which of its patients this is",
        "import the practice's roster (`bridge links import`) or confirm the link on the page",
    )


def standing(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The candidates without those that were merged into another of them."""
    ids = {one.id for one in candidates}
    return tuple(one for one in candidates if not (one.merged and one.replaced_by in ids - {one.id}))


def merged_into(candidates: tuple[Candidate, ...]) -> str:
    """The chart to look at where the only one found was merged into it; "" = there is none to follow."""
    left = standing(candidates)
    return left[0].replaced_by if len(left) == 1 and left[0].merged else ""


def certain(
    link: Link,
    candidates: tuple[Candidate, ...],
    birth_date: str,
    shared: bool,
    *,
    recalled: bool = False,
    grown_by: str = "",
) -> Certain | Hold:
    """The chart this link means, or the hold that says why it is not certain.

    `candidates` are what the EHR found for the identifier; `birth_date` is what the agency knows ("" = nothing);
    `shared` says that the practice's identifier was given for another person of the agency too (twins on one line),
    `recalled` that what went to this chart was recalled from it as another person's.
    `grown_by` is given of a caregiver: the day on which somebody was born who is of age today. Where the agency does
    not say when they were born, the chart must be of somebody born no later: their child may have the same id.
    """

    def doubt(rule: str, next_step: str) -> Hold:
        key = link_key(link.agency, link.person, link.practice)
        return Hold(HoldReason.LINK, key, Owner.PRACTICE, rule, next_step)

    check = "ask the practice for the right identifier and import the roster again"
    if shared:
        return doubt("the practice's identifier was given for two persons of this agency", check)
    candidates = standing(candidates)
    if not candidates:
        return doubt("the practice's EHR knows no patient with this identifier", check)
    if len(candidates) > 1:
        return doubt("the practice's EHR has more than one patient with this identifier", check)
    (found,) = candidates
    if not found.active:
        return doubt("the patient with this identifier is merged, inactive or deceased in the practice's EHR", check)
    if birth_date and found.birth_date and not same_day(birth_date, found.birth_date):
        return doubt("the birth date in the practice's EHR is another than the agency's", check)
    if grown_by and not birth_date and not ("" < found.birth_date <= grown_by):
        step = "record the caregiver's birth date at the agency, or ask the practice for the right identifier"
        return doubt(
            "this person is a caregiver, and nothing says that the patient with this identifier is of age", step
        )
    if recalled:
        rule = "this chart was recalled from: what went there was not this patient's"
        return doubt(rule, f"{check}; where the recall was the mistake, `bridge recall --lift NUMBER`")
    return Certain(found.id)


def by_number(link: Link, number: str, shared: bool, *, recalled: bool = False) -> Certain | Hold:
    """The patient where no EHR can be asked: the practice's own number says it, unless two persons were given one.

    `shared` and `recalled` as in `certain`. The chart is the number, as the keyed hash `number`.
    """
    key = link_key(link.agency, link.person, link.practice)
    step = "ask the practice for the right identifier and import the roster again"
    if shared:
        rule = "the practice's identifier was given for two persons of this agency"
        return Hold(HoldReason.LINK, key, Owner.PRACTICE, rule, step)
    if recalled:
        rule = "this chart was recalled from: what went there was not this patient's"
        lift = f"{step}; where the recall was the mistake, `bridge recall --lift NUMBER`"
        return Hold(HoldReason.LINK, key, Owner.PRACTICE, rule, lift)
    return Certain(number)


def same_day(one: str, other: str) -> bool:
    """Whether two FHIR dates, perhaps only a year or month, do not contradict each other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
