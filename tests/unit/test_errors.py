"""One tree of errors; a message names place, field, rule and next step."""

from __future__ import annotations

import inspect

import pytest

from bridge import errors
from bridge.errors import BridgeError, ConfigError, LeaseLost, LedgerError, Problem


def test_a_problem_reads_place_field_rule_code_and_what_to_do() -> None:
    problem = Problem("unknown-key", "is not a setting", "bridge.yaml:7", "limits.x", "did you mean `y`?")
    assert str(problem) == "bridge.yaml:7: limits.x: is not a setting [unknown-key]\n    → did you mean `y`?"


def test_a_problem_without_a_place_is_its_rule() -> None:
    assert str(Problem("busy", "the ledger is busy")) == "the ledger is busy [busy]"


def test_only_filled_fields_are_answered() -> None:
    assert Problem("busy", "the ledger is busy").as_dict() == {"code": "busy", "rule": "the ledger is busy"}


def test_an_error_carries_all_its_problems() -> None:
    error = ConfigError(Problem(str(number), "rule") for number in range(3))
    assert [problem.code for problem in error.problems] == ["0", "1", "2"]
    assert str(error).count("\n") == 2


def test_a_single_problem_needs_no_list() -> None:
    problem = Problem("lease-lost", "another worker holds this lane")
    with pytest.raises(LedgerError) as caught:
        raise LeaseLost(problem)
    assert caught.value.problems == (problem,)


def test_every_error_is_in_the_tree_and_in_the_drawing() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(kinds) == 8
    assert errors.__doc__ is not None
    for kind in kinds:
        assert issubclass(kind, BridgeError)
        assert kind.__name__ in errors.__doc__
