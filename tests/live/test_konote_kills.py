"""A real agency's export to a real HAPI FHIR server while its workers are killed: nothing is lost or sent twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.absent import absent
from tests.flow.campaign import crew
from tests.flow.campaign.crew import Nursery
from tests.flow.campaign.export import ExportPlan, export, states
from tests.flow.konote import people
from tests.postgres import quick_folder

pytestmark = [pytest.mark.live, pytest.mark.outside, pytest.mark.slow, pytest.mark.timeout(600)]
KILLS = 20


@pytest.fixture(autouse=True)
def there() -> None:
    if not people.EXPORT.is_dir():
        absent(people.ABSENT)


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with crew.nursery(tmp_path / "workers.log") as opened:
        yield opened


def test_r1_an_export_sent_by_workers_killed_twenty_times_arrives_whole_and_once(hapi: str, nursery: Nursery) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="bridge-kills-", dir=quick_folder()) as folder,
        export(ExportPlan(seed=20261122, kills=KILLS), hapi, nursery, Path(folder)) as run,
    ):
        run.run()
        found = run.facts()
        assert run.wrong(found) == {}
        assert run.fates == {"new": 1381}
        assert run.crew.kills >= KILLS
        assert states(found.entries)["delivered"] == len(found.held) == 532
        assert set(states(found.entries)) <= {"delivered", "held", "cancelled"}
        assert run.report(found, {})["lanes held by killed workers"] > 0
