"""Dates as ranges, and the search prefixes (FHIR R4, search)."""

from __future__ import annotations

from math import inf

import pytest

from bridge.sandbox.instants import compare, parse_range, range_of


@pytest.mark.parametrize(
    ("prefixed", "value", "stands"),
    [
        ("2026-11", "2026-11-30", True),
        ("2026-11", "2026-12-01", False),
        ("2024-02", "2024-02-29T23:59:59Z", True),
        ("eq2026", "2026-06-01", True),
        ("2026-11-02T15:00:00Z", "2026-11-02T16:00:00+01:00", True),
        ("2026-11-02T15:00:00.250Z", "2026-11-02T15:00:00.250Z", True),
        ("2026-11-02", "2026-11-02T23:30:00-05:00", False),  # the third, in UTC
        ("ne2026-11-02", "2026-11-03", True),
        ("gt2026-11-02", "2026-11-02T23:00:00Z", False),
        ("gt2026-11-02", "2026-11-03", True),
        ("lt2026-11-02", "2026-11-01", True),
        ("lt2026-11-02", "2026-11-02", False),
        ("ge2026-11-02", "2026-11-02", True),
        ("ge2026-11-02", "2026-11-01", False),
        ("le2026-11-02", "2026-11-02", True),
        ("le2026-11-02", "2026-11-03", False),
        ("sa2026-11-02", "2026-11-03", True),
        ("sa2026-11-02", "2026-11-02", False),
        ("eb2026-11-02", "2026-11-01", True),
    ],
)
def test_prefixes(prefixed: str, value: str, stands: bool) -> None:
    wanted, found = parse_range(prefixed), range_of(value)
    assert wanted is not None
    assert found is not None
    assert compare(wanted[0], found, wanted[1]) is stands


def test_a_period_may_be_open() -> None:
    assert range_of({"start": "2026-01-01"}) == (1767225600.0, inf)
    assert range_of({"end": "2026-01-01"}) == (-inf, 1767312000.0)
    assert range_of({"text": "x"}) is None


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13", "2026-02-30", "26-01-01", "xx2026-01-01", "2026-01-01T25:00Z"]
)
def test_what_is_not_a_date(text: str) -> None:
    assert parse_range(text) is None
    assert range_of(text) is None
