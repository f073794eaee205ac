"""Whose turn it is by what a record says of itself."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import Weight
from bridge.moves.planning import BACKFILL, urgency_of
from bridge.store.lanes import REPLAY, ROUTINE, URGENT
from bridge.store.records import Work

NOW = 1_780_000_000_000_000
MADE = Work(
    1, "harbor", "visits", "t", "ma-soc/contact", "c1", 1, "c-1", 1, NOW - BACKFILL, False, 0, b"", accepted_at=NOW
)


def test_a_first_load_of_years_goes_behind_what_is_new() -> None:
    assert urgency_of(MADE) == ROUTINE
    assert urgency_of(replace(MADE, occurred_at=NOW - BACKFILL - 1)) == REPLAY
    assert urgency_of(replace(MADE, occurred_at=0, weight=Weight.URGENT)) == URGENT
    assert urgency_of(replace(MADE, occurred_at=None)) == ROUTINE
