"""A practice is told that sharing ended: by a note in the chart where that may be, and on its own page.

Marked by the transaction that ended it (`consent.tell_at`) and planned from that mark, so that no crash forgets it and
none tells it twice.
"""

from __future__ import annotations

from bridge import consent
from bridge.mappings.classes import LOCATION
from bridge.model import CONSENT_ENDED, Decision, EntryState, Part
from bridge.moves import guarding, handing, planning, telling
from bridge.moves.finishing import Outcome, finish
from bridge.moves.line import SECOND, Line
from bridge.moves.staying import stay
from bridge.moves.turning import Turn
from bridge.moves.writing import bring
from bridge.release import ended, withhold
from bridge.release.part2 import day
from bridge.store import ending, kin, permissions, persons
from bridge.store.records import thing

CHUNK = 100
LATER = 600 * SECOND
"""How long until it is looked again whether something that may stand in the chart does."""


def decision(line: Line, agency: str, person: str, practice: str, now: int) -> Decision:
    """What may leave now for this practice of this person's records, in the agency's own program."""
    with line.ledger.read() as connection:
        known = permissions.of_persons(connection, line.ledger, agency, [person])
    has = known.get(person, planning.NOBODY)
    subject = planning.subject_of(line, agency, line.project.agencies[agency].program, has.patient)
    return consent.decide(has.consents, practice, now, subject)


def tell_ended(line: Line, now: int) -> int:
    """Every practice that is to be told by now is told, or need not be; how many ends were looked at.

    What cannot be told keeps back no other; then its error is raised.
    """
    with line.ledger.read() as connection:
        found = ending.due(connection, now, CHUNK)
    telling_now, failed = [], list[Exception]()
    for one in found:
        try:
            telling_now.append(told(line, one, now))
        except Exception as error:  # noqa: BLE001 - raised below, once the others are told
            failed.append(error)
    line.write_all(ending.tell, telling_now)
    if failed:
        raise failed[0]
    return len(found)


def told(line: Line, one: ending.Ended, now: int) -> ending.Tell:
    """What is told of one end: nothing where another consent lets sharing go on."""
    known = one.agency in line.project.agencies and one.practice in line.project.practices
    over = known and not decision(line, one.agency, one.source, one.practice, now).permit
    thread = thing(one.agency, CONSENT_ENDED, f"{one.instant}-{one.practice}-{one.person}")
    return ending.Tell(
        ended=one,
        page=telling.no_more(line, one.agency, one.source, one.practice, now) if over else None,
        chart=over and into_chart(line, one, thread),
        entry=line.ledger.ids.take(),
        thread=thread,
        reference=planning.reference(line, one.agency, one.practice, one.source, thread, "document"),
        now=now,
    )


def into_chart(line: Line, one: ending.Ended, thread: str) -> bool:
    """Whether a note may go into the chart, as far as is known now."""
    practice = line.project.practices[one.practice]
    with line.ledger.read() as connection:
        programs = ending.standing(connection, one.person, one.practice).programs
        near = kin.in_danger(connection, line.ledger, one.agency, [one.source], withhold.marked)
        known = permissions.of_persons(connection, line.ledger, one.agency, [one.source])
    has = known.get(one.source, planning.NOBODY)
    danger = bool(near) or withhold.marked(has.patient)
    part2 = any(line.project.programs[name].part2 for name in programs if name in line.project.programs)
    return ended.may_tell(note(line, one, thread, ""), practice, part2=part2, in_danger=danger)


def note(line: Line, one: ending.Ended, thread: str, program: str) -> Part:
    """The note about one end, in the practice's language, dated by the agency's clocks."""
    agency, practice = line.project.agencies[one.agency], line.project.practices[one.practice]
    since = day(one.instant, agency.timezone)
    return ended.note(
        one.agency, agency.name, program, one.source, thread, since, since, practice.document.language
    )  # fmt: skip


async def say_ended(turn: Turn) -> Outcome:
    """The note goes into the chart, where that is still so, something stands there, and it may."""
    lane, entry, now = turn.lane, turn.entry, turn.clock()
    instant = int(entry.thread.rpartition("/")[2].partition("-")[0])
    one = ending.Ended(lane.agency, lane.person, lane.source, lane.practice, instant)
    subject = planning.subject_of(turn.line, lane.agency, entry.program, lane.patient)
    again = consent.decide(lane.consents, lane.practice, now, subject).permit
    with turn.line.ledger.read() as connection:
        standing = ending.standing(connection, lane.person, lane.practice)
    programs = (turn.line.project.programs.get(name) for name in standing.programs)
    part2 = any(program is not None and program.part2 for program in programs)
    danger = withhold.marked(lane.patient) or guarding.in_danger(turn.line, lane, {LOCATION})
    told = note(turn.line, one, entry.thread, entry.program)
    may = ended.may_tell(told, turn.chart.practice, part2=part2, in_danger=danger)
    digest = planning.digest(turn.line, [told], turn.chart)
    closed = again or not may or not (standing.stands or standing.may_yet)
    if entry.stands is not None and (closed or entry.stands.digest == digest):  # it was true when it was told
        return await finish(turn.line, lane, entry, handing.standing(entry), now, stands=entry.stands)
    if closed:
        return await finish(turn.line, lane, entry, EntryState.CANCELLED, now)
    if not standing.stands:
        return await stay(turn, now + LATER)
    carry = handing.hand if handing.chosen(turn) else bring
    return await carry(turn, [told], digest, 0, ended.TOLD)


def how_told(line: Line, agency: str, person: str, practice: str) -> str:
    """How this practice is told that nothing more comes, in words: by a note, on its page, or not at all."""
    at = line.project.practices[practice]
    with line.ledger.read() as connection:
        row = persons.fetch(connection, [(agency, person)], lock=False).get((agency, person))
        noted, paged = ending.of_chart(connection, row.id, practice) if row is not None else (False, False)
    if noted:
        return f"{at.name} is told by a note in the patient's chart, and {at.contact.name} on the practice's page"
    if paged:
        return f"{at.name} is told on its page, which {at.contact.name} reads; nothing is written into the chart"
    return f"{at.name} was sent nothing under a consent, and is told nothing"
