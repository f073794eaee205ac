"""Every state, reason and answer has words, and times are told as people tell them."""

from __future__ import annotations

import string
from typing import Any

import pytest

from bridge.console import words
from bridge.console.telling import tell
from bridge.model import Action, AnswerClass, EntryState, HoldReason, RecordState
from tests.unit.api.opened import NOW, Opened


def test_nothing_that_can_happen_is_without_words() -> None:
    assert set(words.RECORD) == set(RecordState)
    assert set(words.ENTRY) == {*EntryState, "gathering", "behind"}  # ready both: a roll-up not due yet, a thing parked
    assert set(words.REASON) == set(HoldReason)
    assert set(words.ACTION) == set(Action)
    assert set(words.ANSWER) == set(AnswerClass)


def test_what_a_page_says_after_a_form_takes_no_more_than_a_count() -> None:
    for text in words.SAID.values():
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= {"count"}


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "less than a minute"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (86_400, "1 day"),
        (300_000, "3 days"),
        (-5, "less than a minute"),
    ],
)
def test_spans_are_told_in_the_unit_that_says_it_best(seconds: int, told: str) -> None:
    assert words.span(seconds * 1_000_000) == told


def test_times_are_the_readers() -> None:
    assert words.moment(NOW, "America/New_York") == "28 May 2026, 16:26"
    assert words.moment(NOW, "Pacific/Auckland") == "29 May 2026, 08:26"
    assert words.iso(NOW) == "2026-05-28T20:26:40+00:00"
    assert words.last_day(1_798_779_600_000_000, "America/New_York") == "31 Dec 2026"


@pytest.mark.parametrize(
    ("by", "told"),
    [("consent", "a consent arrived"), ("ana", "Ana Ortiz answered it"), ("somebody", "it was answered")],
)
def test_who_or_what_answered_is_told(by: str, told: str) -> None:
    assert words.closed_by(by, {"ana": "Ana Ortiz"}) == told


def step(action: Action, answer: AnswerClass, code: str = "ok", status: int = 201) -> dict[str, Any]:
    return {
        "entry": 1, "practice": "elm", "action": action.value, "begun_at": NOW, "answered_at": NOW + 1,
        "answer": answer.value, "code": code, "status": status,
    }  # fmt: skip


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("answer", AnswerClass)
def test_every_step_and_every_answer_is_told(doors: Opened, action: Action, answer: AnswerClass) -> None:
    life = {
        "record": {"decided": None},
        "entries": [{"id": 1, "practice": "elm", "resource_type": "CarePlan"}],
        "steps": [step(action, answer), step(action, AnswerClass.DONE, "looked", 0)],
        "holds": [],
    }  # fmt: skip
    version = {"agency": "harbor", "accepted_at": NOW, "ordinal": 2, "final": True, "void": True}
    told = tell(life, [version], doors.project)
    assert told[0].text == "Received from Harbor Family Partners (version 2)"
    assert "void" in told[0].detail
    assert "care plan" in told[1].text
    answers = [event for event in told if event.at == NOW + 1]
    assert [event.tone == "good" for event in answers] == [answer is AnswerClass.DONE, True]
    assert answers[1].detail == words.SETTLED["looked"]
