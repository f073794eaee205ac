"""What the ledger's writer answers, brought into the event loop: one waking for a whole group of answers.

`asyncio.wrap_future` wakes the loop for each answer by a system call, and after the first of a group the loop and the
writer take turns at the interpreter; for a group of 60 that took longer than writing it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

R = TypeVar("R")
Pair = tuple["Future[Any]", "asyncio.Future[Any]"]


class Results:
    """Gathers what is answered and hands it over when `hand_over` is called, by whoever answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: dict[asyncio.AbstractEventLoop, list[Pair]] = {}

    async def of(self, future: Future[R]) -> R:
        """The future's result. Where the waiting is cancelled, so is what is waited for."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[R] = loop.create_future()

        def answered(done: Future[R]) -> None:
            with self._lock:
                self._answered.setdefault(loop, []).append((done, waiter))

        future.add_done_callback(answered)
        if future.done():  # perhaps before anybody was told to hand it over
            self.hand_over()
        try:
            return await waiter
        except asyncio.CancelledError:
            future.cancel()
            raise

    def hand_over(self) -> None:
        """Everything answered so far is on its way to those who wait for it."""
        with self._lock:
            answered, self._answered = self._answered, {}
        for loop, pairs in answered.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(settle, pairs)


def settle(pairs: Sequence[Pair]) -> None:
    """Those who wait have their results; run in their loop."""
    for future, waiter in pairs:
        if waiter.done():
            continue
        if future.cancelled():
            waiter.cancel()
        elif (error := future.exception()) is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(future.result())
