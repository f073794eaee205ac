"""Where the rows of tables stand in their CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath


class RowPlaces:
    """The place of each cell of each table file, by the table's short name and the agency's code."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._places: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
        self.files: dict[str, str] = {}
        for file, text in sorted(files.items(), key=lambda one: (one[0].startswith("project/"), one[0])):
            path = PurePosixPath(file)
            if path.suffix == ".csv" and len(path.parts) > 2 and path.parts[1] == "tables":
                self.files[file] = path.stem
                for code, cells in _rows(file, text):
                    self._places.setdefault((path.stem, code), {}).update(cells)

    def where(self, table: str, code: str, column: str = "code") -> str:
        """The file:line:column of a cell of a row; "" where the row is in no file."""
        cells = self._places.get((table.rpartition("/")[2], code), {})
        return "".join(cells.get(column, ("", "")))


def _rows(file: str, text: str) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """The code of each row and the places of its cells, as far as the text is CSV."""
    reader = csv.reader(io.StringIO(text))
    header: Sequence[str] = ()
    lines = text.splitlines()
    begun = 0
    try:
        for cells in reader:
            columns = _columns(lines[begun] if begun < len(lines) else "")
            places = {
                name: (file, f":{begun + 1}:{columns[index] if index < len(columns) else 1}")
                for index, name in enumerate(header)
            }
            begun = reader.line_num
            if not header:
                header = cells
                continue
            found = dict(zip(header, cells, strict=False))
            if code := found.get("code", "").strip():
                yield code, places
    except csv.Error:
        return


def _columns(line: str) -> list[int]:
    """The columns at which the cells of a line begin."""
    found, quoted = [1], False
    for index, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif sign == "," and not quoted:
            found.append(index + 2)
    return found
