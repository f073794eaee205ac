"""Rosters on paper made files: a practice's identifiers and families' consents, as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import ConfigError, Problem
from bridge.mappings.classes import GRANTABLE, NARRATIVE, ORDINARY
from bridge.mappings.kinds import Permission
from bridge.mappings.moments import start_of_day
from bridge.model import Authority, Purpose, Terms
from bridge.moves import granting
from bridge.moves.line import Line
from bridge.settings import Agency
from bridge.store import permissions

LINKS = ("agency", "person", "practice", "system", "value")
CONSENTS = ("agency", "person", "practice", "from", "until")
TERMS = ("narrative", "grantor", "authority", "classes", "purpose", "language", "form", "custody")
"""Columns of a list of consents that may be left out; one of `narrative` and `classes` must be there."""
NONE = "none"
"""What `classes` says of a refusal."""
WORDS = {"narrative", "classes"}
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
    rows = list(rows_of(line.project.agencies, path, LINKS))
    asked = [
        granting.link_of(
            line, row["agency"], row["person"], row["practice"], row["system"], row["value"], "roster", by, now
        )
        for row in rows
        if not isinstance(row, Problem)
    ]
    return counted(rows, line.write_all(permissions.make_link, asked))


def import_consents(line: Line, path: Path, by: str, now: int) -> Imported:
    """Each row's consent is recorded; the same row again changes nothing, another `until` replaces the one before.

    A row that names another `custody` than the person was last known to be in suspends first what others signed.
    """
    read = list(rows_of(line.project.agencies, path, CONSENTS, TERMS))
    says = [row for row in read if not isinstance(row, Problem) and row["custody"]]
    changes = [granting.suspension(line, row["agency"], row["person"], row["custody"], now) for row in says]
    granting.change_custody(line, changes, now)
    rows = [row if isinstance(row, Problem) else permission(line.project.agencies, row) for row in read]
    asked = [
        granting.consent_of(line, agency, said, "roster", roster_ref(said), by, now)
        for agency, said in (row for row in rows if not isinstance(row, Problem))
    ]
    return counted(rows, granting.give_all(line, asked, now))


def roster_ref(said: Permission) -> str:
    """What recognises the same row again: the first day, and who signed what for where the list says so."""
    terms = said.terms
    named = f"/{terms.grantor}" if terms.grantor else ""
    return f"roster:{said.start}{named}" + (
        f"#{terms.purpose}" if terms.purpose is not Purpose.CARE_COORDINATION else ""
    )


def counted(rows: Sequence[object], news: Sequence[bool]) -> Imported:
    """The count of what was read and what was new."""
    problems = tuple(row for row in rows if isinstance(row, Problem))
    return Imported(sum(news), len(news) - sum(news), problems)


def rows_of(
    agencies: Mapping[str, Agency], path: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[dict[str, str] | Problem]:
    """The rows of a roster whose agency and practice the project has; problems for the others, without values."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            named = set(reader.fieldnames or ())
            if not set(columns) <= named or not named <= {*columns, *optional} or (optional and not named & WORDS):
                rule = "the first line must name the columns " + ",".join(columns)
                rule += f", narrative or classes, and may name {','.join(optional)}" if optional else ""
                raise ConfigError(Problem("roster-columns", rule, f"{path.name}:1"))
            for cells in reader:
                where = f"{path.name}:{reader.line_num}"
                if None in cells:
                    rule = "a row must have as many cells as the first line; put a cell that holds a comma in quotes"
                    yield Problem("roster-cells", rule, where)
                    continue
                row = {name: (cells.get(name) or "").strip() for name in (*columns, *optional)}
                yield checked(agencies, row, where)
    except FileNotFoundError:
        raise ConfigError(Problem("roster-missing", "there is no file of this name", path.name)) from None
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(Problem("roster-unreadable", "this is not CSV in UTF-8", path.name)) from None


def checked(agencies: Mapping[str, Agency], row: dict[str, str], where: str) -> dict[str, str] | Problem:
    """The row, or what is wrong with it."""
    empty = [name for name in ("agency", "person", "practice", "system", "value", "from") if row.get(name) == ""]
    agency = agencies.get(row["agency"])
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


def permission(agencies: Mapping[str, Agency], row: dict[str, str]) -> tuple[str, Permission] | Problem:
    """The consent a row gives: from the start of its first day to the end of its last, in the agency's zone."""
    zone = agencies[row["agency"]].timezone
    terms = terms_of(row)
    if isinstance(terms, Problem):
        return terms
    try:
        start = start_of_day(row["from"], zone)
        until = start_of_day(row["until"], zone, days=1) if row["until"] else None
    except ValueError:
        return Problem("roster-date", "a date is written YYYY-MM-DD", row["where"], "from, until")
    return row["agency"], Permission(row["person"], row["practice"], start, until, None, terms)


def terms_of(row: dict[str, str]) -> Terms | Problem:
    """Who signed and what may leave; what cannot be read is a problem and never taken for more than it says."""
    where, narrative = row["where"], row.get("narrative", "").lower()
    classes = frozenset(row.get("classes", "").replace(";", " ").split())
    if narrative not in YES | NO:
        return Problem("roster-narrative", "must be yes or no", where, "narrative")
    if not classes - {NONE} <= GRANTABLE or (NONE in classes and (len(classes) > 1 or narrative in YES)):
        rule = f"names classes that a consent can let leave ({', '.join(sorted(GRANTABLE))}), or `{NONE}` for a refusal"
        return Problem("roster-classes", rule, where, "classes", "put spaces between them")
    if classes and narrative in NO - {""} and NARRATIVE in classes:
        return Problem("roster-narrative", "`classes` says otherwise", where, "narrative")
    if NONE not in classes:
        classes |= {ORDINARY, *([NARRATIVE] if narrative in YES else [])}
    grantor = row.get("grantor", "")
    if grantor and not ID.fullmatch(grantor):
        rule = "an id has no spaces, and 128 characters at the most: a name is none"
        return Problem("roster-person", rule, where, "grantor")
    own = Authority.SELF if grantor == row["person"] else Authority.UNSTATED
    try:
        authority = Authority(row["authority"]) if row.get("authority") else own
        purpose = Purpose(row["purpose"]) if row.get("purpose") else Purpose.CARE_COORDINATION
    except ValueError:
        said = f"authority is one of {', '.join(Authority)}; purpose one of {', '.join(Purpose)}"
        return Problem("roster-terms", said, where, "authority, purpose")
    if authority is Authority.SELF and grantor not in ("", row["person"]):
        return Problem("roster-terms", "nobody else signs with the authority `self`", where, "grantor, authority")
    grantor = "" if grantor == row["person"] else grantor
    language, form = row.get("language", ""), row.get("form", "")
    return Terms(classes - {NONE}, grantor, authority, purpose, language, form)
