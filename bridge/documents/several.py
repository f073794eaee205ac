"""One document of several records: a day's, a week's, or what a visit should know of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bridge.documents.compose import (
    about,
    composition,
    corrects,
    foot,
    head,
    instead_of,
    named,
    subject_of,
    title_of,
    told,
)
from bridge.documents.content import Document, Entry, Frame, Kind, Line
from bridge.documents.moments import moment
from bridge.documents.telling import Telling
from bridge.documents.words import Words
from bridge.model import Part, type_json


def compose_several(records: Sequence[Sequence[Part]], frame: Frame, title: str = "") -> Document:
    """One document of several records, by their dates: each under its own heading, so that two contacts on one day stay
    two. The parts of each record as for `compose`; a Composition entered in error leaves a line that says so.

    What any of them asks is said first, each with its day. The document's date is its latest record's. Raises
    ValueError for no records, or one without a Composition.
    """
    if not records:
        raise ValueError("a document of several records needs at least one")
    say = Words(frame.language)
    notes = sorted(((composition(parts), parts) for parts in records), key=lambda pair: _order(pair[0]))
    last = notes[-1][0].get("date", "")
    days = [day for note, _ in notes if (day := moment(note.get("date", ""), frame.zone)[:10])]
    asks: list[Line] = []
    entries = []
    for note, parts in notes:
        ask, sections = told(parts, note, Telling(say, frame.zone, last[:10]))
        gone = note.get("status") == "entered-in-error"
        asks += [replace(line, label=moment(note.get("date", ""), frame.zone)[:10]) for line in ask if not gone]
        said = (*head(note, frame, say), *((Line(say("taken-back")),) if gone else ()))
        entries.append(Entry(title_of(note, say), note.get("date", ""), said, () if gone else sections))
    between = f"{days[0]} {say('to')} {days[-1]}" if days and days[0] != days[-1] else "".join(days[:1])
    people = tuple(dict.fromkeys(name for note, _ in notes for name in named(note)))
    return Document(
        language=say.language,
        title=title or ", ".join(filter(None, (say("several"), between))),
        ask=(*instead_of(frame, say), *(tuple(asks) or (Line(say("nothing-asked")),))),
        head=(*about(frame, say), Line(str(len(entries)), say("entries"))),
        sections=(),
        foot=tuple(foot(frame, say)),
        reference=frame.reference,
        kind=Kind.ROLL_UP,
        date=last,
        entries=tuple(entries),
        frame=replace(frame, subject=subject_of([part for _, parts in notes for part in parts], frame.subject)),
        authors=people,
        period={"start": notes[0][0].get("date", ""), "end": last} if last else {},
        amended=any(corrects(note) for note, _ in notes),
    )


def _order(note: type_json) -> tuple[datetime, str]:
    """By its instant, whatever the zone; a day without a time comes first in it, one without a date before all."""
    try:
        found = datetime.fromisoformat(note.get("date", ""))
    except ValueError:
        found = datetime(1, 1, 2, tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC), note.get("id", "")
