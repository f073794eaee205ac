from __future__ import annotations

import pytest

from bridge.mappings.moments import NoSuchTime, start_of_day, to_fhir, to_microseconds, to_wall_clock

ZONE = "America/New_York"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05 14:30", "2026-01-05T14:30:00-05:00"),
        ("2026-07-05T14:30:15", "2026-07-05T14:30:15-04:00"),
        ("2026-07-05T14:30:15.5Z", "2026-07-05T14:30:15.500Z"),
        ("2026-07-05T14:30+02:00", "2026-07-05T14:30:00+02:00"),
        ("2026-11-01 01:30", "2026-11-01T01:30:00-04:00"),  # came twice: the first
    ],
)
def test_a_moment_keeps_its_precision_and_gains_seconds_and_offset(text: str, made: str) -> None:
    assert to_fhir(text, ZONE) == made


@pytest.mark.parametrize("make", [to_fhir, to_wall_clock])
def test_a_time_that_never_was_is_not_guessed(make: object) -> None:
    with pytest.raises(NoSuchTime):
        make("2026-03-08 02:30", ZONE)  # type: ignore[operator]


def test_the_wall_clock_is_the_agency_s() -> None:
    assert to_wall_clock("2026-01-05T14:30Z", ZONE) == "2026-01-05 09:30"
    assert to_wall_clock("2026-01-05", ZONE) == "2026-01-05"


def test_a_day_alone_stands_for_its_noon_and_begins_at_midnight() -> None:
    hour = 3_600_000_000

    assert to_microseconds("2026-01-05", ZONE) - start_of_day("2026-01-05", ZONE) == 12 * hour
    assert start_of_day("2026-03-08", ZONE, days=1) - start_of_day("2026-03-08", ZONE) == 23 * hour
    assert start_of_day("2026-01-05T10:00Z", ZONE) == to_microseconds("2026-01-05T10:00Z", ZONE)
