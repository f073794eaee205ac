"""One writer thread a process: the commits of many lanes become one.

An operation is a function of (connection, parameters of all who asked at the same moment) that answers one result
for each. Operations must only read and write the database, so that a group that failed can be run again one by one.
What was submitted without waiting may run in any order: wait for the result of what must come first.

SQLite takes a group in one transaction. PostgreSQL takes each operation of a group in a transaction of its own: it
locks rows, and two operations in one transaction would lock them in an order that another worker may not share.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from bridge.errors import LedgerDown, Problem
from bridge.store.engine import failed

P = TypeVar("P")
R = TypeVar("R")
Operation = Callable[[Connection, Sequence[P]], Sequence[R]]


class Asker(Protocol):
    """Who is told what became of an operation, in the writer's thread; a `Future` is one."""

    def set_running_or_notify_cancel(self) -> bool:
        """False where nobody wants it written any more."""

    def set_result(self, result: Any, /) -> None:
        """It is durable."""

    def set_exception(self, exception: BaseException, /) -> None:
        """It failed."""


Pair = tuple[Any, Asker]

GROUP = 256
GROUP_TRIES = 2  # a group that meets a deadlock, a busy database or another worker's row is tried again whole
TRIES = 5  # and then each operation alone, this often
PAUSE = 0.02  # seconds before the second try, twice as long before each further one
PASSING = (OperationalError, IntegrityError)


class Writer:
    """Runs operations in groups."""

    def __init__(self, engine: Engine) -> None:
        self.groups = self.operations = 0
        self.after: list[Callable[[], None]] = []  # called in the writer's thread whenever it has answered a group
        self._engine = engine
        self._queue: queue.SimpleQueue[tuple[Operation[Any, Any], Any, Asker] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[P, R], parameter: P) -> Future[R]:
        """The future result of `operation` for `parameter`, done when it is durable.

        Fails with what the operation raised, or LedgerError when the database could not take it. A future cancelled
        before its group began is not written.
        """
        future: Future[R] = Future()
        self.ask(operation, parameter, future)
        return future

    def ask(self, operation: Operation[P, R], parameter: P, asker: Asker) -> None:
        """The same, told to `asker`: at once, by whoever asks, where the ledger is closed."""
        with self._closing:
            if not self._closed:
                self._queue.put((operation, parameter, asker))
                return
        asker.set_exception(LedgerDown(Problem("ledger-closed", "the ledger is closed")))

    def close(self) -> None:
        """Everything submitted before is written; the thread has ended. What is submitted later fails."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            asked = [self._queue.get()]
            while asked[-1] is not None and len(asked) < GROUP:
                try:
                    asked.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            last = asked[-1] is None
            groups: dict[Operation[Any, Any], list[Pair]] = {}
            for one in asked:
                if one is not None and one[2].set_running_or_notify_cancel():
                    groups.setdefault(one[0], []).append((one[1], one[2]))
            if self._engine.dialect.name == "sqlite":
                self._write(groups)
            else:
                for operation, pairs in groups.items():
                    self._write({operation: pairs})

    def _write(self, groups: dict[Operation[Any, Any], list[Pair]]) -> None:
        try:
            self._answer(groups)
        finally:
            for call in self.after:
                call()

    def _answer(self, groups: dict[Operation[Any, Any], list[Pair]]) -> None:
        """One transaction; where it fails, one for each who asked, so that nobody suffers from another."""
        self.groups += 1
        self.operations += sum(len(pairs) for pairs in groups.values())
        for attempt in range(GROUP_TRIES):
            try:
                with self._engine.begin() as connection:
                    results = [answer(connection, operation, pairs) for operation, pairs in groups.items()]
            except PASSING:
                time.sleep(PAUSE * 2**attempt)
                continue
            except Exception:  # noqa: BLE001 - whatever it is, it comes again for whom it belongs to
                break
            for pairs, answers in zip(groups.values(), results, strict=True):
                for (_, asker), result in zip(pairs, answers, strict=True):
                    asker.set_result(result)
            return
        for operation, pairs in groups.items():
            for pair in pairs:
                self._write_alone(operation, pair)

    def _write_alone(self, operation: Operation[Any, Any], pair: Pair) -> None:
        asker = pair[1]
        for attempt in range(TRIES):
            try:
                with self._engine.begin() as connection:
                    (result,) = answer(connection, operation, [pair])
            except SQLAlchemyError as error:
                if isinstance(error, PASSING) and attempt + 1 < TRIES:
                    time.sleep(PAUSE * 2**attempt)
                    continue
                asker.set_exception(failed(error, "ledger-write", "the ledger did not take a write"))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                asker.set_exception(error)
            else:
                asker.set_result(result)
            return


def answer(connection: Connection, operation: Operation[Any, Any], pairs: Sequence[Pair]) -> Sequence[Any]:
    """What the operation answers; RuntimeError, before anything is committed, unless it is one result for each."""
    results = operation(connection, [parameter for parameter, _ in pairs])
    if len(results) != len(pairs):
        raise RuntimeError(f"{operation.__name__} answered {len(results)} results for {len(pairs)}")
    return results
