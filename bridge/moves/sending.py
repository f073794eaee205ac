"""One entry's next step: what may leave of it by now, and whether that is what stands already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.ehr import decide
from bridge.model import CONSENT_ENDED, Decision, Hold, HoldReason, Part
from bridge.moves import gathering, guarding, handing, holding, planning
from bridge.moves.endangered import left_behind, remains
from bridge.moves.ending import say_ended
from bridge.moves.finishing import Outcome, finish
from bridge.moves.staying import held, stay
from bridge.moves.turning import Turn
from bridge.moves.writing import bring, withdraw
from bridge.release import cadence
from bridge.store import records as accepted
from bridge.store import rollups
from bridge.store.lanes import URGENT


async def next_step(turn: Turn) -> Outcome:
    """The entry is brought one step nearer to what should stand, or held."""
    entry, now = turn.entry, turn.clock()
    if entry.claims >= holding.STOPPED_AT:
        return await held(turn, holding.stopped_the_worker(decide.decision_key(str(entry.id))))
    if not entry.should or recalled(turn):
        await left_behind(turn, withdrawn=True)
        return await (handing.withdraw(turn) if handing.chosen(turn) else withdraw(turn))
    if entry.kind == CONSENT_ENDED:
        return await say_ended(turn)
    told = gathering.told(turn, now)
    may = [one for one in told if one.gate.hold is None]
    waits = [one for one in told if one.gate.hold is not None and one.gate.hold.reason is not HoldReason.PRACTICE]
    if waits or (told and not may):
        return await remains(turn, *closed(waits or told))
    if entry.gathers_until is not None and now < entry.gathers_until:
        return await stay(turn, entry.gathers_until)
    records = [one.leaving for one in may if one.leaving]
    if not records:  # withheld whole: what stood before was true and stays
        return await remains(turn, None)
    leaving = [part for record in records for part in record]
    digest = planning.digest(turn.line, leaving, turn.chart)
    if entry.stands is not None and entry.stands.digest == digest:
        await left_behind(turn)
        return await finish(turn.line, turn.lane, entry, handing.standing(entry), now, stands=entry.stands)
    reads = look(turn, leaving, digest)
    if reads is not None:
        return await held(turn, reads)
    back = held_back(turn, now)
    if back is not None:
        return await stay(turn, back)
    await left_behind(turn)
    withheld = sum(one.withheld for one in may)
    carry = handing.hand if handing.chosen(turn) else bring
    return await carry(turn, leaving, digest, withheld, resting_on(may), records)


def resting_on(may: Sequence[gathering.Told]) -> Decision:
    """What lets an entry go: of a roll-up every member's consent, until the first of them ends."""
    decisions = [one.gate.decision for one in may]
    ends = [one.until for one in decisions if one.until is not None]
    consents = tuple(dict.fromkeys(consent for one in decisions for consent in one.consents))
    return replace(decisions[0], until=min(ends, default=None), consents=consents)


def closed(told: Sequence[gathering.Told]) -> tuple[Hold, int | None]:
    """What an entry waits for, and when time alone may let some of it.

    A roll-up waits whole for what one of its records waits for: consent and link are the same for all, and where it is
    not certain whose chart it is, none of it goes. Only what the practice's settings leave out is left out alone.
    """
    holds = [one.gate.hold for one in told if one.gate.hold is not None]
    times = [one.gate.due for one in told if one.gate.due is not None]
    return holds[0], min(times, default=None)


def held_back(turn: Turn, now: int) -> int | None:
    """Until when what is new waits, so that a quick correction or withdrawal goes instead; None where it may go.

    Counted from when the agency first said it: what follows it makes it wait no longer. What is urgent never waits.
    A roll-up waits for the youngest of its records, yet never longer past its own time than one of them would wait.
    """
    entry, practice = turn.entry, turn.chart.practice
    if not practice.hold_back or entry.urgency == URGENT or entry.stands is not None or entry.replaced:
        return None
    with turn.line.ledger.read() as connection:
        kinds = {entry.thread: entry.kind}
        if entry.gathers_until is not None:
            kinds = rollups.kinds_told(connection, entry.id)
        said = accepted.first_said(connection, kinds)
    until = max((at + practice.held_back(kinds[thing]) for thing, at in said.items()), default=now)
    if entry.gathers_until is not None and said:
        weekly = practice.cadence.kinds.get(entry.kind) == "weekly"
        _, closes = cadence.ends(practice.cadence, practice.timezone, min(said.values()), weekly=weekly)
        longest = max(practice.held_back(kind) for kind in kinds.values())
        until = min(until, max(entry.gathers_until, cadence.instant(closes)) + longest)
    return until if until > now else None


def recalled(turn: Turn) -> bool:
    """Whether it stands in a chart from which it was recalled."""
    entry = turn.entry
    return bool(entry.recalled) and entry.stands is not None and entry.stands.patient in (entry.recalled, "")


def look(turn: Turn, leaving: Sequence[Part], digest: str) -> Hold | None:
    """The hold where a person at the agency reads it first; None where nothing was found, or they said it may leave."""
    entry, wants = turn.entry, turn.line.project.agencies[turn.lane.agency].guard
    if entry.confirmed == digest:
        return None
    practice = turn.chart.practice
    return guarding.hold(leaving, turn.leaving.near, wants, practice, entry.kind, entry.reference, digest)
