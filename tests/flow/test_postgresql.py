"""The line on a real PostgreSQL server: the very command, twice beside itself, and workers killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.store import tables
from tests.flow.campaign.crew import Nursery
from tests.flow.campaign.sites import PROJECT
from tests.flow.campaign.torment import Campaign, Plan, campaign

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
PATIENCE = 120.0  # seconds that something may take on a loaded machine


@contextmanager
def workers(folder: Path, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many `bridge work`, each a process; all have ended after the block."""
    command = [sys.executable, "-m", "bridge", "--log", "json", "work", "--project", str(folder)]
    with (folder / "workers.log").open("wb") as log:
        running = [
            subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, env={**os.environ}) for _ in range(count)
        ]
        try:
            yield running
        finally:
            for process in running:
                if process.poll() is None:
                    process.kill()
                process.wait(20)


def until(true: Callable[[], bool], running: list[subprocess.Popen[bytes]]) -> None:
    """Waits until it is so, while all of them run."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert all(process.poll() is None for process in running), "a worker ended by itself"
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def holders(run: Campaign) -> set[int]:
    """The processes that hold a lane at this moment."""
    owner = tables.lane.c.owner
    with run.pilot.line.ledger.read() as connection:
        return {
            int(name.split("-")[-2]) for name in connection.execute(select(owner).where(owner.isnot(None))).scalars()
        }


def test_r3_two_worker_processes_share_one_ledger_and_send_everything_once(
    nursery: Nursery, quick: Path, postgres_url: str
) -> None:
    plan = Plan(seed=11, kills=0, workers=0, lanes=36, contacts=2, store=postgres_url)
    with campaign(plan, nursery, quick) as run, workers(run.pilot.folder, 2) as running:
        seen: set[int] = set()
        pids = {process.pid for process in running}

        def both_hold_lanes() -> bool:
            seen.update(holders(run))
            return pids <= seen

        def all_stands() -> bool:
            return run.pilot.counts()["delivered"] == 3 * len(run.caseload.latest)

        until(lambda: statement_read(run), running)  # both are up before there is anything to do
        run.begin()
        until(lambda: both_hold_lanes() or all_stands(), running)
        assert pids <= seen, "one of them had nothing to do"
        run.caseload.say(run.pilot, [(f"{child}.1", 2) for child in run.caseload.children])
        until(lambda: all_stands() and not list(run.stale(run.facts())), running)
        for process in running:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(60) for process in running] == [0, 0]
        found = run.facts()
        assert run.wrong(found) == {}
        assert found.posts == len(found.held) == len(found.entries)


def statement_read(run: Campaign) -> bool:
    """Whether a worker has asked every site for its statement twice: once each."""
    return all(sum(asked["interaction"] == "capabilities" for asked in site.asked()) >= 2 for site in run.sites)


def test_r1_workers_killed_on_postgresql_lose_nothing_and_send_nothing_twice(
    nursery: Nursery, quick: Path, postgres_url: str
) -> None:
    plan = Plan(
        seed=12, kills=5, lanes=8, contacts=3, faults="drop-after=1,error-after=1", rate=0.1, store=postgres_url
    )
    with campaign(plan, nursery, quick) as run:
        run.run()
        found = run.facts()
        assert run.wrong(found) == {}
        assert run.report(found, {})["lanes held by killed workers"] > 0
