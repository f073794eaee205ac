"""One entry whose answer was lost, or whose first write cannot be proved: look, never send blind."""

from __future__ import annotations

import orjson

from bridge.ehr import look, send
from bridge.ehr.answers import classify
from bridge.ehr.capability import SEARCH_BY_POST
from bridge.ehr.decide import decide
from bridge.ehr.merge import is_in_error
from bridge.ehr.search import MOST_PAGES, Page, next_page, page, refused_post
from bridge.model import Action, Answer, AnswerClass, EntryState, Hold, Interaction, Stands, type_json
from bridge.moves import handing, holding
from bridge.moves.finishing import Outcome, Stepped, finish
from bridge.moves.staying import held, not_found, stay
from bridge.moves.turning import Turn
from bridge.moves.writing import follow, read, tried
from bridge.store import steps
from bridge.store.lanes import EntryWork
from bridge.store.steps import Last

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
            look_first=True,
            keep_claims=True,
        )
    with turn.line.ledger.read() as connection:
        last = steps.last(connection, turn.line.ledger, entry.id)
    if handing.lost(turn, last):
        return await handing.settle(turn, last)
    if last is None or last.action in (Action.CREATE, Action.REPLACE):
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
            return await settled(turn, EntryState.RETRACTED, None, stepped, go_on=entry.should)
    elif not unmoved(current, entry.stands) and look.applied(current, sent(last)):
        stands = Stands(current.stands.id, current.version, last.digest)
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
    return not entry.should or entry.should_digest != last.digest


async def settled(
    turn: Turn, state: EntryState, stands: Stands | None, step: Stepped | None, *, go_on: bool, hold: Hold | None = None
) -> Outcome:
    """The lost step is settled; `go_on` where what was planned meanwhile is still to follow."""
    now = turn.clock()
    state, due = (EntryState.READY, now) if go_on else (state, None)
    return await finish(turn.line, turn.lane, turn.entry, state, now, due=due, stands=stands, hold=hold, step=step)


async def look_for(turn: Turn, last: Last | None) -> Outcome:
    """A create whose answer was lost, or that a restored ledger cannot prove was never tried."""
    entry, chart = turn.entry, turn.chart
    way = look.searchable(chart.planned, entry.resource_type)
    found: look.Found | None = None
    if way.how is not None:
        pages = await search(turn, way)
        if isinstance(pages, Outcome):
            return pages
        since = last.begun_at if last is not None else 0
        found = look.found(pages, entry.reference, chart.planned, since)
    now = turn.clock()
    verdict = look.verdict(found, way, entry.absent)
    if verdict.verdict is look.Verdict.DELIVERED and verdict.stands is not None:
        hold = holding.stands_twice(entry, verdict.duplicates) if verdict.duplicates else None
        stands = Stands(verdict.stands.id, verdict.stands.version, last.digest if last is not None else "")
        stepped = Stepped(last.id, LOOKED) if last is not None else None
        go_on = last is None or overtaken(entry, last)  # None: what it says is not known, and it is compared
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
        due=now + chart.visibility_delay if again else now,
        stands=entry.stands,
        attempts=entry.attempts,
        absent=entry.absent + 1 if again else 0,
        look_first=entry.look_first and again,
        keep_claims=True,
    )


async def search(turn: Turn, way: look.Way) -> list[Page] | Outcome:
    """Every page of the look, or the outcome where it could not be made."""
    entry, chart = turn.entry, turn.chart
    patient = await turn.matcher.patient()
    if patient.hold is not None:
        return await held(turn, patient.hold)
    if patient.due is not None:
        return await not_found(turn, patient)
    request = look.request(way, chart.planned, entry.resource_type, patient.patient, entry.reference)
    pages: list[Page] = []
    while len(pages) <= MOST_PAGES:
        response = await chart.client.send(request)
        now = turn.clock()
        answer = classify(Interaction.SEARCH, response, chart.vendor, entry.resource_type, now)
        if refused_post(request, answer):
            await turn.line.learn(turn.lane.practice, entry.resource_type, SEARCH_BY_POST, now)
            return await stay(turn, now, stop=True)
        read_page = page(response, entry.resource_type) if answer.kind is AnswerClass.DONE else None
        if read_page is None:
            after = decide(answer, tried(turn, Action.CREATE, Interaction.SEARCH), now)
            return await follow(turn, after, None)
        pages.append(read_page)
        following = next_page(read_page, chart.connection.base)
        if following is None:
            break
        request = following
    return pages


def sent(last: Last) -> type_json:
    """The resource the step carried."""
    resource: type_json = orjson.loads(last.body)
    return resource
