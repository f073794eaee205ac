"""Two live workers: none takes a step that the other leased, and who lost a lease writes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import sandbox
from bridge.console.words import STAYED
from bridge.ehr.chart import Sender
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import Request, Response
from bridge.moves.line import Line
from bridge.store import steps, tables
from tests.flow.campaign.crew import Nursery
from tests.flow.campaign.torment import Campaign, Plan, campaign
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready

pytestmark = pytest.mark.timeout(240)
LEASE_ENDS = 121  # seconds
PATIENCE = 90.0  # seconds that something may take on a loaded machine


def until(true: Callable[[], bool]) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def delivered(run: Campaign) -> Callable[[], bool]:
    """Whether every contact stands in every chart."""
    entries = len(run.caseload.beginnings()) * (len(run.plan.practices) + 1)  # maple takes Encounters too
    return lambda: run.pilot.counts()["delivered"] == entries


def holders(opened: Pilot) -> set[str]:
    """Who holds a lane at this moment."""
    with opened.line.ledger.read() as connection:
        return set(connection.execute(select(tables.lane.c.owner).where(tables.lane.c.owner.isnot(None))).scalars())


def test_two_live_workers_share_the_lanes_and_take_no_step_twice(nursery: Nursery, quick: Path) -> None:
    with campaign(Plan(seed=1, kills=0, lanes=20, contacts=2, slow=0.1), nursery, quick) as run:
        run.begin()
        seen: set[str] = set()

        def done() -> bool:
            seen.update(holders(run.pilot))
            return delivered(run)()

        until(done)
        pids = list(run.crew.pids)
        run.crew.kill_all()
        found = run.facts()
        assert run.wrong(found) == {}
        left = [step for step in found.steps if step["code"] not in STAYED]
        assert found.posts == len(left) == len(found.entries) == len(found.held)
        assert all(any(f"-{pid}-" in owner for owner in seen) for pid in pids), "one of them had nothing to do"


def test_a_turn_longer_than_its_lease_is_shared_out_between_requests_and_never_within_one(
    nursery: Nursery, quick: Path
) -> None:
    plan = Plan(seed=2, kills=0, lanes=3, contacts=4, practices=("maple",), slow=0.45)
    with campaign(plan, nursery, quick) as run:
        run.begin()
        until(delivered(run))
        run.crew.kill_all()
        found = run.facts()
        assert run.wrong(found) == {}
        assert found.posts == len(found.held)
        assert all(lane["epoch"] > 1 for lane in found.lanes), "no turn was longer than its lease"


def test_a_worker_frozen_in_the_middle_of_a_request_has_lost_its_lease_and_writes_nothing(
    nursery: Nursery, quick: Path
) -> None:
    plan = Plan(seed=3, kills=0, workers=1, lanes=1, contacts=1, practices=("elm",))
    with campaign(plan, nursery, quick) as run:
        (site,) = run.sites
        site.order(fault="slow", seconds=0.9, match={"interaction": "create"})
        run.begin()
        (frozen,) = run.crew.pids
        until(lambda: any(asked["interaction"] == "create" for asked in site.asked()))  # it waits for its answer
        nursery.ask(freeze=frozen)
        run.crew.start()
        until(lambda: run.pilot.counts()["delivered"] == 1)
        (step,) = run.facts().steps
        assert step["code"] == "looked"
        nursery.ask(thaw=frozen)
        run.crew.pids.remove(frozen)
        run.crew.kill_all()
        run.crew.pids.append(frozen)
        run.caseload.say(run.pilot, [("c-1.2", 1)])
        until(lambda: run.pilot.counts()["delivered"] == 2)  # by the one that was frozen: it goes on
        run.crew.kill_all()
        found = run.facts()
        assert run.wrong(found) == {}
        assert next(after for after in found.steps if after["id"] == step["id"]) == step
        assert found.posts == 2


# ── in one process, where the moment can be chosen ────────────────────────────────────────────────────────────────
@pytest.fixture
def maple(quick: Path) -> Iterator[tuple[Pilot, Ehr]]:
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"))
        with pilot(quick, [Site(PRACTICE, running.base_url)]) as opened:
            ready(opened)
            yield opened, ehr


def creates(ehr: Ehr) -> int:
    """How many creates the EHR was asked for."""
    return sum(asked["interaction"] == "create" for asked in ehr.asked())


@dataclass
class Overtaken:
    """A client whose first create brings its answer only after another worker had the lane."""

    client: Sender
    opened: Pilot
    done: bool = False

    async def send(self, request: Request) -> Response:
        response = await self.client.send(request)
        if (request.method, request.path) == ("POST", "DocumentReference") and not self.done:
            self.done = True
            for seconds in (LEASE_ENDS, 2, 2):
                self.opened.clock.skip(seconds)
                await Worker(self.opened.line, self.opened.clock).run(until_idle=True)
        return response


def test_a_lease_that_ends_in_the_middle_of_a_request_leaves_the_outcome_to_the_other_who_looks(
    maple: tuple[Pilot, Ehr],
) -> None:
    opened, ehr = maple
    opened.accept("ma-soc/contact", contact())

    async def run() -> None:
        async with connected(opened.line):
            for name, chart in opened.line.charts.items():
                opened.line.charts[name] = replace(chart, client=Overtaken(chart.client, opened))
            await Worker(opened.line, opened.clock).run(until_idle=True)

    asyncio.run(run())
    opened.settle()
    assert creates(ehr) == len(ehr.stored("DocumentReference")) == 1
    assert opened.counts()["delivered"] == 1
    with opened.line.ledger.read() as connection:
        (step,) = connection.execute(select(tables.step)).all()
    assert step.code == "looked"  # the late answer was refused
    assert step.receipt_blob is None


def test_a_worker_that_stood_still_before_sending_sends_nothing(
    maple: tuple[Pilot, Ehr], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, ehr = maple
    write = Line.write
    asked: list[int] = []

    async def write_and_stand_still(line: Line, operation: Any, parameter: Any) -> Any:
        result = await write(line, operation, parameter)
        if operation is steps.begin:
            asked.append(creates(ehr))
            if len(asked) == 1:
                opened.clock.skip(LEASE_ENDS)
        return result

    monkeypatch.setattr(Line, "write", write_and_stand_still)
    opened.accept("ma-soc/contact", contact())
    opened.settle()
    assert asked == [0, 0]
    assert creates(ehr) == len(ehr.stored("DocumentReference")) == 1
    with opened.line.ledger.read() as connection:
        codes = list(connection.execute(select(tables.step.c.code).order_by(tables.step.c.begun_at)).scalars())
    assert codes[0] == "not-sent"


def test_a_document_behind_its_encounter_is_not_forgotten_when_the_turn_ends_between_them(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Line.write
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"))
        with pilot(quick, [Site(PRACTICE, running.base_url, enable=("Encounter",))]) as opened:
            ready(opened)
            began: list[str] = []

            async def another_consent_comes(line: Line, operation: Any, parameter: Any) -> Any:
                if operation is steps.begin:
                    began.append(parameter.reference)
                    if len(began) == 2:  # the document's, right after the Encounter's
                        await asyncio.to_thread(opened.consents, f"c-1,{PRACTICE},2026-02-01,,yes")
                return await write(line, operation, parameter)

            monkeypatch.setattr(Line, "write", another_consent_comes)
            opened.accept("ma-soc/contact", contact())
            opened.settle()
            assert len(began) == 3
            assert opened.counts()["delivered"] == 2


def test_a_worker_whose_hands_are_full_still_hears_its_answers(quick: Path) -> None:
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(*(patient(f"m-{number}") for number in range(12)))
        with pilot(quick, [Site(PRACTICE, running.base_url)]) as opened:
            opened.links(PRACTICE, {f"c-{number}": f"m-{number}" for number in range(12)})
            opened.consents(*(f"c-{number},{PRACTICE},2026-01-01,,yes" for number in range(12)))
            opened.accept("ma-soc/contact", *(contact(f"k-{number}", child=f"c-{number}") for number in range(12)))

            async def run() -> None:
                async with connected(opened.line):
                    async with asyncio.timeout(PATIENCE):
                        await Worker(opened.line, opened.clock, lanes=2).run(until_idle=True)

            asyncio.run(run())
            assert opened.counts()["delivered"] == 12
