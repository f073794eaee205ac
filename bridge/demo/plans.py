"""What else an agency writes about a family: who is on its team, plans, screenings, referrals to services."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from bridge.demo.calendar import DAYS, LEAVES, Calendar
from bridge.demo.contacts import LATER, Posted
from bridge.demo.families import Family, Person
from bridge.model import type_json

SERVICES = ("early-intervention", "food-pantry", "childcare", "head-start", "parenting-group", "transportation")
ENDS = (("connected", ""), ("not-followed", "transport"), ("connected", ""), ("not-followed", "language"),
        ("declined", "waitlist"), ("unable-to-reach", "unreachable"), ("scheduled", ""))  # fmt: skip
CHILD_SCREENS = ("asq-se-2", "ppsc", "psc-17")


def mark(family: Family, what: str) -> str:
    """What a text that must stay is found by."""
    return f"‹{family.number:03d}-{what}›"


def members(family: Family, day: int, *, left: bool, calendar: Calendar) -> list[dict[str, Any]]:
    """The team on this day, with who has left and a vacant role without a name (R5, R6)."""
    since = calendar.day(family.begins)
    found: list[dict[str, Any]] = []
    if family.trait == "vacancy":
        found.append({"role": "family-partner"})
    if left:
        leaving = calendar.day(LEAVES)
        found.append({"role": "family-partner", "name": family.partner, "from": since, "until": leaving})
        since_new = calendar.day(LEAVES)
        return [*found, *({**member, "from": since_new if member["role"] == "family-partner" else since}
                          for member in family.staff(day))]  # fmt: skip
    return [*found, *({**member, "from": since} for member in family.staff(day))]


def teams(family: Family, calendar: Calendar) -> Iterator[Posted]:
    """The dyad and the team of each child: from the first day, and again when somebody leaves or a match ends."""
    for child in family.children:
        yield from team(family, child, calendar, family.begins)
        if family.leaves and family.trait != "vacancy":
            yield from team(family, child, calendar, LEAVES, left=True)
        if family.trait == "re-referral":
            yield from rematch(family, child, calendar)


def team(family: Family, child: Person, calendar: Calendar, day: int, *, left: bool = False) -> Iterator[Posted]:
    """Dyad and team as they stand from this day on."""
    who = members(family, day, left=left, calendar=calendar)
    common = {
        "status": "active",
        "updated_at": calendar.at(family.office, day, 17 * 60),
        "child": child.id,
        "practice": family.site.id,
        "started": calendar.day(family.begins),
    }
    yield Posted(day, family.office.id, "dyad", {"id": f"D-{child.id}", **common, "members": who})
    others = [{"role": "supervisor", "name": family.office.clinicians[-1]}]
    everyone = {"id": f"T-{child.id}", **common, "caregiver": family.caregiver.id, "members": [*who, *others]}
    yield Posted(day, family.office.id, "team", everyone)


def rematch(family: Family, child: Person, calendar: Calendar) -> Iterator[Posted]:
    """The family ends the match, is referred again later and gets another one; why is never kept (R10, R27)."""
    office, ended, again = family.office, 60, 115
    common = {"child": child.id, "practice": family.site.id}
    first = members(family, family.begins, left=False, calendar=calendar)
    yield Posted(ended, office.id, "dyad", {
        "id": f"D-{child.id}", "status": "ended", **common, "started": calendar.day(family.begins),
        "ended": calendar.day(ended), "updated_at": calendar.at(office, ended, 17 * 60), "ended_by": "family",
        "rematch_reason": f"{family.words['others']} {mark(family, 'rematch')}",
        "members": [member | {"until": calendar.day(ended)} for member in first],
    })  # fmt: skip
    yield Posted(again, office.id, "dyad", {
        "id": f"D-{child.id}-2", "status": "active", **common, "started": calendar.day(again),
        "updated_at": calendar.at(office, again, 17 * 60),
        "members": [{"role": "family-partner", "name": office.successor, "from": calendar.day(again)}],
    })  # fmt: skip


def plan(family: Family, calendar: Calendar, chance: Random) -> Iterator[Posted]:
    """The care plan with goals in the family's words, and its second version after three months."""
    office, said, child = family.office, family.words, family.children[0]
    day = family.begins + 14
    wanted = [text.replace("{child}", child.given) for text in chance.sample(said["goals"], 3)]
    goals = [
        {"id": f"G-{number}", "words": text, "said_by": "caregiver", "state": "active",
         "started": calendar.day(day), "steps": [step]}
        for number, (text, step) in enumerate(zip(wanted, said["steps"], strict=True), 1)
    ]  # fmt: skip
    record: type_json = {
        "id": f"CP-{family.number:03d}",
        "version": 1,
        "status": "signed",
        "plan_status": "active",
        "practice": family.site.id,
        "child": child.id,
        "caregiver": family.caregiver.id,
        "started": calendar.day(day),
        "signed_on": calendar.at(office, day, 16 * 60),
        "review_due": calendar.day(day + 90),
        "language": family.language,
        "goals": goals[:2],
        "summary": said["summary"],
        "strengths": said["strengths"].replace("{child}", child.given),
        "needs": said["needs"],
        "team": members(family, day, left=False, calendar=calendar)[:2],
        "authors": family.staff(day),
        "safety_plan": f"{said['safety']} {mark(family, 'plan')}",
    }
    record["team"] = [{name: member[name] for name in ("role", "name") if name in member} for member in record["team"]]
    if family.trait in ("caregiver", "shelter"):
        record["caregiver_needs"] = f"{said['caregiver_needs']} {mark(family, 'plan')}"
        record["child_welfare"] = f"{said['child_welfare']} {mark(family, 'plan')}"
    yield Posted(day, office.id, "care-plan", record)
    review = day + 92
    met = [goals[0] | {"state": "met"}, goals[1], goals[2] | {"started": calendar.day(review)}]
    changed = {"version": 2, "status": "amended", "goals": met, "authors": family.staff(review)}
    changed |= {"signed_on": calendar.at(office, review, 16 * 60), "review_due": calendar.day(review + 90)}
    yield Posted(review, office.id, "care-plan", record | changed)


def screenings(family: Family, calendar: Calendar, chance: Random) -> Iterator[Posted]:
    """The child's screening; of some caregivers one of their own, which is never the child's (R25)."""
    office, said = family.office, family.words
    day = family.begins + 4
    common: type_json = {
        "status": "signed", "practice": family.site.id, "administered": calendar.day(day), "language": family.language,
        "updated_at": calendar.at(office, day, 18 * 60), "staff": [{"role": "clinician", "name": family.clinician}],
    }  # fmt: skip
    score = chance.randrange(20, 110, 5)
    outcome = "positive" if score > 70 else "monitor" if score > 50 else "negative"
    child = {
        "child": family.children[0].id,
        "instrument": chance.choice(CHILD_SCREENS),
        "discussion": said["discussion"],
    }
    result = {"declined": True} if family.number % 8 == 5 else {"score": score, "outcome": outcome}
    yield Posted(day, office.id, "screening", {"id": f"S-{family.number:03d}", **common, **child, "result": result})
    if family.trait == "caregiver" or family.number % 4 == 1:
        instrument = "audit-c" if family.trait == "caregiver" else "phq-9"
        own: type_json = {
            "caregiver": family.caregiver.id,
            "instrument": instrument,
            "caregiver_result": {"score": chance.randrange(4, 20), "outcome": "positive"},
            "caregiver_discussion": f"{said['caregiver_needs']} {mark(family, 'screen')}",
        }
        yield Posted(day, office.id, "screening", {"id": f"S-{family.number:03d}-P", **common, **own})


def referrals(family: Family, calendar: Calendar, chance: Random) -> Iterator[Posted]:
    """A referral to a service, and what became of it: connected, or not followed with a coded reason (R21, R23)."""
    office, said = family.office, family.words
    day = family.begins + 30
    later = min(day + LATER, DAYS - 1)
    state, reason = ENDS[family.number % len(ENDS)]
    service = SERVICES[family.number % len(SERVICES)]
    if family.trait == "shelter":
        service = "domestic-violence"
    if family.trait == "unmapped":
        service = "diaper-bank"
    record: type_json = {
        "id": f"R-{family.number:03d}", "status": "signed", "updated_at": calendar.at(office, day, 17 * 60),
        "practice": family.site.id, "service": service, "requested_on": calendar.day(day), "state": "sent",
        "organization": f"{family.office.city or family.office.name} Services", "language": family.language,
        "staff": family.staff(day)[:1],
    }  # fmt: skip
    whose = {"child": family.children[0].id}
    yield Posted(day, office.id, "service-referral", record | whose)
    became: type_json = {"status": "amended", "state": state, "state_since": calendar.day(later)}
    became["updated_at"] = calendar.at(office, later, 17 * 60)
    if reason:
        became |= {"reason": reason, "gap": said["gap"]}
    yield Posted(later, office.id, "service-referral", record | whose | became)
    if family.trait == "caregiver":
        own = {"id": f"R-{family.number:03d}-P", "caregiver": family.caregiver.id, "service": "adult-mental-health"}
        own["notes"] = f"{said['caregiver_needs']} {mark(family, 'referral')}"
        yield Posted(day, office.id, "service-referral", record | own)
