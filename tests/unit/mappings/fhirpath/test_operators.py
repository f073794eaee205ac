"""Operators, by the statements of FHIRPath N1 ("Operations")."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.mappings.fhirpath.asking import FAILS, ask

TRUE, FALSE, EMPTY = "true", "false", "{}"
_LOGIC = {
    "and": {(TRUE, TRUE): [True], (TRUE, FALSE): [False], (TRUE, EMPTY): [], (FALSE, FALSE): [False],
            (FALSE, EMPTY): [False], (EMPTY, EMPTY): []},
    "or": {(TRUE, TRUE): [True], (TRUE, FALSE): [True], (TRUE, EMPTY): [True], (FALSE, FALSE): [False],
           (FALSE, EMPTY): [], (EMPTY, EMPTY): []},
    "xor": {(TRUE, TRUE): [False], (TRUE, FALSE): [True], (TRUE, EMPTY): [], (FALSE, FALSE): [False],
            (FALSE, EMPTY): [], (EMPTY, EMPTY): []},
}  # fmt: skip
_IMPLIES = {
    (TRUE, TRUE): [True], (TRUE, FALSE): [False], (TRUE, EMPTY): [], (FALSE, TRUE): [True], (FALSE, FALSE): [True],
    (FALSE, EMPTY): [True], (EMPTY, TRUE): [True], (EMPTY, FALSE): [], (EMPTY, EMPTY): [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "left", "right", "answer"),
    [(o, a, b, r) for o, table in _LOGIC.items() for (x, y), r in table.items() for a, b in {(x, y), (y, x)}],
)
def test_three_valued_logic(operator: str, left: str, right: str, answer: list[bool]) -> None:
    assert ask(f"{left} {operator} {right}") == answer


@pytest.mark.parametrize(("sides", "answer"), _IMPLIES.items())
def test_implies(sides: tuple[str, str], answer: list[bool]) -> None:
    assert ask(f"{sides[0]} implies {sides[1]}") == answer


DATA: dict[str, Any] = {
    "one": ["a"], "two": ["a", "b"], "swapped": ["b", "a"], "n": 5, "d": 2.50, "yes": True, "s": "Some  Text",
    "o": {"x": 1, "y": ["a", {"z": None}]}, "same": {"y": ["a", {}], "x": 1}, "other": {"x": 2},
    "q": {"value": 5, "unit": "mg", "code": "mg", "system": "http://unitsofmeasure.org"},
    "born": "2020-02-29", "at": "2026-03-02T10:00:00-05:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        # equals: empty operands, order, counts, types
        ("{} = {}", []), ("true = {}", []), ("{} != 'x'", []), ("two = two", [True]), ("two = swapped", [False]),
        ("one = two", [False]), ("two != swapped", [True]), ("1 = 1.0", [True]), ("1 = '1'", [False]),
        ("'a' = 'A'", [False]), ("d = 2.5", [True]), ("yes = true", [True]), ("yes = 1", [False]), ("o = o", [True]),
        ("o = same", [True]), ("o = other", [False]), ("n = 5", [True]), ("n != 5", [False]),
        ("(1 | 2) = (1 | 2)", [True]),
        # equivalent
        ("{} ~ {}", [True]), ("{} ~ 1", [False]), ("two ~ swapped", [True]), ("two !~ swapped", [False]),
        ("one ~ two", [False]), ("s ~ 'some text'", [True]), ("1.001 ~ 1.0", [True]), ("1.01 ~ 1.012", [True]),
        ("1 ~ 1.4", [True]), ("o ~ same", [False]), ("o ~ o", [True]), ("'a' !~ 'b'", [True]),
        # order
        ("10 > 5", [True]), ("10 > 5.0", [True]), ("'abc' > 'ABC'", [True]), ("'abc' <= 'ABC'", [False]),
        ("{} > 1", []), ("1 < {}", []), ("two > 'a'", FAILS), ("'a' < n", FAILS), ("n >= 5", [True]),
        ("n < 5", [False]),
        ("4 'm' > 4 'cm'", [True]), ("4 'm' > 4 's'", []), ("q > 4 'mg'", [True]), ("q < 1 'g'", [True]),
        ("yes < true", FAILS), ("o < o", FAILS),
        # membership
        ("'a' in two", [True]), ("'z' in two", [False]), ("{} in two", []), ("'a' in {}", [False]),
        ("two in one", FAILS),
        ("two contains 'a'", [True]), ("two contains {}", []), ("{} contains 'a'", [False]),
        ("s in ('x' | 'y')", [False]), ("n in (4 | 5)", [True]),
        # union
        ("(one | two).count()", [2]), ("({} | one)", ["a"]), ("(1 | 1.0).count()", [1]), ("(1 | '1').count()", [2]),
        # text
        ("'ABC' + 'DEF'", ["ABCDEF"]), ("'ABC' + {} + 'DEF'", []), ("'ABC' & {} & 'DEF'", ["ABCDEF"]),
        ("{} & {}", [""]), ("two & 'x'", FAILS), ("one & 'x'", ["ax"]), ("n & 'x'", FAILS), ("'a' - 'b'", FAILS),
        # math
        ("1 + {}", []), ("5 / 2", [2.5]), ("6 / 2", [3]), ("1 / 0", []), ("5 div 2", [2]), ("5.5 div 0.7", [7]),
        ("5 div 0", []), ("5 mod 2", [1]), ("5.5 mod 0.7", [0.6]), ("5 mod 0", []), ("(-5) div 2", [-2]),
        ("(-5) mod 2", [-1]), ("1.2 + 1.8", [3]), ("2 * 3", [6]), ("n + d", [7.5]), ("n - 7", [-2]), ("two + 1", FAILS),
        ("1 + 'a'", FAILS), ("-n", [-5]), ("+n", [5]), ("-{}", []), ("0.1 + 0.2 = 0.3", [True]),
        ("9223372036854775807 + 1", []), ("9999999999999999999999999.0 * 100000", []),
        # quantities
        ("12 'cm' * 3 'cm' = 36 'cm2'", [True]), ("12 'cm2' / 3 'cm' = 4 'cm'", [True]),
        ("3 'm' + 3 'cm'", ["303 'cm'"]),
        ("3 'm' - 3 'cm'", ["297 'cm'"]), ("3 'm' + 3 's'", []), ("1 'cm' = 0.01 'm'", [True]), ("1 'cm' = 1 's'", []),
        ("2 * 3 'mg'", ["6 'mg'"]), ("-(3 'mg')", ["-3 'mg'"]), ("1 year = 12 months", [True]), ("1 year = 1 'a'", []),
        ("1 year ~ 1 'a'", [True]), ("7 days = 1 'wk'", [True]), ("1 year > 300 days", [True]),
        ("1 '{x}' = 1 '1'", [True]),
    ],
)  # fmt: skip
def test_operator(expression: str, answer: Any) -> None:
    assert ask(expression, DATA) == answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("1 + 2 * 3", [7]), ("(1 + 2) * 3", [9]), ("1 > 2 is Boolean", [True]), ("(1 | 1) is Integer", [True]),
        ("true or true and false", [True]), ("false implies true and false", [True]), ("1 = 1 and 2 = 2", [True]),
        ("'a' in 'a' = true", [False]), ("-1.abs()", [-1]), ("1 + 1 | 2", [2]), ("2 < 3 = true", [True]),
        ("4 - 2 - 1", [1]), ("16 / 4 / 2", [2]), ("'a' & 'b' = 'ab'", [True]), ("1 < 2 and 2 < 3 or false", [True]),
        ("n.toString() + '!' = '5!'", [True]),
    ],
)  # fmt: skip
def test_precedence(expression: str, answer: Any) -> None:
    """N1 "Operator precedence" and the alternatives of its grammar."""
    assert ask(expression, DATA) == answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        # the same precision, different precision, empty where it is uncertain
        ("@2012 = @2012", [True]), ("@2012 = @2013", [False]), ("@2012-01 = @2012", []), ("@2012-01 = @2013", [False]),
        ("@2012-01 ~ @2012", [False]), ("@2012 ~ @2012", [True]), ("@2018-03 < @2018-03-01", []),
        ("@2018-03 < @2018-04-01", [True]), ("@2018-03-01T10:30 < @2018-03-01T10:30:00", []),
        ("@T10:30:00 = @T10:30:00.0", [True]), ("@T10:30 < @T10:31", [True]), ("@2020-01-01 = @T10:00", [False]),
        ("@2020-01-01 < @T10:00", FAILS),
        # offsets
        ("@2017-11-05T01:30:00.0-04:00 > @2017-11-05T01:15:00.0-05:00", [False]),
        ("@2017-11-05T01:30:00.0-04:00 = @2017-11-05T00:30:00.0-05:00", [True]),
        ("@2020-01-01T10:00:00 = @2020-01-01T10:00:00Z", []), ("@2020-01-01T10:00:00 < @2020-01-03T10:00:00Z", [True]),
        # strings of a record
        ("born = @2020-02-29", [True]), ("born < @2021", [True]), ("at > @2026-03-02T14:59:00Z", [True]),
        ("at < @2026-03-02T15:00:00Z", [False]), ("at > @2026-01-01", [True]), ("s < @2020", FAILS),
        ("s = @2020", [False]),
        # calendar arithmetic
        ("@2014 + 24 months", ["2016"]), ("@2014 - 24 months", ["2012"]), ("@2020-02-29 + 1 year", ["2021-02-28"]),
        ("@2020-01-31 + 1 month", ["2020-02-29"]), ("@2019-03 + 45 days", ["2019-04"]),
        ("born + 1 'd'", ["2020-03-01"]),
        ("@1973-12-25 + 7.7 days", ["1974-01-01"]), ("@T23:00 + 2 hours", ["01:00"]), ("@T01:00 - 2 hours", ["23:00"]),
        ("@2026-03-02T10:00:00.000Z + 10 milliseconds", ["2026-03-02T10:00:00.010Z"]),
        ("@2026-03-02T23:59:59-05:00 + 1 second", ["2026-03-03T00:00:00-05:00"]), ("at + 90 minutes",
         ["2026-03-02T11:30:00-05:00"]), ("@2026-03-02T10 + 90 minutes", ["2026-03-02T11"]),
         ("@9999-12-31 + 1 day", []),
        ("@0001 - 1 year", []), ("@2020-01-01 + 1 'a'", FAILS), ("@2020-01-01 + 1 hour", FAILS),
        ("@T10 + 1 day", FAILS),
        ("@2020-01-01 + 1 'cm'", FAILS), ("@2020-01-01 + 7", FAILS), ("{} + 1 day", []), ("@2020-01-01 + {}", []),
        ("@2026-01-01T + 1 month", ["2026-02-01"]), ("@2020-12 - 1 month", ["2020-11"]),
    ],
)  # fmt: skip
def test_dates_and_times(expression: str, answer: Any) -> None:
    assert ask(expression, DATA) == answer


def test_both_sides_of_and_are_evaluated() -> None:
    """N1: semantics do not change with short-circuit evaluation; iif() is what guards."""
    assert ask("false and two.single() = 'a'", DATA) == FAILS
    assert ask("iif(true, 1, two.single())", DATA) == [1]
