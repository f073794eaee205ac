"""A document that should stand is handed over, replaced or withdrawn, one at a time; a lost answer is settled.

Beside `writing`, with the same durability: nothing leaves before its step. What was handed over `stands` under its own
delivery reference; its version says what is known of it: given, confirmed, or perhaps given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.ehr.decide import back_off
from bridge.ehr.delivery import PATTERN
from bridge.ehr.route import handing
from bridge.handoff import prepare
from bridge.handoff.over import Fate, Given, Hand, HandOver, Look, Person, was_handed
from bridge.mappings.classes import LOCATION
from bridge.model import Action, Answer, AnswerClass, Decision, EntryState, Hold, Part, Response, Stands
from bridge.moves import handed as kept
from bridge.moves import holding, planning
from bridge.moves.beginning import NOT_SENT, Beginning, begin
from bridge.moves.channels import FREE, Entrance
from bridge.moves.finishing import Outcome, Stepped, finish
from bridge.moves.framing import frame, wanted
from bridge.moves.line import SECOND
from bridge.moves.matching import PATIENT_ID
from bridge.moves.staying import held, not_found, stay
from bridge.moves.turning import Turn
from bridge.release import withhold
from bridge.settings import Handoff
from bridge.store import past_steps, steps
from bridge.store.handoffs import CONFIRMED, GIVEN
from bridge.store.lanes import EntryWork
from bridge.store.past_steps import Last

PERHAPS = "perhaps"
"""What the ledger keeps as the version of what may have been handed over."""

MOST_SILENCES = 5
"""Answers lost in a row after which a person looks."""

MAY_BE_TAKEN = 100
"""References of one entry that may have been used since a backup; far more than a record has corrections."""

ANSWERS = {
    Fate.GIVEN: AnswerClass.ACCEPTED,
    Fate.CONFIRMED: AnswerClass.DONE,
    Fate.REFUSED: AnswerClass.CONTENT,
    Fate.LATER: AnswerClass.RETRY_LATER,
    Fate.LOST: AnswerClass.UNKNOWN,
}


def chosen(turn: Turn) -> bool:
    """Whether an entry goes by hand-off: by the way in which it stands, else by that of its practice's documents."""
    entry, chart = turn.entry, turn.chart
    if entry.stands is not None:
        return handed(entry.stands)
    given = handing(entry.kind, chart.planned, chart.practice, chart.ways) if entry.route != "discrete" else None
    return given is not None and given.enabled


def handed(stands: Stands) -> bool:
    """Whether what stands was handed over: it stands under a delivery reference and no id of an EHR."""
    return PATTERN.fullmatch(stands.id) is not None


def standing(entry: EntryWork) -> EntryState:
    """The state of an entry of which nothing else should stand than what does."""
    waits = entry.stands is not None and handed(entry.stands) and entry.stands.version in (GIVEN, PERHAPS)
    return EntryState.HANDED_OVER if waits else EntryState.DELIVERED


def lost(turn: Turn, last: Last | None) -> bool:
    """Whether what has to be settled is a hand-over."""
    return was_handed(last.body) if last is not None else chosen(turn)


async def hand(
    turn: Turn,
    leaving: Sequence[Part],
    digest: str,
    withheld: int,
    decision: Decision,
    records: Sequence[Sequence[Part]] = (),
) -> Outcome:
    """What should stand is handed over, as the first or in the place of what was; the same again where that is lost.

    `records` are `leaving` one by one: those of a roll-up are told in one document, each under its own heading.
    """
    entry = turn.entry
    opened = way(turn)
    if isinstance(opened, Hold):
        return await held(turn, opened)
    person = await named(turn, opened[1])
    if isinstance(person, Outcome):
        return person
    before = kept.as_named(turn, entry.stands) if entry.stands is not None else None
    if before is not None and (before.system, before.value) != (person.system, person.value):
        return await held(turn, holding.elsewhere(entry))
    again = repeated(turn, digest)
    action = Action.CREATE if entry.stands is None else Action.REPLACE
    replaced = entry.replaced + (action is Action.REPLACE)
    if again is not None:
        over, replaced = again, entry.replaced
    else:
        reference = planning.reference_of(turn.line, turn.lane, entry, replaced) if replaced else entry.reference
        replaces = entry.stands.id if entry.stands is not None else ""
        framed = frame(turn, reference, leaving, decision)
        wants = wanted(turn, opened[1])
        several = records if entry.gathers_until is not None else ()
        told = prepare.told(leaving, several, framed, person, replaces)
        over = prepare.made_of(told, leaving, wants, entry.kind, action, replaces, turn.clock(), person)
        over = replace(over, said=digest)
    chart = (await turn.matcher.patient()).patient
    places = LOCATION in withhold.classes_of(leaving)
    return await leave(turn, opened, over, digest, withheld, decision, chart, replaced, places)


async def withdraw(turn: Turn) -> Outcome:
    """Nothing should stand any more: the other side is asked to disregard each document that it was handed, the newest
    first. A correction; no gate.
    """
    entry, now = turn.entry, turn.clock()
    if entry.stands is None:
        return await finish(turn.line, turn.lane, entry, EntryState.CANCELLED, now)
    opened = way(turn)
    if isinstance(opened, Hold):
        return await held(turn, opened)
    person = kept.as_named(turn, entry.stands) or await named(turn, opened[1])
    if isinstance(person, Outcome):
        return person
    framed, wants = frame(turn, entry.stands.id, (), None), wanted(turn, opened[1])
    over = prepare.disregard(framed, wants, entry.kind, now, person)
    return await leave(turn, opened, over, "", entry.withheld, None, entry.stands.patient, entry.replaced + 1)


def way(turn: Turn) -> tuple[Hand, Handoff] | Hold:
    """The practice's way of handing over, or the hold where it has none any more."""
    hand, wants = turn.line.hands.get(turn.chart.practice.id), turn.chart.practice.handoff
    if hand is None or wants is None:
        rule = "it was handed over before, and the practice has no `handoff` any more"
        return holding.no_way(turn.lane.practice, turn.entry, rule)
    return hand, wants


async def named(turn: Turn, wants: Handoff) -> Person | Outcome:
    """The chart's patient in full, once it is certain which; else the outcome."""
    found = await turn.matcher.patient()
    if found.hold is not None:
        return await held(turn, found.hold)
    if found.due is not None:
        return await not_found(turn, found)
    link, entry = turn.lane.link, turn.entry
    if link is None or (link.system == PATIENT_ID and wants.way != "packet"):
        return await held(turn, holding.numberless(turn.lane))
    system, value = ("", "") if link.system == PATIENT_ID else (link.system, link.value)
    try:
        return prepare.person_of(system, value, turn.lane.patient)
    except prepare.Nameless:
        return await held(turn, holding.nameless(entry))


def repeated(turn: Turn, digest: str) -> HandOver | None:
    """What is perhaps there already and should be, to be given again as it is; None where something else should."""
    entry = turn.entry
    if entry.stands is None or entry.stands.version != PERHAPS:
        return None
    with turn.line.ledger.read() as connection:
        last = past_steps.last(connection, turn.line.ledger, entry.id)
    same = last is not None and last.digest == digest and last.action is not Action.RETRACT and was_handed(last.body)
    return HandOver.read(last.body) if last is not None and same else None


async def leave(
    turn: Turn,
    opened: tuple[Hand, Handoff],
    over: HandOver,
    digest: str,
    withheld: int,
    resting_on: Decision | None,
    chart: str,
    replaced: int,
    places: bool = False,
) -> Outcome:
    """The step is durable, then it is handed over, then what came back is durable."""
    hand, _ = opened
    async with hand.turns:
        entrance = await enter(turn)
        if entrance.until is not None:
            return await stay(turn, entrance.until)
        begun = await begin(
            turn,
            Beginning(
                action=over.action,
                digest=digest,
                withheld=withheld,
                resting_on=resting_on,
                patient=chart,
                target=over.reference if over.cancels else "",
                reference=over.reference,
                replaced=replaced,
                takes=int(hand.takes * SECOND),
                places=places,
                kept=over.kept(),
            ),
        )
        if isinstance(begun, Outcome):
            await let_go(turn, entrance)
            return begun
        given = await hand.give(over)
        channel = turn.line.channels.get(turn.lane.practice)
        down = await channel.heard(over.control, given, entrance) if channel is not None else None
    return await follow(turn, opened, over, digest, given, begun, down)


async def enter(turn: Turn) -> Entrance:
    """Whether the practice's way may be used now; a rehearsal's always."""
    channel = turn.line.channels.get(turn.lane.practice)
    return await channel.enter() if channel is not None else FREE


async def let_go(turn: Turn, entrance: Entrance) -> None:
    """Nothing was handed over after all."""
    channel = turn.line.channels.get(turn.lane.practice)
    if channel is not None:
        await channel.let_go(entrance)


async def follow(
    turn: Turn,
    opened: tuple[Hand, Handoff],
    over: HandOver,
    digest: str,
    given: Given,
    begun: steps.Begin,
    down: int | None,
) -> Outcome:
    """What became of it is durable. `down`: the way as a whole does not work until then; that is no silence of this
    one, which would end with a person.
    """
    entry, now = turn.entry, turn.clock()
    stepped = Stepped(begun.step, Answer(ANSWERS[given.fate], given.code), Response(body=given.kept))
    if given.fate in (Fate.GIVEN, Fate.CONFIRMED):
        return await arrived(turn, opened, over, digest, given.fate is Fate.CONFIRMED, begun.patient, stepped)
    wait = max(now + back_off(str(entry.id), entry.attempts + 1), down or 0)
    hold: Hold | None = None
    if given.fate is Fate.REFUSED:
        state, due, hold = EntryState.HELD, None, holding.not_taken(entry, given.code)
    elif given.fate is Fate.LOST:
        state, due = EntryState.UNKNOWN, wait
    else:
        state, due = EntryState.READY, wait
    return await finish(
        turn.line,
        turn.lane,
        entry,
        state,
        now,
        due=due,
        stands=entry.stands,
        hold=hold,
        step=stepped,
        attempts=0 if hold is not None else entry.attempts + (down is None),
        look_first=given.fate is Fate.LOST,
    )


async def arrived(
    turn: Turn,
    opened: tuple[Hand, Handoff],
    over: HandOver,
    digest: str,
    confirmed: bool,
    chart: str,
    step: Stepped,
    go_on: bool = False,
) -> Outcome:
    """The other side has it; `confirmed` only where nobody else is waited for. `go_on`: something else should stand.

    What was recalled from a wrong chart goes to the right one.
    """
    now, sure = turn.clock(), confirmed and opened[1].confirms != "person"
    if over.cancels:
        return await disregarded(turn, opened, over, sure, step)
    stands = Stands(over.reference, CONFIRMED if sure else GIVEN, digest, chart)
    state = EntryState.READY if go_on else EntryState.DELIVERED if sure else EntryState.HANDED_OVER
    due = now if go_on else None
    done = await finish(turn.line, turn.lane, turn.entry, state, now, due=due, stands=stands, step=step)
    return Outcome(settled=not go_on and not done.stop, due=due, stop=done.stop)


async def disregarded(turn: Turn, opened: tuple[Hand, Handoff], over: HandOver, sure: bool, step: Stepped) -> Outcome:
    """The other side has the word to disregard a document; what it holds beside that follows, one by one.

    Only what is confirmed to a word is taken back: until then all of them are waited for. Where something should stand
    again meanwhile, it takes the place of what is left.
    """
    entry, now = turn.entry, turn.clock()
    left = await kept.left(turn, *opened, over.reference)
    if entry.should and entry.recalled:  # what is in another chart is right there
        left = [one for one in left if one.patient in (entry.recalled, "")]
    stands = left[0] if left else None
    if left or entry.should:
        state = EntryState.READY
    else:
        state = EntryState.RETRACTED if sure and not kept.awaited(turn, step.id) else EntryState.HANDED_OVER
    due = now if state is EntryState.READY else None
    done = await finish(turn.line, turn.lane, entry, state, now, due=due, stands=stands, step=step, withdrawn=not left)
    return Outcome(settled=due is None and not done.stop, due=due, stop=done.stop)


async def settle(turn: Turn, last: Last | None) -> Outcome:
    """A hand-over whose answer was lost, or that a restored ledger cannot prove was never made."""
    entry, now = turn.entry, turn.clock()
    opened = way(turn)
    if isinstance(opened, Hold):
        return await held(turn, opened)
    hand, wants = opened
    entrance = await enter(turn)
    if entrance.until is not None:
        return await stay(turn, entrance.until)
    await let_go(turn, entrance)  # looking hands nothing over; what follows may
    if last is None or last.answer not in (None, AnswerClass.UNKNOWN):
        return await look_ahead(turn, hand, wants)
    over, digest = HandOver.read(last.body), last.digest
    found = await hand.look(over)
    if found in (Look.GIVEN, Look.CONFIRMED):
        there = AnswerClass.DONE if found is Look.CONFIRMED else AnswerClass.ACCEPTED
        step = Stepped(last.id, Answer(there, "looked"))
        overtaken = over.cancels == entry.should or (entry.should and entry.should_digest != digest)
        overtaken = overtaken or bool(entry.recalled)
        return await arrived(turn, opened, over, digest, found is Look.CONFIRMED, last.patient, step, go_on=overtaken)
    if found is Look.ABSENT:
        return await resume(turn, entry.stands, now, step=Stepped(last.id, NOT_SENT))
    if found is Look.AGAIN and turn.in_a_row(AnswerClass.UNKNOWN) < MOST_SILENCES:
        perhaps = entry.stands if over.cancels else Stands(over.reference, PERHAPS, "", last.patient)
        return await resume(turn, perhaps, now)
    return await held(turn, holding.unheard(entry, over.reference))


async def look_ahead(turn: Turn, hand: Hand, wants: Handoff) -> Outcome:
    """What a restored ledger cannot know: what was handed over since its backup, under the references that follow.

    The latest found is what stands, and says what the way remembers of it, unless that was taken back since; what was
    handed over already is so not handed over again. Where the other side cannot be asked, a person is, and none of
    the references that may be taken is used again: what is handed over under a used one is lost.
    """
    entry, there = turn.entry, turn.entry.stands
    chart = there.patient if there is not None else (await turn.matcher.patient()).patient
    number = entry.replaced + (there is not None)
    while True:
        over = kept.forgotten(turn, wants, number)
        found = await hand.look(over)
        if found not in kept.THERE:
            break
        version = CONFIRMED if found is Look.CONFIRMED and wants.confirms != "person" else GIVEN
        there = Stands(over.reference, version, await hand.said(over), chart)
        number += 1
    if found is Look.ABSENT:
        taken_back = there is not None and await kept.withdrawn(hand, replace(over, reference=there.id))
        there = None if taken_back and entry.should else there
        return await resume(turn, there, turn.clock(), number - (there is not None))
    hold = holding.unheard(entry, over.reference) if there is None else holding.which_last(entry, there.id)
    now = turn.clock()
    return await finish(
        turn.line, turn.lane, entry, EntryState.HELD, now, stands=there, hold=hold, look_first=True,
        replaced=number + MAY_BE_TAKEN,
    )  # fmt: skip


async def resume(
    turn: Turn, stands: Stands | None, now: int, replaced: int | None = None, step: Stepped | None = None
) -> Outcome:
    """The entry goes on from what stands, its gate asked anew."""
    return await finish(
        turn.line,
        turn.lane,
        turn.entry,
        EntryState.READY,
        now,
        due=now,
        stands=stands,
        step=step,
        attempts=turn.entry.attempts,
        keep_claims=True,
        replaced=replaced,
        reference=stands.id if stands is not None and replaced is not None else None,
    )
