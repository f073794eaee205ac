"""A practice's way of handing over as several processes see it, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection as Db
from sqlalchemy import create_engine, select
from sqlalchemy.pool import StaticPool

from bridge.handoff.circuit import Cause, name_of
from bridge.handoff.over import Fate, Given, HandOver, Look
from bridge.moves.channels import LONGEST, Channel
from bridge.store import leases, tables
from bridge.store.ledger import Ledger

SECOND = 1_000_000
DOWN, SILENT = Given(Fate.LATER, "not-connected"), Given(Fate.LOST, "no-answer")
GOOD, REFUSED = Given(Fate.CONFIRMED, "AA"), Given(Fate.REFUSED, "AE 204")


class Engine:
    """The other side: `says` is what reaching for it finds."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(4)
        self.takes = 30.0
        self.says = ""
        self.reached = 0

    async def give(self, over: HandOver) -> Given:
        raise AssertionError("given by hand here")

    async def look(self, over: HandOver) -> Look:
        raise AssertionError("not looked at here")

    async def said(self, over: HandOver) -> str:
        raise AssertionError("not asked here")

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        raise AssertionError("not listened to here")

    async def reach(self) -> str:
        self.reached += 1
        return self.says


@dataclass
class Book:
    """A ledger's tables in memory, the other side, and the clock of all who use it."""

    now: int = 1_780_000_000 * SECOND
    engine: Engine = field(default_factory=Engine)
    database: Any = field(init=False)

    def __post_init__(self) -> None:
        self.database = create_engine("sqlite://", poolclass=StaticPool)
        tables.metadata.create_all(self.database, [tables.connection_state, tables.alert])

    async def write(self, operation: Any, parameter: Any) -> Any:
        with self.database.begin() as connection:
            (result,) = operation(connection, [parameter])
        return result

    @contextmanager
    def read(self) -> Iterator[Db]:
        with self.database.connect() as connection:
            yield connection

    def process(self, practice: str = "elm") -> Channel:
        """The way as one more process has it."""
        return Channel(practice, "mllp", self.engine, cast(Ledger, self), self.write, lambda: self.now)

    def state(self) -> leases.State:
        with self.read() as connection:
            return leases.connection_states(connection).get(name_of("elm"), leases.State())

    def alerts(self) -> list[tuple[str, str, bool]]:
        with self.read() as connection:
            rows = connection.execute(select(tables.alert).order_by(tables.alert.c.opened_at))
            return [(row.connection, row.cause, row.closed_at is None) for row in rows]


def gives(channel: Channel, given: Given, control: str = "DB-1") -> bool:
    """Whether it may be handed over; what became of it is heard."""

    async def run() -> bool:
        entrance = await channel.enter()
        if entrance.until is None:
            await channel.heard(control, given, entrance)
        return entrance.until is None

    return asyncio.run(run())


def test_an_engine_that_is_down_stops_every_process_and_one_document_tries_again() -> None:
    book = Book()
    one, other, oak = book.process(), book.process(), book.process("oak")
    assert [gives(one, DOWN) for _ in range(4)] == [True, True, True, False]
    book.now += SECOND
    assert not gives(other, GOOD)
    assert gives(oak, GOOD), "another practice's way is its own"
    assert book.alerts() == [("hand-off/elm", Cause.ENGINE.value, True)]
    book.engine.says = "no connection"
    for failures in (2, 3):
        book.now = book.state().closed_until
        assert not gives(other, GOOD), "what cannot be reached is given nothing"
        assert (book.state().failures, book.engine.reached) == (failures, failures - 1)
        assert book.state().closed_until > book.now + 10 * SECOND
    book.engine.says = ""
    book.now = book.state().closed_until
    tries = asyncio.run(one.enter())
    assert tries.tries > book.now
    assert not gives(other, GOOD), "who was not chosen to try waits"
    asyncio.run(one.heard("DB-1", GOOD, tries))
    book.now += SECOND
    assert gives(other, GOOD)
    assert book.alerts() == [("hand-off/elm", Cause.ENGINE.value, False)]


def test_it_waits_longer_and_longer_and_ten_minutes_at_the_most() -> None:
    book = Book()
    channel, waits = book.process(), []
    book.engine.says = "no connection"
    for _ in range(3):
        gives(channel, DOWN)
    for _ in range(12):
        book.now = book.state().closed_until
        assert not gives(channel, DOWN)
        waits.append(book.state().closed_until - book.now)
    assert waits[:3] == sorted(waits[:3])
    assert max(waits) <= LONGEST * 6 // 5


def test_what_an_engine_refuses_of_every_document_closes_nothing() -> None:
    book = Book()
    channel = book.process()
    assert all(gives(channel, REFUSED, f"DB-{number}") for number in range(50))
    assert book.state() == leases.State()


def test_an_engine_that_acknowledges_nothing_is_one_alert_though_it_fails_in_two_ways() -> None:
    book = Book()
    channel = book.process()
    assert all(gives(channel, SILENT, f"DB-{number}") for number in range(3))
    book.now = book.state().closed_until
    assert gives(channel, DOWN), "it was chosen to try, and reached"
    book.now = book.state().closed_until
    assert gives(channel, GOOD)
    assert book.alerts() == [("hand-off/elm", Cause.UNACKNOWLEDGED.value, False)]


def test_a_refusal_shows_that_the_way_works() -> None:
    book = Book()
    channel = book.process()
    for _ in range(3):
        gives(channel, DOWN)
    book.now = book.state().closed_until
    assert gives(channel, REFUSED)
    assert book.state().failures == 0


def test_a_try_that_handed_nothing_over_leaves_it_to_another() -> None:
    book = Book()
    one, other = book.process(), book.process()
    for _ in range(3):
        gives(one, DOWN)
    book.now = book.state().closed_until
    asyncio.run(one.let_go(asyncio.run(one.enter())))
    assert gives(other, GOOD)
    assert book.state().failures == 0


def test_an_idle_way_is_reached_for_where_that_tells() -> None:
    book = Book()
    channel = book.process()
    for _ in range(3):
        gives(channel, DOWN)
    book.now = book.state().closed_until
    assert asyncio.run(channel.ask())
    assert (book.engine.reached, book.state().failures) == (1, 0)
    for number in range(3):
        gives(channel, SILENT, f"DB-{number}")
    book.now = book.state().closed_until
    assert not asyncio.run(book.process().ask()), "a port that is open acknowledges nothing yet"
    assert (book.engine.reached, book.state().failures) == (1, 1)
