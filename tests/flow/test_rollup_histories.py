"""Whatever comes, is corrected, moved and taken back, however often the practice changes its mind, whatever breaks:
what stands tells exactly the contacts there are, each once, in its own time.

Histories of children, drawn by hypothesis, over the whole line; a plain book says which contacts there are.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select

from bridge.store import tables
from tests import postgres
from tests.flow.weeks import DAY, HOUR, Weeks, weeks

NUMBERS = st.integers(0, 4)
AGO = st.sampled_from([1, 1, 20, 30, 100, 200])
"""Hours: the same window or one before, by the day and by the week."""
RHYTHMS = st.sampled_from(["weekly", "weekly", "daily", "each"])


class Histories(RuleBasedStateMachine):
    """One child's contacts."""

    def __init__(self, practice: Weeks) -> None:
        super().__init__()
        self.it = practice
        self.book: dict[str, tuple[int, float, bool]] = {}  # id → version, hours from the first Monday, void

    @initialize(rhythm=RHYTHMS)
    def begins(self, rhythm: str) -> None:
        self.it.another()
        self.it.ready()
        self.it.wants(rhythm)
        for number in range(3):
            self.a_contact(number, 20, moved=False)
        self.it.opened.work()

    def hours(self, ago: int) -> float:
        return (self.it.opened.clock() - self.it.monday) // HOUR - ago

    @rule(number=NUMBERS, ago=AGO, moved=st.booleans())
    def a_contact(self, number: int, ago: int, moved: bool) -> None:
        """A new one, or a correction, of its time too where it `moved`."""
        version, hours, _ = self.book.get(f"k-{number}", (0, 0.0, False))
        hours = self.hours(ago) if moved or not version else hours
        self.book[f"k-{number}"] = version + 1, hours, False
        self.it.contact(f"k-{number}", hours, version + 1)

    @rule(number=NUMBERS)
    def it_is_void(self, number: int) -> None:
        version, hours, void = self.book.get(f"k-{number}", (0, 0.0, True))
        if not void:
            self.book[f"k-{number}"] = version + 1, hours, True
            self.it.void(f"k-{number}", version + 1, hours=hours)

    @rule(rhythm=RHYTHMS, hour=st.sampled_from([6, 17]))
    def the_practice_changes_its_mind(self, rhythm: str, hour: int) -> None:
        self.it.wants(rhythm, hour=hour)

    @rule(days=st.integers(1, 5))
    def days_pass(self, days: int) -> None:
        self.it.skip(days * DAY)

    @rule()
    def a_worker_works(self) -> None:
        self.it.opened.work()

    @rule(sent=st.booleans())
    def a_worker_is_gone(self, sent: bool) -> None:
        self.it.crash(sent)

    @rule(fault=st.sampled_from(["drop-after", "drop-before", "error-after"]), method=st.sampled_from(["POST", "PUT"]))
    def an_answer_is_lost(self, fault: str, method: str) -> None:
        self.it.tap.fault(fault=fault, count=1, match={"method": method, "type": "DocumentReference"})
        self.it.opened.work()

    def teardown(self) -> None:
        if self.book:
            self.it.opened.settle(most=80, within=15 * 86_400)
            told = [one for document in self.it.told() for one in document]
            there = [f"{id}, version {version}" for id, (version, _, void) in self.book.items() if not void]
            assert sorted(told) == sorted(there)
            self.windows()

    def windows(self) -> None:
        """A roll-up tells of nothing outside its window."""
        entry, member, record = tables.entry, tables.member, tables.record
        query = select(entry.c.gathers_from, entry.c.gathers_until, record.c.occurred_at).select_from(member)
        query = query.join(entry, entry.c.id == member.c.entry).join(record, record.c.id == member.c.record)
        with self.it.opened.line.ledger.engine.connect() as connection:
            for since, until, occurred in connection.execute(query):
                assert since <= occurred < until


def run(practice: Weeks, examples: int, steps_each: int) -> None:
    """So many histories, the same ones each time."""
    quietly = settings(
        max_examples=examples, stateful_step_count=steps_each, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    run_state_machine_as_test(partial(Histories, practice), settings=quietly)  # type: ignore[arg-type]


def test_what_stands_tells_each_contact_once() -> None:
    memory = postgres.quick_folder()
    with tempfile.TemporaryDirectory(prefix="bridge-flow-", dir=memory) as folder, weeks(Path(folder)) as practice:
        run(practice, 6, 10)
