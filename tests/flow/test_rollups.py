"""A practice that wants a week's contacts in one note, through the whole line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.model import EntryState
from bridge.moves import granting
from tests import postgres
from tests.flow.histories import local_day
from tests.flow.pilot import AGENCY
from tests.flow.test_line import PRACTICE
from tests.flow.weeks import DAY, HOUR, Weeks, text, weeks


@pytest.fixture(scope="module")
def practice() -> Iterator[Weeks]:
    """One for all: each test has a child, and a week, of its own."""
    memory = postgres.quick_folder()
    with tempfile.TemporaryDirectory(prefix="bridge-flow-", dir=memory) as folder, weeks(Path(folder)) as made:
        yield made


@pytest.fixture
def maple(practice: Weeks) -> Weeks:
    return practice.another()


def states(maple: Weeks) -> list[tuple[str, str]]:
    """Each entry: whether it is a roll-up, and its state."""
    return sorted(("roll-up" if row["gathers_until"] is not None else "own", row["state"]) for row in maple.entries())


def test_r20_a_weeks_contacts_arrive_together_and_stay_two(maple: Weeks) -> None:
    """At the hour the practice named, by clinical time, whatever the order in which they were accepted."""
    maple.ready()
    maple.contact("k-2", hours=-1)
    maple.contact("k-1", hours=-2)
    maple.opened.work()
    maple.skip(4 * DAY)
    assert maple.documents() == []
    maple.friday()
    assert maple.told() == [["k-1, version 1", "k-2, version 1"]]
    (document,) = maple.documents()
    assert text(document).startswith("Nothing is asked of you")
    assert len(re.findall(r"^Delivery reference: DB-", text(document), re.MULTILINE)) == 1
    assert [one["value"] for one in document["identifier"]] == [maple.entries()[0]["reference"]]
    assert states(maple) == [("roll-up", "delivered")]
    maple.skip(8 * DAY)
    assert len(maple.documents()) == 1


def test_what_changes_before_the_week_is_over_is_told_as_it_is_then(maple: Weeks) -> None:
    maple.ready()
    for number in (1, 2, 3):
        maple.contact(f"k-{number}", hours=number - 4)
    maple.opened.work()
    maple.contact("k-1", hours=-3, version=2)
    maple.void("k-2", version=2)
    maple.opened.work()
    maple.friday()
    assert maple.told() == [["k-1, version 2", "k-3, version 1"]]
    assert [one["meta"]["versionId"] for one in maple.sent()] == ["1"]


def test_a_correction_reissues_its_roll_up_at_once_and_the_last_void_withdraws_it(maple: Weeks) -> None:
    maple.ready()
    maple.contact("k-1", hours=-2)
    maple.contact("k-2")
    maple.friday()
    maple.contact("k-2", version=2)
    maple.opened.work()
    assert maple.told() == [["k-1, version 1", "k-2, version 2"]]
    maple.void("k-1", version=2)
    maple.opened.work()
    assert maple.told() == [["k-2, version 2"]]
    maple.void("k-2", version=3)
    maple.opened.work()
    assert maple.documents() == []
    assert states(maple) == [("roll-up", "retracted")]
    maple.contact("k-4")
    maple.friday()
    assert maple.told() == [["k-4, version 1"]]
    assert len(maple.sent()) == 2


def test_what_comes_late_goes_with_the_next_roll_ups(maple: Weeks) -> None:
    """And a contact that turns out to have been another week's leaves the one and joins the other."""
    maple.ready()
    maple.contact("k-1", hours=-2)
    maple.contact("k-2", hours=-1.5)
    maple.friday()
    maple.contact("k-3")
    maple.opened.work()
    assert maple.told() == [["k-1, version 1", "k-2, version 1"]]
    maple.friday()
    assert maple.told() == [["k-1, version 1", "k-2, version 1", "k-3, version 1"]]
    maple.contact("k-2", hours=6 * 24, version=2)
    maple.opened.work()
    assert maple.told() == [["k-1, version 1", "k-3, version 1"]]
    maple.friday()
    assert maple.told() == [["k-1, version 1", "k-3, version 1"], ["k-2, version 2"]]


def test_r26_consent_is_asked_when_the_roll_up_leaves(maple: Weeks) -> None:
    """What is missing is seen before the week is over; given it waits for the week's end, taken back nothing goes."""
    other = f"{maple.child}-b"
    maple.ready(other)
    maple.contact("k-1")
    maple.contact("k-2", child=other)
    maple.opened.work()
    assert [hold["reason"] for hold in maple.opened.holds()] == ["consent"]
    maple.ready()
    granting.revoke(maple.opened.line, AGENCY, other, PRACTICE, "test", maple.opened.clock())
    maple.opened.work()
    assert (maple.documents(), [hold["reason"] for hold in maple.opened.holds()]) == ([], [])
    maple.friday()
    assert (maple.told(), maple.sent(other)) == ([["k-1, version 1"]], [])
    assert [hold["reason"] for hold in maple.opened.holds()] == ["consent"]
    day = local_day(maple.opened.clock())
    maple.opened.consents(f"{other},{PRACTICE},{day},,no")
    maple.opened.work()
    (document,) = maple.documents(other)
    assert "Words of" not in text(document)
    assert maple.opened.holds() == []


def test_a_setting_that_changes_neither_loses_nor_says_twice(maple: Weeks) -> None:
    """What stands stays where it stands, and is kept right there; what comes from now on goes as it is wanted now."""
    maple.ready()
    maple.contact("k-1", hours=-3)
    maple.wants("each")
    maple.contact("k-2", hours=-2)
    maple.opened.work()
    assert maple.told() == [["k-1, version 1"], ["k-2, version 1"]]
    maple.wants("weekly")
    maple.contact("k-1", hours=-3, version=2)
    maple.contact("k-3")
    maple.opened.work()
    assert maple.told() == [["k-1, version 2"], ["k-2, version 1"]]
    maple.friday()
    assert maple.told() == [["k-1, version 2"], ["k-2, version 1"], ["k-3, version 1"]]
    maple.wants("daily", hour=6)
    maple.contact("k-3", version=2)
    maple.contact("k-2", hours=-2, version=2)
    maple.contact("k-4", hours=4 * 24)
    maple.opened.work()
    maple.wants("each")
    maple.contact("k-4", hours=4 * 24, version=2)
    maple.opened.work()
    assert maple.told() == [["k-1, version 2"], ["k-2, version 2"], ["k-3, version 2"], ["k-4, version 2"]]
    assert states(maple) == [("own", "delivered")] * 3 + [("roll-up", "cancelled"), ("roll-up", "delivered")]


def test_what_is_urgent_goes_at_once_and_what_is_usual_not_at_all_where_only_the_significant_is_wanted(
    maple: Weeks,
) -> None:
    maple.ready()
    maple.contact("k-1", purposes=["crisis"])
    maple.contact("k-2")
    maple.opened.work()
    assert maple.told() == [["k-1, version 1"]]
    maple.contact("k-2", version=2, purposes=["crisis"])
    maple.opened.work()
    assert maple.told() == [["k-1, version 1"], ["k-2, version 2"]]
    maple.wants("significant")
    maple.contact("k-3")
    maple.contact("k-4", purposes=["transition"])
    maple.contact("k-1", version=2)
    maple.opened.work()
    assert maple.told() == [["k-1, version 2"], ["k-2, version 2"], ["k-4, version 1"]]
    maple.friday()
    assert maple.told() == [["k-1, version 2"], ["k-2, version 2"], ["k-4, version 1"]]


@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
def test_a_lost_answer_is_looked_for_and_what_came_meanwhile_follows(maple: Weeks, fault: str) -> None:
    maple.ready()
    maple.contact("k-1", hours=-2)
    maple.tap.fault(fault=fault, count=1, match={"method": "POST", "type": "DocumentReference"})
    maple.opened.work()
    maple.opened.clock.skip((4 * DAY + 6 * HOUR) / 1e6)
    maple.opened.work()
    assert maple.opened.counts()[EntryState.UNKNOWN.value] == 1
    maple.contact("k-2")
    maple.opened.settle()
    assert maple.told() == [["k-1, version 1", "k-2, version 1"]]
    assert len(maple.sent()) == 1


def test_a_practice_that_came_late_catches_up_by_the_week(maple: Weeks) -> None:
    for number in range(3):
        maple.contact(f"k-{number}", hours=-number - 1 - 7 * 24 * (number // 2))
    maple.opened.work()
    maple.ready()
    maple.friday()
    assert maple.told() == [["k-1, version 1", "k-0, version 1"], ["k-2, version 1"]]
    maple.ready()
    maple.opened.work()
    assert len(maple.sent()) == 2


def test_what_is_said_just_before_the_weeks_end_is_held_back_and_the_roll_up_with_it(maple: Weeks) -> None:
    """What is corrected or taken back within its time is told as it is then; who keeps writing holds nothing up."""
    maple.wants("weekly", hold_back=HOUR // 1_000_000)
    maple.ready()
    maple.contact("k-1", hours=-2)
    maple.opened.work()
    maple.skip(4 * DAY + 5 * HOUR - HOUR // 2)  # half an hour before it closes
    maple.contact("k-2", hours=24)
    maple.contact("k-3", hours=25)
    maple.skip(HOUR // 2 + 1)
    assert maple.documents() == []
    maple.contact("k-2", hours=24, version=2)
    maple.void("k-3", version=2)
    maple.skip(HOUR // 4)
    maple.contact("k-4", hours=26)
    maple.opened.work()
    maple.skip(HOUR // 4)
    assert maple.documents() == []
    maple.skip(HOUR // 2)
    assert maple.told() == [["k-1, version 1", "k-2, version 2", "k-4, version 1"]]
    assert [one["meta"]["versionId"] for one in maple.sent()] == ["1"]
