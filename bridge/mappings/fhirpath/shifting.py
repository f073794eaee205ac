"""Adding calendar time to a partial date, date-time or time (FHIRPath N1, "Date/Time Arithmetic")."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bridge.mappings.fhirpath.moments import DAY, HOUR, MINUTE, SECOND, Moment, days_of
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import CALENDAR_UNITS, Quantity

_UCUM = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}
_NANOSECONDS = {"week": 7 * DAY, "day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND, "millisecond": SECOND}
_CLOCK_UNITS = ("hour", "minute", "second", "millisecond")
_WIDTH = {1: 365 * DAY, 2: 30 * DAY, 3: DAY, 4: HOUR, 5: MINUTE, 6: 1}
"""How long one step of a precision is where a shorter unit must be expressed in it (a year is 365 days)."""


def shifted(moment: Moment, amount: Quantity, sign: int) -> Moment | None:
    """The moment `amount` later (sign 1) or earlier (-1), at its own precision; None beyond the years 1 to 9999.

    Months and years follow the calendar: a day that the month lacks becomes its last. A shorter unit than the moment's
    precision counts in whole steps of that precision. Raises Fault FE02 for a unit that is not of the calendar, and for
    hours and shorter on a Date, days and longer on a Time.
    """
    unit = _unit_of(amount)
    if moment.kind == "Date" and unit in _CLOCK_UNITS:
        raise Fault("FE02", f"a date takes years, months, weeks and days, not {unit}s", "use a date-time")
    if moment.kind == "Time" and unit not in _CLOCK_UNITS:
        raise Fault("FE02", f"a time takes hours, minutes, seconds and milliseconds, not {unit}s", "use a date-time")
    if unit in ("year", "month"):
        return _by_months(moment, sign * int(amount.value) * (12 if unit == "year" else 1))
    value = amount.value if unit in ("second", "millisecond") else Decimal(int(amount.value))
    step = Decimal(_NANOSECONDS[unit]) / (1000 if unit == "millisecond" else 1)
    return _by_nanoseconds(moment, sign * int(value * step))


def _unit_of(amount: Quantity) -> str:
    unit = amount.unit.removesuffix("s") if amount.unit in CALENDAR_UNITS else _UCUM.get(amount.unit, "")
    if not unit:
        rule = "what is added to a date or time is a number of years, months, weeks, days, hours, minutes or seconds"
        raise Fault("FE02", rule, "write a calendar unit, for example 3 months")
    return unit


def _by_months(moment: Moment, months: int) -> Moment | None:
    year = moment.fields[0]
    if moment.precision == 1:
        return _checked(moment, (year + int(months / 12),))
    count = year * 12 + moment.fields[1] - 1 + months
    year, month = count // 12, count % 12 + 1
    if not 1 <= year <= 9999:
        return None
    day = () if moment.precision == 2 else (min(moment.fields[2], days_of(year, month)),)
    return _checked(moment, (year, month, *day, *moment.fields[3:]))


def _by_nanoseconds(moment: Moment, amount: int) -> Moment | None:
    precision = moment.precision
    if precision <= 2 and moment.kind != "Time":
        steps = int(Decimal(amount) / _WIDTH[precision])
        return _by_months(moment, steps * (12 if precision == 1 else 1))
    width = _WIDTH[precision]
    low = _naive(moment) + (abs(amount) // width) * width * (1 if amount >= 0 else -1)
    return _from_nanoseconds(moment, low % DAY if moment.kind == "Time" else low)


def _naive(moment: Moment) -> int:
    clock = moment.fields if moment.kind == "Time" else moment.fields[3:]
    total = sum(value * unit for value, unit in zip(clock, (HOUR, MINUTE, SECOND), strict=False))
    total += moment.nanoseconds
    if moment.kind != "Time":
        year, month, day = moment.fields[:3]
        total += date(year, month, day).toordinal() * DAY
    return total


def _from_nanoseconds(moment: Moment, total: int) -> Moment | None:
    day, rest = divmod(total, DAY)
    clock = (rest // HOUR, rest // MINUTE % 60, rest // SECOND % 60)
    fraction = _fraction(moment, rest % SECOND)
    if moment.kind == "Time":
        return Moment("Time", clock[: len(moment.fields)], fraction)
    if not 1 <= day <= date.max.toordinal():
        return None
    found = date.fromordinal(day)
    fields = (found.year, found.month, found.day, *clock)[: moment.precision]
    return Moment(moment.kind, fields, fraction, moment.offset)


def _fraction(moment: Moment, nanoseconds: int) -> str:
    digits = f"{nanoseconds:09}"
    wide = len(digits.rstrip("0"))
    return digits[: max(len(moment.fraction), (wide + 2) // 3 * 3)]


def _checked(moment: Moment, fields: tuple[int, ...]) -> Moment | None:
    return Moment(moment.kind, fields, moment.fraction, moment.offset) if 1 <= fields[0] <= 9999 else None
