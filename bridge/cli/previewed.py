"""`bridge try --recipient`: what of a record would leave to a practice, told to a person."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.cli import show
from bridge.cli.options import chosen
from bridge.errors import ConfigError, Problem
from bridge.jobs import signed
from bridge.jobs.previewing import Charted, Recipient, agency_of, chart_of
from bridge.jobs.signed import Signed
from bridge.jobs.trial import Asked, Trial
from bridge.mappings.moments import is_day, start_of_day

_LINE = "─" * 100
NOT_KNOWN = (
    "taken as given: that the practice knows each person. Not known here: birth dates, safety flags and names that only"
    " other records hold"
)


def recipient(asked: Asked, trial: Trial, practice: str, file: Path | None, at: str, now: int) -> Recipient:
    """Who would receive, with the file's consents, on the day `at` (that of `now`, in microseconds, where it is "").

    Raises ConfigError.
    """
    project = asked.project
    agency = agency_of(project, asked.agency, practice)
    if project is not None:
        chosen(project.practices, practice, "recipient")
        if practice not in agency.practices:
            rule = "this agency works with no practice of this id"
            raise ConfigError(Problem("unknown-name", rule, "command line", "--recipient"))
    day = at or datetime.fromtimestamp(now / 1_000_000, UTC).astimezone(ZoneInfo(agency.timezone)).date().isoformat()
    instant = first_instant(day, agency.timezone)
    known, vendor = chart_of(project, agency, practice)
    kinds = trial.translator.mappings.kinds
    forms = signed.read(file, agency, kinds, instant) if file is not None else Signed()
    return Recipient(agency, known, vendor, project.programs if project is not None else {}, forms, instant)


def first_instant(day: str, zone: str) -> int:
    """The first instant of a day there. Raises ConfigError."""
    try:
        if is_day(day) and date.fromisoformat(day):
            return start_of_day(day, zone)
    except ValueError:
        pass
    raise ConfigError(Problem("try-day", "a day is written YYYY-MM-DD", "command line", "--at"))


def told_of_consents(to: Recipient) -> None:
    """What was read of the consents: how many, what is no consent, what is about others."""
    forms = to.signed
    if not forms.consents:
        show.say(f"no consent is known: nothing that needs one leaves to {to.practice.id} (--consents FILE gives them)")
    if forms.elsewhere:
        others = "is" if forms.elsewhere == 1 else "are"
        show.say(f"{forms.elsewhere} of the consents {others} about another agency or practice (--agency names yours)")
    show.problems(forms.problems)


def told(one: Charted, to: Recipient) -> None:
    """One person's chart: each part and section with its rule and consents, what is waited for, the document."""
    chart = one.chart
    show.say(f"── would leave to {to.practice.id} about the {chart.role} {chart.person} ".ljust(100, "─"))
    for row in chart.rows:
        place = f"{row.part}, section {row.section}" if row.section else row.part
        forms = "; ".join(filter(None, one.consents(row.consents)))
        resting = f" [{forms}]" if forms else ""
        classes = f" ({', '.join(row.classes)})" if row.classes else ""
        show.say(f"  {'leaves' if row.leaves else 'stays '}  {place}{classes}: {row.rule}{resting}")
    for hold in one.holds:
        show.say(f"  would be held for the {hold.owner} ({hold.reason}): {hold.rule}")
        show.say(f"    → {hold.next_step}")
    for rule in one.wrong:
        show.say(f"  this EHR would not take the document: {rule}")
    if one.text:
        words = "; here its words" if one.data else ""
        show.say(f"── the document as {to.practice.id} would get it, {one.mime}{words} ".ljust(100, "─"))
        show.say(one.text.rstrip("\n"))
        show.say(_LINE)
    else:
        alone = sorted({row.type for row in chart.rows if row.leaves})
        going = ", ".join(one for one in alone if one in to.practice.enable) or "nothing"
        more = f"; of the rest {going} goes by itself (`enable` of the practice)" if alone else ""
        show.say(f"  no document leaves{more}")
