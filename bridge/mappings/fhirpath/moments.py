"""Partial dates, date-times and times (FHIRPath N1: "Date", "DateTime", "Time", "Equality", "Comparison").

A moment is a span of time as wide as its precision: 2026 is a whole year. Two moments compare when their spans do not
overlap, or are the same at the same precision; otherwise the answer is empty. Seconds and milliseconds are one
precision. A moment without an offset is somewhere between UTC-12 and UTC+14 when it meets one with an offset: a mapping
reaches no machine and so no zone of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EAST, _WEST = 14 * HOUR, 12 * HOUR
_DIGITS = 9

_DATE = r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?"
_TIME = r"(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?)?"
_MOMENT = re.compile(rf"{_DATE}(?P<t>T(?:{_TIME}(?P<offset>Z|[+-]\d\d:\d\d)?)?)?", re.ASCII)
_CLOCK = re.compile(rf"T?{_TIME}", re.ASCII)
_FIELDS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True, slots=True)
class Moment:
    """A Date, DateTime or Time.

    `fields` holds year to second (hour to second for a Time), only as far as they are known; `fraction` the digits
    after the second; `offset` "Z", "+hh:mm" or "" as it was written.
    """

    kind: str
    fields: tuple[int, ...]
    fraction: str = ""
    offset: str = ""

    def __str__(self) -> str:
        clock = self.fields if self.kind == "Time" else self.fields[3:]
        time = ":".join(f"{part:02}" for part in clock) + (f".{self.fraction}" if self.fraction else "")
        if self.kind == "Time":
            return time
        day = "-".join(f"{part:0{4 if place == 0 else 2}}" for place, part in enumerate(self.fields[:3]))
        return f"{day}T{time}{self.offset}" if self.kind == "DateTime" and clock else day

    @property
    def precision(self) -> int:
        """How many fields are known, from 1 (year) to 6 (second); a Time's hour counts as 4."""
        return len(self.fields) + (3 if self.kind == "Time" else 0)

    @property
    def nanoseconds(self) -> int:
        """The fraction of the second in nanoseconds."""
        return int(self.fraction[:_DIGITS].ljust(_DIGITS, "0")) if self.fraction else 0

    def span(self) -> tuple[int, int]:
        """First and last nanosecond: since the year 1 (UTC if there is an offset), or since midnight for a Time."""
        if self.kind == "Time":
            low = _clock(self.fields) + self.nanoseconds
        else:
            year, month, day = (*self.fields[:3], 1, 1)[:3]
            low = date(year, month, day).toordinal() * DAY + _clock(self.fields[3:]) + self.nanoseconds
            low -= _offset(self.offset)
        return low, low + self._width() - 1

    def _width(self) -> int:
        match self.precision:
            case 1:
                return (366 if _is_leap(self.fields[0]) else 365) * DAY
            case 2:
                return days_of(self.fields[0], self.fields[1]) * DAY
            case 3:
                return DAY
            case 4:
                return HOUR
            case 5:
                return MINUTE
        return 1


def parse_moment(text: str) -> Moment | None:
    """A Date (2026-01-31), DateTime (2026-01-31T10:30:00Z, also 2026T) or Time (T10:30); None when it is none."""
    if text.startswith("T"):
        return parse_time(text)
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    fields = tuple(int(match[name]) for name in _FIELDS if match[name] is not None)
    if not _exists(fields) or abs(_offset(match["offset"] or "")) > _EAST:
        return None
    return Moment("DateTime" if match["t"] else "Date", fields, match["fraction"] or "", match["offset"] or "")


def parse_time(text: str) -> Moment | None:
    """A Time (10:30, also T10:30); None when it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    fields = tuple(int(match[name]) for name in _FIELDS[3:] if match[name] is not None)
    return Moment("Time", fields, match["fraction"] or "") if _is_clock(fields) else None


def equal_moments(left: Moment, right: Moment) -> bool | None:
    """True or False where it is certain, None where a precision or an offset is missing. Time and date: False."""
    if (left.kind == "Time") != (right.kind == "Time"):
        return False
    order = order_moments(left, right)
    return None if order is None else order == 0


def order_moments(left: Moment, right: Moment) -> int | None:
    """-1, 0 or 1 where it is certain, else None. Both are times, or neither is."""
    low, high = left.span()
    other_low, other_high = right.span()
    known, other_known = bool(left.offset), bool(right.offset)
    if known and not other_known and right.kind != "Time":
        other_low, other_high = other_low - _EAST, other_high + _WEST
    elif other_known and not known and left.kind != "Time":
        low, high = low - _EAST, high + _WEST
    if high < other_low:
        return -1
    if low > other_high:
        return 1
    same = left.precision == right.precision and known == other_known and low == other_low
    return 0 if same else None


def days_of(year: int, month: int) -> int:
    """The number of days of a month."""
    return 29 if month == 2 and _is_leap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _exists(fields: tuple[int, ...]) -> bool:
    year, month, day = (*fields[:3], 1, 1)[:3]
    return 1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= days_of(year, month) and _is_clock(fields[3:])


def _is_clock(fields: tuple[int, ...]) -> bool:
    return all(value <= most for value, most in zip(fields, (23, 59, 59), strict=False))


def _clock(fields: tuple[int, ...]) -> int:
    return sum(value * unit for value, unit in zip(fields, (HOUR, MINUTE, SECOND), strict=False))


def _offset(text: str) -> int:
    if text in ("", "Z"):
        return 0
    amount = int(text[1:3]) * HOUR + int(text[4:6]) * MINUTE
    return -amount if text[0] == "-" else amount
