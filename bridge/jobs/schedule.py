"""When things happen; what happens is elsewhere. Each run is leased in the ledger, so one worker does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bridge import log
from bridge.errors import BridgeError
from bridge.moves.line import Line
from bridge.store import leases

Job = Callable[[], Awaitable[object]]
SECOND = 1_000_000


def start(
    line: Line,
    owner: str,
    clock: Callable[[], int],
    jobs: dict[str, tuple[timedelta, Job]],
    here: dict[str, tuple[timedelta, Job]],
) -> AsyncIOScheduler:
    """A running scheduler: each of `jobs` at its interval, by one worker of all, those of `here` in every process.

    Shut it down to stop.
    """
    scheduler = AsyncIOScheduler(timezone="UTC")
    for name, (every, job) in jobs.items():
        scheduler.add_job(
            once_leased,
            "interval",
            seconds=every.total_seconds(),
            kwargs={"line": line, "name": name, "owner": owner, "clock": clock, "every": every, "job": job},
            max_instances=1,
            coalesce=True,
        )
    for name, (every, job) in here.items():
        scheduler.add_job(
            told, "interval", seconds=every.total_seconds(), args=[name, job], max_instances=1, coalesce=True
        )
    scheduler.start()
    return scheduler


async def once_leased(line: Line, name: str, owner: str, clock: Callable[[], int], every: timedelta, job: Job) -> None:
    """The job ran here, unless another worker runs it or ran it within the interval; how it went is in the ledger."""
    now = clock()
    interval = int(every.total_seconds() * SECOND)
    run = leases.Run(name, owner, now, now + 10 * interval, interval * 9 // 10)
    try:
        if await line.write(leases.take_run, run):
            try:
                await job()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next run and the others come
                log.failure("schedule-failed", error, schedule=name)
                run = replace(run, why=log.where(error))
            finally:
                await line.write(leases.end_run, run)
    except BridgeError as error:
        log.failure("schedule-failed", error, schedule=name)


async def told(name: str, job: Job) -> None:
    """The job ran here; why it could not is in the log."""
    try:
        await job()
    except Exception as error:  # noqa: BLE001 - the next run comes
        log.failure("schedule-failed", error, schedule=name)
