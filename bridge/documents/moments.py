"""FHIR dates and instants: as people read them, in ISO dates and 24-hour times, and as HL7 v2 and v3 write them."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.documents.words import Words
from bridge.model import type_json

_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


def moment(value: str, zone: str) -> str:
    """A date as it is; an instant on the clocks of `zone`, to the minute. What is neither stays as it is."""
    there = _there(value, zone)
    return there.strftime("%Y-%m-%d %H:%M") if there else value


def span(period: type_json, zone: str, say: Words) -> str:
    """A period: its day and times when it lies in one day, else from and to."""
    start, end = period.get("start", ""), period.get("end", "")
    if not start or not end or start == end:
        return moment(start or end, zone) if start or not end else f"{say('until').lower()} {moment(end, zone)}"
    one, other = _there(start, zone), _there(end, zone)
    if one and other and one.date() == other.date():
        return f"{one:%Y-%m-%d %H:%M}–{other:%H:%M}"
    return f"{moment(start, zone)} {say('to')} {moment(end, zone)}"


def stamp(value: str) -> str:
    """A FHIR date or instant as HL7's TS writes it (CDA R2, v2), as precise as it is; "" where it is neither."""
    if _DAY.fullmatch(value):
        return value.replace("-", "")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return ""
    return found.strftime("%Y%m%d%H%M%S%z")


def _there(value: str, zone: str) -> datetime | None:
    if len(value) <= 10:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(ZoneInfo(zone)) if found.tzinfo else None
