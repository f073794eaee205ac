"""A family's contacts with its agency: every mode and place, attempts, crises, corrections, drafts, resends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bridge.demo.calendar import DAYS, LEAVES, WAVE, Calendar
from bridge.demo.families import Family
from bridge.model import type_json

PLACES = ("home", "practice", "school", "clinic", "home", "childcare", "community", "hospital")
MODES = ("in-person", "phone", "in-person", "text", "in-person", "video", "in-person", "phone", "in-person")
MISSED = {
    "in-person": ("not-home", "no-show", "cancelled-by-family"),
    "phone": ("no-answer", "left-message"),
    "text": ("no-answer",),
    "video": ("no-show", "cancelled-by-team"),
}
PURPOSES = ("engagement", "parenting", "care-coordination", "school-support", "follow-up", "accompaniment", "skills")
SUPPORTS = (("emotional",), ("emotional", "tangible"), ("informational", "navigation"), ("peer",), ("skill-building",))
ORDINARY = 9
"""Contacts of an ordinary half year."""
BURST = (2, 3, 3, 2, 1)
"""Contacts on each day of a crisis."""
LATER = WAVE + 5
"""Days after which a correction, a resend or a withdrawal comes: what it is about has arrived by then."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One version of one thing, as an agency's system sends it on a day."""

    day: int
    agency: str
    kind: str
    record: type_json


def contacts(family: Family, calendar: Calendar, chance: Random) -> Iterator[Posted]:
    """Every version of every contact, in no order."""
    days = [*spread(chance, family.begins, DAYS - 1, ORDINARY)]
    if family.trait == "re-referral":  # nothing between the end of the first match and the second referral
        days = [day for day in days if not 60 < day < 115]
    for turn, day in enumerate(days):
        yield from versions(family, turn, contact(family, calendar, chance, turn, day), day, calendar)
    if family.trait == "crisis":
        turn = len(days)
        for after, times in enumerate(BURST):
            for time in range(times):
                day = family.begins + 62 + after
                record = contact(family, calendar, chance, turn, day, minute=8 * 60 + time * 190, crisis=True)
                yield Posted(day, family.office.id, "contact", record)
                turn += 1


def spread(chance: Random, first: int, last: int, count: int) -> Sequence[int]:
    """So many days from first to last, in order, evenly apart but for a few days' chance."""
    apart = (last - first) / count
    return sorted(min(DAYS - 1, int(first + apart * (turn + chance.random() * 0.7))) for turn in range(count))


def contact(
    family: Family, calendar: Calendar, chance: Random, turn: int, day: int, minute: int = 0, crisis: bool = False
) -> type_json:
    """One contact, signed the same evening."""
    office, said = family.office, family.words
    minute = minute or chance.randrange(9 * 60, 17 * 60, 5)
    mode = ("phone", "in-person")[turn % 2] if crisis else MODES[(turn + family.number) % len(MODES)]
    missed = not crisis and (turn + 2 * family.number) % 7 == 3
    child = family.children[turn % len(family.children)]
    purpose = "crisis" if crisis else PURPOSES[(turn + family.number) % len(PURPOSES)]
    record: type_json = {
        "id": f"C-{family.number:03d}-{turn:02d}",
        "status": "signed",
        "updated_at": calendar.at(office, day, 20 * 60),
        "practice": family.site.id,
        "child": child.id,
        "caregiver": family.caregiver.id,
        "started": calendar.at(office, day, minute),
        "mode": mode,
        "outcome": chance.choice(MISSED[mode]) if missed else "reached",
        "direction": "inbound" if crisis and mode == "phone" else "outbound",
        "purposes": [purpose],
        "staff": family.staff(day)[: 2 if mode == "in-person" else 1],
        "language": family.language,
    }
    if mode == "in-person":
        record["place"] = PLACES[(turn + family.number) % len(PLACES)]
    if not missed:
        record["ended"] = calendar.at(office, day, minute + chance.choice((20, 40, 55)))
        record["supports"] = list(chance.choice(SUPPORTS))
        record["attendees"] = [{"role": "caregiver"}, *([{"role": "child"}] if mode == "in-person" else [])]
        record["narrative"] = narrative(said["crisis" if crisis else "narratives"], chance, child.given)
        if turn % 2:
            record["next_steps"] = chance.choice(said["next_steps"]).replace("{child}", child.given)
        record |= private(family, turn, chance)
    if family.trait == "unmapped" and turn in (2, 5):  # words that no code table of ours has
        record |= {"mode": "in-person", "place": "laundromat"} if turn == 2 else {"purposes": ["toilet-training"]}
    return record


def narrative(sentences: list[str], chance: Random, child: str) -> str:
    """Three sentences, the last on a line of its own."""
    first, second, third = (text.replace("{child}", child) for text in chance.sample(sentences, 3))
    return f"{first} {second}\n{third}"


def private(family: Family, turn: int, chance: Random) -> dict[str, Any]:
    """What stays with the agency, or is never collected; each text is marked, so that it can be looked for."""
    said, mark = family.words, f"‹{family.number:03d}-{turn:02d}›"
    found: dict[str, Any] = {}
    if turn % 4 == 1:
        found["self_disclosure"] = f"{said['self_disclosure']} {mark}"
    if turn % 5 == 2:
        found["caregiver_stress"] = {"score": chance.randrange(3, 11), "note": f"{said['stress']} {mark}"}
    if family.trait in ("caregiver", "shelter") and turn % 3 == 1:
        found["caregiver_substance_use"] = f"{said['substance']} {mark}"
        found["others_involved"] = f"{said['others']} {mark}"
    if family.trait == "shelter":
        found |= {"place_name": f"{said['place']} {mark}", "address": f"{said['address']} {mark}", "safety_flag": True}
        found |= {"safety_concern": f"{said['safety']} {mark}", "child_welfare": f"{said['child_welfare']} {mark}"}
    if turn == 7:
        found |= {
            "supervision_notes": f"{said['others']} {mark} s",
            "home_observation": f"{said['observation']} {mark}",
        }
        found["legal_note"] = f"{said['legal']} {mark}"
    return found


def versions(family: Family, turn: int, record: type_json, day: int, calendar: Calendar) -> Iterator[Posted]:
    """The contact as it comes: mostly once; some unfinished first, corrected, sent again, taken back, or late."""
    office = family.office
    later = min(day + LATER, DAYS - 1)
    since = {"updated_at": calendar.at(office, later, 19 * 60)}

    def posted(on: int, version: type_json) -> Posted:
        return Posted(on, office.id, "contact", version)

    void = {"id": record["id"], "status": "void", "child": record["child"], **since}
    draft = {name: value for name, value in record.items() if name != "staff"} | {"status": "draft"}
    if family.trait == "amended" and turn in (0, 2) and "narrative" in record:
        yield posted(day, record)
        wording = family.words["correction"] + record["narrative"]
        yield posted(later, record | {"status": "amended", "narrative": wording, **since})
    elif family.trait == "voided" and turn in (0, 1):
        yield posted(day, record if turn == 0 else draft)  # the second was never signed
        yield posted(later, void)
    elif family.trait == "drafts" and turn in (0, 1):
        yield posted(day, draft)
        yield posted(later, record | since)
    elif family.trait == "resent" and turn == 0:
        yield posted(day, record)
        yield posted(later, record)
    elif family.trait == "resent" and turn == 1:  # the newer version came first
        yield posted(day, record | since)
        yield posted(later, record)
    elif family.number % 9 == 3 and turn == ORDINARY - 1:  # yesterday's, not signed yet
        yield posted(day, draft)
    else:
        yield posted(day, record)


def rejected(family: Family, calendar: Calendar) -> Iterator[Posted]:
    """What the door does not take, and says why."""
    office, day = family.office, LEAVES
    good = contact(family, calendar, Random(family.number), 90, day)  # noqa: S311 - invented people, no secrets
    wrong: tuple[type_json, ...] = (
        {"mood": "better"},  # a field that the kind does not know
        {"started": calendar.at(office, DAYS + 40, 600)},  # it has not happened
        {"staff": None},  # nobody signed
        {"caregiver_stress": {"score": 40}},
    )
    for number, change in enumerate(wrong):
        record = {name: value for name, value in (good | change).items() if value is not None}
        yield Posted(day, office.id, "contact", record | {"id": f"C-{family.number:03d}-R{number}"})
