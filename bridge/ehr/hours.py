"""Days and quiet hours of a site, by its own clocks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime.fromtimestamp(0, UTC)


def day_of(zone: str, now: int) -> tuple[int, int]:
    """When this day began there and when the next begins, in microseconds UTC; 23 or 25 hours apart twice a year."""
    local = _local(zone, now)
    first = local.replace(hour=0, minute=0, second=0, microsecond=0)
    following = datetime.combine(first.date() + timedelta(days=1), time(), local.tzinfo)
    return _instant(first), _instant(following)


def quiet_until(hours: Sequence[str], zone: str, now: int) -> int | None:
    """When the quiet hours end that it is in there now; None where it is in none. Each is `HH:MM-HH:MM`, the end
    exclusive, and over midnight where the end is not after the beginning.
    """
    local = _local(zone, now)
    ends = [end for one in hours for end in _ends(one, local)]
    return max((_instant(end) for end in ends), default=None)


def _ends(hours: str, local: datetime) -> list[datetime]:
    """The ends of what is under way, of what began today or yesterday."""
    start, end = (time.fromisoformat(text) for text in hours.split("-"))
    found = []
    for days in (0, -1):
        began = datetime.combine(local.date() + timedelta(days=days), start, local.tzinfo)
        over = datetime.combine(began.date() + timedelta(days=end <= start), end, local.tzinfo)
        if _instant(began) <= _instant(local) < _instant(over):
            found.append(over)
    return found


def _local(zone: str, now: int) -> datetime:
    return (EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(zone))


def _instant(at: datetime) -> int:
    return (at.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
