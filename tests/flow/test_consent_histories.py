"""R26: whatever is signed, refused, taken back and doubted, and whatever breaks: nothing leaves without consent.

Histories of children, drawn by hypothesis; each request is looked up in a plain book of the forms (`histories.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bridge import consent, release
from bridge.model import Decision
from bridge.store import persons
from tests.flow.histories import CHILD, FACTS, FATHER, MOTHER, STATE, WORDS, History, World, world

SIGNERS = st.sampled_from([MOTHER] * 5 + [FATHER, FATHER, CHILD, STATE])
SAID = st.sampled_from([WORDS] * 4 + [FACTS] * 3 + [frozenset[str]()])
LASTS = st.sampled_from([None, None, 0, 1, 3])
FOR = st.sampled_from(["care-coordination"] * 5 + ["treatment"])


class Histories(RuleBasedStateMachine):
    """One child's history."""

    def __init__(self, opened: World) -> None:
        super().__init__()
        self.world = opened
        self.it: History

    @initialize(adult=st.sampled_from([900, 900, 4, 2]), lasts=st.sampled_from([None, 5, 2]), agreed=st.integers(0, 3))
    def born(self, adult: int, lasts: int | None, agreed: int) -> None:
        self.it = self.world.child(adult)
        if agreed:
            self.it.sign(MOTHER, WORDS, -1, lasts, "care-coordination")
        self.it.visit(0, words=True)
        self.it.work()

    @rule(who=SIGNERS, said=SAID, begins=st.sampled_from([0, 0, 0, -3, 1, 2]), lasts=LASTS, purpose=FOR)
    def somebody_signs(self, who: str, said: frozenset[str], begins: int, lasts: int | None, purpose: str) -> None:
        self.it.sign(who, said, begins, lasts, purpose)

    @rule(lasts=LASTS, said=st.sampled_from([WORDS, WORDS, FACTS]), number=st.integers(0, 2))
    def a_parent_agrees_and_it_goes(self, lasts: int | None, said: frozenset[str], number: int) -> None:
        self.it.sign(MOTHER, said, 0, lasts, "care-coordination")
        self.it.visit(number, words=True)
        self.it.work()

    @rule(number=st.integers(0, 2), words=st.booleans())
    def a_visit(self, number: int, words: bool) -> None:
        self.it.visit(number, words)

    @precondition(lambda self: self.it.book.forms)
    @rule(drawn=st.integers(0, 3))
    def it_is_taken_back(self, drawn: int) -> None:
        if drawn == 0:
            self.it.take_back()

    @precondition(lambda self: self.it.book.forms)
    @rule(drawn=st.integers(0, 3))
    def custody_changes(self, drawn: int) -> None:
        if drawn == 0:
            self.it.doubt()

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        self.it.pass_days(days)

    @rule()
    def a_worker_works(self) -> None:
        self.it.work()

    @rule(sent=st.booleans())
    def a_worker_is_gone(self, sent: bool) -> None:
        self.it.crash(sent)

    @rule(fault=st.sampled_from(["drop-after", "drop-before", "error-after"]))
    def an_answer_is_lost(self, fault: str) -> None:
        self.it.lose(fault)
        self.it.work()

    @rule(what=st.sampled_from(["days", "days", "back", "doubt"]))
    def something_happens_while_it_is_asked(self, what: str) -> None:
        """Between the decision and the request."""
        happens: dict[str, Callable[[], None]] = {
            "days": lambda: self.it.pass_days(1),
            "back": self.it.take_back,
            "doubt": self.it.doubt,
        }
        self.it.visit(0, words=True)
        self.world.meanwhile = happens[what]
        self.it.work()
        self.world.meanwhile = None

    def teardown(self) -> None:
        if hasattr(self, "it"):
            self.it.rest()
        assert self.world.wrong == []


def run(opened: World, examples: int, steps_each: int) -> None:
    """So many histories, the same ones each time."""
    quietly = settings(
        max_examples=examples, stateful_step_count=steps_each, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    machine = partial(Histories, opened)
    run_state_machine_as_test(machine, settings=quietly)  # type: ignore[arg-type]


@pytest.fixture
def opened(quick: Path) -> Iterator[World]:
    with world(quick) as made:
        yield made


def test_r26_no_clinical_step_leaves_without_a_consent_in_force_at_that_moment(opened: World) -> None:
    """And what is permitted leaves in the end."""
    run(opened, 14, 12)
    assert opened.sent > 10


def test_an_end_taken_as_a_last_day_is_found(opened: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The histories can fail: a consent that holds a day longer than it says."""
    monkeypatch.setattr(consent, "past", lambda end, now: end is not None and end + 86_400_000_000 <= now)
    it = opened.child(900)
    it.sign(MOTHER, WORDS, 0, 0, "care-coordination")
    it.pass_days(1)
    it.visit(0, words=True)
    it.work()
    assert opened.wrong == ["POST DocumentReference ['narrative', 'ordinary']"]


def test_a_gate_that_is_not_asked_at_sending_is_found(opened: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a decision that is only taken when an entry is planned."""
    planned: list[Decision] = []
    asked = release.gate

    def once(*args: object, **more: object) -> release.Gate:
        found = asked(*args, **more)  # type: ignore[arg-type]
        planned.append(found.decision)
        return release.Gate(planned[0])

    it = opened.child(900)
    it.sign(MOTHER, WORDS, 0, None, "care-coordination")
    monkeypatch.setattr(release, "gate", once)
    it.visit(0, words=True)
    it.lose("drop-before")
    it.work()
    it.take_back()
    it.opened.settle()
    assert opened.wrong != []


def test_a_decision_that_a_newer_word_does_not_undo_is_found(opened: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a step that begins although consents changed since it was decided."""
    monkeypatch.setattr(persons, "revisions", lambda connection, ids: Unchanging())
    it = opened.child(900)
    it.sign(MOTHER, WORDS, 0, None, "care-coordination")
    it.visit(0, words=True)
    opened.meanwhile = it.take_back
    it.work()
    assert opened.wrong != []


class Unchanging(dict[int, int]):
    """Revisions that never differ from what was decided on."""

    def get(self, key: int, default: object = None) -> object:  # type: ignore[override]
        return Same()


class Same:
    """Equal to whatever it is compared with."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__
