"""A dry run: exactly the requests that are sent afterwards, with nothing written, nobody reached and nothing shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import sandbox
from bridge.ehr.chart import Sender
from bridge.jobs.open import connected
from bridge.jobs.rehearsing import Rehearsed, rehearse
from bridge.jobs.worker import Worker
from bridge.model import Request, Response
from bridge.store import tables
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, child, contact, patient, ready

WORDS = "CANARY-WORDS"
AMENDED = {"status": "amended", "updated_at": "2026-03-03T09:00:00-05:00"}


@dataclass
class Recorded:
    """A client that remembers what left."""

    client: Sender
    left: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.left.append(request)
        return await self.client.send(request)


@pytest.fixture
def maple(quick: Path, ehr: Ehr) -> Iterator[Pilot]:
    ehr.load(patient("m-1", id="patient-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url, enable=("Encounter",))]) as opened:
        ready(opened)
        yield opened


def rehearsed(maple: Pilot) -> Rehearsed:
    async def run() -> Rehearsed:
        async with connected(maple.line, maple.clock):
            return await rehearse(maple.line, maple.clock)

    return asyncio.run(run())


def worked(maple: Pilot) -> list[Request]:
    """What a worker sent."""
    left: list[Request] = []

    async def run() -> None:
        async with connected(maple.line, maple.clock):
            for name, chart in maple.line.charts.items():
                maple.line.charts[name] = replace(chart, client=Recorded(chart.client, left))
            await Worker(maple.line, maple.clock).run(until_idle=True)

    asyncio.run(run())
    return [one for one in left if one.path != "metadata"]


def everything(maple: Pilot) -> dict[str, list[Any]]:
    with maple.line.ledger.engine.connect() as connection:
        return {name: list(connection.execute(select(table))) for name, table in tables.metadata.tables.items()}


def planned(maple: Pilot) -> None:
    """What was accepted is translated, and nothing is sent."""
    worker = Worker(maple.line, maple.clock)
    while worker.translate_some():
        pass


def test_what_a_dry_run_shows_is_what_leaves_afterwards(maple: Pilot, ehr: Ehr) -> None:
    maple.work()  # its statement is read
    maple.accept("ma-soc/contact", contact(narrative=WORDS))
    planned(maple)
    before, asked = everything(maple), len(ehr.asked())
    shown = rehearsed(maple)
    assert everything(maple) == before
    assert len(ehr.asked()) == asked
    left = worked(maple)
    assert [(one.method, one.url.partition("/fhir/")[2] or one.url) for one in shown.sent]
    assert [one.method for one in shown.sent] == [one.method for one in left]
    assert [one.url.endswith(one_left.path) for one, one_left in zip(shown.sent, left, strict=True)]
    writes = [one for one in shown.sent if one.action]
    assert [one.action for one in writes] == ["create", "create"]
    assert [one.route for one in writes] == ["Encounter", "document"]
    assert writes[0].content == next(one.body for one in left if one.path == "Encounter")
    assert all(one.because and one.causes and one.loses for one in writes)
    maple.settle()
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative=WORDS))
    planned(maple)
    assert [(one.method, one.action) for one in rehearsed(maple).sent][-1] == ("PUT", "update")
    assert [one.method for one in rehearsed(maple).sent] == [one.method for one in worked(maple)]


def test_nothing_of_anybody_is_in_what_is_shown_unless_asked_for(maple: Pilot) -> None:
    maple.work()
    maple.accept("ma-soc/contact", contact(narrative=WORDS))
    planned(maple)
    shown = rehearsed(maple)
    masked = str([one.as_dict(show=False) for one in shown.sent])
    assert not [word for word in (WORDS, "Rosa Vega", "m-1", "2026-03-01", "patient-1", "'HH'") if word in masked]
    assert "urn:dyad-bridge:delivery" in masked
    plain = str([one.as_dict(show=True) for one in shown.sent])
    assert all(word in plain for word in ("Rosa Vega", "m-1", "2026-03-01", "patient-1"))


def test_what_would_be_held_is_told_with_what_to_do(quick: Path, ehr: Ehr) -> None:
    ehr.load(patient("m-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url)]) as maple:
        maple.links(PRACTICE, {"c-1": "m-1"})
        maple.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
        maple.work()
        maple.accept("ma-soc/contact", contact(narrative=WORDS))
        planned(maple)
        maple.links(PRACTICE, {"c-2": "m-1"})  # the same number: neither is certain
        shown = rehearsed(maple)
        assert [one.action for one in shown.sent if one.action] == []
        (waits,) = shown.waits
        assert waits.hold.next_step
        assert WORDS not in str(waits.as_dict())


def test_a_dry_run_hands_nothing_over(quick: Path) -> None:
    with sandbox.start("nextgen-office") as running:
        Ehr(running).load(patient("m-1"))
        (quick / "handed").mkdir()
        site = Site(PRACTICE, running.base_url, "nextgen", extra=", handoff: { way: folder, folder: handed }")
        with pilot(quick, [site]) as maple:
            ready(maple)
            maple.accept("ma-soc/child", child(birth_date="2021-03-04"))
            maple.work()
            maple.accept("ma-soc/contact", contact(narrative=WORDS))
            planned(maple)
            (over,) = [one for one in rehearsed(maple).sent if one.action]
            assert (over.method, over.route) == ("HAND-OVER", "handoff")
            assert "Ejemplo" not in str(over.as_dict(show=False))
            assert not [path for path in (quick / "handed").rglob("*") if path.is_file()]
