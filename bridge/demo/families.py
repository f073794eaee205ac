"""The families: who they are, whom they go to, what they agreed to, and what happens to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from bridge.demo.calendar import LEAVES, Calendar
from bridge.demo.cast import Cast, Office, Site

TRAITS = (
    "crisis", "amended", "resent", "drafts", "vacancy", "re-referral", "twins-on-one-line", "two-charts",
    "other-birth-date", "refused", "revoked", "expired", "begins-later", "late-consent", "no-roster", "late-roster",
    "unmapped", "caregiver", "shelter", "siblings", "voided", "rejected",
)  # fmt: skip
"""What befalls the first families, one each; a caseload of all of them holds every situation."""
AFTER = ("", "crisis", "", "caregiver", "", "amended", "", "refused", "", "shelter", "", "voided", "siblings")
"""What befalls those after them, in turn; "" is an ordinary half year."""
FEWEST = len(TRAITS)
SECOND = frozenset({"", "vacancy", "siblings", "caregiver"})
"""Who may go to an office's second practice: nothing about them needs an EHR that takes documents."""
RELATIONSHIPS = ("mother", "mother", "mother", "father", "grandmother", "mother", "foster-parent")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name, and the number the practice knows them by ("" = none)."""

    id: str
    given: str
    family: str
    birth_date: str
    gender: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One family's half year, as it will come out. `consent` and `roster` say what they and the practice did."""

    number: int
    office: Office
    site: Site
    trait: str
    language: str
    children: tuple[Person, ...]
    caregiver: Person
    relationship: str
    partner: str
    clinician: str
    begins: int
    consent: str  # words | facts | refused | revoked | expired | later | late
    roster: str  # listed | late | none

    @property
    def leaves(self) -> bool:
        """Whether their family partner leaves half-way."""
        return self.partner == self.office.partners[1]

    def staff(self, day: int) -> list[dict[str, str]]:
        """Who works with them on this day; a vacant role is left out (R6)."""
        clinician = {"role": "clinician", "name": self.clinician}
        if self.trait == "vacancy":
            return [clinician]
        name = self.office.successor if self.leaves and day >= LEAVES else self.partner
        return [{"role": "family-partner", "name": name}, clinician]

    @property
    def words(self) -> dict[str, Any]:
        """What people say in their language."""
        return words()[self.language]


@cache
def words() -> dict[str, dict[str, Any]]:
    """The invented words, by language."""
    text = files("bridge.demo").joinpath("words.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return found


def families(cast: Cast, count: int, seed: int, calendar: Calendar) -> Iterator[Family]:
    """So many families, every second one Spanish-speaking; the same for the same seed and day."""
    for number in range(count):
        yield family(cast, number, Random(f"{seed}/{number}"), calendar)  # noqa: S311 - invented people, no secrets


def family(cast: Cast, number: int, chance: Random, calendar: Calendar) -> Family:
    """The family of this number."""
    after = number - len(TRAITS)
    trait = TRAITS[number] if after < 0 else AFTER[after % len(AFTER)]
    office = cast.offices[number % len(cast.offices)]
    turn = number // len(cast.offices)
    at = (turn // 2) % len(office.practices) if trait in SECOND else 0
    if trait in SECOND and after < 0:
        at = len(office.practices) - 1
    language = "en" if number % 2 else "es"
    named = words()[language]
    surname = chance.choice(named["families"])
    births = [calendar.date(0) - timedelta(days=chance.randrange(300, 6 * 365)) for _ in range(2)]
    if trait == "twins-on-one-line":
        births[1] = births[0]
    shared = f"{4100 + number}"
    ids = [f"K-{number:03d}", *([f"K-{number:03d}-2"] if trait in ("twins-on-one-line", "siblings") else [])]
    givens = chance.sample(named["children"], 2)
    relationship = RELATIONSHIPS[number % len(RELATIONSHIPS)]
    born = calendar.date(0) - timedelta(days=chance.randrange(20 * 365, 44 * 365))
    return Family(
        number=number,
        office=office,
        site=cast.site(office.practices[at]),
        trait=trait,
        language=language,
        children=tuple(
            Person(
                id, given, surname, birth.isoformat(), chance.choice(("female", "male")),
                shared if trait == "twins-on-one-line" or not turn_of else f"{shared}{turn_of}",
            )
            for turn_of, (id, given, birth) in enumerate(zip(ids, givens, births, strict=False))
        ),
        caregiver=Person(
            f"P-{number:03d}", chance.choice(named["adults"]), surname, born.isoformat(),
            "male" if relationship == "father" else "female", f"9{shared}" if trait == "caregiver" else "",
        ),
        relationship=relationship,
        partner=office.partners[turn % len(office.partners)],
        clinician=office.clinicians[turn % len(office.clinicians)],
        begins=chance.randrange(0, 25),
        consent=consent_of(trait, number),
        roster={"no-roster": "none", "late-roster": "late"}.get(trait, "listed"),
    )  # fmt: skip


def consent_of(trait: str, number: int) -> str:
    """What the family agreed to: most of them to everything ordinary and the words, some to the facts alone."""
    said = {"refused": "refused", "revoked": "revoked", "expired": "expired", "begins-later": "later"}
    return said.get(trait) or ("late" if trait == "late-consent" else "facts" if number % 5 == 3 else "words")
