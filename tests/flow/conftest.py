"""What the campaigns need: the process that workers are forked from, once for the suite, and a quick place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.flow.campaign import crew
from tests.flow.campaign.crew import Nursery


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Workers as processes, started at once."""
    with crew.nursery(tmp_path_factory.mktemp("nursery") / "workers.log") as opened:
        yield opened


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory where there is some: what is killed here is no machine, so no disk need be waited for."""
    with tempfile.TemporaryDirectory(prefix="bridge-flow-", dir=postgres.quick_folder()) as folder:
        yield Path(folder)
