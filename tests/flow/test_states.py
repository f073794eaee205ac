"""The check that never moves, over every order of versions, workers, crashes, lost answers and people's acts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bridge.ehr import look
from bridge.store.lanes import LaneWork
from tests.flow.exploring import BREAKS, FAULTS, KINDS, LEASE, SECOND, Child, World, world

NAMES = st.sampled_from(["one", "other"])
WAITS = st.sampled_from([1, 31, LEASE + 1, 3700])
ANSWERS = st.lists(st.sampled_from(["", *FAULTS]), max_size=4)
STOPS = st.dictionaries(st.integers(0, 6), st.sampled_from(BREAKS), max_size=2)
WORKERS = st.sampled_from(["w1", "w2"])


class States(RuleBasedStateMachine):
    """One child's history; two workers, who may hold the same lane long after it was another's."""

    def __init__(self, opened: World) -> None:
        super().__init__()
        self.world = opened
        self.child: Child
        self.holding: dict[str, list[LaneWork]] = {}

    @initialize(practice=st.sampled_from(KINDS), name=NAMES)
    def begins(self, practice: str, name: str) -> None:
        self.child = self.world.child(practice)
        self.child.say(name)

    @rule(name=NAMES)
    def says(self, name: str) -> None:
        self.child.say(name)

    @precondition(lambda self: self.child.contacts)
    @rule(name=NAMES)
    def withdraws(self, name: str) -> None:
        if name in self.child.contacts:
            self.child.withdraw(name)

    @rule(worker=WORKERS)
    def claims(self, worker: str) -> None:
        self.holding[worker] = self.world.claim(worker)

    @rule(worker=WORKERS, faults=ANSWERS, breaks=STOPS)
    def carries(self, worker: str, faults: list[str], breaks: dict[int, str]) -> None:
        works = self.holding.pop(worker, None)
        self.carried(works if works is not None else self.world.claim(worker), faults, breaks)

    @rule(seconds=WAITS, faults=ANSWERS, breaks=STOPS)
    def comes_later(self, seconds: int, faults: list[str], breaks: dict[int, str]) -> None:
        self.world.now += seconds * SECOND
        self.carried(self.world.claim("w3"), faults, breaks)

    @rule(name=NAMES, faults=ANSWERS, breaks=STOPS)
    def says_and_carries(self, name: str, faults: list[str], breaks: dict[int, str]) -> None:
        self.child.say(name)
        self.carried(self.world.claim("w3"), faults, breaks)

    def carried(self, works: list[LaneWork], faults: list[str], breaks: dict[int, str]) -> None:
        """These lanes went as far as they go, while this went wrong."""
        self.world.ehrs[self.child.practice].faults = list(faults)
        self.world.line.breaks = dict(breaks)
        asyncio.run(self.world.carry(works))
        self.world.line.breaks = {}
        self.checked()

    @precondition(lambda self: self.child.agreed)
    @rule()
    def regrets(self) -> None:
        self.child.regret()

    @precondition(lambda self: not self.child.agreed)
    @rule()
    def agrees(self) -> None:
        self.child.agree()

    @rule()
    def somebody_answers(self) -> None:
        self.child.answered()

    @precondition(lambda self: self.child.recalls < 2)
    @rule()
    def the_chart_was_wrong(self) -> None:
        self.child.recall()

    def checked(self) -> None:
        self.world.steps += 1
        assert self.child.wrong() == []

    def teardown(self) -> None:
        if not hasattr(self, "child"):
            return
        self.child.agree()
        for _ in range(6):
            self.world.settle()
            if not self.child.answered():
                break
        assert list(self.child.ended()) == []


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("states")) as made:
        yield made


def explore(opened: World, examples: int, steps: int, **more: Any) -> None:
    """So many histories; raises where one of them is wrong."""
    quietly = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), **more,
    )  # fmt: skip
    machine: Any = partial(States, opened)
    run_state_machine_as_test(machine, settings=quietly)


def test_nothing_accepted_is_lost_sent_twice_out_of_order_or_astray(opened: World) -> None:
    explore(opened, 12, 14, derandomize=True)
    assert opened.writes > 10


def test_a_sender_that_sends_again_without_looking_is_caught(opened: World, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = look.Settled(look.Verdict.READY)
    monkeypatch.setattr(look, "verdict", lambda *_: blind)
    with pytest.raises(AssertionError, match=r"times|stands \["):
        explore(opened, 40, 14, derandomize=True, phases=[Phase.generate])
