"""Math functions (FHIRPath N1, "Math") and the sums every report needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from bridge.mappings.fhirpath import arithmetic
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import Quantity
from bridge.mappings.fhirpath.registry import Example, Function, Style
from bridge.mappings.fhirpath.values import Items, is_number, kind_of, system

_PLACES = 28


def absolute(value: object) -> object:
    """The value without its sign."""
    if isinstance(value, Quantity):
        return Quantity(abs(value.value), value.unit, value.calendar)
    return abs(value)  # type: ignore[arg-type]


def ceiling(value: Decimal) -> object:
    """The first Integer not below."""
    return _whole(value, ROUND_CEILING)


def floor(value: Decimal) -> object:
    """The first Integer not above."""
    return _whole(value, ROUND_FLOOR)


def truncate(value: Decimal) -> object:
    """The Integer part."""
    return arithmetic.bounded(int(value))


def rounded(value: Decimal, places: int = 0) -> object:
    """Rounded half away from zero. Raises Fault FE02 for less than 0 places."""
    if places < 0:
        raise Fault("FE02", "round() takes 0 places or more")
    if isinstance(value, int):
        return value
    found = Decimal(value).quantize(Decimal(1).scaleb(-min(places, _PLACES)), ROUND_HALF_UP, arithmetic.CONTEXT)
    return int(found) if places == 0 else found


def root(value: Decimal) -> object:
    """The square root; None below zero."""
    return None if value < 0 else arithmetic.CONTEXT.sqrt(Decimal(value))


def exponential(value: Decimal) -> object:
    """e to the power of the value; None where it is too large."""
    return None if value > 64 else arithmetic.bounded(arithmetic.CONTEXT.exp(Decimal(value)))


def natural_logarithm(value: Decimal) -> object:
    """The natural logarithm; None at or below zero."""
    return None if value <= 0 else arithmetic.CONTEXT.ln(Decimal(value))


def logarithm(value: Decimal, base: Decimal) -> object:
    """The logarithm to a base; None where there is none."""
    if value <= 0 or base <= 0 or base == 1:
        return None
    return Decimal(repr(round(math.log(value, base), 12)))


def power(value: Decimal, exponent: Decimal) -> object:
    """The power; an Integer where both are; None where it is too large or no real number."""
    if exponent == 0:
        return 1
    if (value == 0 and exponent < 0) or (value < 0 and exponent != int(exponent)) or abs(exponent) > 1024:
        return None
    if isinstance(value, int) and isinstance(exponent, int) and exponent >= 0:
        return arithmetic.bounded(value**exponent)
    size = abs(Decimal(value))
    if size and exponent * size.log10() > 30:
        return None
    return arithmetic.bounded(arithmetic.CONTEXT.power(Decimal(value), Decimal(exponent)))


def total(items: Items) -> object:
    """The sum, None of nothing. Raises Fault FE02."""
    return _folded(items, arithmetic.add)


def average(items: Items) -> object:
    """The sum divided by the number of items, None of nothing. Raises Fault FE02."""
    found = total(items)
    return None if found is None else arithmetic.divide(found, len(items))


def least(items: Items) -> object:
    """The smallest item, None of nothing. Raises Fault FE05."""
    return _folded(items, lambda first, second: first if arithmetic.order(first, second) != 1 else second)


def greatest(items: Items) -> object:
    """The largest item, None of nothing. Raises Fault FE05."""
    return _folded(items, lambda first, second: first if arithmetic.order(first, second) != -1 else second)


def _folded(items: Items, step: Callable[[object, object], object]) -> object:
    values = [system(item) for item in items]
    found = values[0] if values else None
    for value in values[1:]:
        found = None if found is None else step(found, value)
    if found is not None and not is_number(found) and kind_of(found) == "object":
        raise Fault("FE02", "sum(), avg(), min() and max() take values, not objects")
    return found


def _whole(value: Decimal, way: str) -> object:
    return arithmetic.bounded(int(Decimal(value).to_integral_value(way)))


def _number(name: str, usage: str, call: object, more: int, gives: str, *examples: Example, least: int = -1,
            takes: str = "Decimal") -> Function:  # fmt: skip
    return Function(
        name, usage, Style.VALUE, call,  # type: ignore[arg-type]
        least=more if least < 0 else least, most=more, takes=(takes, *("Decimal",) * more), gives=gives,
        failures=("the input or an argument is not a number",), examples=examples,
    )  # fmt: skip


def _fold(name: str, call: object, *examples: Example) -> Function:
    failures = ("the items are not of one kind that can be added or ordered",)
    return Function(
        name, f"{name}()", Style.COLLECTION, call, single=True, failures=failures, examples=examples  # type: ignore[arg-type]
    )  # fmt: skip


_E = Example
NUMBERS: tuple[Function, ...] = (
    _number("abs", "abs()", absolute, 0, "Any", _E("(-5).abs()", (5,)), takes="Number"),
    _number("ceiling", "ceiling()", ceiling, 0, "Integer", _E("1.1.ceiling()", (2,)), _E("(-1.1).ceiling()", (-1,))),
    _number("exp", "exp()", exponential, 0, "Decimal", _E("0.exp()", (1,))),
    _number("floor", "floor()", floor, 0, "Integer", _E("(-2.1).floor()", (-3,))),
    _number("ln", "ln()", natural_logarithm, 0, "Decimal", _E("1.ln()", (0,)), _E("0.ln()", ())),
    _number("log", "log(base)", logarithm, 1, "Decimal", _E("16.log(2)", (4,))),
    _number("power", "power(exponent)", power, 1, "Any", _E("2.power(3)", (8,)), _E("(-1).power(0.5)", ())),
    Function("round", "round([precision])", Style.VALUE, rounded, 0, 1, takes=("Decimal", "Integer"), gives="Decimal",
             failures=("the input is not a number", "the precision is below 0"),
             examples=(_E("3.14159.round(3)", (Decimal("3.142"),)), _E("1.5.round()", (2,)))),
    _number("sqrt", "sqrt()", root, 0, "Decimal", _E("81.sqrt()", (9,)), _E("(-1).sqrt()", ())),
    _number("truncate", "truncate()", truncate, 0, "Integer", _E("101.9.truncate()", (101,))),
    _fold("sum", total, _E("(1 | 2 | 3).sum()", (6,)), _E("{}.sum()", ())),
    _fold("avg", average, _E("(1 | 2).avg()", (Decimal("1.5"),))),
    _fold("min", least, _E("(3 | 1 | 2).min()", (1,))),
    _fold("max", greatest, _E("(3 | 1 | 2).max()", (3,))),
)  # fmt: skip
