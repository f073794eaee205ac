"""The caseload's days: half a year that ends yesterday, counted from 0."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.demo.cast import Office

DAYS = 180
WAVE = 30
"""Days whose records arrive together."""
LEAVES = 100
"""The day on which each office's second family partner leaves."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Day 0 is `DAYS` days before `today`; a later number than the last is in the future."""

    today: date

    def date(self, day: int) -> date:
        """The day of this number."""
        return self.today + timedelta(days=day - DAYS)

    def day(self, day: int) -> str:
        """The day of this number, as a record has it."""
        return self.date(day).isoformat()

    def at(self, office: Office, day: int, minute: int) -> str:
        """A minute of a day, as the office's system writes it: with its offset, or on the office's wall clock."""
        local = datetime.combine(self.date(day), time(minute // 60, minute % 60), ZoneInfo(office.timezone))
        return local.isoformat() if office.offsets else local.strftime("%Y-%m-%d %H:%M")
