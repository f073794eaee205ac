"""Whatever an EHR answers: no worker fails, no token leaves its host, nothing is delivered that nobody confirmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.ehr import answers, look, received, rows
from bridge.model import AnswerClass, Interaction, Stands
from tests.flow import fuzzing

JUDGED = 800
"""Answers that are judged without a connection."""


def test_every_answer_is_read_and_none_is_believed_beyond_what_it_says() -> None:
    found = fuzzing.read_all(seed=7, count=250)
    assert found.wrong() == []
    assert found.requests >= 240
    assert len(found.answered) > 40
    assert found.grown < 150


def test_a_line_over_garbage_goes_on(quick: Path) -> None:
    found = fuzzing.carry_all(quick, seed=7, count=6)
    assert found.wrong() == []
    assert found.requests > 15
    assert found.confirmed


def test_what_is_judged_without_a_connection_holds_too() -> None:
    found = fuzzing.judge_all(seed=5, count=JUDGED)
    assert found.wrong() == []
    assert found.confirmed > 5


def done(code: str, *statuses: int) -> Callable[[pytest.MonkeyPatch], None]:
    """A row of the table that takes these statuses for done, whatever the body holds."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        wrong = rows.Row(code, AnswerClass.DONE, "planted", (Interaction.CREATE,), statuses)
        patch.setattr(answers, "TABLE", (wrong, *rows.TABLE))

    return plant


def patched(owner: Any, name: str, wrong: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """Something else in the place of a function of ours."""
    return lambda patch: patch.setattr(owner, name, wrong)


def anything_named(response: Any, resource: Any, type: str) -> Stands | None:
    """What stands, with an id made up where nobody gave one."""
    return REAL_STANDING(response, resource, type) or Stands("made-up", "")


def last_of_the_path(value: str, type: str, host: str) -> tuple[str, str]:
    """An id out of any Location."""
    return value.rstrip("/").rpartition("/")[2], ""


REAL_STANDING, REAL_LOCATION = received.standing, received._location
PLANTS = {
    "a page for people is done": done("planted", 200),
    "taken is done": done("planted", 202),
    "a part of it is done": done("planted", 206, 207),
    "a made-up id": patched(received, "standing", anything_named),
    "a place on another host": patched(received, "_location", lambda value, type, host: REAL_LOCATION(value, type, "")),
    "a place of another type": patched(received, "_location", last_of_the_path),
    "the second of two ids": patched(received, "_names_once", lambda body: True),
    "anything that is found": patched(look, "carries", lambda resource, reference: True),
    "what was withdrawn stands": patched(look, "is_in_error", lambda resource: False),
}


@pytest.mark.parametrize("wrong", PLANTS)
def test_a_wrong_decision_is_caught(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTS[wrong](monkeypatch)
    assert fuzzing.judge_all(seed=5, count=JUDGED).believed
