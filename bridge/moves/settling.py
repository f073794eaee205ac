"""One entry whose answer was lost, or whose first write cannot be proved: look, never send blind."""

from __future__ import annotations

from dataclasses import replace

import orjson

from bridge.ehr import look, send
from bridge.ehr.decide import back_off, decide
from bridge.ehr.merge import is_in_error
from bridge.ehr.search import Page
from bridge.model import (
    DOCUMENTS,
    WITHDRAWALS,
    Action,
    Answer,
    AnswerClass,
    EntryState,
    Hold,
    Interaction,
    Stands,
    type_json,
)
from bridge.moves import astray, handing, holding, planning, searching
from bridge.moves.finishing import LATER_LOOKS, Outcome, Stepped, finish
from bridge.moves.staying import held, not_found, stay
from bridge.moves.turning import Turn
from bridge.moves.writing import follow, read, tried
from bridge.store import past_steps
from bridge.store.lanes import EntryWork
from bridge.store.past_steps import Last

LOOKED_FOR = (EntryState.SENDING, EntryState.UNKNOWN, EntryState.DELIVERED)
"""What is looked for when its time comes: the last once more, for a copy that came late."""

LOOKED = Answer(AnswerClass.DONE, "looked")


async def settle(turn: Turn) -> Outcome:
    """The entry's lost step is settled by what stands, looked for again later, or given to a person."""
    entry, now = turn.entry, turn.clock()
    if entry.state is EntryState.SENDING:  # whoever sent it is gone: the lease ran out before an answer was written
        due, stands = now + turn.chart.visibility_delay, entry.stands
        return await finish(
            turn.line,
            turn.lane,
            entry,
            EntryState.UNKNOWN,
            now,
            due=due,
            stands=stands,
            attempts=entry.attempts + 1,
            look_first=True,
            keep_claims=True,
        )
    if entry.state is EntryState.DELIVERED:
        return await look_again(turn)
    with turn.line.ledger.read() as connection:
        last = past_steps.last(connection, turn.line.ledger, entry.id)
    if handing.lost(turn, last):
        return await handing.settle(turn, last)
    doubt = last is not None and last.in_doubt and last.action in DOCUMENTS  # `held retry` says: look again
    if entry.state is EntryState.READY and entry.stands is not None and not doubt:  # a backup came back
        return await look_ahead(turn, entry.stands)
    if last is None or last.action in DOCUMENTS or entry.state is EntryState.READY:
        return await look_for(turn, last)
    if entry.stands is None:
        return await held(turn, holding.looked(entry, "what it was to change is not known"))
    current = await read(turn, entry.stands)
    if isinstance(current, Outcome):
        return current
    return await compare(turn, last, current)


async def compare(turn: Turn, last: Last, current: send.Current) -> Outcome:
    """An update or a retraction whose answer was lost: what stands says whether it was applied; else it is sent again,
    built anew on what stands."""
    entry, stepped = turn.entry, Stepped(last.id, LOOKED)
    if last.action is Action.RETRACT:
        if is_in_error(current.resource):
            now = turn.clock()
            state, due, left, done = await astray.after_withdrawal(turn, now)
            return await finish(
                turn.line, turn.lane, entry, state, now, due=due, stands=left, step=stepped, withdrawn=done
            )
    elif not unmoved(current, entry.stands) and look.applied(current, sent(last)):
        stands = Stands(current.stands.id, current.version, last.digest, last.patient)
        return await settled(turn, EntryState.DELIVERED, stands, stepped, go_on=overtaken(entry, last))
    now = turn.clock()
    return await finish(
        turn.line, turn.lane, entry, EntryState.READY, now, due=now, stands=entry.stands, keep_claims=True
    )


def unmoved(current: send.Current, stands: Stands | None) -> bool:
    """Whether what stands is the very version that stood before."""
    return stands is not None and bool(current.version) and current.version == stands.version


def overtaken(entry: EntryWork, last: Last) -> bool:
    """Whether something else should stand by now than what the lost step wrote."""
    return not entry.should or entry.should_digest != last.digest or bool(entry.recalled)


async def settled(
    turn: Turn, state: EntryState, stands: Stands | None, step: Stepped | None, *, go_on: bool, hold: Hold | None = None
) -> Outcome:
    """The lost step is settled; `go_on` where what was planned meanwhile is still to follow."""
    now = turn.clock()
    state, due = (EntryState.READY, now) if go_on else (state, None)
    looks = None if hold is None else 0
    return await finish(
        turn.line, turn.lane, turn.entry, state, now, due=due, stands=stands, hold=hold, step=step, doubted=looks
    )


async def look_for(turn: Turn, last: Last | None) -> Outcome:
    """A create whose answer was lost, or that a restored ledger cannot prove was never tried."""
    entry, chart = turn.entry, turn.chart
    way = look.searchable(chart.planned, entry.resource_type)
    found: look.Found | None = None
    if way.how is not None:
        pages = await search(turn, way, last)
        if isinstance(pages, Outcome):
            return pages
        since = last.begun_at if last is not None else 0
        found = look.found(pages, sought(turn, last), chart.planned, since)
    now = turn.clock()
    verdict = look.verdict(found, way, entry.absent)
    if verdict.verdict is look.Verdict.DELIVERED and verdict.stands is not None:
        copies = found.stands[1:] if found is not None else ()
        hold = holding.stands_twice(entry, verdict.stands.id, copies) if copies else None
        digest, patient = (last.digest, last.patient) if last is not None else ("", "")
        with turn.line.ledger.read() as connection:
            unsure = last is not None and past_steps.wrote_otherwise(connection, entry.id, digest)
        digest = "" if unsure else digest  # which of them it was that arrived is not known: it is compared
        stepped = Stepped(last.id, LOOKED) if last is not None and last.in_doubt else None
        if last is not None and last.in_doubt and last.action is Action.DISREGARD:
            state, due, left, done = await astray.after_withdrawal(turn, now)
            return await finish(
                turn.line, turn.lane, entry, state, now, due=due, stands=left, hold=hold, step=stepped, withdrawn=done
            )
        patient = patient or (await turn.matcher.patient()).patient
        stands = Stands(verdict.stands.id, verdict.stands.version, digest, patient)
        if entry.state is EntryState.READY and hold is None:
            return await look_ahead(turn, stands, stepped)
        go_on = unsure or last is None or overtaken(entry, last)  # None: what it says is not known, and it is compared
        return await settled(turn, EntryState.DELIVERED, stands, stepped, go_on=go_on, hold=hold)
    if verdict.verdict is look.Verdict.PERSON:
        return await held(turn, holding.looked(entry, verdict.because))
    again = verdict.verdict is look.Verdict.AGAIN
    state = EntryState.UNKNOWN if entry.state is EntryState.UNKNOWN and again else EntryState.READY
    return await finish(
        turn.line,
        turn.lane,
        entry,
        state,
        now,
        due=now + chart.visibility_delay if again else resent_at(entry, now),
        stands=entry.stands,
        attempts=entry.attempts,
        absent=entry.absent + 1 if again else 0,
        look_first=entry.look_first and again,
        keep_claims=True,
        withdrawn=not again and entry.stands is None,
        doubted=None if again or last is None else len(LATER_LOOKS),
    )


def resent_at(entry: EntryWork, now: int) -> int:
    """When what was absent is sent again: at once, and later each time its answer is lost again."""
    return now if entry.attempts <= 1 else now + back_off(str(entry.id), entry.attempts - 1)


def sought(turn: Turn, last: Last | None) -> str:
    """The reference of the document looked for: the lost step's, or the one the next would carry."""
    entry = turn.entry
    back = last is not None and last.action in WITHDRAWALS and not (last.action is Action.DISREGARD and last.in_doubt)
    if entry.replaced and (last is None or back):
        return planning.reference_of(turn.line, turn.lane, entry, entry.replaced)
    return entry.reference


async def look_ahead(turn: Turn, stands: Stands, step: Stepped | None = None) -> Outcome:
    """What a restored ledger knows to stand may have been replaced since its backup: then that is what stands.

    `step` is the one that made `stands`, where that was in doubt.
    """
    entry, chart, now = turn.entry, turn.chart, turn.clock()
    replaced, found = entry.replaced, stands
    if send.change(entry.resource_type, chart.planned) in (Action.REPLACE, Action.SUPERSEDE):
        way = look.searchable(chart.planned, entry.resource_type)
        if way.how is None:
            return await held(turn, holding.looked(entry, f"this EHR cannot be searched for it: {way.because}"))
        patient = stands.patient or await looked_in(turn, None)
        if isinstance(patient, Outcome):
            return patient
        while True:
            next_one = planning.reference_of(turn.line, turn.lane, entry, replaced + 1)
            pages = await searching.gathered(turn, way, patient, next_one)
            if isinstance(pages, Answer):
                return await unsearched(turn, pages)
            there = look.found(pages, next_one, chart.planned).stands
            if not there:
                break
            replaced, found = replaced + 1, replace(there[0], patient=patient)
    return await finish(
        turn.line,
        turn.lane,
        entry,
        EntryState.READY,
        turn.clock(),
        due=now,
        stands=found,
        replaced=replaced,
        step=step if found is stands else None,
    )


async def look_again(turn: Turn) -> Outcome:
    """A later look at what was absent and sent again: of every copy beside what stands a person is told by its id."""
    entry, now = turn.entry, turn.clock()
    stands, left = entry.stands, max(0, entry.doubted - 1)
    copies: list[Stands] | Answer = []
    if stands is not None and not handing.handed(stands):
        copies = await searching.beside(turn, stands, always=True)
    if isinstance(copies, Answer):
        return await unlooked(turn, copies)
    hold = holding.stands_twice(entry, stands.id, copies) if copies and stands is not None else None
    done = await finish(
        turn.line,
        turn.lane,
        entry,
        EntryState.DELIVERED,
        now,
        stands=stands,
        hold=hold,
        doubted=0 if copies else left,
        alone=not copies,
    )
    return replace(done, settled=not done.stop)


async def looked_in(turn: Turn, last: Last | None) -> str | Outcome:
    """The chart the lost step went to, or that was merged into since; the certain one where there was no step."""
    found = await turn.matcher.patient()
    went = last.patient if last is not None else ""
    if went and found.patient and went != found.patient:
        return found.patient if await astray.merged(turn, went, found.patient) else went
    if went or found.patient:
        return went or found.patient
    return await held(turn, found.hold) if found.hold is not None else await not_found(turn, found)


async def search(turn: Turn, way: look.Way, last: Last | None) -> list[Page] | Outcome:
    """Every page of the look, or the outcome where it could not be made."""
    patient = await looked_in(turn, last)
    if isinstance(patient, Outcome):
        return patient
    pages = await searching.gathered(turn, way, patient, sought(turn, last))
    return await unsearched(turn, pages) if isinstance(pages, Answer) else pages


async def unsearched(turn: Turn, answer: Answer) -> Outcome:
    """What follows from the answer that ended a look."""
    after = decide(answer, tried(turn, Action.CREATE, Interaction.SEARCH, answer), turn.clock())
    return await follow(turn, after, None, left=answer.left)


async def unlooked(turn: Turn, answer: Answer) -> Outcome:
    """A later look that could not be made comes again in an hour, or a person looks; what stands stands."""
    entry, now = turn.entry, turn.clock()
    after = decide(answer, tried(turn, Action.CREATE, Interaction.SEARCH, answer), now)
    if after.hold is None:
        return await stay(turn, now + LATER_LOOKS[2], tried=int(answer.left), stop=True)
    hold = holding.unlooked(entry, after.hold.rule)
    done = await finish(
        turn.line, turn.lane, entry, EntryState.DELIVERED, now, stands=entry.stands, hold=hold, doubted=0
    )
    return replace(done, settled=not done.stop)


def sent(last: Last) -> type_json:
    """The resource the step carried."""
    resource: type_json = orjson.loads(last.body)
    return resource
