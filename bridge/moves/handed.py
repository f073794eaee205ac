"""What of an entry the other side of a hand-off holds, by the steps that gave it and by what the way remembers."""

from __future__ import annotations

from dataclasses import replace

from bridge.handoff import prepare
from bridge.handoff.over import Hand, HandOver, Look, Person, control_of, was_handed
from bridge.model import Action, AnswerClass, Stands
from bridge.moves import planning
from bridge.moves.turning import Turn
from bridge.settings import Handoff
from bridge.store import past_steps
from bridge.store.handoffs import GIVEN
from bridge.store.past_steps import Last

ARRIVED = (AnswerClass.DONE, AnswerClass.ACCEPTED)
THERE = (Look.GIVEN, Look.CONFIRMED)


def given(turn: Turn) -> list[tuple[Last, HandOver]]:
    """Every hand-over of the entry, the oldest first, with its step."""
    with turn.line.ledger.read() as connection:
        found = past_steps.every(connection, turn.line.ledger, turn.entry.id)
    return [(last, HandOver.read(last.body)) for last in found if was_handed(last.body)]


def as_named(turn: Turn, stands: Stands) -> Person | None:
    """The patient as what stands names them, whoever the link means by now: a wrong chart's is taken back there."""
    named = [over.patient for _, over in given(turn) if over.reference == stands.id and not over.cancels]
    return named[-1] if named else None


async def left(turn: Turn, hand: Hand, wants: Handoff, disregarded: str) -> list[Stands]:
    """What the other side holds, or may, and was not asked to disregard, once it was asked for `disregarded`.

    A document that took another's place leaves that one with its readers: as a file, a mail, pages, or as an obsolete
    version. The newest comes first. What a restored ledger does not know of is asked for, where the way remembers it.
    """
    entry, found = turn.entry, given(turn)
    gone = {over.reference for last, over in found if over.cancels and last.answer in ARRIVED} | {disregarded}
    there: dict[str, Stands] = {}
    for last, over in found:
        arrived = last.answer in (None, AnswerClass.UNKNOWN, *ARRIVED) and last.code != past_steps.ABSENT
        if arrived and not over.cancels and over.reference not in gone:
            there.setdefault(over.reference, Stands(over.reference, GIVEN, "", last.patient))
    known = {over.reference for _, over in found} | gone
    chart = entry.stands.patient if entry.stands is not None else ""
    for number in range(entry.replaced + 1):
        over = forgotten(turn, wants, number)
        if over.reference not in known and await stands(hand, over):
            there[over.reference] = Stands(over.reference, GIVEN, "", chart)
    return list(reversed(there.values()))


async def stands(hand: Hand, over: HandOver) -> bool:
    """Whether the way remembers that it gave this, and no word to disregard it."""
    return await hand.look(over) in THERE and not await withdrawn(hand, over)


async def withdrawn(hand: Hand, over: HandOver) -> bool:
    """Whether the way remembers the word that this should be disregarded."""
    word = replace(over, action=Action.RETRACT, control=control_of(over.reference, Action.RETRACT))
    return await hand.look(word) in THERE


def awaited(turn: Turn, settled: int | None = None) -> bool:
    """Whether some word to disregard a document is not confirmed yet; `settled` is the step that just was."""
    return any(over.cancels and last.answer == AnswerClass.ACCEPTED for last, over in given(turn) if last.id != settled)


def forgotten(turn: Turn, wants: Handoff, number: int) -> HandOver:
    """What was handed over under this number of its references, as far as looking for it needs: none of its words."""
    entry, nobody = turn.entry, Person("", "")
    reference = planning.reference_of(turn.line, turn.lane, entry, number)
    control, mime = control_of(reference, Action.CREATE), prepare.MIMES[wants.format]
    return HandOver(
        reference, control, turn.lane.practice, entry.kind, Action.CREATE, "", mime, b"", nobody, turn.lane.agency
    )
