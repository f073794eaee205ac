"""Somebody must not be found, and a place may stand in a chart: taken out by an update, else told to a person."""

from __future__ import annotations

from dataclasses import replace

from bridge.ehr import send
from bridge.ehr.decide import decision_key
from bridge.mappings.classes import LOCATION
from bridge.model import Action, EntryState, Hold, HoldReason, Owner
from bridge.moves import gathering, guarding, handing
from bridge.moves.finishing import Outcome, finish
from bridge.moves.staying import held
from bridge.moves.turning import Turn
from bridge.release import withhold
from bridge.store import places


async def remains(turn: Turn, hold: Hold | None, due: int | None = None) -> Outcome:
    """The entry waits for what the hold says; what stands, and nothing newer is asked of, stays as it is.

    Where it may tell a place of somebody who must not be found by now, a person is told.
    """
    entry = turn.entry
    newer = entry.stands is None or entry.stands.digest != entry.should_digest
    if hold is not None and newer:
        return await held(turn, hold, due)
    if entry.stands is not None and tells_a_place(turn):
        return await held(turn, ask_the_practice(turn))
    state = EntryState.CANCELLED if entry.stands is None else handing.standing(entry)
    return await finish(turn.line, turn.lane, entry, state, turn.clock(), stands=entry.stands)


def tells_a_place(turn: Turn) -> bool:
    """Whether what stands tells a place, or may for all that is known, and somebody near must not be found."""
    with turn.line.ledger.read() as connection:
        told = places.told(connection, turn.entry.id)
    stands = turn.entry.stands.id if turn.entry.stands is not None else ""
    known = told.get(stands)
    tells = known if known is not None else LOCATION in withhold.classes_of(gathering.parts_told(turn))
    return tells and in_danger(turn)


def in_danger(turn: Turn) -> bool:
    """Whether this person, or somebody near, must not be found."""
    return withhold.marked(turn.lane.patient) or guarding.in_danger(turn.line, turn.lane, {LOCATION})


def ask_the_practice(turn: Turn) -> Hold:
    """The agency's question: what stands cannot be changed, and may tell a place."""
    return Hold(
        HoldReason.DECISION,
        decision_key(str(turn.entry.id)),
        Owner.AGENCY,
        "somebody of this family must not be found, and what stands in the chart may tell a place: it cannot be changed"
        " from here, for no consent is in force or nothing of it may leave any more",
        f"ask the practice to take out what has reference {turn.entry.reference}, then answer this hold",
    )


async def left_behind(turn: Turn, *, withdrawn: bool = False) -> None:
    """Agency and practice are told, once of each, of the documents with a place that stay beside what should stand.

    An EHR that takes no update keeps the document whose place another takes. Told before that other one leaves, so that
    no crash forgets it. The practice is not told why: the safety flag is the agency's.
    """
    entry, line, now = turn.entry, turn.line, turn.clock()
    if entry.stands is None:
        return
    way = (send.withdrawal if withdrawn else send.change)(entry.resource_type, turn.chart.planned)
    changed = way in (Action.UPDATE, Action.RETRACT) and not handing.chosen(turn)
    if changed and withdrawn:  # the older ones are marked too
        return
    with line.ledger.read() as connection:
        told = places.told(connection, entry.id)
    left = [document for document, tells in told.items() if tells and not (changed and document == entry.stands.id)]
    if not left or not in_danger(turn):
        return
    for document in left:
        name = document if handing.handed(replace(entry.stands, id=document)) else f"{entry.resource_type}/{document}"
        said = tuple((line.ledger.ids.take(), hold) for hold in to_both(turn, document, name))
        due = line.hold_due(now)
        await line.write(places.ask, places.Ask(turn.lane.agency, turn.lane.practice, turn.lane.person, said, due, now))


def to_both(turn: Turn, document: str, name: str) -> tuple[Hold, Hold]:
    """What agency and practice are told of one document that stays."""
    contact, key = turn.chart.practice.contact, f"place:{turn.entry.id}/{document}"
    return (
        Hold(
            HoldReason.NOTICE, key, Owner.AGENCY,
            "somebody of this family must not be found, and an older document that tells a place stays in the chart: it"
            " cannot be changed from here",
            f"ask {contact.name} ({contact.email}) to take out {name}",
        ),
        Hold(
            HoldReason.NOTICE, key, Owner.PRACTICE,
            "an older document of this patient should not be read any more: it says more than the agency may share now",
            f"take {name} out of the chart, and out of what a portal shows; the one that took its place stays",
        ),
    )  # fmt: skip
