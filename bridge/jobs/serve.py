"""Running: workers and schedules in one process, with or without the doors, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from bridge import log
from bridge.jobs import alerts, confirming, retrying, schedule, statements, tend
from bridge.jobs.collect import watch
from bridge.jobs.open import connected
from bridge.jobs.patience import each
from bridge.jobs.worker import Worker, system_clock
from bridge.moves.line import Line

COLLECT = (5_000, 20, 20)
"""When Python looks for garbage: a batch of records in work is more than its default of 700 objects."""

Serve = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


async def run(line: Line, workers: int, beside: Serve | None = None, clock: Callable[[], int] = system_clock) -> None:
    """Works until SIGTERM or SIGINT; requests under way are finished first, as long as `stop_seconds` allows.

    `beside` serves something in the same loop (the doors) and ends when the event it is given is set.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stop.set)
    async with connected(line, clock):
        settle_down()
        crew = [Worker(line, clock) for _ in range(workers)]
        running = [asyncio.create_task(worker.run()) for worker in crew]
        if beside is not None:
            running.append(asyncio.create_task(beside(stop)))
        scheduler = schedule.start(
            line, crew[0].owner if crew else "doors", clock, plan(line, clock), here(line, clock)
        )
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
        log.event("stopping", workers=len(crew))
        stop.set()
        scheduler.shutdown(wait=False)
        for worker in crew:
            worker.stop()
        done, late = await asyncio.wait(running, timeout=line.project.limits.stop_seconds)
        for task in late:
            task.cancel()
        for task in done:
            task.result()


def settle_down() -> None:
    """What was loaded stays until the process ends, and Python's collector leaves it alone; call it once, before work.

    Mappings and definitions are some hundred thousand objects: going through them took a tenth of a worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def here(line: Line, clock: Callable[[], int]) -> dict[str, tuple[timedelta, schedule.Job]]:
    """What each process does for itself: what another learned, or read, of an EHR counts here too."""
    return {"statements-known": (timedelta(seconds=30), lambda: asyncio.to_thread(statements.load, line, clock()))}


def plan(line: Line, clock: Callable[[], int]) -> dict[str, tuple[timedelta, schedule.Job]]:
    """What happens when."""

    async def watch_folders() -> None:
        agencies = line.project.agencies.values()
        await asyncio.to_thread(each, agencies, lambda agency: watch(line, agency, clock))

    return {
        "statements": (timedelta(days=1), lambda: statements.refresh(line, clock())),
        "statements-missing": (timedelta(seconds=30), lambda: statements.refresh_missing(line, clock())),
        "watch": (timedelta(seconds=5), watch_folders),
        "seal": (timedelta(minutes=5), lambda: tend.seal_trails(line, clock)),
        "announce": (timedelta(hours=12), lambda: tend.announce_endings(line, clock)),
        "handoffs": (timedelta(seconds=30), lambda: confirming.listen(line, clock())),
        "handoffs-unconfirmed": (timedelta(hours=1), lambda: confirming.remind(line, clock())),
        "connections-down": (timedelta(seconds=5), lambda: retrying.retry(line, clock)),
        "alerts": (timedelta(seconds=15), lambda: alerts.tell(line, clock)),
        "wake": (timedelta(minutes=10), lambda: tend.wake_forgotten(line, clock)),
    }
