"""Days and times as agencies write them: with an offset, or on the wall clock of a named zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_LENGTH = len("2026-01-05")


class NoSuchTime(ValueError):
    """A wall-clock time that the zone's clocks skipped (the hour lost in spring)."""


def is_day(text: str) -> bool:
    """Whether a moment names a day and no time of day."""
    return len(text) == _DAY_LENGTH


def to_fhir(text: str, zone: str) -> str:
    """The moment as a FHIR dateTime as precise as it was given: a day stays a day, a time gets seconds and an offset.

    A wall-clock time that came twice (the hour gained in autumn) is the first of the two. Raises NoSuchTime.
    """
    if is_day(text):
        return text
    moment = _aware(text, zone)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def to_wall_clock(text: str, zone: str) -> str:
    """The moment as people read it there: `2026-01-05 14:30`, or the day alone. Raises NoSuchTime."""
    return text if is_day(text) else _aware(text, zone).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def to_microseconds(text: str, zone: str) -> int:
    """The moment in microseconds UTC; a day alone stands for its local noon, a skipped time for the hour after it."""
    local = datetime.combine(date.fromisoformat(text), time(12)) if is_day(text) else _parsed(text)
    if local.tzinfo is None:
        local = local.replace(tzinfo=ZoneInfo(zone))
    return (local - _EPOCH) // _MICROSECOND


def day_of(microseconds: int, zone: str) -> str:
    """The day it is there at an instant: `2026-01-05`; before the first and after the last day there is, that one."""
    try:
        return (_EPOCH + microseconds * _MICROSECOND).astimezone(ZoneInfo(zone)).date().isoformat()
    except OverflowError:
        return (date.max if microseconds > 0 else date.min).isoformat()


def start_of_day(text: str, zone: str, days: int = 0) -> int:
    """Microseconds UTC at which a day, or the day so many days later, begins there; a time is kept as it is."""
    if not is_day(text):
        return to_microseconds(text, zone)
    midnight = datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(0), ZoneInfo(zone))
    return (midnight - _EPOCH) // _MICROSECOND


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _aware(text: str, zone: str) -> datetime:
    moment = _parsed(text)
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=ZoneInfo(zone))
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != moment:
        raise NoSuchTime
    return local
