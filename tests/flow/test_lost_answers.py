"""Answers that are lost while the world goes on: what was said meanwhile still follows, and nothing is sent blind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bridge import sandbox
from bridge.ehr.chart import Sender
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import EntryState, Request, Response
from bridge.moves import answering
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready

AMENDED = {"status": "amended", "updated_at": "2026-03-03T09:00:00-05:00"}
LEASE = 121  # seconds
VOID = {"id": "k-1", "status": "void", "child": "c-1", "updated_at": "2026-03-05"}


@dataclass
class Gone:
    """A client whose worker is gone in the middle of such a request, before (`sent` false) or after it left."""

    client: Sender
    worker: Worker
    method: str
    type: str
    sent: bool

    async def send(self, request: Request) -> Response:
        if (request.method, request.path.partition("/")[0]) == (
            self.method,
            self.type,
        ) and "_search" not in request.path:
            if self.sent:
                await self.client.send(request)
            self.worker.stop()
            raise asyncio.CancelledError
        return await self.client.send(request)


def gone_in(opened: Pilot, method: str, type: str, *, sent: bool = True) -> None:
    """A worker ran, and was gone in the middle of such a request; nothing of its answer is in the ledger."""

    async def run() -> None:
        async with connected(opened.line):
            worker = Worker(opened.line, opened.clock)
            for name, chart in opened.line.charts.items():
                opened.line.charts[name] = replace(chart, client=Gone(chart.client, worker, method, type, sent))
            await worker.run()

    asyncio.run(run())
    assert opened.counts()["sending"] == 1
    opened.clock.skip(LEASE)


def lose(ehr: Ehr, method: str, fault: str = "drop-after") -> None:
    """The next answer to such a write is lost."""
    ehr.fault(fault=fault, count=1, match={"method": method, "type": "DocumentReference"})


def unknown(opened: Pilot) -> None:
    """The worker ran, and lost an answer."""
    opened.work()
    assert opened.counts()["unknown"] == 1


@pytest.mark.parametrize("fault", ["drop-after", "drop-before"])
def test_a_new_version_said_while_a_create_is_unknown_follows_it(maple: Pilot, ehr: Ehr, fault: str) -> None:
    lose(ehr, "POST", fault)
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    unknown(maple)
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative="Second wording."))
    maple.settle()
    (text,) = ehr.documents()
    assert "Second wording." in text
    assert maple.counts()["delivered"] == 1


@pytest.mark.parametrize("fault", ["drop-after", "drop-before"])
def test_a_withdrawal_said_while_a_create_is_unknown_follows_it(maple: Pilot, ehr: Ehr, fault: str) -> None:
    lose(ehr, "POST", fault)
    maple.accept("ma-soc/contact", contact())
    unknown(maple)
    maple.accept("ma-soc/contact", VOID)
    maple.settle()
    assert ehr.documents() == []
    assert maple.counts()["retracted" if fault == "drop-after" else "cancelled"] == 1


@pytest.mark.parametrize("fault", ["drop-after", "drop-before"])
def test_a_new_version_said_while_a_correction_is_unknown_follows_it(maple: Pilot, ehr: Ehr, fault: str) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    lose(ehr, "PUT", fault)
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative="Second wording."))
    unknown(maple)
    again = {"status": "amended", "updated_at": "2026-03-04T09:00:00-05:00"}
    maple.accept("ma-soc/contact", contact(**again, narrative="Third wording."))
    maple.settle()
    (text,) = ehr.documents()
    assert "Third wording." in text


@pytest.mark.parametrize("fault", ["drop-after", "drop-before"])
def test_a_new_version_said_while_a_withdrawal_is_unknown_stands_in_the_end(maple: Pilot, ehr: Ehr, fault: str) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    lose(ehr, "PUT", fault)
    maple.accept("ma-soc/contact", VOID)
    unknown(maple)
    again = {"status": "amended", "updated_at": "2026-03-06T09:00:00-05:00"}
    maple.accept("ma-soc/contact", contact(**again, narrative="Said again."))
    maple.settle()
    (text,) = ehr.documents()
    assert "Said again." in text
    assert maple.counts()["delivered"] == 1


@pytest.mark.parametrize("sent", [True, False])
def test_a_worker_gone_in_the_middle_of_a_create_leaves_one(maple: Pilot, ehr: Ehr, sent: bool) -> None:
    maple.accept("ma-soc/contact", contact())
    gone_in(maple, "POST", "DocumentReference", sent=sent)
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    assert maple.counts()["delivered"] == 1


@pytest.fixture
def slow_to_show(quick: Path) -> Iterator[tuple[Pilot, Ehr]]:
    """An EHR whose searches show a write a minute late, and that may drop identifiers: not finding proves nothing."""
    with sandbox.start("open", visibility_delay=3600) as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"))
        site = Site(PRACTICE, running.base_url, vendor="generic", enable=("Encounter",))
        with pilot(quick, [site]) as opened:
            ready(opened)
            yield opened, ehr


def doubt(opened: Pilot) -> int:
    """The hold of what was looked for and not found."""
    (hold,) = [hold for hold in opened.holds() if "not known" in hold["rule"]]
    return int(hold["id"])


def test_what_a_gone_worker_left_in_doubt_is_not_sent_blind_when_a_person_says_retry(
    slow_to_show: tuple[Pilot, Ehr],
) -> None:
    opened, ehr = slow_to_show
    opened.accept("ma-soc/contact", contact())
    gone_in(opened, "POST", "Encounter")
    opened.settle()
    answering.retry(opened.line, doubt(opened), "", "test", opened.clock())
    opened.settle()
    assert len(ehr.stored("Encounter")) == 1


def test_what_is_in_doubt_and_withdrawn_is_not_forgotten(slow_to_show: tuple[Pilot, Ehr]) -> None:
    opened, ehr = slow_to_show
    opened.accept("ma-soc/contact", contact())
    gone_in(opened, "POST", "Encounter")
    opened.settle()
    opened.accept("ma-soc/contact", VOID)
    opened.settle()
    answering.retry(opened.line, doubt(opened), "", "test", opened.clock())
    opened.settle()
    (entry,) = [entry for entry in opened.entries() if entry["name"] == "encounter"]
    assert entry["state"] == EntryState.HELD
    (encounter,) = ehr.stored("Encounter")
    assert encounter["status"] != "entered-in-error"
    answering.decide(opened.line, doubt(opened), encounter["id"], False, False, "test", opened.clock())
    opened.settle()
    (encounter,) = ehr.stored("Encounter")
    assert encounter["status"] == "entered-in-error"


@pytest.fixture
def discrete(quick: Path, ehr: Ehr) -> Iterator[Pilot]:
    """A practice that wants Encounters too."""
    ehr.load(patient("m-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url, enable=("Encounter",))]) as opened:
        ready(opened)
        opened.accept("ma-soc/contact", contact())
        opened.settle()
        yield opened


def test_a_correction_that_was_lost_before_it_arrived_is_not_taken_for_applied_because_it_says_less(
    discrete: Pilot, ehr: Ehr
) -> None:
    ehr.fault(fault="drop-before", count=1, match={"method": "PUT", "type": "Encounter"})
    discrete.accept("ma-soc/contact", {key: value for key, value in contact(**AMENDED).items() if key != "ended"})
    discrete.settle()
    (encounter,) = ehr.stored("Encounter")
    assert set(encounter["period"]) == {"start"}


@pytest.mark.parametrize("fault", ["429", "drop-before"])
def test_what_a_correction_takes_away_goes_also_when_it_was_put_off_once(quick: Path, ehr: Ehr, fault: str) -> None:
    ehr.load(patient("m-1"))
    nobody = contact(mode="text", outcome="no-answer")
    for name in ("place", "ended", "supports", "attendees"):
        nobody.pop(name)
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url, enable=("Communication",))]) as opened:
        ready(opened)
        opened.accept("ma-soc/contact", nobody)
        opened.settle()
        (attempt,) = ehr.stored("Communication")
        assert attempt["reasonCode"]
        ehr.fault(fault=fault, count=1, match={"method": "PUT", "type": "Communication"})
        opened.accept("ma-soc/contact", {key: nobody[key] for key in nobody if key != "purposes"} | AMENDED)
        opened.settle()
        (attempt,) = ehr.stored("Communication")
        assert attempt["meta"]["versionId"] == "2"
        assert "reasonCode" not in attempt
