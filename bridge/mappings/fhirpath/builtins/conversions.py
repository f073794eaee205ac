"""toX() and convertsToX() (FHIRPath N1, "Conversion")."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from bridge.mappings.fhirpath.arithmetic import LONGEST_INTEGER
from bridge.mappings.fhirpath.moments import Moment, parse_moment, parse_time
from bridge.mappings.fhirpath.quantities import CALENDAR_UNITS, Quantity
from bridge.mappings.fhirpath.registry import Example, Function, Style
from bridge.mappings.fhirpath.values import is_number, quantity_of

_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
_INTEGER = re.compile(r"[+-]?\d{1,28}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,28}(\.\d{1,28})?", re.ASCII)
_QUANTITY = re.compile(r"(?P<value>[+-]?\d{1,28}(?:\.\d{1,28})?)\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-z]+))?", re.ASCII)


def to_boolean(value: object) -> bool | None:
    """The Boolean a value stands for, else None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.lower()
        return True if text in _TRUE else False if text in _FALSE else None
    if is_number(value):
        return True if value == 1 else False if value == 0 else None
    return None


def to_integer(value: object) -> int | None:
    """The Integer a value stands for, else None."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        number = int(value)
        return number if -LONGEST_INTEGER <= number < LONGEST_INTEGER else None
    return None


def to_decimal(value: object) -> Decimal | None:
    """The Decimal a value stands for, else None."""
    if isinstance(value, bool | int):
        return Decimal(int(value)) if not isinstance(value, bool) else Decimal("1.0" if value else "0.0")
    if isinstance(value, str):
        return Decimal(value) if _DECIMAL.fullmatch(value) else None
    return value if isinstance(value, Decimal) else None


def to_quantity(value: object, unit: str | None = None) -> Quantity | None:
    """The Quantity a value stands for, in `unit` if one is asked for, else None."""
    found = _quantity(value)
    return found if unit is None or found is None or unit in (found.unit, f"{found.word}s") else None


def _quantity(value: object) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, dict):
        return quantity_of(value)
    if isinstance(value, bool | int | Decimal):
        number = to_decimal(value)
        return None if number is None else Quantity(number, "1")
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match["word"] and match["word"] not in CALENDAR_UNITS):
        return None
    return Quantity(Decimal(match["value"]), match["unit"] or match["word"] or "1", calendar=bool(match["word"]))


def to_string(value: object) -> str | None:
    """The value as FHIRPath writes it; None for an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | int | Moment | Quantity) else None


def to_date(value: object) -> Moment | None:
    """The Date a value stands for, a DateTime without its time, else None."""
    found = parse_moment(value) if isinstance(value, str) else value
    if not isinstance(found, Moment) or found.kind == "Time":
        return None
    return Moment("Date", found.fields[:3])


def to_date_time(value: object) -> Moment | None:
    """The DateTime a value stands for, a Date with its time unknown, else None."""
    found = parse_moment(value) if isinstance(value, str) else value
    if not isinstance(found, Moment) or found.kind == "Time":
        return None
    return Moment("DateTime", found.fields, found.fraction, found.offset)


def to_time(value: object) -> Moment | None:
    """The Time a value stands for, else None."""
    found = parse_time(value) if isinstance(value, str) else value
    return found if isinstance(found, Moment) and found.kind == "Time" else None


def _converts(convert: Callable[..., object]) -> Callable[..., bool]:
    return lambda value, *more: convert(value, *more) is not None


_E = Example
_EXAMPLES: dict[str, tuple[Example, ...]] = {
    "Boolean": (_E("'yes'.toBoolean()", (True,)), _E("'x'.toBoolean()", ()), _E("2.convertsToBoolean()", (False,))),
    "Integer": (_E("'12'.toInteger()", (12,)), _E("'1.1'.toInteger()", ()), _E("'a'.convertsToInteger()", (False,))),
    "Decimal": (_E("'1.1'.toDecimal()", (Decimal("1.1"),)), _E("true.convertsToDecimal()", (True,))),
    "Quantity": (_E("'1 day'.toQuantity() = 1 day", (True,)), _E("'1 wk'.convertsToQuantity()", (False,))),
    "String": (_E("1.5.toString()", ("1.5",)), _E("true.toString()", ("true",)), _E("1.convertsToString()", (True,))),
    "Date": (_E("'2026-01-31'.toDate() = @2026-01-31", (True,)), _E("'x'.convertsToDate()", (False,))),
    "DateTime": (_E("'2026'.toDateTime() = @2026T", (True,)), _E("'x'.convertsToDateTime()", (False,))),
    "Time": (_E("'10:30'.toTime() = @T10:30", (True,)), _E("'x'.convertsToTime()", (False,))),
}
_CALLS: dict[str, Callable[..., object]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "Quantity": to_quantity,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_date_time,
    "Time": to_time,
}


def _pair(name: str, call: Callable[..., object]) -> tuple[Function, Function]:
    unit = ("Any", "String") if name == "Quantity" else ("Any",)
    usage = "([unit])" if name == "Quantity" else "()"
    gives = name if name in ("Boolean", "Integer", "Decimal", "String") else "Any"
    to, converts = f"to{name}", f"convertsTo{name}"
    ours = tuple(e for e in _EXAMPLES[name] if f"{to}(" in e.expression)
    others = tuple(e for e in _EXAMPLES[name] if f"{converts}(" in e.expression)
    return (
        Function(to, to + usage, Style.VALUE, call, 0, len(unit) - 1, takes=unit, gives=gives, examples=ours),
        Function(
            converts, converts + usage, Style.VALUE, _converts(call), 0, len(unit) - 1, takes=unit, gives="Boolean",
            examples=others,
        ),
    )  # fmt: skip


CONVERSIONS: tuple[Function, ...] = tuple(function for name in _CALLS for function in _pair(name, _CALLS[name]))
