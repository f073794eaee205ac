"""What the event loop asks of the ledger's writer, and what it answers: one waking each way for a whole group.

`asyncio.wrap_future` wakes the loop for each answer by a system call, and after the first of a group the loop and the
writer take turns at the interpreter; for a group of 60 that took longer than writing it. The same the other way round:
what lanes ask for in one turn of the loop is handed over at its end, or the writer would begin with the first alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from bridge.store.writer import Asker, Operation

P = TypeVar("P")
R = TypeVar("R")
Ask = Callable[[Operation[Any, Any], Any, Asker], None]


class Results:
    """Gathers what is asked and what is answered; the writer calls `hand_over` whenever it has answered a group."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asked: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}  # each touched by its own loop alone
        self._lock = threading.Lock()
        self._answered: list[_Waiting] = []

    async def of(self, operation: Operation[P, R], parameter: P) -> R:
        """The operation's result, once durable. Where the waiting is cancelled, what was not begun is not written."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[R] = loop.create_future()
        asked = self._asked.get(loop)
        if asked is None:
            asked = self._asked[loop] = []
            loop.call_soon(self._submit, loop)
        asked.append(_Waiting(self, operation, parameter, waiter))
        return await waiter

    def _submit(self, loop: asyncio.AbstractEventLoop) -> None:
        """Everything asked in this turn of the loop is the writer's."""
        for one in self._asked.pop(loop):
            self._ask(one.operation, one.parameter, one)
        if self._answered:  # by a closed ledger, at once
            self.hand_over()

    def note(self, one: _Waiting) -> None:
        """It was answered; whoever waits hears of it with the next `hand_over`."""
        with self._lock:
            self._answered.append(one)

    def hand_over(self) -> None:
        """Everything answered so far is on its way to those who wait for it."""
        with self._lock:
            answered, self._answered = self._answered, []
        by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for one in answered:
            by_loop.setdefault(one.waiter.get_loop(), []).append(one)
        for loop, theirs in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(settle, theirs)


class _Waiting:
    """One who waits in an event loop, as the writer sees them."""

    __slots__ = ("_results", "error", "operation", "parameter", "result", "waiter")

    def __init__(
        self, results: Results, operation: Operation[Any, Any], parameter: Any, waiter: asyncio.Future[Any]
    ) -> None:
        self._results, self.operation, self.parameter, self.waiter = results, operation, parameter, waiter
        self.result: Any = None
        self.error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        return not self.waiter.cancelled()

    def set_result(self, result: Any, /) -> None:
        self.result = result
        self._results.note(self)

    def set_exception(self, exception: BaseException, /) -> None:
        self.error = exception
        self._results.note(self)


def settle(answered: Sequence[_Waiting]) -> None:
    """Those who wait have their results; run in their loop."""
    for one in answered:
        if one.waiter.done():
            continue
        if one.error is not None:
            one.waiter.set_exception(one.error)
        else:
            one.waiter.set_result(one.result)
