"""Code tables: what an agency's code is called in FHIR, row by row, with the source of each.

`equivalence` is ConceptMap's (FHIR R4): a row that is `unmatched` says on purpose that no code is known, and only its
words are used. A code without a row is never guessed. A row with a period holds for records of those days; the record's
own day decides, never the day on which it is read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from datetime import date
from typing import Any

COLUMNS = ("code", "system", "target", "display", "equivalence", "source", "note")
OPTIONAL = ("text", "from", "until")
EQUIVALENCES = frozenset(
    ("relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact", "unmatched")
)
_LINE_END = re.compile(r"\r\n?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One code of an agency and what it becomes. `target` is empty where no code is known.

    `start` and `until` are the first and the last day on which the row holds, each empty where there is none.
    """

    code: str
    system: str
    target: str
    display: str
    equivalence: str
    source: str
    note: str = ""
    text: str = ""
    start: str = ""
    until: str = ""

    @property
    def words(self) -> str:
        """What people call it."""
        return self.text or self.display or self.target

    @property
    def dated(self) -> bool:
        """Whether it holds on certain days only."""
        return bool(self.start or self.until)

    def covers(self, day: str) -> bool:
        """Whether it holds on a day (2026-01-05)."""
        return self.start <= day and (not self.until or day <= self.until)

    def meets(self, other: Row) -> bool:
        """Whether there is a day on which both hold by their periods; a row without one meets only its like."""
        if self.dated != other.dated:
            return False
        return not (self.until and self.until < other.start) and not (other.until and other.until < self.start)

    def coding(self) -> dict[str, str] | None:
        """The FHIR Coding, or None where no code is known."""
        if not self.target:
            return None
        coding = {"system": self.system, "code": self.target}
        return coding | {"display": self.display} if self.display else coding

    def concept(self) -> dict[str, Any]:
        """The FHIR CodeableConcept: the coding where one is known, and always words."""
        coding = self.coding()
        concept: dict[str, Any] = {"coding": [coding]} if coding else {}
        return concept | {"text": self.words}


@dataclass(frozen=True, slots=True)
class About:
    """What a table says of itself: a version its keeper gave it, the ConceptMap it is, the agency's code system."""

    version: str = ""
    title: str = ""
    url: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its full name, `pack/name`. Made by `table_of`.

    `rows` has one row for each code: the one without a period, else the one that begins last. `dated` has, for codes
    with periods, every row that has one, in their order.
    """

    name: str
    rows: Mapping[str, Row] = field(default_factory=dict)
    dated: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    about: About = About()

    def every(self) -> Iterator[Row]:
        """All rows, those of one code together."""
        for code, row in self.rows.items():
            if not row.dated:
                yield row
            yield from self.dated.get(code, ())

    def overlaid(self, other: Table) -> Table:
        """This table with another's rows added, each in place of those it meets."""
        about = About(*(ours or theirs for ours, theirs in zip(astuple(other.about), astuple(self.about), strict=True)))
        return table_of(self.name, (*self.every(), *other.every()), about)

    @property
    def hash(self) -> str:
        """A hash of all its rows, whatever their order."""
        return hashlib.sha256(json.dumps(sorted(map(astuple, self.every()))).encode()).hexdigest()

    @property
    def version(self) -> str:
        """The version it was given, if any, and always twelve digits of its content's hash: `2026-01+1f2e…`."""
        return "+".join(filter(None, (self.about.version, self.hash[:12])))


def table_of(name: str, rows: Iterable[Row], about: About | None = None) -> Table:
    """A table of these rows; of two that hold on the same day the later listed stands."""
    by_code: dict[str, list[Row]] = {}
    for row in rows:
        known = by_code.setdefault(row.code, [])
        known[:] = [*(one for one in known if not one.meets(row)), row]
    for known in by_code.values():
        known.sort(key=lambda row: (row.dated, row.start))
    return Table(
        name,
        {code: known[-1] if known[0].dated else known[0] for code, known in by_code.items()},
        {code: found for code, known in by_code.items() if (found := tuple(row for row in known if row.dated))},
        about or About(),
    )


def row_on(day: str, code: str, *tables: Table) -> Row | None:
    """The row of a code on a day ("" = unknown): one whose period has the day, else one without a period, else None.

    Of each, the first table's stands.
    """
    for table in tables if day else ():
        for row in table.dated.get(code, ()):
            if row.covers(day):
                return row
    for table in tables:
        found = table.rows.get(code)
        if found is not None and not found.dated:
            return found
    return None


def table_key(agency: str, table: str, code: str) -> str:
    """What a hold on a missing row waits for; adding a row of that code re-runs exactly the records that waited."""
    return f"table:{agency}:{table}:{code}"


class RowError(ValueError):
    """A row that cannot be used, said in words; `column` is the one to look at, "" for the whole row."""

    def __init__(self, rule: str, column: str) -> None:
        super().__init__(rule)
        self.column = column


def row_of(cells: Mapping[str, str]) -> Row:
    """A row from its cells by column name. Raises RowError for one that cannot be used."""
    cell = {column: _LINE_END.sub("\n", cells.get(column) or "").strip() for column in COLUMNS + OPTIONAL}
    if not cell["code"]:
        raise RowError("has no code", "code")
    equivalence = cell["equivalence"] or "equivalent"
    if equivalence not in EQUIVALENCES:
        raise RowError(f"has an equivalence that is none of {', '.join(sorted(EQUIVALENCES))}", "equivalence")
    if (equivalence == "unmatched") == bool(cell["target"]):
        raise RowError("has a target exactly when its equivalence is not `unmatched`", "target")
    if cell["target"] and not cell["system"]:
        raise RowError("has a target and no system", "system")
    if not (cell["target"] or cell["display"] or cell["text"]):
        raise RowError("has neither a target nor words", "display")
    start, until = cell.pop("from"), cell["until"]
    for column, day in (("from", start), ("until", until)):
        if day and not _is_day(day):
            raise RowError("has a `from` or `until` that is no day like 2026-01-05", column)
    if until and until < start:
        raise RowError("ends before it begins", "until")
    return Row(**{**cell, "equivalence": equivalence, "start": start})


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
