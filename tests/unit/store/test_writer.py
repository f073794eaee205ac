"""One writer thread: many commits become one, and nobody suffers from another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from traceback import format_exception
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from bridge.errors import LedgerError
from bridge.store import audit, tables
from bridge.store.ledger import Ledger
from bridge.store.writer import GROUP
from tests.postgres import Reopen
from tests.unit.store.making import AGENCY, NOW, rows


def line(ledger: Ledger, what: str = "look") -> audit.Line:
    return audit.Line(ledger.ids.take(), AGENCY, NOW, "ana", what, "record:1")


def double(connection: Connection, asked: Sequence[int]) -> list[int]:
    return [2 * number for number in asked]


def fragile(connection: Connection, asked: Sequence[audit.Line]) -> list[bool]:
    """Notes all lines, and then fails if one of them is bad."""
    audit.note(connection, asked)
    if any(one.action == "bad" for one in asked):
        raise ValueError("bad")
    return [True] * len(asked)


def unanswered(connection: Connection, asked: Sequence[audit.Line]) -> list[bool]:
    """Writes, and forgets to answer for the last who asked."""
    audit.note(connection, asked)
    return [True] * (len(asked) - 1)


@contextmanager
def busy(ledger: Ledger) -> Iterator[None]:
    """While the writer is busy what is submitted gathers; then it goes in groups."""
    going, free = threading.Event(), threading.Event()

    def occupy(connection: Connection, asked: Sequence[Any]) -> Sequence[Any]:
        going.set()
        free.wait(30)
        return asked

    first = ledger.submit(occupy, None)
    going.wait(30)
    yield
    free.set()
    first.result()


def test_what_gathers_is_one_commit(ledger: Ledger) -> None:
    lines = [line(ledger) for _ in range(100)]
    before = ledger.writer.groups
    with busy(ledger):
        futures = [ledger.submit(audit.note, one) for one in lines]
    assert all(future.result() for future in futures)
    assert ledger.writer.groups == before + 2
    assert ledger.writer.operations == 101


def test_a_group_has_a_bound(ledger: Ledger) -> None:
    before = ledger.writer.groups
    with busy(ledger):
        futures = [ledger.submit(double, number) for number in range(GROUP + 1)]
    assert [future.result() for future in futures] == [2 * number for number in range(GROUP + 1)]
    assert ledger.writer.groups == before + 3


def test_results_are_in_the_order_asked_whatever_the_operations(ledger: Ledger) -> None:
    def shout(connection: Connection, asked: Sequence[str]) -> list[str]:
        return [word.upper() for word in asked]

    with busy(ledger):
        numbers = [ledger.submit(double, number) for number in range(10)]
        words = [ledger.submit(shout, word) for word in "abcdefghij"]
        more = [ledger.submit(double, number) for number in range(10, 20)]
    assert [future.result() for future in [*numbers, *more]] == [2 * number for number in range(20)]
    assert [future.result() for future in words] == list("ABCDEFGHIJ")


def test_what_is_answered_is_durable(ledger: Ledger, reopen: Reopen) -> None:
    ledger.write(audit.note, line(ledger, "durable"))
    assert [row["action"] for row in rows(reopen(), tables.audit)] == ["durable"]


def test_one_that_fails_hurts_no_other(ledger: Ledger) -> None:
    asked = [line(ledger, "bad" if number == 7 else f"good-{number:02}") for number in range(20)]
    with busy(ledger):
        futures = [ledger.submit(fragile, one) for one in asked]
        others = [ledger.submit(double, number) for number in range(20)]
    assert [future.result() for future in others] == [2 * number for number in range(20)]
    with pytest.raises(ValueError, match="bad"):
        futures[7].result()
    assert all(future.result() for number, future in enumerate(futures) if number != 7)
    kept = [row["action"] for row in rows(ledger, tables.audit)]
    assert sorted(kept) == [f"good-{number:02}" for number in range(20) if number != 7]


def test_what_the_database_refuses_is_a_ledger_error_without_values(ledger: Ledger) -> None:
    first = line(ledger, "a family matter")
    assert ledger.write(audit.note, first)
    with pytest.raises(LedgerError) as caught:
        ledger.write(audit.note, first)
    assert caught.value.problems[0].code == "ledger-write"
    assert "a family matter" not in "".join(format_exception(caught.value))
    assert ledger.write(double, 4) == 8


def test_an_operation_that_does_not_answer_everybody_writes_nothing(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError, match="0 results for 1"):
        ledger.write(unanswered, line(ledger))
    assert rows(ledger, tables.audit) == []
    assert ledger.write(double, 1) == 2


def test_what_is_cancelled_before_its_turn_is_not_written_and_stops_nobody(ledger: Ledger) -> None:
    lines = line(ledger, "dropped"), line(ledger, "kept")
    with busy(ledger):
        dropped, kept = (ledger.submit(audit.note, one) for one in lines)
        assert dropped.cancel()
    assert kept.result()
    with pytest.raises(CancelledError):
        dropped.result()
    assert [row["action"] for row in rows(ledger, tables.audit)] == ["kept"]


def test_closing_writes_what_was_submitted(ledger: Ledger, reopen: Reopen) -> None:
    lines = [line(ledger) for _ in range(50)]
    with busy(ledger):
        futures = [ledger.submit(audit.note, one) for one in lines]
        closing = threading.Thread(target=ledger.close)
        closing.start()
    closing.join(30)
    assert all(future.done() and future.result() for future in futures)
    assert len(rows(reopen(), tables.audit)) == 50


def test_what_is_submitted_after_closing_fails_at_once(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()
    future = ledger.submit(double, 1)
    with pytest.raises(LedgerError) as caught:
        future.result(timeout=5)
    assert caught.value.problems[0].code == "ledger-closed"


def test_what_another_worker_did_first_is_tried_again(ledger: Ledger) -> None:
    """A row that another worker makes meanwhile is met by the next try, which sees it."""
    tried = []

    def count_up(connection: Connection, asked: Sequence[int]) -> list[int]:
        number = connection.execute(select(func.count()).select_from(tables.era)).scalar_one()
        tried.append(number)
        wrong = 1 if len(tried) < 3 else number + 1  # as if the other's row had not been seen twice
        connection.execute(insert(tables.era).values(number=wrong, began_at=NOW, reason="again"))
        return [wrong] * len(asked)

    assert ledger.write(count_up, 0) == 2
    assert len(tried) == 3


def test_many_threads_share_a_writer(ledger: Ledger) -> None:
    def work(number: int) -> list[bool]:
        return [ledger.write(audit.note, line(ledger, f"{number}")) for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(done) for done in pool.map(work, range(8)))
    assert len(rows(ledger, tables.audit)) == 80
    assert ledger.writer.groups < ledger.writer.operations


def test_two_operations_of_a_group_do_not_lock_across_each_other(postgres_url: str) -> None:
    """Two workers, each with two operations in one group that want the same two rows the other way round."""
    ledgers = [Ledger(postgres_url, bytes(32)) for _ in range(2)]
    barrier = threading.Barrier(2, timeout=5)

    def lock(name: str) -> Callable[[Connection, Sequence[int]], list[int]]:
        def operation(connection: Connection, asked: Sequence[int]) -> list[int]:
            counter = tables.counter.c
            connection.execute(select(counter.next).where(counter.name == name).with_for_update())
            if asked[0] < 2:  # the first of each group: both have locked before either goes on
                barrier.wait()
            return list(asked)

        return operation

    began = time.monotonic()
    futures = []
    for number, (ledger, names) in enumerate(zip(ledgers, (("id", "rows"), ("rows", "id")), strict=True)):
        with busy(ledger):
            futures += [ledger.submit(lock(names[0]), number), ledger.submit(lock(names[1]), number + 2)]
    assert [future.result(timeout=30) for future in futures] == [0, 2, 1, 3]
    assert time.monotonic() - began < 0.9, "PostgreSQL had to resolve a deadlock, which it does after a second"
    for ledger in ledgers:
        ledger.close()


def test_the_writer_outlives_what_an_operation_raises(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError):
        ledger.write(lambda connection, asked: [1 // number for number in asked], 0)
    assert ledger.write(double, 3) == 6
