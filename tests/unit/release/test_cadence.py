"""When a practice hears of a record: windows of clinical time on the practice's clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Weight
from bridge.release import cadence
from bridge.settings import CadenceSettings, Contact, Practice

ZONE = "America/New_York"
ELM = Practice("elm", "Elm", "ehr", Contact("Lee", "lee@elm.example"), date(2026, 1, 1), ZONE)
HOUR = 3600 * 1_000_000


def at(text: str, zone: str = ZONE) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def wanting(rhythm: str, **more: object) -> Practice:
    """A practice that wants contacts so."""
    return replace(ELM, cadence=CadenceSettings(kinds={"a/contact": rhythm, "a/plan": "weekly"}, **more))  # type: ignore[arg-type, dict-item]


def window(
    practice: Practice, occurred: int | None, accepted: int = 0, weight: Weight = Weight.USUAL, kind: str = "a/contact"
) -> cadence.Window | None:
    return cadence.window(practice, "harbor", "soc", kind, weight, occurred, accepted)


@pytest.mark.parametrize(
    ("practice", "occurred", "since", "until"),
    [
        (wanting("weekly"), "2026-03-02T10:00", "2026-02-27T17:00", "2026-03-06T17:00"),
        (wanting("weekly"), "2026-03-06T16:59", "2026-02-27T17:00", "2026-03-06T17:00"),
        (wanting("weekly"), "2026-03-06T17:00", "2026-03-06T17:00", "2026-03-13T17:00"),
        (wanting("weekly", day="monday", hour=0), "2026-03-01T23:59", "2026-02-23T00:00", "2026-03-02T00:00"),
        (wanting("daily", hour=6), "2026-03-02T05:59", "2026-03-01T06:00", "2026-03-02T06:00"),
        (wanting("daily", hour=6), "2026-03-02T06:00", "2026-03-02T06:00", "2026-03-03T06:00"),
        # the clocks go forward on 8 March 2026 at two, and back on 1 November
        (wanting("weekly"), "2026-03-09T10:00", "2026-03-06T17:00", "2026-03-13T17:00"),
        (wanting("daily", hour=2), "2026-03-08T12:00", "2026-03-08T02:00", "2026-03-09T02:00"),
        (wanting("daily", hour=1), "2026-11-01T12:00", "2026-11-01T01:00", "2026-11-02T01:00"),
    ],
)  # fmt: skip
def test_a_window_ends_at_the_hour_on_the_practices_clocks(
    practice: Practice, occurred: str, since: str, until: str
) -> None:
    found = window(practice, at(occurred))
    assert found is not None
    assert (found.since, found.until, found.due) == (at(since), at(until), at(until))


@given(
    occurred=st.integers(at("2025-01-01"), at("2028-01-01")),
    rhythm=st.sampled_from(["daily", "weekly"]),
    day=st.sampled_from(cadence.DAYS),
    hour=st.integers(0, 23),
)
def test_every_instant_lies_in_one_window_and_its_end_in_the_next(
    occurred: int, rhythm: str, day: str, hour: int
) -> None:
    practice = wanting(rhythm, day=day, hour=hour)
    found = window(practice, occurred)
    assert found is not None
    assert found.since <= occurred < found.until
    following, last = window(practice, found.until), window(practice, found.until - 1)
    assert following is not None
    assert (following.since, last) == (found.until, found)
    assert following.thread != found.thread


def test_what_was_accepted_late_is_due_with_the_next_ones() -> None:
    practice, occurred = wanting("weekly"), at("2026-03-02T10:00")
    dues = [window(practice, occurred, at(text)) for text in ("2026-03-06T16:59", "2026-03-06T17:00", "2026-04-01")]
    found = [one.due for one in dues if one is not None]
    assert found == [at("2026-03-06T17:00"), at("2026-03-13T17:00"), at("2026-04-03T17:00")]


@pytest.mark.parametrize(
    "found",
    [
        window(ELM, at("2026-03-02")),
        window(wanting("each"), at("2026-03-02")),
        window(wanting("significant"), at("2026-03-02")),
        window(wanting("weekly"), at("2026-03-02"), weight=Weight.URGENT),
        window(wanting("weekly"), None),
    ],
    ids=["nothing said", "each", "significant", "urgent", "no clinical time"],
)
def test_what_goes_by_itself(found: cadence.Window | None) -> None:
    assert found is None


def test_only_the_usual_is_unwanted_where_the_significant_is_wanted() -> None:
    asked = [(wanting("significant"), weight) for weight in Weight] + [(wanting("weekly"), Weight.USUAL)]
    assert [cadence.unwanted(practice, "a/contact", weight) for practice, weight in asked] == [
        True,
        False,
        False,
        False,
    ]


def test_kinds_of_one_rhythm_share_a_roll_up_where_the_practice_wants_them_together() -> None:
    def threads(practice: Practice) -> list[str]:
        found = [window(practice, at("2026-03-02"), kind=kind) for kind in ("a/contact", "a/plan")]
        return [one.thread for one in found if one is not None]

    between = "2026-02-27T17/2026-03-06T17"
    assert threads(wanting("weekly")) == [f"roll-up:harbor/soc/{kind}/{between}" for kind in ("a/contact", "a/plan")]
    assert threads(wanting("weekly", together=True)) == [f"roll-up:harbor/soc/all/weekly/{between}"] * 2
    assert len(set(threads(wanting("daily", together=True)))) == 2
