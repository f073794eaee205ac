"""YAML keeps its line numbers and has no surprises."""

from __future__ import annotations

import pytest

from bridge.settings.lines import read_yaml


def test_each_key_and_item_has_its_line() -> None:
    document = read_yaml("a:\n  - x\n  - { y: 1 }\nb:\n  c: 2026-01-02\n", "f")
    assert not document.problems
    assert document.where(("a", 1, "y")) == "f:3"
    assert document.where(("b", "c")) == "f:5"
    assert document.where(("b", "absent", "deeper")) == "f:4"


def test_what_only_looks_like_a_day_is_text() -> None:
    assert read_yaml("a: 2026-02-30\n", "f").value == {"a": "2026-02-30"}


def test_every_duplicate_is_told_not_only_the_first() -> None:
    document = read_yaml("a: 1\na: 2\nb: { c: 1, c: 2 }\n", "f")
    assert [(problem.where, problem.field) for problem in document.problems] == [("f:2", "a"), ("f:3", "b.c")]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "<<: { a: 1 }\n",
        "1: a\n",
        "? [a]\n: b\n",
        "a: !!python/name:os.system ''\n",
        "a: 'open\n",
        "\t- a",
    ],
)
def test_what_is_not_plain_is_refused(text: str) -> None:
    assert read_yaml(text, "f").problems


def test_a_nest_too_deep_is_a_problem_and_not_a_crash() -> None:
    assert read_yaml("a: " + "[" * 5000 + "]" * 5000, "f").problems[0].code == "yaml-syntax"
