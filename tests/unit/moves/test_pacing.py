"""A connection's pace, with a clock that is moved by hand and processes that end in the middle."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection as Db
from sqlalchemy import create_engine, select
from sqlalchemy.pool import StaticPool

from bridge.ehr import facts
from bridge.fhir.pace import NotNow
from bridge.model import Failure, Request, Response
from bridge.moves.pacing import Pacer
from bridge.moves.width import Width
from bridge.settings import Connection, PaceSettings, Project
from bridge.store import budgets, leases, tables
from bridge.store.ledger import Ledger

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_780_000_020 * SECOND - (1_780_000_020 * SECOND) % MINUTE
READ, WRITE = Request("GET", "Patient/1"), Request("POST", "DocumentReference", body=b"{}")
STATEMENT = Request("GET", "metadata")


@dataclass
class Book:
    """A ledger's tables in memory, and the clock of all who use it."""

    now: int = START + 2 * SECOND
    writes: int = 0
    engine: Any = field(init=False)

    def __post_init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        tables.metadata.create_all(self.engine, [tables.connection_state, tables.budget, tables.alert])

    async def write(self, operation: Any, parameter: Any) -> Any:
        self.writes += 1
        with self.engine.begin() as connection:
            (result,) = operation(connection, [parameter])
        return result

    @contextmanager
    def read(self) -> Iterator[Db]:
        with self.engine.connect() as connection:
            yield connection

    def process(self, vendor: str = "generic", lanes: int = 4, **pace: Any) -> Pacer:
        """The pace of one connection as one more process has it."""
        shown = Connection("elm", "test", "http://elm.example", vendor, lanes=lanes, pace=PaceSettings(**pace))
        project = cast(Project, SimpleNamespace(practices={}))
        return Pacer(project, shown, facts.vendor(vendor), cast(Ledger, self), self.write, lambda: self.now)

    def state(self) -> leases.State:
        with self.read() as connection:
            return leases.connection_states(connection).get("elm", leases.State())

    def taken(self, span: str) -> int:
        with self.read() as connection:
            return sum(count for (of, _), count in budgets.used(connection).get("elm", {}).items() if of == span)


def may(pacer: Pacer, request: Request | None = READ) -> bool:
    """Whether it leaves."""
    try:
        asyncio.run(pacer.enter(request))
    except NotNow:
        return False
    return True


def hears(pacer: Pacer, *answers: Response, request: Request = READ) -> None:
    for answer in answers:
        asyncio.run(pacer.heard(request, answer))


ACTIONS = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 3), st.integers(1, 30)),
    st.tuples(st.just("wait"), st.integers(0, 0), st.integers(1, 70_000)),
    st.tuples(st.just("crash"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("stop"), st.integers(0, 3), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60),
    st.one_of(st.none(), st.integers(1, 80)),
    st.lists(ACTIONS, max_size=40),
    st.integers(-SECOND + 1, SECOND - 1),
)
def test_no_minute_of_the_ehr_sees_more_than_its_budget_whoever_stops(
    most: int, day: int | None, actions: list[tuple[str, int, int]], skew: int
) -> None:
    book = Book()
    crew = [book.process(per_minute=most, per_day=day) for _ in range(4)]
    by_minute: Counter[int] = Counter()
    by_day: Counter[int] = Counter()
    for action, who, amount in actions:
        if action == "wait":
            book.now += amount * 1_000
        elif action == "send":
            for _ in range(amount):
                if may(crew[who]):
                    by_minute[(book.now + skew) // MINUTE] += 1
                    by_day[book.now // (1440 * MINUTE)] += 1
        else:
            if action == "stop":
                asyncio.run(crew[who].give_back())
            crew[who] = book.process(per_minute=most, per_day=day)
    assert max(by_minute.values(), default=0) <= most
    assert day is None or max(by_day.values(), default=0) <= day
    if day is None:
        book.now = budgets.minute_of(book.now) + MINUTE + 2 * SECOND
        assert may(crew[0]), "a new minute begins a new budget"


def test_a_whole_budget_can_be_used_and_costs_the_ledger_little() -> None:
    book = Book()
    crew = [book.process("ecw") for _ in range(2)]
    sent = sum(may(crew[number % 2], None if number % 50 == 0 else READ) for number in range(400))
    assert sent == 250
    assert book.writes <= 2 * 20 + 10
    with book.read() as connection:
        assert leases.closed_connections(connection, book.now) == {"elm": budgets.SPENT_MINUTE}
        assert leases.closed_connections(connection, START + MINUTE + SECOND) == {}
    book.now = START + MINUTE + SECOND
    assert may(crew[0])


def test_nothing_leaves_at_the_ends_of_a_minute() -> None:
    book = Book()
    pacer = book.process(per_minute=10)
    for second, leaves in ((0.5, False), (1.0, True), (58.9, True), (59.1, False), (60.9, False), (61.0, True)):
        book.now = START + int(second * SECOND)
        assert may(pacer) is leaves


def test_what_is_not_used_of_a_day_comes_back() -> None:
    book = Book()
    pacer = book.process(per_day=100)
    assert may(pacer)
    assert book.taken("day") > 1
    asyncio.run(pacer.give_back())
    assert book.taken("day") == 1


def test_documents_have_a_budget_of_their_own_and_the_rest_goes_on() -> None:
    book = Book()
    pacer = book.process(documents_per_day=3)
    assert [may(pacer, WRITE) for _ in range(5)] == [True, True, True, False, False]
    assert may(pacer, READ)
    book.now += 1440 * MINUTE
    assert may(pacer, WRITE)


def test_a_days_ceiling_that_the_ehr_names_ends_its_documents_for_today() -> None:
    outcome = (
        b'{"resourceType":"OperationOutcome","issue":[{"code":"throttled","details":{"coding":[{"code":"4135"}]}}]}'
    )
    book = Book()
    pacer = book.process("epic", documents_per_day=1_000)
    assert may(pacer, WRITE)
    hears(pacer, Response(400, body=outcome), request=Request("GET", "DocumentReference"))
    assert not may(pacer, WRITE)
    assert may(pacer, READ)
    book.now += 1440 * MINUTE
    assert may(pacer, WRITE)


def test_requests_without_a_budget_are_counted_too() -> None:
    book = Book()
    pacer = book.process()
    for _ in range(300):
        assert may(pacer)
    assert book.writes <= 2
    asyncio.run(pacer.give_back())
    assert book.taken("minute") == 300


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Response(429, {"retry-after": "20"}), 20),
        (Response(503, {"retry-after": "90"}), 90),
        (Response(failure=Failure.NO_LOGIN, why="login-later", headers={"retry-after": "30"}), 30),
        (Response(429, {"retry-after": "Thu, 28 May 2026 20:28:22 GMT"}), 80),
    ],
)
def test_everybody_waits_as_long_as_the_ehr_asked(answer: Response, seconds: int) -> None:
    book = Book(now=1_780_000_022 * SECOND)
    one, other = book.process(), book.process()
    assert may(one)
    assert may(other)
    book.now += SECOND
    begun = book.now - SECOND * (answer.headers["retry-after"].endswith("GMT"))
    hears(one, answer)
    assert not may(one)
    assert not may(other)
    book.now = begun + seconds * SECOND - 1
    assert not may(book.process())
    if answer.failure is None:
        book.now += SECOND + 1
        assert may(book.process())


def test_too_many_without_a_word_how_long_waits_for_the_next_minute_and_sends_less_from_then_on() -> None:
    book = Book()
    pacer = book.process()
    assert sum(may(pacer) for _ in range(100)) == 100
    hears(pacer, Response(429))
    assert not may(pacer)
    assert book.state().learned_per_minute == 90
    book.now = START + MINUTE + SECOND
    assert sum(may(pacer) for _ in range(200)) == 90
    book.now += budgets.LEARNED_LASTS + MINUTE
    assert sum(may(book.process()) for _ in range(200)) == 200, "an hour later it is forgotten"


def test_a_single_refusal_of_few_teaches_no_budget() -> None:
    book = Book()
    pacer = book.process()
    assert may(pacer)
    hears(pacer, Response(429))
    assert book.state().learned_per_minute is None


# ── the circuit ───────────────────────────────────────────────────────────────────────────────────────────────────
def alerts(book: Book) -> list[tuple[str, bool]]:
    with book.read() as connection:
        rows = connection.execute(select(tables.alert).order_by(tables.alert.c.opened_at))
        return [(row.cause, row.closed_at is None) for row in rows]


def test_a_refused_login_stops_every_process_and_one_request_tries_again() -> None:
    book = Book()
    one, other = book.process(), book.process()
    hears(one, *[Response(401)] * 4)
    book.now += SECOND
    assert not may(one)
    assert not may(other)
    assert alerts(book) == [("login refused", True)], "four lanes hear of one cause: one alert"
    assert book.state().failures == 1
    book.now = book.state().closed_until
    assert not may(one), "who was not chosen to try waits"
    other.probing = True
    assert may(other)
    hears(other, Response(401))
    assert book.state().failures == 2
    assert not other.probing
    book.now = book.state().closed_until
    other.probing = True
    assert may(other)
    book.now += SECOND
    hears(other, Response(200))
    assert (book.state().failures, book.state().closed_until, alerts(book)) == (0, 0, [("login refused", False)])
    book.now += SECOND
    assert may(one)


def test_another_cause_is_another_alert() -> None:
    book = Book()
    pacer = book.process()
    hears(pacer, Response(401))
    book.now = book.state().closed_until
    hears(pacer, Response(failure=Failure.NO_LOGIN, why="login-unreachable"))
    assert alerts(book) == [("login refused", False), ("token endpoint down", True)]


def test_the_statement_may_always_be_read_so_that_nothing_waits_for_ever() -> None:
    book = Book()
    pacer = book.process()
    hears(pacer, *[Response(failure=Failure.NOT_CONNECTED)] * 3)
    assert not may(pacer)
    assert may(pacer, STATEMENT)
    hears(pacer, Response(200), request=STATEMENT)
    assert may(pacer)


# ── how many at a time ────────────────────────────────────────────────────────────────────────────────────────────
def test_the_width_is_halved_once_for_what_failed_together_and_grows_one_by_one() -> None:
    book = Book()
    pacer = book.process(lanes=8)
    hears(pacer, *[Response(429, {"retry-after": "1"})] * 8)
    assert (pacer.width.now, book.state().at_once) == (4, 4)
    for expected in (2, 1, 1):
        book.now += 2 * SECOND
        hears(pacer, Response(failure=Failure.LOST))
        assert pacer.width.now == expected
    hears(pacer, *[Response(201)] * 100)
    assert (pacer.width.now, book.state().at_once) == (8, 8)


def test_no_more_are_inside_than_may_be_also_where_some_who_waited_went_away() -> None:
    async def run() -> int:
        width, inside, most = Width(3), 0, 0

        async def one() -> None:
            nonlocal inside, most
            async with width:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        tasks = [asyncio.create_task(one()) for _ in range(40)]
        await asyncio.sleep(0)
        for task in tasks[5:15]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with width:
            pass
        return most

    assert asyncio.run(asyncio.wait_for(run(), 5)) == 3


def probed(book: Book, pacer: Pacer, *answers: Response) -> None:
    """A lane was chosen to try the connection, as `store.lanes.claim` and `jobs.deliver` do, and heard this."""
    hold = book.now + MINUTE
    with book.engine.begin() as connection:
        assert leases.take_probe(connection, "elm", book.now, hold)
    pacer.probing = True
    book.now += 2 * SECOND
    assert may(pacer)
    hears(pacer, *answers)
    pacer.probing = False
    asyncio.run(book.write(leases.end_probe, ("elm", hold, book.now)))


def test_a_try_that_fails_is_one_failure_more_and_the_next_comes_later_whoever_tries() -> None:
    book = Book()
    first = book.process()
    hears(first, *[Response(failure=Failure.NOT_CONNECTED)] * 3)
    assert book.state().failures == 1
    for failures in (2, 3):
        book.now = book.state().closed_until
        probed(book, book.process(), Response(failure=Failure.NOT_CONNECTED))  # a process that never saw it down
        assert book.state().failures == failures
        assert book.state().closed_until > book.now + 5 * SECOND
