"""What was handed over: confirmed, refused, handed over anew, reminded of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.model import Action, EntryState, Hold, HoldReason, Owner, Stands
from bridge.store import handoffs, tables
from bridge.store.handoffs import AGAIN, CONFIRMED, Overdue, Word
from bridge.store.ledger import Ledger
from tests.unit.store.making import (
    NOW,
    PRACTICE,
    begin,
    claim,
    claim_lane,
    entry_plan,
    finish,
    item,
    keep,
    one,
    open_holds,
    release,
    save,
)

LATER = NOW + 5_000_000
REFERENCE = "DB-document"
NO = Hold(HoldReason.CONTENT, "content:1", Owner.PRACTICE, "not taken", "ask")
ASKED = Hold(HoldReason.DECISION, "decision:1", Owner.PRACTICE, "not known", "ask")


def handed(ledger: Ledger, action: Action = Action.CREATE, should: bool = True) -> int:
    """One document that was handed over: its entry's id."""
    keep(ledger, item())
    (work,) = claim(ledger)
    assert save(ledger, work, entry_plan())
    lane = claim_lane(ledger)
    (entry,) = lane.entries
    target = "" if should else REFERENCE
    _, step = begin(ledger, lane, entry, action=action, digest="d1" if should else "", target=target)
    stands = Stands(REFERENCE, "handed", "d1") if should else None
    assert finish(ledger, lane, entry, EntryState.HANDED_OVER, stands=stands, step=step, answer="accepted")
    assert release(ledger, lane)
    if not should:
        with ledger.engine.begin() as connection:
            connection.execute(tables.entry.update().values(should=False, should_digest=""))
    return entry.id


def word(verdict: str, **more: object) -> Word:
    return replace(Word(PRACTICE, REFERENCE, False, verdict, "ana", LATER), **more)  # type: ignore[arg-type]


def test_a_confirmation_is_of_what_was_handed_over_last(ledger: Ledger) -> None:
    handed(ledger)
    assert [row["reference"] for row in waiting(ledger)] == [REFERENCE]
    for other in (word(CONFIRMED, practice="other"), word(CONFIRMED, reference="DB-x"), word(CONFIRMED, cancels=True)):
        assert ledger.write(handoffs.hear, other) == 0
    assert ledger.write(handoffs.hear, word(CONFIRMED)) == 1
    entry = one(ledger, tables.entry)
    assert (entry["state"], entry["due_at"]) == ("delivered", None)
    assert (entry["stands_id"], entry["stands_version"], entry["stands_digest"]) == (REFERENCE, CONFIRMED, "d1")
    assert ledger.write(handoffs.hear, word(CONFIRMED)) == 0
    assert waiting(ledger) == []


def waiting(ledger: Ledger) -> list[dict[str, object]]:
    with ledger.read() as connection:
        return handoffs.waiting(connection, PRACTICE)


def test_what_should_be_disregarded_is_retracted_once_that_is_confirmed(ledger: Ledger) -> None:
    handed(ledger, Action.RETRACT, should=False)
    assert ledger.write(handoffs.hear, word(CONFIRMED)) == 0
    assert ledger.write(handoffs.hear, word(AGAIN, cancels=True)) == 0
    assert ledger.write(handoffs.hear, word(CONFIRMED, cancels=True)) == 1
    entry = one(ledger, tables.entry)
    assert (entry["state"], entry["stands_id"]) == ("retracted", None)


@pytest.mark.parametrize("cancels", [False, True])
def test_a_refusal_waits_for_a_person_and_what_goes_next_is_another_delivery(ledger: Ledger, cancels: bool) -> None:
    handed(ledger, Action.RETRACT if cancels else Action.CREATE, should=not cancels)
    said = word("refused", cancels=cancels, hold=NO, hold_id=ledger.ids.take(), hold_due=LATER)
    assert ledger.write(handoffs.hear, said) == 1
    entry = one(ledger, tables.entry)
    assert (entry["state"], entry["replaced"]) == ("held", 1)
    assert entry["stands_id"] == (REFERENCE if cancels else None), "what should be disregarded still stands"
    assert [hold["rule"] for hold in open_holds(ledger)] == ["not taken"]


def test_what_never_came_goes_again_and_its_notice_is_closed(ledger: Ledger) -> None:
    number = handed(ledger)
    notice = replace(NO, reason=HoldReason.NOTICE)
    tell = Overdue(number, "harbor", PRACTICE, notice, ledger.ids.take(), LATER, LATER)
    assert ledger.write(handoffs.tell, tell)
    assert not ledger.write(handoffs.tell, replace(tell, hold_id=ledger.ids.take())), "one notice"
    assert ledger.write(handoffs.hear, word(AGAIN)) == 1
    assert open_holds(ledger) == []
    (entry,) = claim_lane(ledger, now=LATER).entries
    assert (entry.state, entry.stands, entry.replaced) == (EntryState.READY, None, 1)
    assert not ledger.write(handoffs.tell, replace(tell, hold_id=ledger.ids.take())), "it is not waited for any more"


def test_a_person_who_was_asked_whether_it_came_can_say_so(ledger: Ledger) -> None:
    keep(ledger, item())
    (work,) = claim(ledger)
    assert save(ledger, work, entry_plan())
    lane = claim_lane(ledger)
    (entry,) = lane.entries
    _, step = begin(ledger, lane, entry, digest="d1")
    assert finish(ledger, lane, entry, EntryState.HELD, hold=ASKED, look_first=True, step=step, answer="unknown")
    assert release(ledger, lane)
    assert ledger.write(handoffs.hear, word(AGAIN)) == 0
    assert ledger.write(handoffs.hear, word(CONFIRMED)) == 1
    assert one(ledger, tables.entry)["state"] == "delivered"
    assert open_holds(ledger) == []
