"""What stands in a chart is brought to what should stand, or withdrawn, one FHIR request at a time.

No request leaves before its step is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import orjson

from bridge import people
from bridge.documents.formats import PDF
from bridge.ehr import decide, send
from bridge.ehr.answers import classify, unusable
from bridge.ehr.look import applied
from bridge.ehr.merge import conflicts, is_in_error
from bridge.ehr.route import usable
from bridge.mappings.classes import LOCATION
from bridge.model import (
    Action,
    Answer,
    AnswerClass,
    Decision,
    EntryState,
    Hold,
    Interaction,
    Part,
    Request,
    Stands,
    type_json,
)
from bridge.moves import astray, correcting, holding, planning
from bridge.moves.beginning import Beginning, begin
from bridge.moves.finishing import Outcome, Stepped, finish
from bridge.moves.line import SECOND
from bridge.moves.shaping import last_sent, shape
from bridge.moves.staying import held, not_found
from bridge.moves.turning import Turn
from bridge.release import withhold

LOST = (EntryState.SENDING, EntryState.UNKNOWN)
FIRST = "1"
"""The version of what nobody changed since it was made, where servers count them."""


MOST_ATTEMPTS = 3
"""Answers in a row that say `duplicate` where looking finds nothing: then a person looks."""


async def bring(
    turn: Turn,
    leaving: Sequence[Part],
    digest: str,
    withheld: int,
    decision: Decision,
    records: Sequence[Sequence[Part]] = (),
) -> Outcome:
    """What should stand is created, updated or put in the place of what stands; `records` are `leaving` one by one."""
    entry, chart = turn.entry, turn.chart
    found = await turn.matcher.patient()
    if found.hold is not None:
        return await held(turn, found.hold)
    if found.due is not None:
        return await not_found(turn, found)
    capability = chart.planned
    action = Action.CREATE if entry.stands is None else send.change(entry.resource_type, capability)
    interaction = Interaction.UPDATE if action is Action.UPDATE else Interaction.CREATE
    allowed = capability.allows(entry.resource_type, interaction)
    if action is Action.CREATE:  # the site may have changed its mind since it was planned
        allowed = usable(entry.resource_type, entry.kind, capability, chart.practice, chart.ways)
    if action is None or not allowed.yes:
        return await held(turn, holding.no_way(turn.lane.practice, entry, allowed.because))
    standing: send.Current | Stands | None = entry.stands
    patient = found.patient
    if entry.stands is not None:
        current = await read(turn, entry.stands) if action is Action.UPDATE else None
        if isinstance(current, Outcome):
            return current
        placed = await astray.placed(turn, entry.stands, current, patient)
        if isinstance(placed, Hold):
            return await held(turn, placed)
        standing, patient = current or entry.stands, placed
    another = action in (Action.REPLACE, Action.SUPERSEDE)
    replaced = entry.replaced + another
    reference = entry.reference
    if replaced and (another or entry.stands is None):  # the first one's was made with the plan
        reference = planning.reference_of(turn.line, turn.lane, entry, replaced)
    earlier = correcting.earlier(turn, patient) if action is Action.SUPERSEDE else None
    if isinstance(earlier, Hold):
        return await held(turn, earlier)
    # a PDF takes some 10 ms to set: beside the loop, so that the other lanes' requests do not wait for it
    asked = (turn, leaving, reference, patient, action is Action.UPDATE, decision, records, earlier)
    shaped = await asyncio.to_thread(shape, *asked) if chart.practice.document.mime == PDF else shape(*asked)
    wrong = holding.wrong(turn.line, shaped, chart.vendor)
    if wrong is not None:
        return await held(turn, holding.unsendable(entry, wrong))
    sent: type_json | None = None
    if isinstance(standing, send.Current) and entry.stands is not None:
        sent = last_sent(turn)
        if sent is None and applied(standing, shaped.resource):
            there = Stands(standing.stands.id, standing.version, digest, patient)
            return await finish(turn.line, turn.lane, entry, EntryState.DELIVERED, turn.clock(), stands=there)
        if sent is None and standing.version != FIRST:
            return await held(turn, holding.whose_words(entry))
        moved = not standing.version or standing.version != entry.stands.version
        changed = conflicts(standing.resource, shaped.resource, sent) if moved and sent is not None else ()
        if changed:
            return await held(turn, holding.changed_there(entry, changed))
    try:
        request = send.request(action, shaped.resource, capability, standing, sent)
    except ValueError as error:
        return await held(turn, holding.unwritable(entry, str(error)))
    ours = request.body if action in (Action.CREATE, Action.SUPERSEDE) else orjson.dumps(shaped.resource)
    places = LOCATION in withhold.classes_of(leaving)
    return await step(
        turn, action, interaction, request, ours, digest, withheld, decision, patient, reference, replaced, places
    )


async def withdraw(turn: Turn) -> Outcome:
    """Nothing should stand any more: what stands is marked entered-in-error, or where this EHR cannot a document asks
    to disregard it. A correction; no gate is asked.
    """
    entry, now = turn.entry, turn.clock()
    if entry.stands is None:
        return await finish(turn.line, turn.lane, entry, EntryState.CANCELLED, now)
    way = send.withdrawal(entry.resource_type, turn.chart.planned)
    if way is None:
        return await held(turn, holding.no_retraction(entry))
    if way is Action.DISREGARD:
        return await disregard(turn)
    current = await read(turn, entry.stands)
    if isinstance(current, Outcome):
        return current
    if is_in_error(current.resource):
        state, due, left, done = astray.after_withdrawal(turn, now)
        return await finish(turn.line, turn.lane, entry, state, now, due=due, stands=left, withdrawn=done)
    try:
        resource = {"resourceType": entry.resource_type}
        request = send.request(Action.RETRACT, resource, turn.chart.planned, current)
    except ValueError as error:
        return await held(turn, holding.unwritable(entry, str(error)))
    ours = orjson.dumps({**resource, "id": entry.stands.id})
    replaced = entry.replaced + 1  # what follows a withdrawn document is another delivery
    return await step(
        turn,
        Action.RETRACT,
        Interaction.UPDATE,
        request,
        ours,
        "",
        entry.withheld,
        None,
        entry.stands.patient,
        entry.reference,
        replaced,
    )


async def disregard(turn: Turn) -> Outcome:
    """A document that asks to disregard what stands."""
    made = correcting.disregarding(turn)
    if isinstance(made, Hold):
        return await held(turn, made)
    return await step(
        turn, Action.DISREGARD, Interaction.CREATE, made.request, made.resource, "", turn.entry.withheld, None,
        made.patient, made.reference, made.replaced,
    )  # fmt: skip


async def read(turn: Turn, stands: Stands) -> send.Current | Outcome:
    """What stands now, or the outcome where it could not be read."""
    entry = turn.entry
    response = await turn.chart.client.send(send.read(entry.resource_type, stands.id))
    now = turn.clock()
    target = f"{entry.resource_type}/{stands.id}"
    answer = classify(Interaction.READ, response, turn.chart.vendor, target, now)
    current = send.current(response, entry.resource_type, stands.id) if answer.kind is AnswerClass.DONE else None
    if current is not None:
        return current
    answer = unusable(answer) if answer.kind is AnswerClass.DONE else answer
    after = decide.decide(answer, tried(turn, Action.UPDATE, Interaction.READ, answer), now)
    return await follow(turn, after, None, left=answer.left)


async def step(
    turn: Turn,
    action: Action,
    interaction: Interaction,
    request: Request,
    ours: bytes,
    digest: str,
    withheld: int,
    resting_on: Decision | None,
    patient: str,
    reference: str,
    replaced: int,
    places: bool = False,
) -> Outcome:
    """The step is durable, then the request leaves, then what came back is durable.

    Kept is what we wrote (`ours`), not what the practice wrote beside it: a later correction compares with the one and
    leaves the other alone. What time alone has ended since it was decided (`resting_on`) does not leave.
    """
    line, lane, entry = turn.line, turn.lane, turn.entry
    changes = interaction is Interaction.UPDATE or action is Action.DISREGARD
    begun = await begin(
        turn,
        Beginning(
            action=action,
            digest=digest,
            withheld=withheld,
            resting_on=resting_on,
            patient=patient,
            target=entry.stands.id if entry.stands is not None and changes else "",
            reference=reference,
            replaced=replaced,
            takes=int(turn.chart.connection.timeout_seconds * SECOND),
            places=places,
            kept=ours,
        ),
    )
    if isinstance(begun, Outcome):
        return begun
    response = await turn.chart.client.send(request)
    now = turn.clock()
    target = entry.resource_type if entry.stands is None else f"{entry.resource_type}/{entry.stands.id}"
    target = target if interaction is Interaction.UPDATE else entry.resource_type
    answer = classify(interaction, response, turn.chart.vendor, target, now)
    after = decide.decide(answer, tried(turn, action, interaction, answer), now)
    if answer.kind is AnswerClass.DUPLICATE and turn.in_a_row(AnswerClass.DUPLICATE) >= MOST_ATTEMPTS:
        after = decide.Next(EntryState.HELD, None, holding.never_found(entry))
    stands = entry.stands
    if after.state is EntryState.DELIVERED:
        told = answer.stands or entry.stands
        version = told.version if told is not None and answer.stands else ""
        stands = Stands(told.id, version, digest, patient) if told is not None else None
    elif after.state is EntryState.RETRACTED:
        state, due, stands, done = astray.after_withdrawal(turn, now)
        stepped = Stepped(begun.step, answer, response)
        return await finish(line, lane, entry, state, now, due=due, stands=stands, step=stepped, withdrawn=done)
    return await follow(turn, after, Stepped(begun.step, answer, response), stands, left=answer.left)


def tried(turn: Turn, action: Action, interaction: Interaction, answer: Answer) -> decide.Tried:
    """What is known of the step that was answered so, for the decision."""
    return decide.Tried(
        entry=str(turn.entry.id),
        practice=turn.lane.practice,
        type=turn.entry.resource_type,
        action=action,
        interaction=interaction,
        visibility_delay=turn.chart.visibility_delay,
        link_key=people.link_key(turn.lane.agency, turn.lane.source, turn.lane.practice),
        attempts=turn.entry.attempts + answer.left,
        conflicts=turn.in_a_row(AnswerClass.CONFLICT) + 1 if answer.kind is AnswerClass.CONFLICT else 1,
        looking=turn.entry.state in LOST,
    )


async def follow(
    turn: Turn, after: decide.Next, step: Stepped | None, stands: Stands | None = None, *, left: bool = True
) -> Outcome:
    """What an answer decided is durable, with what it says beyond this entry; what never `left` was no attempt."""
    line, now = turn.line, turn.clock()
    stop = False
    if after.learn is not None:
        await line.learn(turn.lane.practice, *after.learn, now)
    if after.follow is decide.Follow.LANE:
        found = await turn.matcher.again()
        if found.patient:  # merged: it goes to the chart that is certain by now
            state = EntryState.UNKNOWN if turn.entry.state in LOST else EntryState.READY
            after = replace(after, state=state, due=now, hold=None)
        stop = True
    elif after.follow is decide.Follow.CIRCUIT:  # its connection's pace heard
        stop = True
    retried = after.state in (EntryState.READY, EntryState.UNKNOWN)
    return await finish(
        line,
        turn.lane,
        turn.entry,
        after.state,
        now,
        due=after.due,
        stands=stands if step is not None else turn.entry.stands,
        hold=after.hold,
        step=step,
        attempts=turn.entry.attempts + left if retried else 0,
        absent=turn.entry.absent,
        look_first=after.look_first or (turn.entry.look_first and after.state is not EntryState.DELIVERED),
        keep_claims=False,
        stop=stop,
    )
