"""Roll-ups in the ledger: who is told where, and when it is looked at, after every version of what an agency said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bridge.model import EntryState, Stands
from bridge.store import leases, plans, rollups, tables, telling, views
from bridge.store.ledger import Ledger
from tests.postgres import KEY
from tests.unit.store.making import (
    CHILD,
    MINUTE,
    NEEDS_CONSENT,
    NOW,
    PARTS,
    PRACTICE,
    WEEK,
    begin,
    claim,
    claim_lane,
    claim_lanes,
    entries,
    entry_plan,
    finish,
    item,
    keep,
    one,
    open_holds,
    person,
    planned,
    release,
    rows,
    save,
    translated,
    week,
)  # fmt: skip

END = week().until
DUE = END + 10 * WEEK
LATE = week(due=DUE)  # of what was accepted when the window had ended
GATHERED = entry_plan(gathered=week())


def said(ledger: Ledger, source_id: str, *plan: plans.EntryPlan, now: int = NOW, when: int = NOW - MINUTE) -> None:
    """A version of a thing is kept, translated and planned."""
    count = len(rows(ledger, tables.record))
    planned_now = plan or (replace(GATHERED),)
    keep(ledger, item(source_id, str(count).encode(), when=when), now=now)
    (work,) = claim(ledger, now=now, until=now + MINUTE)
    assert save(ledger, work, *planned_now, now=now, people=[CHILD])


def void(ledger: Ledger, source_id: str, now: int = NOW) -> None:
    """Nothing of the thing should stand."""
    keep(ledger, item(source_id, f"void {source_id}".encode(), void=True), now=now)
    (work,) = claim(ledger, now=now, until=now + MINUTE)
    assert save(ledger, work, now=now, people=[CHILD])


def told(ledger: Ledger) -> dict[str, list[str]]:
    """What each entry tells: roll-ups by their thread, others by their own thing."""
    found: dict[str, list[str]] = {}
    with ledger.read() as connection:
        for row in connection.execute(select(tables.entry)).all():
            members = rollups.members(connection, ledger, row.id, row.person)
            things = [one.thing for one in members] if row.gathers_until is not None else [row.thread] * row.should
            found[row.thread] = [thing.rpartition("/")[2] for thing in things]
    return found


def of(ledger: Ledger, thread: str = "roll-up:0") -> dict[str, Any]:
    (found,) = [row for row in rows(ledger, tables.entry) if row["thread"] == thread]
    return found


def where(ledger: Ledger, thread: str = "roll-up:0") -> tuple[str, int | None]:
    found = of(ledger, thread)
    return found["state"], found["due_at"]


def send(ledger: Ledger, now: int = END) -> None:
    """What is due stands."""
    lane = claim_lane(ledger, now=now, until=now + MINUTE)
    for entry in lane.entries:
        if entry.due is not None and entry.due <= now:
            _, step = begin(ledger, lane, entry, digest="sent", now=now)
            there = Stands(f"doc-{entry.id}", "1", "sent")
            assert finish(ledger, lane, entry, EntryState.DELIVERED, stands=there, step=step, now=now)
    assert release(ledger, lane)


def test_records_of_a_window_are_one_entry_that_waits_for_its_end(ledger: Ledger) -> None:
    said(ledger, "a", when=NOW - 2 * MINUTE)
    said(ledger, "b", when=NOW - 3 * MINUTE)
    assert told(ledger) == {"roll-up:0": ["b", "a"]}
    found = of(ledger)
    assert (found["name"], found["reference"], found["gathers_from"]) == ("document", "DB-week-0", END - WEEK)
    assert (found["state"], found["due_at"], found["revision"], found["should"]) == ("ready", END, 1, True)
    assert claim_lanes(ledger, now=END - 1) == []
    (entry,) = claim_lane(ledger, now=END, until=END + MINUTE).entries
    assert (entry.gathers_until, entry.parts) == (END, ())


def test_a_member_has_the_parts_of_its_latest_version(ledger: Ledger) -> None:
    said(ledger, "a")
    said(ledger, "a")
    with ledger.read() as connection:
        (found,) = rollups.members(connection, ledger, of(ledger)["id"], person(ledger)["id"])
    assert (found.parts, found.translation, found.kind) == (("note", "encounter"), PARTS, "ma-soc/contact")
    assert [row["record"] for row in rows(ledger, tables.member)] == [rows(ledger, tables.record)[-1]["id"]]


def test_what_is_waited_for_is_seen_before_the_end(ledger: Ledger) -> None:
    said(ledger, "a")
    assert where(ledger) == ("ready", END)
    said(ledger, "b", entry_plan(gathered=week(), hold=NEEDS_CONSENT))
    assert where(ledger) == ("ready", NOW)
    assert open_holds(ledger) == []  # whoever looks decides for all members


def test_a_correction_of_what_stands_goes_at_once_and_what_is_new_when_the_practice_wants_it(ledger: Ledger) -> None:
    said(ledger, "a")
    send(ledger)
    assert where(ledger) == ("delivered", None)
    said(ledger, "b", entry_plan(gathered=LATE), now=END + 1)
    assert where(ledger) == ("ready", DUE)
    said(ledger, "a", now=END + 2)
    assert where(ledger) == ("ready", END + 2)
    assert of(ledger)["stands_id"] is not None


def test_one_that_is_taken_back_before_leaves_no_trace_and_the_last_cancels(ledger: Ledger) -> None:
    said(ledger, "a")
    said(ledger, "b")
    void(ledger, "a")
    assert (told(ledger), where(ledger)) == ({"roll-up:0": ["b"]}, ("ready", END))
    void(ledger, "b")
    assert (told(ledger), where(ledger)) == ({"roll-up:0": []}, ("cancelled", None))
    said(ledger, "a")
    assert (told(ledger), where(ledger)) == ({"roll-up:0": ["a"]}, ("ready", END))


def test_one_that_is_taken_back_afterwards_reissues_and_the_last_withdraws(ledger: Ledger) -> None:
    said(ledger, "a")
    said(ledger, "b")
    send(ledger)
    void(ledger, "a", now=END + 1)
    assert (told(ledger), where(ledger), of(ledger)["should"]) == ({"roll-up:0": ["b"]}, ("ready", END + 1), True)
    void(ledger, "b", now=END + 2)
    assert (where(ledger), of(ledger)["should"]) == (("ready", END + 2), False)


def test_one_that_moved_leaves_the_one_and_joins_the_other(ledger: Ledger) -> None:
    said(ledger, "a")
    said(ledger, "b")
    send(ledger)
    said(ledger, "b", entry_plan(gathered=week(1)), now=END + 1, when=END)
    assert told(ledger) == {"roll-up:0": ["a"], "roll-up:1": ["b"]}
    assert (where(ledger), where(ledger, "roll-up:1")) == (("ready", END + 1), ("ready", END + WEEK))


@pytest.mark.parametrize("state", [EntryState.SENDING, EntryState.UNKNOWN])
def test_a_step_under_way_keeps_its_state_whatever_joins(ledger: Ledger, state: EntryState) -> None:
    """And the plan it rested on is told to be an older one."""
    said(ledger, "a")
    lane = claim_lane(ledger, now=END, until=END + MINUTE)
    _, step = begin(ledger, lane, lane.entries[0], digest="sent", now=END)
    if state is EntryState.UNKNOWN:
        assert finish(ledger, lane, lane.entries[0], state, due=END + 9, step=step, answer="unknown")
    said(ledger, "b", entry_plan(gathered=LATE), now=END + 1)
    found = of(ledger)
    assert (found["state"], found["revision"], found["should_digest"]) == (state.value, 1, "")
    assert told(ledger) == {"roll-up:0": ["a", "b"]}


# ── the practice changes its mind ─────────────────────────────────────────────────────────────────────────────────
def test_what_stands_by_itself_stays_so_and_what_is_not_sent_moves(ledger: Ledger) -> None:
    planned(ledger, item("a"), entry_plan())
    send(ledger, now=NOW)
    said(ledger, "b", entry_plan(hold=NEEDS_CONSENT))
    for name in ("a", "b"):
        said(ledger, name)
    by_thread = {thread.rpartition("/")[2]: things for thread, things in told(ledger).items()}
    assert by_thread == {"a": ["a"], "b": [], "roll-up:0": ["b"]}
    assert open_holds(ledger) == []


def test_what_is_told_in_a_roll_up_that_stands_stays_there_and_else_goes_by_itself(ledger: Ledger) -> None:
    said(ledger, "a")
    said(ledger, "a", entry_plan())
    assert {row["state"] for row in rows(ledger, tables.entry)} == {"cancelled", "ready"}
    said(ledger, "b")
    send(ledger)
    said(ledger, "b", entry_plan(), now=END + 1)
    assert told(ledger)["roll-up:0"] == ["b"]
    assert where(ledger) == ("ready", END + 1)


def test_what_may_stand_by_itself_since_a_restore_stays_so(ledger: Ledger) -> None:
    planned(ledger, item("a"), entry_plan())
    ledger.write(leases.new_era, (NOW + 1, "backup"))
    said(ledger, "a", now=NOW + 2)
    assert [row["look_first"] for row in rows(ledger, tables.entry)] == [True]
    said(ledger, "b", now=NOW + 3)
    assert of(ledger)["look_first"]  # its record happened before the era


def test_what_is_not_wanted_is_not_planned_and_what_stands_is_kept_right(ledger: Ledger) -> None:
    unwanted = entry_plan(unwanted=True, digest="d2")
    said(ledger, "a", unwanted)
    assert rows(ledger, tables.entry) == []
    said(ledger, "b", entry_plan())
    send(ledger, now=NOW)
    for name in ("b", "c"):
        said(ledger, name, unwanted)
    assert entries(ledger)["document"]["state"] == "ready"
    assert one(ledger, tables.entry)["should_digest"] == "d2"


# ── beside ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_record_that_is_told_somewhere_is_not_missed(ledger: Ledger) -> None:
    """What catches up is planned once, in a roll-up too."""
    keep(ledger, item("a"))
    (work,) = claim(ledger)
    assert save(ledger, work)
    late = translated(ledger, work, GATHERED, parts={}, revisions={CHILD: 0})
    again = translated(ledger, work, GATHERED, parts={}, revisions={CHILD: 0})
    assert ledger.write(plans.add, late)
    assert ledger.write(plans.add, again)
    assert (told(ledger), of(ledger)["revision"]) == ({"roll-up:0": ["a"]}, 0)


def test_where_it_waits_is_seen_and_it_is_not_what_waits_longest(ledger: Ledger) -> None:
    said(ledger, "a")
    number = rows(ledger, tables.record)[0]["id"]
    with ledger.read() as connection:
        life, counts = views.life(connection, number), views.practice_counts(connection)[PRACTICE]
    assert life is not None
    assert [(one["where"], one["due_at"]) for one in life["entries"]] == [(telling.GATHERING, END)]
    assert views.in_short(life)["entries"][0]["roll_up_due"] == END
    assert (counts["gathering"], counts["oldest"]) == ({"count": 1, "due": END}, END)
    send(ledger)
    with ledger.read() as connection:
        assert views.practice_counts(connection)[PRACTICE]["gathering"] == {"count": 0, "due": None}


def test_two_workers_gather_into_one(postgres_url: str) -> None:
    """Both plan a record of one week at the same moment."""
    ledgers = [Ledger(postgres_url, KEY) for _ in range(2)]
    try:
        keep(ledgers[0], *(item(str(number), str(number).encode()) for number in range(12)))
        works = claim(ledgers[0])

        def half(number: int) -> list[bool]:
            mine = ledgers[number]
            return [save(mine, work, GATHERED) for work in works[number::2]]

        with ThreadPoolExecutor(2) as pool:
            assert all(all(done) for done in pool.map(half, range(2)))
        assert sorted(told(ledgers[0])["roll-up:0"], key=int) == [str(number) for number in range(12)]
        assert len(rows(ledgers[0], tables.entry)) == 1
    finally:
        for ledger in ledgers:
            ledger.close()
