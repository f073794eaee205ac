"""Every transaction locks in one order: counter, persons, lanes, records, then the rest. Nobody waits in a circle."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bridge.model import EntryState, Stands
from bridge.store import answers, leases, persons, plans, tables
from bridge.store.ledger import Ledger
from bridge.store.steps import Begun
from tests.postgres import KEY
from tests.unit.store.listening import BEGIN, Statement, transactions
from tests.unit.store.making import (
    AGENCY,
    MINUTE,
    NEEDS_ROW,
    NOW,
    PRACTICE,
    a_day,
    add_row,
    begin,
    claim,
    claim_lanes,
    consent,
    entry_plan,
    finish,
    item,
    keep,
    link,
    release,
    revoke,
    rows,
    translated,
)  # fmt: skip
from tests.unit.store.test_holds import waiting

ORDER = ("counter", "person", "lane", "record", "entry/hold")  # an entry or hold only under its lane or record
CHILDREN = [f"child-{number}" for number in range(6)]


def locked(statement: Statement) -> str | None:
    """The table of the order whose rows a statement locks and, where they are taken, waits for."""
    text = statement.text
    if text.startswith("SELECT") and " FOR " in text and "SKIP LOCKED" not in text:
        found = re.search(r"FROM (\w+)", text)
    else:
        found = re.match(r"(?:UPDATE|DELETE FROM) (\w+)", text)
    table = found[1] if found else ""
    return "entry/hold" if table in ("entry", "hold") else table if table in ORDER else None


def test_every_transaction_locks_in_one_order(postgres_url: str) -> None:
    ledger = Ledger(postgres_url, KEY)
    with transactions(ledger) as said:
        a_day(ledger)
    ledger.close()
    orders: set[tuple[str, ...]] = set()
    current: list[str] = []
    for statement in [*said, Statement(BEGIN, ())]:
        if statement.text == BEGIN:
            orders.add(tuple(current))
            current = []
        elif (table := locked(statement)) is not None and table not in current:
            current.append(table)
    assert len(orders) > 8
    assert {("person", "lane", "record", "entry/hold"), ("counter", "record", "entry/hold")} <= orders
    wrong = [order for order in orders if list(order) != sorted(order, key=ORDER.index)]
    assert wrong == []


class Storm:
    """Two workers' threads doing everything at once, for a while."""

    def __init__(self, url: str, seed: int, seconds: float = 3) -> None:
        self.ledgers = [Ledger(url, KEY) for _ in range(2)]
        self.until = time.monotonic() + seconds
        self.seed = seed
        self.done: dict[str, int] = {}
        self.clock = threading.Lock()
        self.ticks = NOW

    def now(self) -> int:
        with self.clock:
            self.ticks += 1
            return self.ticks

    def run(self) -> None:
        jobs = [self.keep, self.translate, self.translate, self.carry, self.carry, self.permit, self.answer]
        workers = [(job, ledger, number) for number, ledger in enumerate(self.ledgers) for job in jobs]
        with ThreadPoolExecutor(len(workers)) as pool:
            futures = [
                pool.submit(self.repeat, job, ledger, self.seed + 10 * number + index)
                for index, (job, ledger, number) in enumerate(workers)
            ]
        for future in futures:
            future.result()

    def repeat(self, job: Callable[[Ledger, random.Random], None], ledger: Ledger, seed: int) -> None:
        order, count = random.Random(seed), 0
        while time.monotonic() < self.until:
            job(ledger, order)
            count += 1
        with self.clock:
            self.done[job.__name__] = self.done.get(job.__name__, 0) + count

    def keep(self, ledger: Ledger, order: random.Random) -> None:
        some = [
            item(f"c{order.randrange(40)}", b"%d" % order.randrange(10**9), subject=order.choice(CHILDREN))
            for _ in range(order.randrange(1, 6))
        ]
        keep(ledger, *some, now=self.now())

    def translate(self, ledger: Ledger, order: random.Random) -> None:
        owner, now = f"t{threading.get_ident()}", self.now()
        works = claim(ledger, owner, now, now + MINUTE, limit=5)
        futures = []
        for work in works:
            child, other = work.subject, order.choice(CHILDREN)
            hold = waiting(f"consent:{AGENCY}/{child}/{PRACTICE}") if order.random() < 0.3 else None
            entries = (entry_plan("a", str(order.random()), person=child, hold=hold), entry_plan("b", person=other))
            asked = translated(
                ledger, work, *(entries if order.random() < 0.8 else ()), owner=owner, now=now,
                holds=(NEEDS_ROW,) if order.random() < 0.2 else (), people=CHILDREN if order.random() < 0.2 else (),
            )  # fmt: skip
            futures.append(ledger.submit(plans.save, asked))
        assert all(isinstance(future.result(), bool) for future in futures)

    def carry(self, ledger: Ledger, order: random.Random) -> None:
        owner, now = f"c{threading.get_ident()}", self.now()
        for lane in claim_lanes(ledger, owner, now, now + order.choice([20, MINUTE]), limit=2):
            for entry in lane.entries[:3]:
                if entry.state is not EntryState.READY:
                    continue
                begun, step = begin(ledger, lane, entry)
                if begun is not Begun.YES:
                    break
                state = order.choice([EntryState.DELIVERED, EntryState.HELD, EntryState.READY])
                hold = waiting(f"consent:{AGENCY}/{lane.source}/{PRACTICE}") if state is EntryState.HELD else None
                due = self.now() if state is EntryState.READY else None
                finish(
                    ledger, lane, entry, state, hold=hold, due=due, now=self.now(), step=step, receipt=b"201",
                    stands=Stands("doc", "1", "d1") if state is EntryState.DELIVERED else entry.stands,
                )  # fmt: skip
            release(ledger, lane)

    def permit(self, ledger: Ledger, order: random.Random) -> None:
        child = order.choice(CHILDREN)
        key = f"consent:{AGENCY}/{child}/{PRACTICE}"
        said = persons.prepare(ledger, AGENCY, child)
        number = order.randrange(3)
        if number == 0:
            consent(ledger, person=said, keys=(key,), until=self.now() + MINUTE, now=self.now())
        elif number == 1:
            revoke(ledger, self.now(), child)
        else:
            link(ledger, f"MRN-{order.randrange(4)}", child, now=self.now())

    def answer(self, ledger: Ledger, order: random.Random) -> None:
        add_row(ledger)
        ledger.write(answers.retry, answers.Retry(None, order.choice(["consent", "table"]), "ana", self.now()))
        ledger.write(leases.set_circuit, leases.Circuit(order.choice("ab"), 0, ""))


@pytest.mark.slow
def test_two_workers_in_a_storm_never_wait_in_a_circle(postgres_url: str) -> None:
    """Every job of the line and every person's answer at once, on six children: no error, no deadlock, nothing lost."""
    storm = Storm(postgres_url, seed=20_261_121)
    storm.run()
    assert min(storm.done.values()) > 0, storm.done
    nothing_is_lost(storm.ledgers[0])
    for one in storm.ledgers:
        one.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        assert deadlocks(connection) == 0


def nothing_is_lost(ledger: Ledger) -> None:
    """What waits has a hold or a time that will move it, and its lane wakes in time."""
    entries, holds = rows(ledger, tables.entry), rows(ledger, tables.hold)
    kept = {hold["entry"] or hold["record"] for hold in holds if hold["closed_at"] is None}
    lanes_due = {lane["id"]: lane["due_at"] for lane in rows(ledger, tables.lane)}
    for entry in entries:
        if entry["state"] == "held":
            assert entry["id"] in kept or entry["due_at"] is not None, "held, and nothing says for what"
        if entry["due_at"] is not None:
            due = lanes_due[entry["lane"]]
            assert due is not None, "an entry is due and its lane asleep"
            assert due <= entry["due_at"], "an entry is due before its lane is"
    for record in rows(ledger, tables.record):
        if record["state"] == "held":
            assert record["id"] in kept or record["due_at"] is not None, "held, and nothing says for what"
    positions = [(record["person"], record["position"]) for record in rows(ledger, tables.record)]
    assert len(set(positions)) == len(positions)


def deadlocks(connection: psycopg.Connection[tuple[int]]) -> int:
    """How many circles PostgreSQL had to break in this database since it was made or reset."""
    time.sleep(0.2)  # what the closed connections counted arrives when they end
    found = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert found is not None
    return found[0]
