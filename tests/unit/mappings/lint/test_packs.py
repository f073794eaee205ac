from __future__ import annotations

import pytest

from bridge.mappings.lint import lint
from bridge.mappings.load import available_packs, read_all
from tests.unit.mappings.lint.mistakes import told


@pytest.mark.parametrize("pack", available_packs())
def test_a_pack_that_ships_is_without_errors_and_without_warnings(pack: str) -> None:
    assert told(lint(read_all([pack]))) == ()
