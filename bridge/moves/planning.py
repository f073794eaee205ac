"""A translation → the entries that should stand in which charts, each with its hold where something is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import orjson

from bridge import consent, log, release
from bridge.ehr import route
from bridge.ehr.chart import Chart
from bridge.ehr.delivery import delivery_reference
from bridge.errors import LedgerDown
from bridge.mappings.functions import record_key
from bridge.model import Hold, HoldReason, Owner, Part, Released, Route, Translation, Weight
from bridge.moves import own_record
from bridge.moves.line import Line
from bridge.release import cadence, withhold
from bridge.release.origin import with_origin
from bridge.store import permissions, persons, places, plans, records, views
from bridge.store.lanes import REPLAY, ROUTINE, URGENT, EntryWork, LaneWork
from bridge.store.permissions import Permissions

Made = tuple[records.Work, Translation]
LATER = 60_000_000
"""Microseconds until a record whose practice is full is looked at again."""
BACKFILL = 30 * 86_400_000_000
"""Microseconds after which what happened is history, and not news."""
FAMILIES = 50
"""Families whose charts are looked at in one turn."""
ROLLED_UP = "document"
"""The name of the route a roll-up takes, as of a single note."""
NOBODY = Permissions("", (), frozenset())


def permissions_of(line: Line, made: Iterable[Made]) -> dict[tuple[str, str], Permissions]:
    """Consents and links of everybody these translations are about, by (agency, person)."""
    people: dict[str, set[str]] = {}
    for work, translation in made:
        people.setdefault(work.agency, set()).update({work.subject, *(part.about for part in translation.parts)})
    with line.ledger.read() as connection:
        return {
            (agency, source): found
            for agency, sources in people.items()
            for source, found in permissions.of_persons(connection, line.ledger, agency, sorted(sources)).items()
        }


def plan(
    line: Line,
    work: records.Work,
    translation: Translation,
    known: Mapping[tuple[str, str], Permissions],
    rows: int,
    owner: str,
    now: int,
) -> plans.Translated:
    """What the ledger should keep of one record that was translated with the added rows of version `rows`.

    Where planning it fails it is held for the engineer: one record costs the others of its batch nothing.
    """
    try:
        return planned(line, work, translation, known, rows, owner, now)
    except LedgerDown:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the engineer is told of this record
        log.failure("plan-failed", error, record=work.id)
        held = replace(translation, parts=(), holds=(unplanned(work, log.where(error)),))
        return planned(line, work, held, known, rows, owner, now)


def unplanned(work: records.Work, what: str) -> Hold:
    """The hold of a record at which planning failed; `what` is the error's class and its place in our code."""
    step = f"see `plan-failed` of record {work.id} in the log, mend what it shows, then `bridge held retry`"
    rule = f"the bridge failed at planning it: {what}"
    return Hold(HoldReason.CONTENT, f"mapping:{work.kind}", Owner.ENGINEER, rule, step)


def planned(
    line: Line,
    work: records.Work,
    translation: Translation,
    known: Mapping[tuple[str, str], Permissions],
    rows: int,
    owner: str,
    now: int,
) -> plans.Translated:
    """The same, as far as it can be planned."""
    if two_people(line, work, translation, known):
        translation = replace(translation, parts=(), holds=(one_id(work),))
    name = line.project.agencies[work.agency].name
    by_person: dict[str, list[Part]] = {}
    for part in with_origin(translation.parts, work.agency, name, work.kind, work.source_id, now):
        by_person.setdefault(part.about, []).append(part)
    holds = translation.holds
    entries: list[plans.EntryPlan] = []
    if not holds:
        for person, parts in by_person.items():
            entries += plan_person(line, work, person, parts, known.get((work.agency, person), NOBODY), now)
        if not entries and not charts(line, work, work.subject, known) and has_route(by_person.get(work.subject, [])):
            holds = (release.no_practice(work.agency, work.subject),)
    return plans.Translated(
        ledger=line.ledger,
        work=work,
        owner=owner,
        now=now,
        parts={person: orjson.dumps([part.as_dict() for part in parts]) for person, parts in by_person.items()},
        patients={part.about: orjson.dumps(part.resource) for part in translation.parts if part.type == "Patient"},
        entries=tuple(entries),
        holds=holds,
        hashes=(translation.mapping_hash, translation.engine_hash, translation.definitions_hash),
        hold_due=line.hold_due(now),
        people={person: persons.prepare(line.ledger, work.agency, person) for person in {*by_person, work.subject}},
        ids=line.ids(2 * len(by_person) + len(holds) + 3 * len(entries)),
        revisions={person: known.get((work.agency, person), NOBODY).revision for person in {*by_person, work.subject}},
        rows=rows,
        roles={
            part.about: plans.Spoken(part.role, known.get((work.agency, part.about), NOBODY).role)
            for part in translation.parts
        },
        endangered=frozenset(
            part.about for part in translation.parts if part.type == "Patient" and withhold.flagged(part.resource)
        ),
        arrives=() if holds else own_record.arrivals(work.agency, translation.parts, work.subject),
    )


def two_people(
    line: Line, work: records.Work, translation: Translation, known: Mapping[tuple[str, str], Permissions]
) -> bool:
    """Whether another record in force speaks of a person of this one in another role: whose id it is, is not certain.

    A role's name means the same in every kind of an agency.
    """
    roles = {part.about: part.role for part in translation.parts}
    for person, role in roles.items():
        if known.get((work.agency, person), NOBODY).role not in ("", role):
            with line.ledger.read() as connection:
                if persons.spoken_of(connection, work.agency, person, work.thing):
                    return True
    return False


def one_id(work: records.Work) -> Hold:
    """The hold of a record that may speak of two people by one id (R25)."""
    return Hold(
        HoldReason.CONTENT,
        record_key(work.agency, work.kind, work.source_id),
        Owner.AGENCY,
        "other records speak of a person of this record in another role: what is one's would be in the other's chart",
        "give each person an id that nobody else of the agency has, in whichever role, and send the records again",
    )


def with_room(line: Line, plan: Sequence[plans.Translated]) -> tuple[list[plans.Translated], list[plans.Translated]]:
    """The plans that may be kept now, and those that wait because a practice has as many open entries as it may.

    Accepted records have no bound: one that waits stays accepted until the practice takes entries again (R29).
    """
    with line.ledger.read() as connection:
        asked = {entry.practice for one in plan for entry in one.entries}
        full = views.full_practices(connection, asked, line.project.limits.planned_entries)
    waits = [full and any(entry.practice in full for entry in one.entries) for one in plan]
    return (
        [one for one, later in zip(plan, waits, strict=True) if not later],
        [one for one, later in zip(plan, waits, strict=True) if later],
    )


def keep(line: Line, plan: Sequence[plans.Translated], now: int) -> int:
    """These are kept; how many. No step that was decided on what was known of their people before leaves after it."""
    kept = [one for one, written in zip(plan, line.write_all(plans.save, plan), strict=True) if written]
    if any(one.endangered for one in kept):
        look_again(line, now)
    return len(kept)


def look_again(line: Line, now: int) -> int:
    """What stands of families of whom somebody must not be found is due, where that was not looked at since it is
    known; how many such people.
    """
    with line.ledger.read() as connection:
        found = places.due(connection, FAMILIES)
    line.write_all(places.look_again, [(one, now) for one in found])
    return len(found)


def charts(
    line: Line, work: records.Work, person: str, known: Mapping[tuple[str, str], Permissions]
) -> tuple[str, ...]:
    """The practices whose chart of this person the record is meant for."""
    has = known.get((work.agency, person), NOBODY)
    agency = line.project.agencies[work.agency]
    return release.charts_for(person, work.subject, has.practice, has.links, has.consents, agency.practices)


def has_route(parts: Sequence[Part]) -> bool:
    """Whether these parts are something a practice would be sent."""
    return any(part.type not in route.NEVER_ALONE or part.type == "Composition" for part in parts)


def plan_person(
    line: Line, work: records.Work, person: str, parts: Sequence[Part], has: Permissions, now: int
) -> Iterator[plans.EntryPlan]:
    """The entries of one person's parts, for every chart they are meant for."""
    patient, program = patient_of(parts) or has.patient, line.project.programs.get(work.program)
    subject = subject_of(line, work.agency, work.program, patient)
    for practice_id in charts(line, work, person, {(work.agency, person): has}):
        chart = line.charts[practice_id]
        status = release.may_answer(line.translator.mappings.kinds.get(work.kind), chart.practice, program)
        gate = release.gate(
            work.agency,
            person,
            chart.practice,
            has.consents,
            practice_id in has.links,
            work.occurred_at,
            now,
            subject,
            status=status,
        )
        conditions = withhold.conditions_of(chart.practice, program, patient)
        for entry in route.plan(work.kind, parts, chart.planned, chart.practice, chart.ways):
            facts = withhold.facts_only_by(entry.route.kind, parts, work.kind, chart.practice)
            decision = withhold.facts_only(gate.decision) if facts else gate.decision
            released = withhold.released(parts, person, decision, conditions)
            hold, due = (gate.hold, gate.due) if gate.hold is not None else (entry.hold, None)
            leaving = parts_of(entry.route, released)
            told = entry.route.kind != "discrete"
            yield plans.EntryPlan(
                practice=practice_id,
                person=person,
                name=entry.route.name,
                kind=work.kind,
                route=entry.route.kind,
                resource_type=entry.route.resource_type,
                rank=entry.route.rank,
                parts=entry.route.parts,
                digest=digest(line, leaving, chart) if leaving or not gate.decision.permit else "",
                reference=reference(line, work.agency, practice_id, person, work.thing, entry.route.name),
                withheld=withheld_of(entry.route, parts, released) if gate.decision.permit else 0,
                hold=hold,
                due=due,
                urgency=urgency_of(work),
                gathered=gathered(line, work, person, chart, hold) if told and not status else None,
                unwanted=told and cadence.unwanted(chart.practice, work.kind, work.weight),
            )


def urgency_of(work: records.Work) -> int:
    """Urgent where the kind says so; what happened long before the agency said it, as in a first load of years, goes
    behind what is new.
    """
    if work.weight is Weight.URGENT:
        return URGENT
    old = work.occurred_at is not None and work.accepted_at - work.occurred_at > BACKFILL
    return REPLAY if old else ROUTINE


def gathered(line: Line, work: records.Work, person: str, chart: Chart, hold: Hold | None) -> plans.Gathering | None:
    """The roll-up that tells this practice of the record; None where it goes by itself.

    What the practice's settings leave out for now waits by itself: they open for one record and not for the next.
    """
    if hold is not None and hold.reason is HoldReason.PRACTICE:
        return None
    practice, kind = chart.practice, work.kind
    occurred, accepted = work.occurred_at, work.accepted_at
    window = cadence.window(practice, work.agency, work.program, kind, work.weight, occurred, accepted)
    if window is None:
        return None
    known = reference(line, work.agency, practice.id, person, window.thread, ROLLED_UP)
    return plans.Gathering(window.thread, window.since, window.until, window.due, known)


def patient_of(parts: Sequence[Part]) -> bytes:
    """The Patient that the record itself makes, which is newer than the one kept; b"" where it makes none."""
    return next((orjson.dumps(part.resource) for part in parts if part.type == "Patient"), b"")


def subject_of(line: Line, agency: str, program: str, patient: bytes) -> consent.Subject:
    """What a consent decision takes into account of the person whose canonical Patient this is, b"" where none is."""
    birth_date = str(orjson.loads(patient).get("birthDate", "")) if patient else ""
    known = line.project.programs.get(program)
    minor_consented = known is not None and known.minor_consented
    return consent.Subject(consent.adult_from(birth_date, line.project.agencies[agency].timezone), minor_consented)


def parts_of(chosen: Route, released: Released) -> tuple[Part, ...]:
    """The released parts one route carries; a document without its Composition carries none."""
    leaving = tuple(part for part in released.parts if part.name in chosen.parts)
    if chosen.kind != "discrete" and not any(part.type == "Composition" for part in leaving):
        return ()
    return leaving


def withheld_of(chosen: Route, parts: Sequence[Part], released: Released) -> int:
    """How many parts and sections of this route stayed behind."""
    left = {part.name: part for part in released.parts}
    count = 0
    for part in parts:
        if part.name in chosen.parts:
            if part.name not in left:
                count += 1
            else:
                count += len(part.sections) - len(left[part.name].sections)
    return count


def digest(line: Line, parts: Sequence[Part], chart: Chart) -> str:
    """Changes with what would be said in the chart: the released parts, and the form the practice wants.

    Keyed, for it stands beside what is encrypted: whoever guesses what was said cannot compare.
    """
    said = [chart.practice.document.form, [part.resource for part in parts]]
    plain = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return line.ledger.keyring.hash(plain)


def reference(line: Line, agency: str, practice: str, person: str, thing: str, name: str, replaced: int = 0) -> str:
    """The delivery reference of what stands in one chart for one thing: the same after a restore."""
    entry = "\x1f".join((practice, person, thing, name))
    return delivery_reference(line.ledger.keyring.reference_key, agency, entry, replaced)


def reference_of(line: Line, lane: LaneWork, entry: EntryWork, replaced: int) -> str:
    """The reference of an entry's next document, after so many that took another's place."""
    return reference(line, lane.agency, lane.practice, lane.source, entry.thread, entry.name, replaced)
