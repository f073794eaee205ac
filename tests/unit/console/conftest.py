"""The pages over an SQLite ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.opened import Opened, opened


@pytest.fixture
def doors(tmp_path: Path, sqlite_url: str) -> Iterator[Opened]:
    """A project over a new ledger."""
    with opened(tmp_path, sqlite_url) as one:
        yield one
