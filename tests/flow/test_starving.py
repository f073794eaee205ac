"""Nothing waits for ever without a person who knows of it: what fails of ours is counted, told, and brought back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bridge.ehr.context import Shaped
from bridge.errors import LedgerDown, Problem
from bridge.fhir.client import Client
from bridge.jobs import collect, patience, schedule, statements
from bridge.jobs.deliver import Carrier
from bridge.jobs.files import read
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import Failure, Request, Response
from bridge.moves import answering, catching, ending, failing, gathering, planning, settling, writing
from bridge.moves.shaping import shape
from bridge.store import lanes, leases, tables
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready

FAMILY = "a family matter"


def breaks_for(thread: str) -> Any:
    """Shaping that fails for what is of this record."""

    def shaped(turn: Any, *rest: Any) -> Shaped:
        if turn.entry.thread.endswith(thread):
            raise KeyError(FAMILY)
        return shape(turn, *rest)

    return shaped


def test_what_fails_before_its_step_is_counted_and_told_and_keeps_no_other_thread(
    maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "shape", breaks_for("k-1"))
    maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
    before = maple.clock()
    maple.work()
    assert {entry["thread"][-3:]: entry["state"] for entry in maple.entries()} == {"k-1": "ready", "k-2": "delivered"}
    assert (maple.entries()[0]["faults"], maple.entries()[0]["attempts"]) == (1, 0)
    assert 30 <= ((maple.next_due() or 0) - before) / 1_000_000 < 40
    maple.settle()
    (hold,) = maple.holds()
    assert 450 < (maple.clock() - before) / 1_000_000 < 700
    assert (hold["reason"], hold["owner"]) == ("content", "engineer")
    assert "KeyError at bridge/moves/writing.py:" in hold["rule"]
    assert FAMILY not in str(hold)
    assert maple.entries()[0]["faults"] == failing.MOST_FAULTS

    monkeypatch.setattr(writing, "shape", shape)
    assert answering.retry(maple.line, hold["id"], "", "test", maple.clock()) == 1
    maple.settle()
    assert maple.counts()["delivered"] == 2
    assert maple.holds() == []
    assert maple.entries()[0]["faults"] == 0


def test_an_outcome_between_two_errors_begins_the_count_anew(
    maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "shape", breaks_for("k-1"))
    maple.accept("ma-soc/contact", contact("k-1"))
    for _ in range(failing.MOST_FAULTS - 1):
        maple.work()
        maple.clock.skip(300)
    assert maple.entries()[0]["faults"] == failing.MOST_FAULTS - 1
    monkeypatch.setattr(writing, "shape", shape)
    ehr.fault(fault="429", count=1, match={"type": "DocumentReference"}, seconds=40)
    maple.work()
    assert (maple.entries()[0]["state"], maple.entries()[0]["faults"]) == ("ready", 0)
    maple.settle()
    assert maple.counts()["delivered"] == 1


def test_an_error_after_a_step_left_is_looked_for_and_never_sent_twice(
    maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def classified(*_: Any) -> Any:
        raise ValueError(FAMILY)

    monkeypatch.setattr(writing, "classify", classified)
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.work()
    (entry,) = maple.entries()
    assert (entry["state"], entry["look_first"], entry["faults"]) == ("unknown", True, 1)
    maple.settle()
    assert maple.counts()["delivered"] == 1
    assert len(ehr.stored("DocumentReference")) == 1


def test_a_look_that_fails_is_with_a_person_and_looks_again_when_they_say_so(
    maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError(FAMILY)

    ehr.fault(fault="drop-after", count=1, match={"method": "POST", "type": "DocumentReference"})
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.work()
    with monkeypatch.context() as patched:
        patched.setattr(settling, "search", broken)
        maple.settle()
    (hold,) = maple.holds()
    assert (hold["reason"], maple.counts()["held"]) == ("content", 1)
    answering.retry(maple.line, hold["id"], "", "test", maple.clock())
    maple.settle()
    assert maple.counts()["delivered"] == 1
    assert len(ehr.stored("DocumentReference")) == 1


def test_a_newer_version_is_tried_anew(maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError(FAMILY)

    with monkeypatch.context() as patched:
        patched.setattr(gathering, "told", broken)
        maple.accept("ma-soc/contact", contact("k-1"))
        maple.settle()
    assert maple.counts()["held"] == 1
    maple.accept("ma-soc/contact", contact("k-1", status="amended", updated_at="2026-03-03T09:00:00-05:00"))
    maple.settle()
    assert maple.counts()["delivered"] == 1
    assert maple.holds() == []


# ── answers that stay as they are ─────────────────────────────────────────────────────────────────────────────────
UNREAD = Response(failure=Failure.UNREAD)
NOT_NOW = Response(headers={"retry-after": "30"}, failure=Failure.NOT_NOW)
AMENDED = {"status": "amended", "updated_at": "2026-03-03T09:00:00-05:00"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Sequence[Response]], None]:
    """The next requests that begin so (`METHOD type`) are answered so; where that is one answer, for ever."""
    send = Client.send

    def next_ones(asked: str, responses: Sequence[Response]) -> None:
        left, ever = list(responses), len(responses) == 1

        async def answer(self: Client, request: Request) -> Response:
            if not left or not f"{request.method} {request.path}".startswith(asked):
                return await send(self, request)
            return left[0] if ever else left.pop(0)

        monkeypatch.setattr(Client, "send", answer)

    return next_ones


Answers = Callable[[str, Sequence[Response]], None]


def test_what_stands_and_is_too_large_to_be_read_is_with_a_person(maple: Pilot, answers: Answers) -> None:
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.settle()
    answers("GET DocumentReference/", [UNREAD])
    maple.accept("ma-soc/contact", contact("k-1", **AMENDED))
    maple.settle()
    (hold,) = maple.holds()
    assert (hold["reason"], hold["owner"]) == ("decision", "engineer")
    assert "larger than 10 MiB" in hold["rule"]


def test_a_look_whose_pages_are_too_large_is_with_a_person(maple: Pilot, ehr: Ehr, answers: Answers) -> None:
    ehr.fault(fault="drop-after", count=1, match={"method": "POST", "type": "DocumentReference"})
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.work()
    answers("POST DocumentReference/_search", [UNREAD])
    maple.settle()
    (hold,) = maple.holds()
    assert "larger than 10 MiB" in hold["rule"]
    assert maple.entries()[0]["look_first"]
    answers("POST DocumentReference/_search", [])
    answering.retry(maple.line, hold["id"], "", "test", maple.clock())
    maple.settle()
    assert (maple.counts()["delivered"], len(ehr.stored("DocumentReference"))) == (1, 1)


@pytest.mark.parametrize(
    "said", [UNREAD, Response(200, body=b'{"resourceType":"Bundle","type":"collection"}')], ids=["large", "no page"]
)
def test_a_patient_nobody_can_read_is_with_a_person(maple: Pilot, answers: Answers, said: Response) -> None:
    answers("POST Patient/_search", [said])
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.settle()
    (hold,) = maple.holds()
    assert (hold["reason"], hold["owner"]) == ("link", "practice")


# ── attempts ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_never_left_is_no_attempt(maple: Pilot, answers: Answers) -> None:
    answers("POST DocumentReference", [NOT_NOW] * 4)
    maple.accept("ma-soc/contact", contact("k-1"))
    for _ in range(4):
        maple.work()
        assert (maple.entries()[0]["state"], maple.entries()[0]["attempts"]) == ("ready", 0)
        maple.clock.skip(40)
    maple.settle()
    assert maple.counts()["delivered"] == 1


def test_two_waits_and_a_conflict_are_no_three_conflicts(maple: Pilot, answers: Answers) -> None:
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.settle()
    answers("PUT DocumentReference", [Response(429), Response(423), Response(412)])
    maple.accept("ma-soc/contact", contact("k-1", **AMENDED))
    maple.settle()
    assert maple.counts()["delivered"] == 1
    assert maple.holds() == []


def test_three_conflicts_in_a_row_are_with_a_person(maple: Pilot, answers: Answers) -> None:
    maple.accept("ma-soc/contact", contact("k-1"))
    maple.settle()
    answers("PUT DocumentReference", [Response(412)] * 3)
    maple.accept("ma-soc/contact", contact("k-1", **AMENDED))
    maple.settle()
    (hold,) = maple.holds()
    assert "keeps changing" in hold["rule"]


# ── what is damaged, and what fails beside the lanes ──────────────────────────────────────────────────────────────
def damage(opened: Pilot, column: Any, **where: Any) -> None:
    """The blobs that a column names do not open any more."""
    with opened.line.ledger.engine.begin() as connection:
        query = select(column)
        for name, value in where.items():
            query = query.where(column.table.c[name] == value)
        blobs = connection.execute(query).scalars().all()
        assert blobs
        connection.execute(update(tables.blob).where(tables.blob.c.id.in_(blobs)).values(content=b"\0" * 40))


def translated(opened: Pilot) -> None:
    """What was accepted is planned, and nothing of it went."""

    async def run() -> None:
        async with connected(opened.line, opened.clock):
            await statements.refresh(opened.line, opened.clock())
            while await asyncio.to_thread(Worker(opened.line, opened.clock).translate_some):
                pass

    asyncio.run(run())


async def one_turn(opened: Pilot) -> None:
    """What is due was claimed once, and carried."""
    async with connected(opened.line, opened.clock):
        carrier = Carrier(opened.line, "w", opened.clock, 8, asyncio.Event(), patience.Patience(opened.line))
        await statements.refresh(opened.line, opened.clock())
        assert await carrier.claim()
        await carrier.drain()


def test_a_damaged_blob_is_its_entrys_trouble_and_no_other_ones(maple: Pilot) -> None:
    maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
    translated(maple)
    damage(maple, tables.translation.c.parts_blob, record=maple.records()[0]["id"])
    maple.settle()
    assert {entry["thread"][-3:]: entry["state"] for entry in maple.entries()} == {"k-1": "held", "k-2": "delivered"}
    (hold,) = maple.holds()
    assert "JSONDecodeError at bridge/moves/leaving.py:" in hold["rule"]


def test_a_damaged_consent_sends_nothing_and_is_told(maple: Pilot, ehr: Ehr) -> None:
    maple.accept("ma-soc/contact", contact("k-1"))
    translated(maple)
    damage(maple, tables.consent.c.terms_blob)
    maple.settle()
    (hold,) = maple.holds()
    assert (hold["owner"], ehr.stored("DocumentReference")) == ("engineer", [])
    assert "LedgerError at bridge/moves/failing.py:" in hold["rule"]


def test_a_damaged_record_is_held_and_the_others_are_translated(maple: Pilot) -> None:
    maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
    damage(maple, tables.record.c.raw_blob, id=maple.records()[0]["id"])
    maple.settle()
    assert [record["state"] for record in maple.records()] == ["held", "translated"]
    assert [hold["owner"] for hold in maple.holds()] == ["engineer"]


def test_a_record_that_cannot_be_planned_costs_no_other_its_turn(
    maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_person = planning.plan_person

    def planned(line: Any, work: Any, *rest: Any) -> Any:
        if work.source_id == "k-1":
            raise KeyError(FAMILY)
        return plan_person(line, work, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(planning, "plan_person", planned)
        maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
        maple.work()
    assert [record["state"] for record in maple.records()] == ["held", "translated"]
    (hold,) = maple.holds()
    assert (hold["reason"], hold["owner"], FAMILY in str(hold)) == ("content", "engineer", False)
    assert "KeyError at " in hold["rule"]
    answering.retry(maple.line, hold["id"], "", "test", maple.clock())
    maple.settle()
    assert maple.counts()["delivered"] == 2


def test_a_ledger_that_does_not_work_holds_nothing(maple: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise LedgerDown(Problem("ledger-read", "the ledger could not be read (OperationalError)"))

    maple.accept("ma-soc/contact", contact("k-1"))
    translated(maple)
    with monkeypatch.context() as patched:
        patched.setattr(gathering, "told", full)
        for _ in range(failing.MOST_FAULTS + 1):
            asyncio.run(one_turn(maple))
            maple.clock.skip(121)
    assert (maple.entries()[0]["state"], maple.entries()[0]["faults"], maple.holds()) == ("ready", 0, [])
    maple.settle()
    assert maple.counts()["delivered"] == 1


def test_a_claim_that_fails_stops_no_worker_and_is_told_until_it_does_not(
    maple: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, calls = lanes.claim, []

    def fails(connection: Any, asked: Any) -> Any:
        calls.append(1)
        if len(calls) <= 2:  # alone, and again
            raise ValueError(FAMILY)
        return claim(connection, asked)

    maple.accept("ma-soc/contact", contact("k-1"))
    monkeypatch.setattr(lanes, "claim", fails)
    told: list[dict[str, Any]] = []
    went = leases.went

    def watched(connection: Any, asked: Any) -> Any:
        answers = went(connection, asked)
        told.append(leases.failing(connection))
        return answers

    monkeypatch.setattr(leases, "went", watched)
    maple.work()
    assert maple.counts()["delivered"] == 1
    assert [list(one) for one in told] == [["claim"], []]
    assert (told[0]["claim"]["failures"], FAMILY in str(told)) == (1, False)


def test_one_task_that_fails_waits_longer_each_time_and_keeps_back_no_other(
    maple: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> int:
        raise KeyError(FAMILY)

    def ends(*_: Any) -> int:
        done.append("ends")
        return 0

    worker, now = Worker(maple.line, maple.clock), maple.clock()
    done: list[str] = []
    monkeypatch.setattr(catching, "catch_up", broken)
    monkeypatch.setattr(ending, "tell_ended", ends)
    monkeypatch.setattr(worker, "clock", lambda: now)
    tries = 0
    for _ in range(80):
        before = len(worker.patience._failures) and worker.patience._failures["catch-up"]
        worker.translate_some()
        tries += worker.patience._failures["catch-up"] > before
        now += patience.FIRST
    assert len(done) == 80
    assert tries == 7  # after a quarter of a second, a half, one, two, four, eight
    with maple.line.ledger.read() as connection:
        found = leases.failing(connection)
    assert (list(found), found["catch-up"]["failures"], FAMILY in str(found)) == (["catch-up"], 7, False)


def test_a_scheduled_job_that_fails_is_told_and_comes_again(maple: Pilot) -> None:
    ran: list[str] = []

    async def broken() -> None:
        ran.append("broken")
        if len(ran) < 3:
            raise KeyError(FAMILY)

    def failures() -> dict[str, Any]:
        with maple.line.ledger.read() as connection:
            return leases.failing(connection)

    async def run() -> None:
        every = timedelta(minutes=1)
        await schedule.once_leased(maple.line, "watch", "w", maple.clock, every, broken)
        maple.clock.skip(61)

    for expected in (1, 2, 0):
        asyncio.run(run())
        assert failures().get("watch", {"failures": 0})["failures"] == expected
    assert len(ran) == 3


def test_a_file_nobody_can_read_keeps_back_no_other(maple: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    def readable(path: Path) -> Any:
        if path.name == "a.ndjson":
            raise PermissionError
        return read(path)

    inbox = maple.folder / "inbox" / "ma-soc" / "contact"
    inbox.mkdir(parents=True)
    for name, number in (("a", "k-1"), ("b", "k-2")):
        (inbox / f"{name}.ndjson").write_text(json.dumps(contact(number)), encoding="utf-8")
    agency = replace(maple.line.project.agencies[maple.agency], watch=maple.folder / "inbox")
    monkeypatch.setattr(collect, "read", readable)
    with pytest.raises(PermissionError):
        collect.watch(maple.line, agency, maple.clock)
    assert [record["source_id"] for record in maple.records()] == ["k-2"]
    assert sorted(path.name for path in inbox.iterdir()) == ["a.ndjson", "b.ndjson.answer"]


@pytest.mark.parametrize("state", ["unknown", "held", "ready", "delivered"])
def test_what_is_due_behind_one_that_waits_waits_with_it(quick: Path, ehr: Ehr, state: str) -> None:
    """Else its lane is claimed without end until the other's time has come."""
    ehr.load(patient("m-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url, enable=("Encounter",))]) as opened:
        ready(opened)
        opened.accept("ma-soc/contact", contact("k-1"))
        opened.settle()
        assert opened.counts()["delivered"] == 2
        entry, lane, now = tables.entry, tables.lane, opened.clock()
        with opened.line.ledger.engine.begin() as connection:
            waits = update(entry).where(entry.c.route == "discrete").values(state="ready", due_at=now + 3_600_000_000)
            behind = update(entry).where(entry.c.route != "discrete")
            connection.execute(waits)
            connection.execute(behind.values(state=state, look_first=state == "unknown", due_at=now))
            connection.execute(update(lane).values(due_at=now))
            before = connection.execute(select(lane.c.epoch)).scalar_one()
        opened.clock.skip(1)
        asyncio.run(shortly(opened))
        with opened.line.ledger.read() as reading:
            assert reading.execute(select(lane.c.epoch)).scalar_one() <= before + 2
        opened.settle()
        assert opened.counts()["delivered"] == 2


async def shortly(opened: Pilot) -> None:
    """A worker had two seconds."""
    async with connected(opened.line, opened.clock):
        worker = Worker(opened.line, opened.clock)
        asyncio.get_running_loop().call_later(2, worker.stop)
        await worker.run(until_idle=True)
