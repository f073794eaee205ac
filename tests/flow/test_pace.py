"""A connection's pace across processes; a practice suspended, a connection down, and everybody else (R7, R29)."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from bridge import sandbox
from bridge.jobs import alerts, retrying, standing, statements
from bridge.jobs.open import connected, open_line
from bridge.jobs.worker import system_clock
from bridge.model import type_json
from bridge.moves import suspending
from bridge.settings import load
from bridge.store import leases, tables, views
from bridge.store import statements as kept
from tests.flow.campaign.crew import Crew, Nursery
from tests.flow.pilot import AGENCY, Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready
from tests.unit.store.making import rows

pytestmark = pytest.mark.timeout(240)
MOST, CHILDREN = 24, 16
DOCUMENTS = ("DocumentReference",)


def everything(ehr: Ehr) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{ehr.running.admin_url}/audit", params={"limit": 10_000}).json()[
        "requests"
    ]
    return found


def families(opened: Pilot, ehr: Ehr, count: int) -> list[type_json]:
    """Children known to both sides, and a contact with each."""
    children = [f"c-{number}" for number in range(1, count + 1)]
    ehr.load(*(patient(f"m-{child}") for child in children))
    opened.links(PRACTICE, {child: f"m-{child}" for child in children})
    opened.consents(*(f"{child},{PRACTICE},2026-01-01,,yes" for child in children))
    return [contact(f"k-{child}", child=child) for child in children]


def test_two_processes_share_a_budget_and_the_ehr_never_says_too_many(nursery: Nursery, quick: Path) -> None:
    own = {"requests_a_minute": MOST, "writeback": ["DocumentReference"]}
    with sandbox.start("ecw", site=own) as running:
        ehr = Ehr(running)
        site = Site(PRACTICE, running.base_url, "ecw", DOCUMENTS, f"none, pace: {{ per_minute: {MOST} }}")
        with pilot(quick, [site]) as opened:
            opened.accept("ma-soc/contact", *families(opened, ehr, CHILDREN))
            ehr.fault(fault="slow", seconds=0.3, count=1000)  # or one of them could ask for all before the other begins
            crew, seen = Crew(nursery, opened, random.Random(1), lanes=2), set[str]()
            for _ in range(2):
                crew.start()
            deadline = time.monotonic() + 120
            while (len(everything(ehr)) < MOST or len(seen) < 2) and time.monotonic() < deadline:
                seen |= {row["owner"].split("-")[-2] for row in rows(opened.line.ledger, tables.lane) if row["owner"]}
                time.sleep(0.05)
            time.sleep(1)  # what would be too many would come now
            crew.kill_all()
            asked = everything(ehr)
            by_minute = Counter(int(one["at"] // 60) for one in asked)
            assert len(asked) >= MOST
            assert max(by_minute.values()) <= MOST
            assert [one for one in asked if one["status"] == 429] == []
            assert len(seen) == 2, "one of them had nothing to do"
            counts = opened.counts()
            unanswered = [row for row in rows(opened.line.ledger, tables.step) if row["answered_at"] is None]
            there = len(ehr.stored("DocumentReference"))
            assert counts["delivered"] <= there <= counts["delivered"] + len(unanswered)  # killed as a minute began
            assert counts["held"] == 0
            assert sum(counts.values()) == CHILDREN


def test_r29_nothing_reaches_a_suspended_practice_and_the_others_go_on(tmp_path: Path) -> None:
    with sandbox.start("open") as one, sandbox.start("open") as other:
        maple, elm = Ehr(one), Ehr(other)
        for ehr in (maple, elm):
            ehr.load(patient("m-1"))
        sites = [Site(PRACTICE, one.base_url), Site("elm", other.base_url)]
        with pilot(tmp_path, sites) as both:
            for practice in (PRACTICE, "elm"):
                both.links(practice, {"c-1": "m-1"})
                both.consents(f"c-1,{practice},2026-01-01,,yes")
            assert suspending.suspend(both.line, PRACTICE, "they move house", "test", both.clock())
            both.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
            both.work()
            assert {found["type"] for found in everything(maple)} <= {""}, "its statement alone was read"
            assert len(elm.stored("DocumentReference")) == 2
            with both.line.ledger.read() as connection:
                counts = views.practice_counts(connection)
                found = standing.standings(both.line, connection, both.clock(), counts)
            stands = {one.connection: one for one in found}
            assert (stands[f"{PRACTICE}-ehr"].waiting, stands[f"{PRACTICE}-ehr"].suspended) == (2, (PRACTICE,))
            assert suspending.resume(both.line, PRACTICE, "test", both.clock())
            both.work()
            assert len(maple.stored("DocumentReference")) == 2
            trail = [(row["action"], row["object"]) for row in rows(both.line.ledger, tables.audit)]
            assert [("suspend", f"practice {PRACTICE}"), ("resume", f"practice {PRACTICE}")] == trail[-2:]


def test_r7_the_contact_hears_once_that_a_connection_is_down_and_once_that_it_is_up(tmp_path: Path) -> None:
    heard = tmp_path / "heard.jsonl"
    script = f"import sys; open({str(heard)!r}, 'ab').write(sys.stdin.buffer.read() + b'\\n')"
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"))
        with pilot(tmp_path / "pilot", [Site(PRACTICE, running.base_url)]) as opened:
            path = opened.folder / "bridge.yaml"
            command = json.dumps([sys.executable, "-c", script])
            path.write_text(f"{path.read_text()}alerts: {{ command: {command}, after_seconds: 30 }}\n")
        with pilot_again(opened.folder) as again:
            ready(again)
            ehr.fault(fault="unauthorized", count=2, match={"type": "DocumentReference"})
            again.accept("ma-soc/contact", contact())
            again.work()
            assert told(again) == 0, "it may be over in a moment"
            again.clock.skip(31)
            assert [told(again), told(again)] == [1, 0]
            again.settle()
            assert again.counts()["delivered"] == 1
            assert [told(again), told(again)] == [1, 0]
    down, up = (json.loads(line) for line in heard.read_text().splitlines())
    assert (down["state"], down["cause"], up["state"]) == ("down", "login refused", "up")
    assert down["contacts"] == [{"practice": "Maple Pediatrics", "name": "Lee Chen", "email": "lee@maple.example"}]
    assert "c-1" not in heard.read_text()
    assert "m-1" not in heard.read_text()


def test_r7_an_idle_connection_that_was_down_is_asked_whether_it_works_and_its_contact_hears_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed down until the next day's statement, for nothing waited that could try it."""

    def tried(opened: Pilot) -> int:
        async def run() -> int:
            async with connected(opened.line, opened.clock):
                await statements.refresh_missing(opened.line, opened.clock())
                return await retrying.retry(opened.line, opened.clock)

        return asyncio.run(run())

    with sandbox.start("open") as running:
        ehr = Ehr(running)
        with pilot(tmp_path, [Site(PRACTICE, running.base_url)]) as opened:
            name, write = f"{PRACTICE}-ehr", opened.line.ledger.write

            def stands() -> leases.State:
                with opened.line.ledger.read() as connection:
                    return leases.connection_states(connection)[name]

            write(leases.set_circuit, leases.Circuit(name, opened.clock() + 5_000_000, "not reachable", opened.clock()))
            assert (tried(opened), everything(ehr)) == (0, []), "not before its time, nor for its statement"
            known = b'{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[]}'
            write(kept.keep, kept.Kept(name, known, opened.clock(), ()))
            opened.clock.skip(11)
            with monkeypatch.context() as patch:
                patch.setattr(retrying, "quiet_until", lambda project, practice, now: now + 1)
                assert (tried(opened), everything(ehr)) == (0, []), "nor in quiet hours"
            suspending.suspend(opened.line, PRACTICE, "they move house", "test", opened.clock())
            assert (tried(opened), everything(ehr)) == (0, []), "nothing is asked of a practice that is suspended"
            suspending.resume(opened.line, PRACTICE, "test", opened.clock())
            ehr.fault(fault="503", count=1)
            assert tried(opened) == 1
            assert stands().failures == 2
            assert stands().closed_until > opened.clock()
            opened.clock.skip(30)
            assert tried(opened) == 1
            assert (stands().failures, stands().closed_until) == (0, 0)
            assert [row["closed_at"] is None for row in rows(opened.line.ledger, tables.alert)] == [False], "told once"
            write(leases.set_circuit, leases.Circuit(name, opened.clock(), "login refused", opened.clock()))
            opened.clock.skip(6)
            assert tried(opened) == 1
            assert [one["type"] for one in everything(ehr)] == ["", "", "Patient"]
            taken = [row["taken"] for row in rows(opened.line.ledger, tables.budget) if row["span"] == "minute"]
            assert sum(taken) == 3, "each is counted"


def told(opened: Pilot) -> int:
    return asyncio.run(alerts.tell(opened.line, opened.clock))


@contextmanager
def pilot_again(folder: Path) -> Iterator[Pilot]:
    """The project as it stands by now."""
    with open_line(load(folder), "test", system_clock()) as line:
        yield Pilot(line, folder, AGENCY)


def test_in_quiet_hours_nothing_is_asked_and_afterwards_it_goes(tmp_path: Path) -> None:
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"))
        now = datetime.now(UTC).astimezone(ZoneInfo("America/New_York"))
        hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
        site = Site(PRACTICE, running.base_url, login=f"none, pace: {{ quiet_hours: ['{hours}'] }}")
        with pilot(tmp_path, [site]) as opened:
            ready(opened)
            opened.accept("ma-soc/contact", contact())
            opened.work()
            assert {found["type"] for found in everything(ehr)} <= {""}
            opened.clock.skip(3700)
            opened.work()
            assert len(ehr.stored("DocumentReference")) == 1
