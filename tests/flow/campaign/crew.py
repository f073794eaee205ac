"""Workers as processes of their own: started, killed without a word, started again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from bridge.jobs.worker import system_clock
from bridge.model import RecordState
from bridge.store import tables
from tests.flow.campaign.sites import PROJECT
from tests.flow.pilot import Pilot

BATCH = 8
"""Records a worker translates at a time: with the usual number, one killed every second would never finish any."""


IDLE = 1.0
"""Seconds without anything done after which nothing more is waited for."""

MOST = 6
"""Times the patience that workers go on at the most."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A lane that a killed worker held: nobody else's before `until` (microseconds)."""

    lane: int
    killed: int
    until: int


class Nursery:
    """The process that workers are forked from."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flow.campaign.nursery"],
            cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env={**os.environ},
        )  # fmt: skip
        assert self._answer() == "READY"

    def ask(self, **order: object) -> str:
        """The answer to an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """It has ended, and every worker with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._log.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, f"the nursery is gone; its log is {self._log.name!s}"
        return line


@dataclass
class Crew:
    """The workers of one project."""

    nursery: Nursery
    pilot: Pilot
    chance: random.Random
    lanes: int = 8
    broken: str = ""
    pids: list[int] = field(default_factory=list)
    kills: int = 0
    orphans: list[Orphan] = field(default_factory=list)

    def start(self) -> None:
        """One more worker."""
        order = {"project": str(self.pilot.folder), "lanes": self.lanes, "batch": BATCH, "broken": self.broken}
        self.pids.append(int(self.nursery.ask(**order)))

    def kill(self) -> None:
        """One of them is killed at this moment; what it held is remembered."""
        pid = self.pids.pop(self.chance.randrange(len(self.pids)))
        ended = self.nursery.ask(kill=pid)
        killed = system_clock()
        assert ended == "-9", f"a worker ended by itself ({ended})"
        self.kills += 1
        lane = tables.lane
        with self.pilot.line.ledger.read() as connection:
            held = connection.execute(select(lane.c.id, lane.c.until).where(lane.c.owner.contains(f"-{pid}-")))
            self.orphans += [Orphan(row.id, killed, row.until) for row in held if row.until > killed]

    def kill_after(self, apart: int, longest: float) -> None:
        """One is killed once about `apart` things were done, and some moments more, or after so many seconds; sooner
        where they had begun and nothing is left for them to do.
        """
        done = first = self.done()
        until = first + self.chance.randint(1, max(1, 2 * apart))
        deadline = time.monotonic() + longest
        since = time.monotonic()
        while done < until and time.monotonic() < deadline and (done == first or time.monotonic() - since < IDLE):
            time.sleep(0.05)
            if (now := self.done()) != done:
                done, since = now, time.monotonic()
        time.sleep(self.chance.uniform(0, 0.05))
        self.kill()

    def go_on(self, patience: float) -> None:
        """Those that are left have worked on, until nothing was done for so many seconds; not much longer than that
        where single steps come from their back-off, one after the other for an hour.
        """
        if patience:
            self.start()
        done, since = self.done(), time.monotonic()
        deadline = since + MOST * patience
        while time.monotonic() < min(since + patience, deadline):
            time.sleep(0.2)
            if (now := self.done()) != done:
                done, since = now, time.monotonic()

    def done(self) -> int:
        """How many records were translated and steps begun so far."""
        record, step = tables.record, tables.step
        translated = select(func.count()).select_from(record).where(record.c.state != RecordState.ACCEPTED.value)
        begun = select(func.count()).select_from(step)
        with self.pilot.line.ledger.read() as connection:
            return int(connection.execute(translated).scalar_one() + connection.execute(begun).scalar_one())

    def kill_all(self) -> None:
        """None is left."""
        while self.pids:
            self.kill()


@contextmanager
def nursery(log: Path) -> Iterator[Nursery]:
    """A nursery for the block."""
    opened = Nursery(log)
    try:
        yield opened
    finally:
        opened.close()
