"""When a practice wants notes: each as it comes, or gathered into a roll-up, day by day or week by week.

Windows are of clinical time and end on the practice's clocks, so that a record belongs to the same roll-up whenever it
is translated, after a restore too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import Problem
from bridge.mappings.kinds import Kind
from bridge.model import Weight
from bridge.settings import CadenceSettings, Practice

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALL = "all"
FILE = "bridge.yaml"


@dataclass(frozen=True, slots=True)
class Window:
    """The clinical instants, `until` exclusive, that one roll-up gathers, and when the record is due in it.

    That is when the window ends, or, for what was accepted later, with the practice's next roll-ups.
    """

    thread: str
    since: int
    until: int
    due: int


def unwanted(practice: Practice, kind: str, weight: Weight) -> bool:
    """Whether the practice wants no note of this record: it asked for the significant ones of this kind only."""
    return practice.cadence.kinds.get(kind) == "significant" and weight is Weight.USUAL


def window(
    practice: Practice, agency: str, program: str, kind: str, weight: Weight, occurred: int | None, accepted: int
) -> Window | None:
    """The roll-up in which this practice hears of a record; None where it hears of it at once.

    So it does of what is urgent, and of what has no clinical time. Two kinds of one rhythm share a roll-up where the
    practice wants them `together`, two programs never do: what may leave differs between them.
    """
    wants = practice.cadence
    rhythm = wants.kinds.get(kind, "each")
    if rhythm not in ("daily", "weekly") or weight is Weight.URGENT or occurred is None:
        return None
    weekly = rhythm == "weekly"
    first, last = ends(wants, practice.timezone, occurred, weekly=weekly)
    _, following = ends(wants, practice.timezone, accepted, weekly=weekly)
    named = f"{ALL}/{rhythm}" if wants.together else kind
    between = f"{first:%Y-%m-%dT%H}/{last:%Y-%m-%dT%H}"
    return Window(
        f"roll-up:{agency}/{program}/{named}/{between}", instant(first), instant(last), instant(max(last, following))
    )


def unfit(practices: Mapping[str, Practice], kinds: Mapping[str, Kind]) -> Iterator[Problem]:
    """A problem for each kind in a practice's `cadence` that nobody knows, or without a time to be gathered by."""
    for name, practice in practices.items():
        for kind, rhythm in practice.cadence.kinds.items():
            field = f"practices.{name}.cadence.kinds.{kind}"
            if kind not in kinds:
                step = "use one of: " + ", ".join(sorted(kinds))
                yield Problem("cadence-kind", "no pack or mapping of the project has this kind", FILE, field, step)
            elif rhythm in ("daily", "weekly") and kinds[kind].when is None:
                rule = "records of this kind have no clinical time, so no day or week they belong to"
                yield Problem("cadence-kind", rule, FILE, field, "write `each`, or declare the kind's `when`")


def ends(wants: CadenceSettings, zone: str, at: int, *, weekly: bool) -> tuple[datetime, datetime]:
    """The end of a window at or before an instant, and the first after it, on the clocks of a zone."""
    today = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(zone)).date()
    step = timedelta(days=7 if weekly else 1)
    last = today + timedelta(days=(DAYS.index(wants.day) - today.weekday()) % 7) if weekly else today
    while instant(local(last, wants.hour, zone)) <= at:
        last += step
    return local(last - step, wants.hour, zone), local(last, wants.hour, zone)


def local(day: date, hour: int, zone: str) -> datetime:
    """This hour of this day on the clocks of a zone; where the clocks leave it out, the instant they skip it at."""
    return datetime.combine(day, time(hour), ZoneInfo(zone))


def instant(moment: datetime) -> int:
    """Microseconds UTC."""
    return int(moment.timestamp()) * 1_000_000
