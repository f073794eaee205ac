"""What many of these tests begin with: a practice with one patient; the process that campaigns fork workers from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import sandbox
from tests import postgres
from tests.flow.campaign import crew
from tests.flow.campaign.crew import Nursery
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, patient, ready


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


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    """An EHR that takes everything, and knows nobody yet."""
    with sandbox.start("open") as running:
        yield Ehr(running)


@pytest.fixture
def maple(quick: Path, ehr: Ehr) -> Iterator[Pilot]:
    """A practice whose patient is linked, and may be told of, narrative included."""
    ehr.load(patient("m-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url)]) as opened:
        ready(opened)
        yield opened
