"""What went to a wrong chart, or was wrong itself, is taken back, and both privacy contacts are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from bridge.ehr import facts, presets, send
from bridge.ehr.capability import Capability
from bridge.ehr.delivery import PATTERN
from bridge.errors import ConfigError, Problem
from bridge.model import Action, EntryState, Hold, HoldReason, Owner
from bridge.moves.answering import note
from bridge.moves.line import Line
from bridge.people import link_key
from bridge.settings import Contact
from bridge.settings.words import nearest
from bridge.store import recalls, statements
from bridge.store.recalls import CONTENT, WRONG_CHART, Recalled

PLACE = "recall"
RULES = {
    WRONG_CHART: "records of this person were sent to another patient's chart",
    CONTENT: "what was sent of this person was wrong",
}


class Back(StrEnum):
    """What a recall does about one document that went to a chart."""

    MARKED = "marked"  # it is marked entered-in-error where it stands
    SUPERSEDED = "superseded"  # a new document in the chart asks to disregard it
    HANDED = "handed"  # the word to disregard it is handed over as the document was
    PACKET = "packet"  # that word is a page which a person takes there
    PERSON = "person"  # the practice is asked to withdraw it
    UNREAD = "unread"  # as the EHR lets us: what it takes was not read yet
    LOOKED = "looked"  # whether it arrived is not known: it is looked for first
    NOTHING = "nothing"  # none of it stands there any more


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose records, which practice, from which instant on (0 = all), which chart ("" = the only one), and why."""

    agency: str
    person: str
    practice: str
    since: int = 0
    chart: str = ""
    reason: str = WRONG_CHART


def went(line: Line, asked: Asked) -> list[dict[str, Any]]:
    """Every step that took something of this person to the chart, oldest first; nothing is changed.

    Raises ConfigError for an agency, practice or reason there is none of, where nothing went there, and where it went
    to more than one chart and none is named.
    """
    project = line.project
    for name, known, field in (
        (asked.agency, project.agencies, "agency"),
        (asked.practice, project.practices, "practice"),
    ):
        if name not in known:
            raise ConfigError(Problem("unknown-name", f"no {field} has this id", PLACE, field, nearest(name, known)))
    if asked.reason not in RULES:
        raise ConfigError(Problem("recall-reason", f"a reason is one of {', '.join(RULES)}", PLACE, "reason"))
    with line.ledger.read() as connection:
        steps = recalls.went(connection, asked.agency, asked.person, asked.practice, asked.since)
    charts = sorted({step["patient"] for step in steps})
    if not steps or (asked.chart and asked.chart not in charts):
        step = "see the person's id with the agency, and `since`"
        raise ConfigError(Problem("recall-nothing", "nothing of this person went to this chart", PLACE, "person", step))
    if len(charts) > 1 and not asked.chart:
        step = "name the chart it should not have gone to: " + ", ".join(charts)
        raise ConfigError(Problem("recall-charts", "it went to more than one chart", PLACE, "chart", step))
    chart = asked.chart or charts[0]
    return [step for step in steps if step["patient"] == chart]


def documents(line: Line, steps: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], Back]]:
    """Each document that these steps made or changed, by its first step, and what a recall does about it."""
    return [(step, back(line, step)) for step in first_steps(steps)]


def first_steps(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of these steps, in their order, the first of each document; every one whose answer was lost."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for step in steps:
        found.setdefault((step["entry"], step["stands_id"] or f"step {step['id']}"), step)
    return list(found.values())


def back(line: Line, step: dict[str, Any]) -> Back:
    """What a recall does about what this step made, as things are now."""
    if step["state"] in (EntryState.SENDING.value, EntryState.UNKNOWN.value) or step["stands_id"] is None:
        return Back.LOOKED
    if step["stands"] is None:
        return Back.NOTHING
    if PATTERN.fullmatch(step["stands_id"]) is not None:
        wants = line.project.practices[step["practice"]].handoff
        return Back.PERSON if wants is None else Back.PACKET if wants.way == "packet" else Back.HANDED
    capability = capability_of(line, step["practice"])
    if capability is None:
        return Back.UNREAD
    way = send.withdrawal(step["resource_type"], capability)
    return Back.MARKED if way is Action.RETRACT else Back.SUPERSEDED if way is Action.DISREGARD else Back.PERSON


def capability_of(line: Line, practice: str) -> Capability | None:
    """What this practice's EHR takes, as it was read last; None where it never was."""
    chart, site = line.charts.get(practice), line.project.practices[practice]
    if chart is not None and chart.capability is not None:
        return chart.capability
    with line.ledger.read() as connection:
        known = statements.known(connection).get(site.connection)
        lessons = statements.lessons(connection).get(site.connection, ())
    if known is None:
        return None
    learned = frozenset((one.type, one.interaction) for one in lessons)
    vendor = facts.of_project(line.project.connections[site.connection].vendor, line.project.vendors)
    vendor = presets.of_site(vendor, site)
    return Capability.from_statement(orjson.loads(known.content), vendor, site.asked, learned)


def instant_of(text: str, place: str, field: str) -> int:
    """The instant in microseconds, 0 for none. Raises ConfigError."""
    try:
        when = datetime.fromisoformat(text) if text else None
    except ValueError:
        when = datetime.min
    if when is None:
        return 0
    if when.tzinfo is None:
        rule = "an instant has a date, a time and a zone, like 2026-03-02T09:00:00-05:00"
        raise ConfigError(Problem("recall-since", rule, place, field))
    return int(when.timestamp() * 1_000_000)


def recall(line: Line, asked: Asked, by: str, now: int) -> tuple[list[dict[str, Any]], Recalled]:
    """What went there, and the incident: all of it is marked entered-in-error as each EHR lets us, in order.

    A correction: it needs neither consent nor link. From a wrong chart: nothing more goes there, and what should stand
    waits until the practice says which chart is the right one. Raises ConfigError as `went`.
    """
    steps = went(line, asked)
    chart = steps[0]["patient"]
    number = line.ledger.ids.take()
    entries = len({step["entry"] for step in steps})
    told = notices(line, asked, chart, number, entries)
    done = line.ledger.write(
        recalls.recall,
        recalls.Recall(
            asked.agency, asked.person, asked.practice, chart, asked.reason, asked.since, number,
            tuple((line.ledger.ids.take(), hold) for hold in told), now, by, now,
        ),
    )  # fmt: skip
    if done.new or done.entries:
        note(line, asked.agency, by, "recall", f"incident {done.incident} entries {done.entries}", now)
    return steps, done


def notices(line: Line, asked: Asked, chart: str, number: int, entries: int) -> list[Hold]:
    """What the agency's and the practice's privacy contacts are told (R7)."""
    agency, practice = line.project.agencies[asked.agency], line.project.practices[asked.practice]
    key, rule = recalls.incident_key(number), RULES[asked.reason]
    there = f"{entries} in the chart Patient/{chart}, which are being marked entered in error"
    ours, theirs = agency.privacy_contact or agency.contact, practice.privacy_contact or practice.contact
    return [
        Hold(
            HoldReason.NOTICE, key, Owner.AGENCY, rule, f"tell {who(ours)}: {there}; see whether the family must know"
        ),
        Hold(HoldReason.NOTICE, key, Owner.PRACTICE, rule, f"tell {who(theirs)}: {there}; see who has read them"),
    ]


def who(contact: Contact) -> str:
    """A contact as somebody reads them."""
    return f"{contact.name} ({contact.email})"


def lift(line: Line, incident: int, by: str, now: int) -> bool:
    """A recall from a wrong chart was the mistake; what waits for the link is looked at again. False where it was
    lifted before. Raises ConfigError where there is no such incident."""
    with line.ledger.read() as connection:
        found = next((one for one in recalls.incidents(connection) if one["id"] == incident), None)
    if found is None or found["reason"] != WRONG_CHART:
        step = "`bridge recall --list` shows them"
        raise ConfigError(Problem("recall-unknown", "no chart was recalled under this number", PLACE, "lift", step))
    keys = (link_key(found["agency"], found["source"], found["practice"]),)
    done = line.ledger.write(recalls.lift, recalls.Lift(incident, keys, by, now))
    if done:
        note(line, found["agency"], by, "recall-lift", f"incident {incident}", now)
    return done
