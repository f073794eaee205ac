"""One record's life in plain words, in the order it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.console import words
from bridge.model import WITHDRAWALS, EntryState
from bridge.settings import Project
from bridge.store import answers
from bridge.store.telling import GATHERING


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at` (microseconds); `tone` colours it, `detail` says more."""

    at: int
    text: str
    detail: str = ""
    tone: str = ""


def tell(life: dict[str, Any], versions: Sequence[dict[str, Any]], project: Project) -> list[Event]:
    """The events of a record's life as `views.life` read it, and the arrival of every version of the same thing.

    Ids, codes and states; nothing that the record says.
    """
    arrivals = [event for version in versions for event in received(version, project)]
    events = [*arrivals, *held(life, project), *sent(life, project)]
    return sorted(events, key=lambda event: event.at)


def standing(
    life: dict[str, Any], project: Project, down: Mapping[str, str], now: int, moment: Callable[[int], str]
) -> Iterator[str]:
    """Where each of its entries is now, in words; `down`: why a practice is not sent to, by practice. An instant before
    which an entry does not go (held back, its roll-up's time, the next try) is told as `moment` writes it.
    """
    for entry in life["entries"]:
        where = words.ENTRY[entry["where"]]
        if entry["where"] in (EntryState.READY.value, GATHERING) and (entry["due_at"] or 0) > now:
            where += f", not before {moment(entry['due_at'])}"
        if entry["stands_id"] and entry["state"] == EntryState.DELIVERED.value:
            where += f" as {entry['stands_id']}"
        if entry["state"] in (EntryState.READY.value, EntryState.UNKNOWN.value) and entry["practice"] in down:
            where += f"; {down[entry['practice']]}"
        yield f"{sentence(name_of(entry, project))}: {where}"


def received(record: dict[str, Any], project: Project) -> Iterator[Event]:
    """One version's arrival."""
    agency = project.agencies[record["agency"]].name
    version = f" (version {record['ordinal']})" if record["ordinal"] > 1 else ""
    text = f"Received from {agency}{version}"
    if not record["final"]:
        yield Event(record["accepted_at"], text, "It is not signed yet, so it is kept and not sent.", "waits")
    elif record["void"]:
        yield Event(record["accepted_at"], text, "The agency made it void: nothing of it should stand.")
    else:
        yield Event(record["accepted_at"], text)


def held(life: dict[str, Any], project: Project) -> Iterator[Event]:
    """What was waited for, and what ended that."""
    names = {entry["id"]: name_of(entry, project) for entry in life["entries"]}
    people = {person.id: person.name for person in project.people.values()}
    kept = life["record"]["decided"] == answers.KEEP
    for hold in life["holds"]:
        which = f" ({names[hold['entry']]})" if hold["entry"] in names else ""
        question = words.REASON[hold["reason"]]
        yield Event(hold["opened_at"], f"Held: {sentence(question)}{which}", f"{sentence(hold['rule'])}.", "waits")
        if hold["closed_at"] is not None:
            answer = words.closed_by(hold["closed_by"] or "", people)
            text = f"No longer held: {answer}{which}"
            if hold["record"] is not None and hold["reason"] == "decision" and hold["closed_by"] not in words.CLOSED:
                text = f"Decided: {'it stays with the agency' if kept else 'it is sent as it is'}; {answer}"
            yield Event(hold["closed_at"], text)


def sent(life: dict[str, Any], project: Project) -> Iterator[Event]:
    """Every step to a chart, and what came back."""
    entries = {entry["id"]: entry for entry in life["entries"]}
    for step in life["steps"]:
        entry = entries[step["entry"]]
        practice = project.practices[step["practice"]].name if step["practice"] in project.practices else "the practice"
        said = words.ACTION[step["action"]].format(what=words.what(entry["resource_type"]))
        began = "Was to go to" if step["code"] in words.STAYED else "Sent to"
        yield Event(step["begun_at"], f"{began} {practice}: {said}")
        if step["answered_at"] is None:
            continue
        answer = words.SETTLED.get(step["code"]) or words.ANSWER.get(step["answer"] or "", "")
        status = f" (HTTP {step['status']})" if step["status"] else ""
        good = step["answer"] == "done"
        gone = step["action"] in WITHDRAWALS
        text = f"{practice}: {'taken back' if gone else 'in the chart'}" if good else f"{practice}: not there yet"
        yield Event(step["answered_at"], text, f"{answer}{status}", "good" if good else "waits")


def name_of(entry: dict[str, Any], project: Project) -> str:
    """`document for Elm Street Pediatrics`."""
    practice = project.practices.get(entry["practice"])
    return f"{words.what(entry['resource_type'])} for {practice.name if practice is not None else entry['practice']}"


def sentence(text: str) -> str:
    """With a capital first."""
    return text[:1].upper() + text[1:]
