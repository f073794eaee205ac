"""A worker: translates what was accepted and carries lanes, until told to stop or until nothing is left to do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from collections.abc import Callable
from functools import partial

from bridge import pipeline
from bridge.jobs import deliver, statements
from bridge.jobs.patience import Patience
from bridge.moves import catching, ending, planning
from bridge.moves.line import Line
from bridge.store import records, views

SECOND = 1_000_000
BATCH = 64
IDLE_PAUSE = 0.25  # seconds between looks for work when there was none


def system_clock() -> int:
    """Now, in microseconds UTC."""
    return time.time_ns() // 1000


def new_owner() -> str:
    """A name for this worker that no other has."""
    return f"{socket.gethostname()[:20]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


class Worker:
    """One worker over one line. `run` returns when `stop` was called or, with `until_idle`, when nothing is due."""

    def __init__(self, line: Line, clock: Callable[[], int] = system_clock, lanes: int = BATCH) -> None:
        self.line = line
        self.clock = clock
        self.owner = new_owner()
        self.lanes = lanes
        self.patience = Patience(line)
        self._stop = asyncio.Event()
        self._look = asyncio.Event()  # whether there is something to do, without waiting longer

    def stop(self) -> None:
        """No new work is begun; requests under way are waited for."""
        self._stop.set()
        self._look.set()

    async def run(self, *, until_idle: bool = False) -> None:
        """Works. What is under way when `stop` comes is finished first."""
        await statements.refresh(self.line, self.clock())
        carrier = deliver.Carrier(self.line, self.owner, self.clock, self.lanes, self._look, self.patience)
        translating = asyncio.create_task(self._translate())
        try:
            while not self._stop.is_set():
                if await carrier.claim():
                    continue
                if until_idle and carrier.idle and await asyncio.to_thread(self._nothing_left, carrier):
                    return
                await self._pause()
        finally:
            self._stop.set()
            await carrier.drain()
            await translating

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_PAUSE):
                await self._look.wait()

    def _nothing_left(self, carrier: deliver.Carrier) -> bool:
        now = self.clock()
        with self.line.ledger.read() as connection:
            return views.idle(connection, now, carrier.closed(now))

    async def _translate(self) -> None:
        while not self._stop.is_set():
            if await asyncio.to_thread(self.translate_some):
                self._look.set()  # what was planned may leave at once
            else:
                try:
                    await asyncio.wait_for(self._stop.wait(), IDLE_PAUSE)
                except TimeoutError:
                    continue

    def translate_some(self) -> int:
        """A batch of accepted records is translated and planned, or what else planning has to do; how much."""
        now, line = self.clock(), self.line
        for name, task in (
            ("translate", self._batch),
            ("look-again", planning.look_again),
            ("catch-up", catching.catch_up),
            ("ends", ending.tell_ended),
        ):
            did = self.patience.done(name, partial(task, line, now), now)
            if did:
                return did
        return 0

    def _batch(self, line: Line, now: int) -> int:
        until = now + line.project.limits.lease_seconds * SECOND
        works = line.ledger.write(records.claim, records.Claim(line.ledger, self.owner, BATCH, now, until))
        return pipeline.translate(line, works, self.owner, now)
