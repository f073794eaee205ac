"""Rosters on paper made files: a practice's identifiers and families' consents, as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import ConfigError, Problem
from bridge.mappings.kinds import Permission
from bridge.mappings.moments import start_of_day
from bridge.moves import granting
from bridge.moves.line import Line
from bridge.store import permissions

LINKS = ("agency", "person", "practice", "system", "value")
CONSENTS = ("agency", "person", "practice", "from", "until", "narrative")
ID = re.compile(r"[^\s\x00-\x1f]{1,128}")  # as records have it (`mappings.schema`); it stands unencrypted in the ledger
YES, NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0", ""})


@dataclass(frozen=True, slots=True)
class Imported:
    """What a roster brought: rows that were new, rows known before, rows that cannot be taken."""

    new: int
    known: int
    problems: tuple[Problem, ...]


def import_links(line: Line, path: Path, by: str, now: int) -> Imported:
    """Each row's identifier is recorded as the practice's own; what waited for one is looked at again."""
    rows = list(rows_of(line, path, LINKS))
    asked = [
        granting.link_of(
            line, row["agency"], row["person"], row["practice"], row["system"], row["value"], "roster", by, now
        )
        for row in rows
        if not isinstance(row, Problem)
    ]
    return counted(rows, line.write_all(permissions.make_link, asked))


def import_consents(line: Line, path: Path, by: str, now: int) -> Imported:
    """Each row's consent is recorded; the same row again changes nothing, another `until` replaces the one before."""
    rows = [row if isinstance(row, Problem) else permission(line, row) for row in rows_of(line, path, CONSENTS)]
    asked = [
        granting.consent_of(line, agency, said, "roster", f"roster:{said.start}", by, now)
        for agency, said in (row for row in rows if not isinstance(row, Problem))
    ]
    return counted(rows, line.write_all(permissions.give_consent, asked))


def counted(rows: Sequence[object], news: Sequence[bool]) -> Imported:
    """The count of what was read and what was new."""
    problems = tuple(row for row in rows if isinstance(row, Problem))
    return Imported(sum(news), len(news) - sum(news), problems)


def rows_of(line: Line, path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str] | Problem]:
    """The rows of a roster whose agency and practice the project has; problems for the others, without values."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if set(reader.fieldnames or ()) != set(columns):
                rule = "the first line must name the columns " + ",".join(columns)
                raise ConfigError(Problem("roster-columns", rule, f"{path.name}:1"))
            for cells in reader:
                where = f"{path.name}:{reader.line_num}"
                if None in cells:
                    rule = "a row must have as many cells as the first line; put a cell that holds a comma in quotes"
                    yield Problem("roster-cells", rule, where)
                    continue
                row = {name: (cells.get(name) or "").strip() for name in columns}
                yield checked(line, row, where)
    except FileNotFoundError:
        raise ConfigError(Problem("roster-missing", "there is no file of this name", path.name)) from None
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(Problem("roster-unreadable", "this is not CSV in UTF-8", path.name)) from None


def checked(line: Line, row: dict[str, str], where: str) -> dict[str, str] | Problem:
    """The row, or what is wrong with it."""
    empty = [name for name in ("agency", "person", "practice", "system", "value", "from") if row.get(name) == ""]
    agency = line.project.agencies.get(row["agency"])
    if empty:
        return Problem("roster-empty", "this cell must be filled", where, empty[0])
    if not ID.fullmatch(row["person"]):
        rule = "an id has no spaces, and 128 characters at the most: a name is none"
        return Problem("roster-person", rule, where, "person")
    if agency is None:
        return Problem("roster-agency", "the project has no agency of this id", where, "agency")
    if row["practice"] not in agency.practices:
        return Problem("roster-practice", "this agency works with no practice of this id", where, "practice")
    return row | {"where": where}


def permission(line: Line, row: dict[str, str]) -> tuple[str, Permission] | Problem:
    """The consent a row gives: from the start of its first day to the end of its last, in the agency's zone."""
    zone = line.project.agencies[row["agency"]].timezone
    narrative = row["narrative"].lower()
    if narrative not in YES | NO:
        return Problem("roster-narrative", "must be yes or no", row["where"], "narrative")
    try:
        start = start_of_day(row["from"], zone)
        until = start_of_day(row["until"], zone, days=1) if row["until"] else None
    except ValueError:
        return Problem("roster-date", "a date is written YYYY-MM-DD", row["where"], "from, until")
    return row["agency"], Permission(row["person"], row["practice"], start, until, narrative in YES, None)
