"""What the event loop asks of the ledger's writer, and what it answers: one waking each way for a whole group.

`asyncio.wrap_future` wakes the loop for each answer by a system call, and after the first of a group the loop and the
writer take turns at the interpreter; for a group of 60 that took longer than writing it. The same the other way round:
what lanes ask for in one turn of the loop is handed over at its end, or the writer would begin with the first alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from bridge.store.writer import Operation

P = TypeVar("P")
R = TypeVar("R")
Submit = Callable[[Operation[Any, Any], Any], "Future[Any]"]
Asked = tuple[Operation[Any, Any], Any, "asyncio.Future[Any]"]
Pair = tuple["Future[Any]", "asyncio.Future[Any]"]


class Results:
    """Gathers what is asked and what is answered; the writer calls `hand_over` whenever it has answered a group."""

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._asked: dict[asyncio.AbstractEventLoop, list[Asked]] = {}  # each touched by its own loop alone
        self._lock = threading.Lock()
        self._answered: dict[asyncio.AbstractEventLoop, list[Pair]] = {}

    async def of(self, operation: Operation[P, R], parameter: P) -> R:
        """The operation's result, once durable. Where the waiting is cancelled, so is what was not begun."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[R] = loop.create_future()
        asked = self._asked.get(loop)
        if asked is None:
            asked = self._asked[loop] = []
            loop.call_soon(self._ask, loop)
        asked.append((operation, parameter, waiter))
        return await waiter

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Everything asked in this turn of the loop is the writer's."""
        for operation, parameter, waiter in self._asked.pop(loop):
            if waiter.cancelled():
                continue
            future = self._submit(operation, parameter)
            waiter.add_done_callback(partial(give_up, future))
            future.add_done_callback(partial(self._note, loop, waiter))
            if future.done():  # perhaps before anybody was told to hand it over
                self.hand_over()

    def _note(self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[Any], done: Future[Any]) -> None:
        with self._lock:
            self._answered.setdefault(loop, []).append((done, waiter))

    def hand_over(self) -> None:
        """Everything answered so far is on its way to those who wait for it."""
        with self._lock:
            answered, self._answered = self._answered, {}
        for loop, pairs in answered.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(settle, pairs)


def give_up(future: Future[Any], waiter: asyncio.Future[Any]) -> None:
    """What nobody waits for any more is not written, unless it is under way."""
    if waiter.cancelled():
        future.cancel()


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
