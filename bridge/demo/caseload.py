"""The whole caseload: what arrives, month by month, what the EHRs hold before, and which sentences must not arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from bridge.demo import contacts, plans, sharing
from bridge.demo.calendar import DAYS, WAVE, Calendar
from bridge.demo.cast import Cast
from bridge.demo.contacts import Posted
from bridge.demo.families import FEWEST, Family, families
from bridge.errors import ConfigError, Problem
from bridge.model import type_json

FAMILIES = 66
SEED = 2026
NEVER = frozenset({"self_disclosure", "supervision_notes", "rematch_reason"})
STAYS = frozenset({
    "address", "caregiver_discussion", "caregiver_needs", "caregiver_substance_use", "child_welfare",
    "home_observation", "legal_note", "others_involved", "place_name", "safety_concern", "safety_plan", "note",
})  # fmt: skip
"""Fields whose texts stay with the agency whatever a family agreed to, as long as consent has no classes."""
WORDS = frozenset({"narrative", "next_steps"})
SILENT = frozenset({"facts", "refused", "expired", "later"})
"""Answers of families whose words go nowhere."""


@dataclass(frozen=True, slots=True)
class Wave:
    """What arrives together: the practices' numbers, consents on lists, records in the order they were sent."""

    links: tuple[sharing.Row, ...]
    consents: tuple[sharing.Row, ...]
    records: tuple[Posted, ...]


@dataclass(frozen=True, slots=True)
class Caseload:
    """Half a year of every family; `charts` are the Patients of each practice's EHR."""

    families: tuple[Family, ...]
    waves: tuple[Wave, ...]
    charts: Mapping[str, tuple[type_json, ...]]

    @property
    def records(self) -> Iterator[Posted]:
        """Every record of every wave."""
        return (posted for wave in self.waves for posted in wave.records)


def caseload(cast: Cast, today: date, count: int = FAMILIES, seed: int = SEED) -> Caseload:
    """The same families, records and charts for the same seed and day. Raises ConfigError for too few families."""
    if count < FEWEST:
        rule = f"a caseload has at least {FEWEST} families: one for each situation it shows"
        raise ConfigError(Problem("demo-families", rule, "command line", "--families"))
    calendar = Calendar(today)
    everyone = tuple(families(cast, count, seed, calendar))
    posted = [item for family in everyone for item in written(cast, family, seed, calendar)]
    links = [row for family in everyone for row in sharing.roster_rows(family)]
    consents = [row for family in everyone for row in sharing.consent_rows(cast, family, calendar)]
    waves = []
    for first in range(0, DAYS, WAVE):
        days = range(first, first + WAVE)
        arrived = sorted((item for item in posted if item.day in days), key=lambda item: item.day)
        waves.append(
            Wave(
                tuple(row for day, row in links if day in days),
                tuple(row for day, row in consents if day in days),
                tuple(arrived),
            )
        )
    charts = {
        site.id: tuple(chart for family in everyone if family.site.id == site.id for chart in sharing.charts(family))
        for site in cast.sites
    }
    return Caseload(everyone, tuple(waves), charts)


def written(cast: Cast, family: Family, seed: int, calendar: Calendar) -> Iterator[Posted]:
    """All that is written about one family."""
    chance = Random(f"{seed}/{family.number}/records")  # noqa: S311 - invented people, no secrets
    yield from sharing.people(family, calendar)
    yield from sharing.consent_records(cast, family, calendar)
    yield from plans.teams(family, calendar)
    yield from plans.plan(family, calendar, chance)
    yield from plans.screenings(family, calendar, chance)
    yield from plans.referrals(family, calendar, chance)
    yield from contacts.contacts(family, calendar, chance)
    if family.trait == "rejected":
        yield from contacts.rejected(family, calendar)


def never_collected(whole: Caseload) -> frozenset[str]:
    """Sentences that must not even be stored (R24)."""
    return frozenset(text for posted in whole.records for text in texts(posted.record, NEVER))


def staying(whole: Caseload) -> frozenset[str]:
    """Sentences that must stay with the agency: of classes nobody agreed to, and what a family's words are where it
    agreed to facts alone, or not at all."""
    marked = {line for posted in whole.records for line in lines(posted.record, STAYS)}
    silent = {child.id for family in whole.families if family.consent in SILENT for child in family.children}
    said: dict[bool, set[str]] = {True: set(), False: set()}
    for posted in whole.records:
        said[posted.record.get("child") in silent].update(lines(posted.record, WORDS))
    open_words = "\n".join(said[False])  # what another family says too, and lets go, proves nothing
    return frozenset(marked | {line for line in said[True] if line not in open_words})


def lines(record: type_json, fields: frozenset[str]) -> Iterator[str]:
    """Every line of every text in one of these fields: a break is written differently in each kind of document."""
    return (line for text in texts(record, fields) for line in text.splitlines())


def texts(value: Any, fields: frozenset[str]) -> Iterator[str]:
    """Every text in one of these fields, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item, fields)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in fields and isinstance(item, str):
                yield item
            else:
                yield from texts(item, fields)
