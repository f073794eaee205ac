"""The rows of table files as they are written, and where each cell of them stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bridge.errors import Problem

PROJECT = "project"


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """One row: its cells by column, where each begins, and whether it has more cells than there are columns."""

    cells: Mapping[str, str]
    places: Mapping[str, str]
    where: str
    too_long: bool

    def place(self, column: str) -> str:
        """The file:line:column of a cell, or of the row where it has no such cell."""
        return self.places.get(column, self.where)


def header_of(text: str) -> Sequence[str]:
    """The columns that the first line names, none where it is no CSV."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error:
        return []


def written_rows(file: str, text: str, problems: list[Problem]) -> Iterator[WrittenRow]:
    """The rows of a CSV text below its first line; where it stops being CSV is added to `problems`, and it ends."""
    lines = text.split("\n")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: Sequence[str] | None = None
    begun = 0
    try:
        for cells in reader:
            line, begun = begun, reader.line_num
            if header is None:
                header = cells
            elif cells:
                columns = _columns(lines[line])
                places = {
                    name: f"{file}:{line + 1}:{columns[index] if index < len(columns) else 1}"
                    for index, name in enumerate(header[: len(cells)])
                }
                found = dict(zip(header, cells, strict=False))
                yield WrittenRow(found, places, f"{file}:{line + 1}:1", len(cells) > len(header))
    except csv.Error:
        step = "look for a quote that is not closed, or not doubled inside quotes"
        problems.append(Problem("table-unreadable", "this is not CSV", f"{file}:{begun + 1}:1", next_step=step))


def _columns(line: str) -> list[int]:
    """The columns at which the cells of a line begin."""
    found, quoted = [1], False
    for index, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif sign == "," and not quoted:
            found.append(index + 2)
    return found


class RowPlaces:
    """The place of each cell of each table file, by the table, the agency's code and the day its row begins on."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._rows: dict[tuple[str, str], dict[str, WrittenRow]] = {}
        self.files: dict[str, str] = {}
        for file, text in sorted(files.items(), key=lambda one: (one[0].startswith(f"{PROJECT}/"), one[0])):
            path = PurePosixPath(file)
            if path.suffix == ".csv" and len(path.parts) > 2 and path.parts[1] == "tables":
                self.files[file] = path.stem
                for row in written_rows(file, text, []):
                    code, start = ((row.cells.get(column) or "").strip() for column in ("code", "from"))
                    self._rows.setdefault((_table(path), code), {})[start] = row

    def where(self, table: str, code: str, column: str = "code", start: str | None = None) -> str:
        """The file:line:column of a cell of the row that begins on a day ("" = of no day), or of any of the code.

        A project's own row comes before a pack's. "" where the row is in no file.
        """
        any_pack = f"/{table.rpartition('/')[2]}"
        known = [rows for name in (any_pack, table) if (rows := self._rows.get((name, code)))]
        row = next((rows[start] for rows in known if start is not None and start in rows), None)
        row = row or next((one for rows in known for one in rows.values()), None)
        return "" if row is None else row.place(column)


def _table(path: PurePosixPath) -> str:
    """The table that a file's rows are of; a project's own lies over those of its name in every pack: `/NAME`."""
    pack = path.parts[2] if len(path.parts) > 3 else path.parts[0]
    return f"/{path.stem}" if pack == PROJECT else f"{pack}/{path.stem}"
