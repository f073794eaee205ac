"""What a process does again and again: what fails comes later each time, keeps back nothing else, and status tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bridge import log
from bridge.errors import BridgeError
from bridge.moves.line import SECOND, Line
from bridge.store import leases

T = TypeVar("T")
R = TypeVar("R")
FIRST, LONGEST = SECOND // 4, 60 * SECOND
"""How long what failed once waits; twice as long each further time."""


def each(what: Iterable[T], do: Callable[[T], R]) -> list[R]:
    """`do` was done with each of them; one that fails keeps back no other, and the first error is raised afterwards."""
    done, failed = list[R](), list[Exception]()
    for one in what:
        try:
            done.append(do(one))
        except Exception as error:  # noqa: BLE001 - raised below
            failed.append(error)
    if failed:
        raise failed[0]
    return done


class Patience:
    """Of one process: how often each of its tasks failed in a row, and when it may come again."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._failures: dict[str, int] = {}
        self._until: dict[str, int] = {}
        self._told: set[str] | None = None  # those of which the ledger says that they fail

    def done(self, name: str, task: Callable[[], int], now: int) -> int:
        """What the task did; 0 where it failed, which is in the log and the ledger, or may not come again yet."""
        if self.waits(name, now):
            return 0
        try:
            did = task()
            self.went(name, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other tasks go on
            self.failed(name, error, now)
            return 0
        return did

    def waits(self, name: str, now: int) -> int:
        """For how long it does not come again yet (microseconds)."""
        return max(0, self._until.get(name, 0) - now)

    def went(self, name: str, now: int) -> None:
        """It did what it should; that it failed before, here or in a process that is gone, is over."""
        self._until.pop(name, None)
        if self._told is None:
            with self._line.ledger.read() as connection:
                self._told = set(leases.failing(connection))
        if self._failures.pop(name, 0) or name in self._told:
            self._tell(name, "", now)
            self._told.discard(name)

    def failed(self, name: str, error: Exception, now: int) -> None:
        """It failed once more in a row."""
        count = self._failures[name] = self._failures.get(name, 0) + 1
        self._until[name] = now + min(FIRST << min(count - 1, 16), LONGEST)
        log.failure(f"{name}-failed", error, attempt=count)
        self._tell(name, log.where(error), now)

    def _tell(self, name: str, why: str, now: int) -> None:
        try:
            self._line.ledger.write(leases.went, leases.Went(name, why, now))
        except BridgeError as error:
            log.failure("failure-unwritten", error)
