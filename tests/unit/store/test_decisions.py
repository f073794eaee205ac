"""A person's word on a record: send it as it is, or keep it; and on an entry of which something stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from bridge.model import Action, EntryState, Hold, HoldReason, Owner, Stands
from bridge.store import answers, holds, tables
from bridge.store.ledger import Ledger
from bridge.store.needs import Pile
from tests.unit.store.making import (
    NEEDS_DECISION,
    NEEDS_ROW,
    NOW,
    TABLE_KEY,
    begin,
    claim,
    claim_lane,
    entries,
    entry_plan,
    finish,
    item,
    keep,
    one,
    open_holds,
    planned,
    release,
    rows,
    save,
)

LATER = NOW + 5_000_000
ASKED = Hold(HoldReason.DECISION, "record:harbor:ma-soc/contact:c1", Owner.AGENCY, "about a group", "decide")


def asked_about(ledger: Ledger, *more: Hold, source_id: str = "c1") -> dict[str, int]:
    """A record that waits for a person's word: its number and its hold's."""
    keep(ledger, item(source_id))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(replace(ASKED, waits_for=f"record:{source_id}"), *more), parts={})
    (hold,) = [h for h in open_holds(ledger) if h["reason"] == "decision" and h["record"] == work.id]
    return {"record": work.id, "hold": hold["id"]}


def say(ledger: Ledger, of: dict[str, int], send: bool, now: int = LATER) -> bool:
    return ledger.write(answers.decide_record, answers.RecordVerdict(of["hold"], of["record"], send, "ana", now))


def test_sent_as_it_is_the_record_is_translated_again_with_the_word(ledger: Ledger) -> None:
    of = asked_about(ledger)
    assert say(ledger, of, send=True)
    assert open_holds(ledger) == []
    assert rows(ledger, tables.hold)[0]["closed_by"] == "ana"
    (work,) = claim(ledger, now=LATER)
    assert (work.id, work.decided) == (of["record"], "send")
    assert save(ledger, work, entry_plan())
    assert one(ledger, tables.record)["decided"] == "send"


def test_kept_nothing_is_due_and_nothing_is_held(ledger: Ledger) -> None:
    of = asked_about(ledger, NEEDS_ROW)
    assert say(ledger, of, send=False)
    assert open_holds(ledger) == []
    assert claim(ledger, now=LATER) == []
    found = one(ledger, tables.record)
    assert (found["state"], found["decided"], found["due_at"]) == ("translated", "keep", None)


def test_what_stood_from_an_earlier_version_stays_when_the_next_is_kept(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    assert finish(ledger, lane, lane.entries[0], EntryState.DELIVERED, stands=Stands("doc-1"), step=step)
    assert release(ledger, lane)
    keep(ledger, item(raw=b'{"a":2}'))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(ASKED,), parts={})
    (hold,) = open_holds(ledger)
    assert say(ledger, {"hold": hold["id"], "record": work.id}, send=False)
    assert (entries(ledger)["document"]["state"], entries(ledger)["document"]["stands_id"]) == ("delivered", "doc-1")


def test_sent_it_still_waits_for_what_else_keeps_it(ledger: Ledger) -> None:
    of = asked_about(ledger, NEEDS_ROW)
    assert say(ledger, of, send=True)
    assert [hold["reason"] for hold in open_holds(ledger)] == ["table"]
    assert claim(ledger, now=LATER) == []
    assert ledger.write(holds.arrive, holds.Arrival((TABLE_KEY,), LATER, "table")) == 1
    (work,) = claim(ledger, now=LATER)
    assert work.decided == "send"


def test_whoever_translates_it_at_that_moment_writes_nothing_any_more(ledger: Ledger) -> None:
    of = asked_about(ledger)
    assert ledger.write(answers.retry, answers.Retry(None, "decision", "ana", NOW)) == 1
    (under_way,) = claim(ledger)
    again = asked_again(ledger, of)
    assert say(ledger, {**of, "hold": again}, send=False)
    assert not save(ledger, under_way, entry_plan())
    assert entries(ledger) == {}


def asked_again(ledger: Ledger, of: dict[str, int]) -> int:
    """A hold on the record, opened by another worker meanwhile."""
    new = ledger.ids.take()
    row = holds.row(new, "harbor", ASKED, NOW, NOW, record=of["record"])
    with ledger.engine.begin() as connection:
        connection.execute(tables.hold.insert().values(**row))
    return new


def test_a_second_word_changes_nothing(ledger: Ledger) -> None:
    of = asked_about(ledger)
    assert say(ledger, of, send=False)
    assert not say(ledger, of, send=True)
    assert one(ledger, tables.record)["decided"] == "keep"


def test_the_word_is_about_one_version_and_the_next_is_asked_about_anew(ledger: Ledger) -> None:
    of = asked_about(ledger)
    assert say(ledger, of, send=True)
    keep(ledger, item(raw=b'{"a":2}'))
    (work,) = claim(ledger, now=LATER)
    assert work.decided == ""


def test_a_pile_is_looked_at_again_and_no_other(ledger: Ledger) -> None:
    for source_id in ("c1", "c2"):
        asked_about(ledger, source_id=source_id)
    keep(ledger, item("c3"))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(replace(ASKED, rule="another"),), parts={})
    pile = Pile("harbor", "", "decision", "agency", "about a group")
    assert ledger.write(answers.retry, answers.Retry(None, "", "ana", LATER, pile)) == 2
    assert [hold["rule"] for hold in open_holds(ledger)] == ["another"]


def standing_and_held(ledger: Ledger, *, withdrawn: bool, lost: Action | None = None) -> tuple[int, int]:
    """An entry that stands as doc-1 and waits for a person: the hold's number and the entry's.

    `lost` is the step whose answer was lost before.
    """
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    stands = Stands("doc-1", "1", "d1")
    assert finish(ledger, lane, lane.entries[0], EntryState.DELIVERED, stands=stands, step=step)
    assert release(ledger, lane)
    keep(ledger, item(raw=b'{"a":2}'))
    (work,) = claim(ledger)
    plan = [] if withdrawn else [entry_plan(digest="d2")]
    assert save(ledger, work, *plan)
    lane = claim_lane(ledger)
    answered: dict[str, object] = {}
    if lost is not None:
        changes = {"action": lost, "digest": "" if withdrawn else "d2", "correction": withdrawn}
        _, step = begin(ledger, lane, lane.entries[0], **changes, now=NOW + 1)
        answered = {"step": step, "answer": "unknown"}
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, stands=stands, hold=NEEDS_DECISION, **answered)
    assert release(ledger, lane)
    (hold,) = open_holds(ledger)
    return hold["id"], lane.entries[0].id


@pytest.mark.parametrize(
    ("withdrawn", "verdict", "expected"),
    [
        # the practice took it back: nothing stands and nothing should
        (True, "absent", {"state": "retracted", "due_at": None, "stands_id": None, "should": False}),
        # it is gone from the chart, and should be there
        (False, "absent", {"state": "ready", "due_at": LATER, "stands_id": None, "should": True}),
        # the newer version does not go; what stands was true and stays
        (False, "drop", {"state": "delivered", "due_at": None, "stands_id": "doc-1", "should": True}),
    ],
)
def test_an_answer_about_what_stands(
    ledger: Ledger, withdrawn: bool, verdict: str, expected: dict[str, object]
) -> None:
    hold, entry = standing_and_held(ledger, withdrawn=withdrawn)
    assert ledger.write(answers.decide, answers.Verdict(hold, entry, verdict, "", "ana", LATER))
    found = entries(ledger)["document"]
    assert {name: found[name] for name in expected} == expected


BESIDE = [
    # the document that was to take its place is not there: what stood still stands, and it is sent again
    (Action.SUPERSEDE, "absent", {"state": "ready", "stands_id": "doc-1", "stands_digest": "d1"}),
    (Action.REPLACE, "absent", {"state": "ready", "stands_id": "doc-1", "stands_digest": "d1"}),
    (Action.SUPERSEDE, "stands", {"state": "ready", "stands_id": "doc-2", "stands_digest": "d2"}),
    # the document that asks to disregard it is there: it is taken back; or not: it is sent again
    (Action.DISREGARD, "stands", {"state": "retracted", "stands_id": None, "due_at": None}),
    (Action.DISREGARD, "absent", {"state": "ready", "stands_id": "doc-1", "due_at": LATER}),
]


@pytest.mark.parametrize(("action", "verdict", "expected"), BESIDE)
def test_an_answer_about_a_document_beside_what_stands(
    ledger: Ledger, action: Action, verdict: str, expected: dict[str, object]
) -> None:
    hold, entry = standing_and_held(ledger, withdrawn=action is Action.DISREGARD, lost=action)
    assert ledger.write(answers.decide, answers.Verdict(hold, entry, verdict, "doc-2", "ana", LATER))
    found = entries(ledger)["document"]
    assert {name: found[name] for name in expected} == expected


def test_a_doubt_that_somebody_ended_is_not_what_a_later_word_is_about(ledger: Ledger) -> None:
    """The note beside it stands, they said; that it is gone, they say of the entry, and not of that note alone."""
    hold, entry = standing_and_held(ledger, withdrawn=False, lost=Action.SUPERSEDE)
    assert ledger.write(answers.decide, answers.Verdict(hold, entry, "stands", "doc-2", "ana", LATER))
    assert rows(ledger, tables.step)[-1]["stands_id"] == "doc-2"
    with ledger.read() as connection:
        assert answers.latest_step(connection, entry)[2] == ""


def test_what_stood_before_is_next_once_somebody_said_that_the_word_about_the_newer_came(ledger: Ledger) -> None:
    hold, entry = standing_and_held(ledger, withdrawn=True, lost=Action.DISREGARD)
    earlier = {"action": Action.SUPERSEDE.value, "stands_id": "doc-1", "answer": "done"}
    with ledger.engine.begin() as connection:  # another note stood before it
        first = connection.execute(select(tables.step).order_by(tables.step.c.begun_at)).mappings().first()
        assert first is not None
        before = dict(first) | {"id": 999_999, "stands_id": "doc-0", "digest": "d0", "begun_at": first["begun_at"] - 1}
        connection.execute(insert(tables.step).values(**before))
        connection.execute(update(tables.step).where(tables.step.c.id == first["id"]).values(**earlier))
    assert ledger.write(answers.decide, answers.Verdict(hold, entry, "stands", "doc-2", "ana", LATER))
    found = entries(ledger)["document"]
    assert (found["state"], found["stands_id"], found["due_at"]) == ("ready", "doc-0", LATER)
