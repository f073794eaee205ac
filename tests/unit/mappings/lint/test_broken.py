"""A slice of what `python -m bench.fuzz --files` runs: lint never crashes, and everything it says has a place."""

from __future__ import annotations

import random

import pytest

from tests.unit.mappings.lint.broken import check


@pytest.mark.parametrize("block", range(5))
def test_broken_files(block: int) -> None:
    ended = [check(random.Random(f"files/{block}/{number}")) for number in range(60)]

    assert "errors" in ended
