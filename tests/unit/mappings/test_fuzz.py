"""A slice of bench/fuzz.py: broken input ends in an answer or in an error with a place, never otherwise."""

from __future__ import annotations

import random

import pytest

from tests.unit.mappings.mutated import check


@pytest.mark.parametrize("block", range(10))
def test_broken_input(block: int) -> None:
    ended = [check(random.Random(f"slice/{block}/{number}")) for number in range(150)]
    assert any(end.endswith("ok") for end in ended)
