"""Days and quiet hours by a site's own clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.ehr.hours import day_of, quiet_until

ZONE = "America/New_York"
HOUR = 3_600_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("now", "hours"), [("2026-03-08T12:00", 23), ("2026-11-01T12:00", 25), ("2026-06-01T12:00", 24)]
)
def test_a_day_is_as_long_as_it_is_there(now: str, hours: int) -> None:
    begins, ends = day_of(ZONE, at(now))
    assert begins <= at(now) < ends
    assert ends - begins == hours * HOUR


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01T16:30", "2026-06-01T17:00"),  # 12:30 there
        ("2026-06-01T17:00", None),
        ("2026-06-01T15:59", None),
        ("2026-06-02T03:00", "2026-06-02T10:00"),  # 23:00 there
        ("2026-06-02T09:59", "2026-06-02T10:00"),  # 05:59 there: it began yesterday
        ("2026-03-08T06:30", "2026-03-08T10:00"),  # the night in which an hour is missing
    ],
)
def test_quiet_hours_are_the_sites_own(now: str, until: str | None) -> None:
    found = quiet_until(("12:00-13:00", "22:00-06:00"), ZONE, at(now))
    assert found == (at(until) if until is not None else None)
