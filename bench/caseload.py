"""Invented records for measuring: the same seed gives the same records, and each kind a known number of steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

AGENCY, PRACTICE = "harbor", "maple"
SYSTEM = "urn:oid:2.16.840.1.113883.19.5.1"
FAMILIES = 200
"""As many lanes can be under way: enough that the ledger's commits are grouped as in a night's backlog."""

SENTENCES = (
    "We sat on the floor and read the book about the bear together.",
    "Luz asked for the book again and turned the pages herself.",
    "She said that the mornings are easier since the bus comes on time.",
    "We practised the words for the pharmacy and wrote them on a card.",
    "Grandmother will come along to the next visit at the practice.",
    "La mamá dijo que la niña duerme mejor desde la semana pasada.",
)
PURPOSES = ("engagement", "parenting", "care-coordination", "school-support", "follow-up")
SUPPORTS = (("emotional",), ("emotional", "tangible"), ("informational", "navigation"), ("skill-building",))
MODES = ("in-person", "phone", "in-person", "video", "in-person")
PLACES = ("home", "practice", "school", "community")
GOALS = ("Sleep through the night", "Find a place at the childcare centre", "Más tiempo para leer juntas")
DAY = "2026-03-{day:02d}T{hour:02d}:{minute:02d}:00-05:00"


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of record: its kind, what the practice enabled, and the steps one of them is."""

    steps: int
    kind: str
    enable: tuple[str, ...]
    words: str


SORTS = {
    1: Sort(1, "ma-soc/contact", (), "a contact as one document"),
    3: Sort(3, "ma-soc/care-plan", ("CarePlan", "Goal"), "a care plan: document, CarePlan, 1 Goal"),
    12: Sort(12, "ma-soc/care-plan", ("CarePlan", "Goal"), "a care plan: document, CarePlan, 10 Goals"),
}


def children(records: int) -> list[str]:
    """The children whose records these are."""
    return [f"c-{number}" for number in range(min(FAMILIES, records))]


def records_of(sort: Sort, count: int, seed: int, name: str = "r") -> Iterator[dict[str, Any]]:
    """So many records, their ids beginning with `name`; the children take turns."""
    chance = Random(seed)
    known = children(count)
    for number in range(count):
        child = known[number % len(known)]
        made = contact(chance) if sort.kind == "ma-soc/contact" else care_plan(chance, sort.steps - 2)
        yield {"id": f"{name}-{number}", "child": child, "practice": PRACTICE, "status": "signed", **made}


def contact(chance: Random) -> dict[str, Any]:
    """A contact that reached the family."""
    day, hour, mode = chance.randrange(1, 29), chance.randrange(9, 17), chance.choice(MODES)
    return {
        "updated_at": DAY.format(day=day, hour=20, minute=0),
        "caregiver": "g-1",
        "started": DAY.format(day=day, hour=hour, minute=chance.randrange(0, 60, 5)),
        "ended": DAY.format(day=day, hour=hour + 1, minute=0),
        "mode": mode,
        **({"place": chance.choice(PLACES)} if mode == "in-person" else {}),
        "outcome": "reached",
        "direction": "outbound",
        "purposes": [chance.choice(PURPOSES)],
        "supports": list(chance.choice(SUPPORTS)),
        "attendees": [{"role": "caregiver"}, {"role": "child"}],
        "staff": [{"role": "family-partner", "name": "Rosa Vega"}],
        "language": "en",
        "narrative": " ".join(chance.sample(SENTENCES, 3)),
        "next_steps": chance.choice(SENTENCES),
    }


def care_plan(chance: Random, goals: int) -> dict[str, Any]:
    """An active plan with so many goals in the family's words."""
    return {
        "version": 1,
        "plan_status": "active",
        "caregiver": "g-1",
        "started": "2026-03-01",
        "signed_on": "2026-03-01",
        "review_due": "2026-09-01",
        "language": "en",
        "goals": [
            {"id": f"goal-{number}", "words": chance.choice(GOALS), "said_by": "caregiver", "state": "active"}
            for number in range(goals)
        ],
        "summary": " ".join(chance.sample(SENTENCES, 2)),
        "team": [{"role": "family-partner", "name": "Rosa Vega"}],
        "authors": [{"role": "family-partner", "name": "Rosa Vega"}],
    }
