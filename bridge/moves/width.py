"""How many requests of one process are with a connection at a time: more while it answers, half when it is too much."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

CUT = 1_000_000
"""Microseconds in which it is halved once: what is under way together fails together."""


class Width:
    """Places at a connection, `async with` it; between 1 and `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._limit = float(most)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._halved = -CUT

    @property
    def now(self) -> int:
        """How many may be inside."""
        return int(self._limit)

    def grow(self) -> None:
        """One more after as many good answers as there are places."""
        if self._limit < self.most:
            self._limit = min(float(self.most), self._limit + 1 / self._limit)
            self._let_in()

    def halve(self, now: int) -> None:
        """Half as many from here on; who is inside stays."""
        if now >= self._halved + CUT:
            self._halved = now
            self._limit = max(1.0, self._limit / 2)

    async def __aenter__(self) -> None:
        if self._inside >= self.now or self._waiting:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            self._let_in()
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():  # let in, and gone at once
                    self._leave()
                raise
            return
        self._inside += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._inside -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._inside < self.now:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._inside += 1
                waiter.set_result(None)
