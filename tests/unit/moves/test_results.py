"""The event loop and the writer wake each other once for a whole group."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bridge.errors import LedgerError
from bridge.moves.results import Results
from bridge.store.ledger import Ledger
from tests.postgres import KEY


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite", KEY)
    yield opened
    opened.close()


@pytest.fixture
def results(ledger: Ledger) -> Results:
    made = Results(ledger.writer.ask)
    ledger.writer.after.append(made.hand_over)
    return made


def double(connection: Connection, asked: Sequence[int]) -> list[int]:
    return [2 * number for number in asked]


def impossible(connection: Connection, asked: Sequence[int]) -> list[int]:
    raise ValueError("impossible")


def test_what_is_asked_in_one_turn_is_one_group(ledger: Ledger, results: Results) -> None:
    async def run() -> list[int]:
        return await asyncio.gather(*(results.of(double, number) for number in range(60)))

    before = ledger.writer.groups
    assert asyncio.run(run()) == [2 * number for number in range(60)]
    assert ledger.writer.groups == before + 1


def test_an_error_reaches_the_one_who_asked(results: Results) -> None:
    async def run() -> tuple[int, ...]:
        good = asyncio.create_task(results.of(double, 4))
        with pytest.raises(ValueError, match="impossible"):
            await results.of(impossible, 1)
        return (await good,)

    assert asyncio.run(run()) == (8,)


def test_what_nobody_waits_for_any_more_is_not_written(ledger: Ledger, results: Results) -> None:
    free, seen = threading.Event(), list[int]()

    def occupy(connection: Connection, asked: Sequence[int]) -> Sequence[int]:
        free.wait(30)
        return asked

    def note(connection: Connection, asked: Sequence[int]) -> Sequence[int]:
        seen.extend(asked)
        return asked

    async def run() -> None:
        first = asyncio.create_task(results.of(occupy, 0))
        await asyncio.sleep(0.05)
        given_up, wanted = (asyncio.create_task(results.of(note, number)) for number in (1, 2))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.sleep(0)
        free.set()
        assert await first == 0
        assert await wanted == 2
        assert given_up.cancelled()

    asyncio.run(run())
    assert seen == [2]


def test_a_closed_ledger_says_so_at_once(ledger: Ledger, results: Results) -> None:
    ledger.close()

    async def run() -> None:
        async with asyncio.timeout(5):
            await results.of(double, 1)

    with pytest.raises(LedgerError) as caught:
        asyncio.run(run())
    assert caught.value.problems[0].code == "ledger-closed"
