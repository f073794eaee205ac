"""FHIR dates made as precise as a receiver wants them, by rules that are said aloud."""

from __future__ import annotations

import re
from datetime import datetime, time
from zoneinfo import ZoneInfo

from bridge.model import type_json

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WITH_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

NOON = time(12)
"""The hour of a day without one: noon on the agency's clocks is the same day everywhere in its country."""


def with_time(value: str, zone: str) -> str:
    """A date as an instant at noon in `zone`, an instant as it is, "" for a bare year or month, which is no day."""
    if _WITH_TIME.fullmatch(value):
        return value
    if not _DAY.fullmatch(value):
        return ""
    return datetime.combine(datetime.fromisoformat(value), NOON, ZoneInfo(zone)).isoformat()


def later(one: str, other: str) -> str:
    """The later of two FHIR instants; the one where they cannot be compared."""
    if not (_WITH_TIME.fullmatch(one) and _WITH_TIME.fullmatch(other)):
        return one
    return one if datetime.fromisoformat(one) >= datetime.fromisoformat(other) else other


def period_with_times(period: type_json, zone: str) -> type_json:
    """The period with both ends as instants, as far as they are known to the day."""
    ends = {key: with_time(period[key], zone) for key in ("start", "end") if key in period}
    return {key: value for key, value in ends.items() if value}
