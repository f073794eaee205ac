"""What all workers agree on about pace: whose lane is next, who may try, what is suspended, what is left (R29)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.jobs.deliver import order_of
from bridge.model import EntryState
from bridge.store import alerts, budgets, lanes, leases, suspending, tables
from bridge.store.lanes import REPLAY, ROUTINE, URGENT, LaneWork
from bridge.store.ledger import Ledger
from bridge.store.steps import Begun
from tests.unit.store.making import (
    AGENCY,
    MINUTE,
    NOW,
    PRACTICE,
    UNTIL,
    begin,
    claim_lane,
    claim_lanes,
    entry_plan,
    finish,
    item,
    one,
    planned,
    release,
    rows,
)  # fmt: skip

OF = {PRACTICE: "elm", "oak": "oak"}


def lane(ledger: Ledger, name: str, urgency: int = ROUTINE, practice: str = PRACTICE, now: int = NOW) -> None:
    """A lane with one entry."""
    plan = entry_plan(person=name, urgency=urgency, practice=practice)
    planned(ledger, item(name, name.encode(), subject=name), plan, now=now)


def claimed(ledger: Ledger, limit: int, now: int = NOW + MINUTE, **more: object) -> list[LaneWork]:
    ask = lanes.Claim(ledger, "w1", limit, now, now + MINUTE, connections=OF, **more)  # type: ignore[arg-type]
    return ledger.write(lanes.claim, ask)


def names(works: list[LaneWork]) -> list[str]:
    return [work.source for work in works]


# ── whose turn it is ──────────────────────────────────────────────────────────────────────────────────────────────
def test_urgent_goes_before_routine_and_routine_before_what_is_sent_again(ledger: Ledger) -> None:
    for number, (name, urgency) in enumerate([("again", REPLAY), ("routine", ROUTINE), ("urgent", URGENT)]):
        lane(ledger, name, urgency, now=NOW + number)
    assert [names(claimed(ledger, 1)) for _ in range(4)] == [["urgent"], ["routine"], ["again"], []]


def test_nothing_waits_for_ever_behind_more_urgent_things(ledger: Ledger) -> None:
    for number in range(40):
        lane(ledger, f"urgent-{number}", URGENT)
    for name, urgency in (("routine", ROUTINE), ("again", REPLAY)):
        lane(ledger, name, urgency)
    found = [names(claimed(ledger, 1, order=order_of(claim)))[0] for claim in range(16)]
    assert found[3] == "routine"
    assert found[15] == "again"
    assert sum(name.startswith("urgent") for name in found) == 14


def test_a_lane_is_as_urgent_as_what_is_due_in_it(ledger: Ledger) -> None:
    lane(ledger, "c-1")
    planned(ledger, item("more", b"more", subject="c-1"), entry_plan("urgent", person="c-1", urgency=URGENT))
    assert one(ledger, tables.lane)["urgency"] == URGENT
    work = claim_lane(ledger)
    urgent = next(entry for entry in work.entries if entry.urgency == URGENT)
    assert finish(ledger, work, urgent, EntryState.DELIVERED)
    assert release(ledger, work)
    assert one(ledger, tables.lane)["urgency"] == ROUTINE


def test_in_quiet_hours_only_what_is_urgent_is_claimed(ledger: Ledger) -> None:
    lane(ledger, "routine")
    lane(ledger, "urgent", URGENT)
    lane(ledger, "other", practice="oak")
    assert sorted(names(claimed(ledger, 10, quiet=(PRACTICE,)))) == ["other", "urgent"]
    assert names(claimed(ledger, 10)) == ["routine"]


# ── suspended ─────────────────────────────────────────────────────────────────────────────────────────────────────
def suspend(ledger: Ledger, practice: str = PRACTICE) -> bool:
    return ledger.write(suspending.suspend, suspending.Suspend(practice, "they move house", "ana", NOW))


def test_nothing_is_sent_to_a_suspended_practice_and_nothing_is_lost(ledger: Ledger) -> None:
    lane(ledger, "c-1")
    lane(ledger, "c-2", practice="oak")
    assert (suspend(ledger), suspend(ledger)) == (True, False)
    assert names(claimed(ledger, 10)) == ["c-2"]
    with ledger.read() as connection:
        assert suspending.suspensions(connection)[PRACTICE]["by"] == "ana"
    lane(ledger, "c-3")
    assert [ledger.write(suspending.resume, PRACTICE) for _ in range(2)] == [True, False]
    assert sorted(names(claimed(ledger, 10))) == ["c-1", "c-3"]


def test_a_step_begins_before_the_suspension_or_never(ledger: Ledger) -> None:
    lane(ledger, "c-1")
    lane(ledger, "c-2")
    first, second = claim_lanes(ledger)
    assert begin(ledger, first, first.entries[0])[0] is Begun.YES
    suspend(ledger)
    assert begin(ledger, second, second.entries[0])[0] is Begun.CHANGED
    assert begin(ledger, second, second.entries[0], correction=True)[0] is Begun.CHANGED
    assert len(rows(ledger, tables.step)) == 1
    assert finish(ledger, first, first.entries[0], EntryState.DELIVERED), "its answer is written all the same"


# ── circuits ──────────────────────────────────────────────────────────────────────────────────────────────────────
def down(ledger: Ledger, name: str, until: int, cause: str = "login refused", now: int = NOW) -> int:
    return ledger.write(leases.set_circuit, leases.Circuit(name, until, cause, now))


def test_one_lane_tries_a_connection_that_was_down_and_nobody_else(ledger: Ledger) -> None:
    for name in ("c-1", "c-2", "c-3"):
        lane(ledger, name)
    lane(ledger, "c-4", practice="oak")
    later = NOW + MINUTE + 9
    down(ledger, "elm", later)
    assert names(claimed(ledger, 10)) == ["c-4"]
    (probe,) = claimed(ledger, 10, later)
    assert (probe.practice, probe.probe) == (PRACTICE, later + MINUTE)
    assert claimed(ledger, 10, later + 1) == []
    assert ledger.write(leases.end_probe, ("elm", probe.probe, later + 1)) is True
    assert len(claimed(ledger, 10, later + 1)) == 1, "who tried asked nothing of it: another may"
    down(ledger, "elm", 0)
    assert {work.probe for work in claimed(ledger, 10, later + 2)} == {0}


def test_two_workers_do_not_both_try(ledger: Ledger) -> None:
    for number in range(6):
        lane(ledger, f"c-{number}")
    down(ledger, "elm", NOW)
    with ThreadPoolExecutor(6) as pool:
        asks = [
            lanes.Claim(ledger, f"w{number}", 10, NOW + MINUTE, UNTIL + MINUTE, connections=OF) for number in range(6)
        ]
        found = list(pool.map(lambda ask: ledger.write(lanes.claim, ask), asks))
    assert sum(map(len, found)) == 1


def test_an_alert_stands_for_a_cause_and_is_told_once_each_way(ledger: Ledger) -> None:
    def to_tell(before: int = NOW) -> list[tuple[str, bool]]:
        with ledger.read() as connection:
            found = alerts.to_tell(connection, before)
        for alert in found:
            ledger.write(alerts.told, (alert, NOW))
        return [(alert.cause, alert.closed_at is None) for alert in found]

    down(ledger, "elm", NOW + 1)
    down(ledger, "elm", NOW + 2, now=NOW + 1)
    assert to_tell(NOW - 1) == [], "it does not last yet"
    assert (to_tell(), to_tell()) == ([("login refused", True)], [])
    down(ledger, "elm", NOW + 3, "not reachable", NOW + 2)
    assert to_tell(NOW + 2) == [("login refused", False), ("not reachable", True)]
    down(ledger, "elm", 0, "", NOW + 3)
    assert (to_tell(), to_tell()) == ([("not reachable", False)], [])
    down(ledger, "elm", NOW + 9, "closed for maintenance", NOW + 4)
    down(ledger, "elm", 0, "", NOW + 5)
    assert to_tell(NOW + 9) == [], "it was over before anybody was told"


# ── budgets ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("day", [None, 130])
def test_many_who_ask_at_once_get_no_more_than_there_is(ledger: Ledger, day: int | None) -> None:
    now = budgets.minute_of(NOW) + 2_000_000
    ask = budgets.Ask("elm", now, NOW, NOW + 1440 * MINUTE, budgets.Most(minute=250, day=day), 12, 0)
    with ThreadPoolExecutor(8) as pool:
        grants = list(pool.map(lambda _: ledger.write(budgets.take, ask), range(40)))
    assert sum(grant.requests for grant in grants) == min(250, day or 250)
    assert all(grant.requests <= 12 for grant in grants)
    with ledger.read() as connection:
        assert set(leases.closed_connections(connection, now)) == {"elm"}


def test_old_minutes_are_forgotten(ledger: Ledger) -> None:
    now = budgets.minute_of(NOW) + 2_000_000
    for minute in range(0, 300, 20):
        ask = budgets.Ask("elm", now + minute * MINUTE, NOW, NOW + 1440 * MINUTE, budgets.Most(minute=5), 1, 0)
        assert ledger.write(budgets.take, ask).requests == 1
    assert len([row for row in rows(ledger, tables.budget) if row["span"] == budgets.MINUTES]) == 3


def test_a_wait_is_never_made_shorter(ledger: Ledger) -> None:
    ledger.write(budgets.too_many, budgets.TooMany("elm", NOW, NOW + 90, "it asked us to wait"))
    ledger.write(budgets.too_many, budgets.TooMany("elm", NOW, NOW + 20, "it asked us to wait"))
    with ledger.read() as connection:
        assert leases.connection_states(connection)["elm"].not_before == NOW + 90
    lane(ledger, "c-1")
    assert claimed(ledger, 10, NOW + 89) == []
    assert claimed(ledger, 10, NOW + 91)[0].agency == AGENCY
