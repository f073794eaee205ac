"""Lanes claimed and carried, many at a time, each by one task; one request at a time within a lane."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace

from bridge import log, pipeline
from bridge.ehr.chart import Chart
from bridge.jobs.patience import Patience
from bridge.moves.line import Line
from bridge.moves.pacing import quiet_until
from bridge.moves.width import Width
from bridge.store import lanes, leases

SECOND = 1_000_000
CLAIMING = "claim"
CLAIM = 32
GATHER = 0.02  # seconds in which hands that become free are gathered: a claim for one costs as much as one for many


class Carrier:
    """Carries claimed lanes of one worker; at most `at_once` at a time, and per connection what its settings allow.

    `free` is set when hands became free since the last claim.
    """

    def __init__(
        self,
        line: Line,
        owner: str,
        clock: Callable[[], int],
        at_once: int,
        free: asyncio.Event,
        patience: Patience,
    ) -> None:
        self.line = line
        self.owner = owner
        self.clock = clock
        self.at_once = at_once
        self.running: set[asyncio.Task[None]] = set()
        self._free = free
        self._patience = patience
        self._gathering = False
        self._carried: Counter[str] = Counter()
        self._claims = 0
        known = line.project.connections.items()
        self._widths = {name: line.paces[name].width if name in line.paces else Width(of.lanes) for name, of in known}

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self.running

    async def claim(self) -> bool:
        """Lanes that are due are being carried; False where none was due or no hand is free, or where it failed."""
        self._free.clear()  # also where no hand is free: else nobody would wait for one
        room, now = min(CLAIM, self.at_once - len(self.running)), self.clock()
        if room <= 0 or self._patience.waits(CLAIMING, now):
            return False
        until = now + self.line.project.limits.lease_seconds * SECOND
        of = {name: practice.connection for name, practice in self.line.project.practices.items()}
        silent, quiet = self._quiet(now)
        ledger, order = self.line.ledger, order_of(self._claims)
        self._claims += 1
        ask = lanes.Claim(ledger, self.owner, room, now, until, (*self._shut(), *silent), of, quiet, order)
        try:
            works = await self.line.write(lanes.claim, ask)
        except Exception as error:  # noqa: BLE001 - else the worker would be over, and nobody's lanes be carried
            await asyncio.to_thread(self._patience.failed, CLAIMING, error, now)
            return False
        self._patience.went(CLAIMING, now)
        for work in works:
            task = asyncio.create_task(self._carry(work))
            self.running.add(task)
            task.add_done_callback(self._done)
        return bool(works)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not self.running or len(self.running) <= self.at_once - CLAIM:
            self._free.set()
        elif not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(GATHER, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        self._free.set()

    async def drain(self) -> None:
        """What was under way is done."""
        if self.running:
            await asyncio.wait(self.running)

    def closed(self, now: int) -> tuple[str, ...]:
        """Practices not to be sent to now: suspended, in their quiet hours, their connection down, busy or at its
        budget's end, its statement never read, or their hand-off down.
        """
        silent, quiet = self._quiet(now)
        with self.line.ledger.read() as connection:
            suspended = leases.suspended(connection)
            return (*self._shut(leases.closed_connections(connection, now)), *silent, *quiet, *suspended)

    def _quiet(self, now: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The practices in their quiet hours: those sent nothing, and those sent what is urgent."""
        found: tuple[list[str], list[str]] = [], []
        for name, practice in self.line.project.practices.items():
            if quiet_until(self.line.project, name, now) is not None:
                pace = self.line.project.connections[practice.connection].pace
                found[pace.urgent_in_quiet_hours].append(name)
        return tuple(found[False]), tuple(found[True])

    def _shut(self, down: Collection[str] = ()) -> tuple[str, ...]:
        known = self.line.project.connections
        shut = {*down, *(name for name, count in self._carried.items() if count >= 2 * known[name].lanes)}
        return tuple(
            sorted(
                name
                for name, practice in self.line.project.practices.items()
                if practice.connection in shut
                or self.line.charts[name].capability is None
                or self._handed_nothing(name)
            )
        )

    def _handed_nothing(self, practice: str) -> bool:
        """Whether all that goes there is handed over, and its way is down: no lane is claimed only to wait again."""
        channel = self.line.channels.get(practice)
        return channel is not None and not self.line.charts[practice].serves and channel.closed()

    async def _carry(self, work: lanes.LaneWork) -> None:
        """One lane as far as it goes now, then its lease is given back.

        An error at an entry is the entry's (`moves.failing`). Where the ledger does not work the lane's lease runs out,
        and it is claimed again; so does the lane of a practice that the project no longer has.
        """
        chart = self.line.charts.get(work.practice)
        if chart is None:
            return
        of = chart.connection.id
        self._carried[of] += 1
        try:
            async with self._widths[of]:
                if quiet_until(self.line.project, work.practice, self.clock()) is not None:
                    work = urgent_alone(work)
                if work.probe:
                    await self._try(of, chart, work)
                else:
                    await pipeline.carry(self.line, chart, work, self.clock)
            await self.line.write(lanes.release, lanes.Lease.of(work))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other lanes go on
            log.failure("carry-failed", error, practice=work.practice, lane=work.id)
        finally:
            self._carried[of] -= 1

    async def _try(self, of: str, chart: Chart, work: lanes.LaneWork) -> None:
        """A connection that was down is tried by this lane; where the lane asked nothing of it, another may."""
        pace = self.line.paces.get(of)
        if pace is not None:
            pace.probing = True
        try:
            await pipeline.carry(self.line, chart, work, self.clock)
        finally:
            if pace is not None:
                pace.probing = False
            await self.line.write(leases.end_probe, (of, work.probe, self.clock()))


def order_of(claim: int) -> tuple[int, ...]:
    """Which urgency a claim looks for first, by how many came before: three of four begin with what is urgent, one of
    four with what is routine, one of 16 with what is sent again. So nothing waits for ever behind more urgent things.
    """
    if claim % 16 == 15:
        return lanes.REPLAY, lanes.URGENT, lanes.ROUTINE
    return (lanes.ROUTINE, lanes.URGENT, lanes.REPLAY) if claim % 4 == 3 else lanes.URGENT_FIRST


def urgent_alone(work: lanes.LaneWork) -> lanes.LaneWork:
    """The lane with the threads alone in which something is urgent."""
    threads = {entry.thread for entry in work.entries if entry.urgency >= lanes.URGENT}
    return replace(work, entries=tuple(entry for entry in work.entries if entry.thread in threads))
