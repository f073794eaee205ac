"""A lane is one worker's at a time; whoever lost it writes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.model import EntryState, Stands
from bridge.store import lanes, tables
from bridge.store.lanes import Lease
from bridge.store.ledger import Ledger
from bridge.store.steps import Begun
from tests.postgres import Reopen
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    MINUTE,
    NEEDS_CONSENT,
    NOW,
    PRACTICE,
    UNTIL,
    begin,
    claim_lane,
    claim_lanes,
    consent,
    deliver,
    entries,
    entry_plan,
    finish,
    item,
    link,
    one,
    planned,
    release,
    rows,
)  # fmt: skip


def many_lanes(ledger: Ledger, count: int) -> None:
    for number in range(count):
        child = f"child-{number}"
        planned(ledger, item(f"c{number}", b"%d" % number, subject=child), entry_plan(person=child))


def test_a_claimed_lane_brings_all_that_sending_needs(ledger: Ledger) -> None:
    consent(ledger)
    link(ledger, "MRN-7")
    planned(ledger, item("c1", b"1"), entry_plan("encounter", rank=0), entry_plan("document", rank=1))
    planned(ledger, item("c2", b"2"), entry_plan("document"))
    lane = claim_lane(ledger)
    assert (lane.agency, lane.practice, lane.source, lane.owner, lane.epoch) == (AGENCY, PRACTICE, CHILD, "w1", 1)
    assert (lane.until, lane.consent_revision) == (UNTIL, 2)
    assert [(given.person, given.practice) for given in lane.consents] == [(CHILD, PRACTICE)]
    assert lane.link is not None
    assert (lane.link.system, lane.link.value, lane.link.person) == ("urn:mrn", "MRN-7", CHILD)
    assert [(entry.position, entry.rank, entry.name) for entry in lane.entries] == [
        (1, 0, "encounter"),
        (1, 1, "document"),
        (2, 0, "document"),
    ]


def test_a_lane_has_only_its_own_practices_and_persons(ledger: Ledger) -> None:
    consent(ledger)
    link(ledger)
    plans = entry_plan("elm"), entry_plan("oak", practice="oak-lane")
    planned(ledger, item(), *plans, entry_plan("mother", person="mother-1"))
    found = {(lane.practice, lane.source): lane for lane in claim_lanes(ledger)}
    assert {key: [entry.name for entry in lane.entries] for key, lane in found.items()} == {
        (PRACTICE, CHILD): ["elm"],
        ("oak-lane", CHILD): ["oak"],
        (PRACTICE, "mother-1"): ["mother"],
    }
    ours = found[PRACTICE, CHILD]
    others = [lane for lane in found.values() if lane is not ours]
    assert ours.consents
    assert ours.link is not None
    assert [(lane.consents, lane.link) for lane in others] == [((), None)] * 2


def test_what_is_settled_is_not_carried_again(ledger: Ledger) -> None:
    planned(ledger, item("c1", b"1"), entry_plan("document"))
    deliver(ledger)
    planned(ledger, item("c2", b"2"), entry_plan("second"), entry_plan("third", hold=NEEDS_CONSENT))
    assert [entry.name for entry in claim_lane(ledger).entries] == ["second", "third"]


def test_two_workers_never_hold_the_same_lane(ledger: Ledger, reopen: Reopen) -> None:
    many_lanes(ledger, 24)
    workers = [ledger, reopen()]

    def take(number: int) -> list[int]:
        got: list[int] = []
        while some := claim_lanes(workers[number % 2], f"w{number}", limit=3):
            got += [lane.id for lane in some]
        return got

    with ThreadPoolExecutor(4) as pool:
        taken = [one for some in pool.map(take, range(4)) for one in some]
    assert len(taken) == len(set(taken)) == 24


def test_the_longest_due_comes_first_and_no_more_than_asked(ledger: Ledger) -> None:
    for number in (3, 1, 2):
        child = f"child-{number}"
        planned(ledger, item(f"c{number}", subject=child), entry_plan(person=child), now=NOW + number)
    assert [lane.source for lane in claim_lanes(ledger, now=NOW + 9, limit=2)] == ["child-1", "child-2"]
    assert [lane.source for lane in claim_lanes(ledger, now=NOW + 9, limit=2)] == ["child-3"]


def test_a_lane_that_is_not_due_is_not_claimed(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan(due=NOW + 5))
    assert claim_lanes(ledger, now=NOW + 4) == []
    assert len(claim_lanes(ledger, now=NOW + 5)) == 1


def test_practices_that_are_closed_are_passed_over(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("elm"), entry_plan("oak", practice="oak-lane"))
    (lane,) = claim_lanes(ledger, closed=(PRACTICE, "nowhere"))
    assert lane.practice == "oak-lane"
    assert claim_lanes(ledger, closed=(PRACTICE, "oak-lane")) == []


def test_a_lease_that_ran_out_passes_on_under_a_new_epoch(ledger: Ledger) -> None:
    planned(ledger)
    first = claim_lane(ledger, "w1", NOW, NOW + 10)
    assert claim_lanes(ledger, "w2", NOW + 9, UNTIL) == []
    second = claim_lane(ledger, "w2", NOW + 10, UNTIL)
    assert (first.id, first.epoch, second.epoch) == (second.id, 1, 2)


def test_who_lost_a_lane_writes_nothing(ledger: Ledger) -> None:
    """R14: a step found under way belongs to the lease's next holder; the old one's late answer changes nothing."""
    planned(ledger)
    first = claim_lane(ledger, "w1", NOW, NOW + 10)
    begun, step = begin(ledger, first, first.entries[0])
    assert begun is Begun.YES
    second = claim_lane(ledger, "w2", NOW + 10, UNTIL)
    assert second.entries[0].state is EntryState.SENDING
    before = {table.name: rows(ledger, table) for table in (tables.entry, tables.lane, tables.step, tables.hold)}
    late = first.entries[0]
    there = Stands("doc-1", "1", "d1")
    assert begin(ledger, first, late)[0] is Begun.LEASE_LOST
    assert not finish(ledger, first, late, EntryState.DELIVERED, stands=there, step=step, receipt=b"201")
    assert not finish(ledger, first, late, EntryState.HELD, hold=NEEDS_CONSENT)
    assert not release(ledger, first)
    assert not ledger.write(lanes.extend, (Lease.of(first), UNTIL + MINUTE))
    after = {table.name: rows(ledger, table) for table in (tables.entry, tables.lane, tables.step, tables.hold)}
    assert after == before


def test_one_worker_that_claims_its_own_lane_again_has_a_new_epoch(ledger: Ledger) -> None:
    planned(ledger)
    first = claim_lane(ledger, "w1", NOW, NOW + 10)
    second = claim_lane(ledger, "w1", NOW + 10, UNTIL)
    assert not release(ledger, first)
    assert release(ledger, second)


def test_in_one_commit_those_who_lost_do_not_hurt_those_who_hold(ledger: Ledger) -> None:
    many_lanes(ledger, 4)
    lost = claim_lanes(ledger, "w1", NOW, NOW + 10, limit=2)
    held = claim_lanes(ledger, "w2", NOW + 10, UNTIL)
    assert len(held) == 4
    leases = [Lease.of(lane) for lane in (lost[0], held[0], held[1], lost[1], held[2])]
    with ledger.engine.begin() as connection:
        assert lanes.release(connection, leases) == [False, True, True, False, True]


def test_a_released_lane_is_due_when_its_earliest_entry_is(ledger: Ledger) -> None:
    planned(ledger, item("c1", b"1"), entry_plan("first"), entry_plan("second", due=NOW + 50))
    lane = claim_lane(ledger)
    entry = next(entry for entry in lane.entries if entry.name == "first")
    assert finish(ledger, lane, entry, EntryState.READY, due=NOW + 70, attempts=1)
    assert release(ledger, lane)
    found = one(ledger, tables.lane)
    assert (found["due_at"], found["owner"], found["until"]) == (NOW + 50, None, 0)
    assert entries(ledger)["first"]["attempts"] == 1


def test_a_released_lane_with_nothing_left_is_not_due(ledger: Ledger) -> None:
    planned(ledger)
    deliver(ledger)
    assert one(ledger, tables.lane)["due_at"] is None


def test_a_lease_can_be_made_longer_by_its_holder(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    assert ledger.write(lanes.extend, (Lease.of(lane), UNTIL + MINUTE))
    assert claim_lanes(ledger, "w2", UNTIL, UNTIL + 9 * MINUTE) == []
    assert len(claim_lanes(ledger, "w2", UNTIL + MINUTE, UNTIL + 9 * MINUTE)) == 1


def test_a_lane_loaded_again_is_as_it_is_now(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    consent(ledger)
    with ledger.read() as connection:
        (now,) = lanes.load(connection, ledger, [lane.id])
    assert (now.epoch, now.consent_revision, len(now.consents)) == (lane.epoch, lane.consent_revision + 1, 1)


@pytest.mark.parametrize("limit", [0, 5])
def test_no_lane_is_no_work(ledger: Ledger, limit: int) -> None:
    assert claim_lanes(ledger, limit=limit) == []
