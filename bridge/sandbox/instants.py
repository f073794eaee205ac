"""Dates as ranges: what a FHIR date, dateTime, instant or Period covers, and how a search prefix compares two ranges.

Ranges are seconds since 1970 UTC, the end excluded. A time without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

Range = tuple[float, float]

_PREFIXED = re.compile(r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?(?P<value>\d{4}.*)")
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?")


def parse_range(text: str) -> tuple[str, Range] | None:
    """Prefix (`eq` when none) and range of a search value; None when it is not a date."""
    match = _PREFIXED.fullmatch(text)
    span = _span(match["value"]) if match else None
    return (match["prefix"] or "eq", span) if match and span else None


def range_of(value: Any) -> Range | None:
    """What a dateTime or Period of a resource covers; None when it is neither."""
    if isinstance(value, str):
        return _span(value)
    if isinstance(value, dict) and ("start" in value or "end" in value):
        start, end = _span(value.get("start", "")), _span(value.get("end", ""))
        return start[0] if start else -inf, end[1] if end else inf
    return None


def compare(prefix: str, found: Range, wanted: Range) -> bool:
    """Whether a resource's range stands to the wanted one as the prefix says (FHIR R4, search, prefixes)."""
    within = wanted[0] <= found[0] and found[1] <= wanted[1]
    match prefix:
        case "ne":
            return not within
        case "gt":
            return found[1] > wanted[1]
        case "lt":
            return found[0] < wanted[0]
        case "ge":
            return within or found[1] > wanted[1]
        case "le":
            return within or found[0] < wanted[0]
        case "sa":
            return found[0] >= wanted[1]
        case "eb":
            return found[1] <= wanted[0]
    return within


def _span(text: Any) -> Range | None:
    if not isinstance(text, str):
        return None
    try:
        match = _DATE.fullmatch(text)
        if match is None:
            at = datetime.fromisoformat(text)
            start = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
            return start, start + (1e-3 if "." in text else 1.0)
        year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
        begin = datetime(year, month, day, tzinfo=UTC)
        if match["day"]:
            end = begin + timedelta(days=1)
        elif match["month"]:
            end = (begin + timedelta(days=31)).replace(day=1)
        else:
            end = begin.replace(year=year + 1)
        return begin.timestamp(), end.timestamp()
    except (ValueError, OverflowError):
        return None
