"""Code tables: what an agency's code is called in FHIR, one CSV row per code, with the source of each row.

Columns: code, system, target, display, equivalence, source, note, and text where people's words differ from the code
system's own display. `equivalence` is ConceptMap's (FHIR R4): a row that is `unmatched` says on purpose that no code is
known, and only its words are used. A code without a row is never guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Problem

COLUMNS = ("code", "system", "target", "display", "equivalence", "source", "note")
OPTIONAL = ("text",)
EQUIVALENCES = frozenset(
    ("relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact", "unmatched")
)


@dataclass(frozen=True, slots=True)
class Row:
    """One code of an agency and what it becomes. `target` is empty where no code is known."""

    code: str
    system: str
    target: str
    display: str
    equivalence: str
    source: str
    note: str = ""
    text: str = ""

    @property
    def words(self) -> str:
        """What people call it."""
        return self.text or self.display or self.target

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
class Table:
    """A table by its full name, `pack/name`; `rows` by the agency's code."""

    name: str
    rows: Mapping[str, Row] = field(default_factory=dict)

    def overlaid(self, other: Table) -> Table:
        """This table with another's rows added or put in place of its own."""
        return Table(self.name, {**self.rows, **other.rows})


def table_key(agency: str, table: str, code: str) -> str:
    """What a hold on a missing row waits for; adding that row re-runs exactly the records that waited."""
    return f"table:{agency}:{table}:{code}"


def row_of(cells: Mapping[str, str]) -> Row:
    """A row from its cells by column name. Raises ValueError, in words, for one that cannot be used."""
    cell = {column: (cells.get(column) or "").strip() for column in COLUMNS + OPTIONAL}
    if not cell["code"]:
        raise ValueError("has no code")
    equivalence = cell["equivalence"] or "equivalent"
    if equivalence not in EQUIVALENCES:
        raise ValueError(f"has an equivalence that is none of {', '.join(sorted(EQUIVALENCES))}")
    if (equivalence == "unmatched") == bool(cell["target"]):
        raise ValueError("has a target exactly when its equivalence is not `unmatched`")
    if cell["target"] and not cell["system"]:
        raise ValueError("has a target and no system")
    if not (cell["target"] or cell["display"] or cell["text"]):
        raise ValueError("has neither a target nor words")
    return Row(**{**cell, "equivalence": equivalence})


def read_table(name: str, file: str, text: str, problems: list[Problem]) -> Table:
    """The table in one CSV text; rows that cannot be used are added to `problems` and left out."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    rows: dict[str, Row] = {}
    try:
        header = tuple(reader.fieldnames or ())
        if set(header) - set(OPTIONAL) != set(COLUMNS) or len(set(header)) < len(header):
            rule = f"the columns of a table are {', '.join(COLUMNS)}, and {', '.join(OPTIONAL)} where wanted"
            problems.append(Problem("table-columns", rule, f"{file}:1", next_step="write these as the first line"))
            return Table(name)
        for cells in reader:
            where = f"{file}:{reader.line_num}"
            try:
                if None in cells:
                    raise ValueError("has more cells than there are columns: quote a text that holds a comma")
                row = row_of(cells)
            except ValueError as error:
                problems.append(Problem("table-row", f"this row {error}", where))
                continue
            if not row.source:
                problems.append(Problem("table-source", "every row names where it was taken from", where, row.code))
            if row.code in rows:
                problems.append(Problem("table-twice", "one code has one row", where, row.code, "keep one"))
            rows[row.code] = row
    except csv.Error:
        problems.append(Problem("table-unreadable", "this is not CSV", f"{file}:{reader.line_num + 1}"))
    return Table(name, rows)
