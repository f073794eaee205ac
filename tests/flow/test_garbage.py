"""Whatever an EHR answers: no worker fails, no token leaves its host, nothing is delivered that nobody confirmed."""

from __future__ import annotations

from pathlib import Path

from tests.flow import fuzzing


def test_every_answer_is_read_and_none_is_believed_beyond_what_it_says() -> None:
    found = fuzzing.read_all(seed=7, count=250)
    assert found.wrong() == []
    assert found.requests >= 240
    assert len(found.answered) > 25
    assert found.grown < 150


def test_a_line_over_garbage_goes_on(quick: Path) -> None:
    found = fuzzing.carry_all(quick, seed=7, count=6)
    assert found.wrong() == []
    assert found.requests > 15
