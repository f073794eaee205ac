"""A value with a unit: equality, order and arithmetic across units of one dimension (FHIRPath N1, "Quantity")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from bridge.mappings.fhirpath.units import Unit, unit_of

_WORDS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR_UNITS = frozenset([*_WORDS, *(f"{word}s" for word in _WORDS)])
_SHORT = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
_MONTHS = {"year": 12, "month": 1}
_DAYS = {"year": 365, "month": 30}
"""Without an anchor in the calendar a year is 365 days and a month 30 (N1, "Equality")."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """`calendar` tells 1 year (the calendar's) from 1 'a' (UCUM's 365.25 days)."""

    value: Decimal
    unit: str
    calendar: bool = False

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}" if self.calendar else f"{self.value:f} '{self.unit}'"

    @property
    def word(self) -> str:
        """The calendar unit in the singular, "" for a UCUM unit."""
        return self.unit.removesuffix("s") if self.unit in CALENDAR_UNITS else ""


def equal_quantities(left: Quantity, right: Quantity) -> bool | None:
    """None where the units cannot be compared, or a calendar year or month meets any other unit but these two."""
    if left.word in _MONTHS and right.word in _MONTHS:
        return left.value * _MONTHS[left.word] == right.value * _MONTHS[right.word]
    if left.word in _MONTHS or right.word in _MONTHS:
        return None
    return _same(left, right)


def equivalent_quantities(left: Quantity, right: Quantity) -> bool:
    """As equality at the precision of the less precise value; a calendar year is a UCUM one here."""
    first, second = _in_ucum(left), _in_ucum(right)
    if first.unit == second.unit:
        return _rounded_same(first.value, second.value)
    units = _units(first, second)
    if units is None:
        return False
    wide, narrow = (first, second) if units[0].factor >= units[1].factor else (second, first)
    ratio = min(units[0].factor, units[1].factor) / max(units[0].factor, units[1].factor)
    return _rounded_same(wide.value, _decimal(Fraction(narrow.value) * ratio), _places(wide.value))


def order_quantities(left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1; None where the units cannot be compared."""
    if left.word in _MONTHS and right.word in _MONTHS:
        first, second = left.value * _MONTHS[left.word], right.value * _MONTHS[right.word]
        return (first > second) - (first < second)
    first_days, second_days = _in_days(left), _in_days(right)
    pair = _in_base(first_days, second_days)
    return None if pair is None else (pair[0] > pair[1]) - (pair[0] < pair[1])


def add_quantities(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """The sum (sign 1) or difference (-1) in the finer unit; None where the dimensions differ."""
    if left.unit == right.unit:
        return Quantity(left.value + sign * right.value, left.unit, left.calendar)
    if left.word in _MONTHS and right.word in _MONTHS:
        total = left.value * _MONTHS[left.word] + sign * right.value * _MONTHS[right.word]
        return Quantity(total, "months", calendar=True)
    if left.word in _MONTHS or right.word in _MONTHS:
        return None
    units = _units(left, right)
    if units is None:
        return None
    finer, result = (units[0], left) if units[0].factor <= units[1].factor else (units[1], right)
    first, second = (Fraction(q.value) * u.factor / finer.factor for q, u in zip((left, right), units, strict=True))
    return Quantity(_decimal(first + sign * second), result.unit, result.calendar)


def multiply_quantities(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """The product (sign 1) or quotient (-1); None where a unit is not known. The unit is of base units, or '1'."""
    units = _known(left), _known(right)
    if units[0] is None or units[1] is None or (sign < 0 and right.value == 0):
        return None
    value = left.value * right.value if sign > 0 else _decimal(Fraction(left.value) / Fraction(right.value))
    if not units[1].dimension and units[1].factor == 1:
        return Quantity(value, left.unit, left.calendar)
    if not units[0].dimension and units[0].factor == 1 and sign > 0:
        return Quantity(value, right.unit, right.calendar)
    powers = dict(units[0].dimension)
    for name, power in units[1].dimension:
        powers[name] = powers.get(name, 0) + sign * power
    if any(power and name not in _BASE for name, power in powers.items()):
        return None
    factor = units[0].factor * units[1].factor ** sign
    unit = ".".join(f"{_BASE[name]}{power if power != 1 else ''}" for name, power in sorted(powers.items()) if power)
    return Quantity(_decimal(Fraction(value) * factor), unit or "1")


_BASE = {"length": "m", "mass": "g", "time": "s", "amount": "mol", "energy": "J", "pressure": "Pa"}


def quantity_key(quantity: Quantity) -> tuple[object, ...]:
    """Equal keys mean equal quantities."""
    if quantity.word in _MONTHS:
        return ("months", quantity.value * _MONTHS[quantity.word])
    unit = _known(quantity)
    if unit is None:
        return (quantity.unit, quantity.value)
    return (unit.dimension, Fraction(quantity.value) * unit.factor)


def _known(quantity: Quantity) -> Unit | None:
    return unit_of(_SHORT.get(quantity.word, quantity.unit))


def _units(left: Quantity, right: Quantity) -> tuple[Unit, Unit] | None:
    first, second = _known(left), _known(right)
    if first is None or second is None or first.dimension != second.dimension:
        return None
    return first, second


def _in_base(left: Quantity, right: Quantity) -> tuple[Fraction, Fraction] | None:
    if left.unit == right.unit:
        return Fraction(left.value), Fraction(right.value)
    units = _units(left, right)
    return units and (Fraction(left.value) * units[0].factor, Fraction(right.value) * units[1].factor)


def _same(left: Quantity, right: Quantity) -> bool | None:
    pair = _in_base(left, right)
    return None if pair is None else pair[0] == pair[1]


def _in_ucum(quantity: Quantity) -> Quantity:
    word = {"year": "a", "month": "mo"}.get(quantity.word) or _SHORT.get(quantity.word)
    return Quantity(quantity.value, word) if word else quantity


def _in_days(quantity: Quantity) -> Quantity:
    if quantity.word in _DAYS:
        return Quantity(quantity.value * _DAYS[quantity.word], "d")
    return Quantity(quantity.value, _SHORT.get(quantity.word, quantity.unit))


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounded_same(left: Decimal, right: Decimal, places: int | None = None) -> bool:
    digits = min(_places(left), _places(right)) if places is None else places
    return round(left, digits) == round(right, digits)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
