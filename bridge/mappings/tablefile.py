"""The files of a code table: `NAME.csv` with its rows, and `NAME.yaml` beside it, where it says something of itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict

from bridge.errors import Problem
from bridge.mappings.rowplaces import WrittenRow, header_of, written_rows
from bridge.mappings.source import Source
from bridge.mappings.tables import COLUMNS, OPTIONAL, About, Row, RowError, Table, row_of, table_of

ABOUT_KEYS = ("version", "title", "url", "system")


def read_table(name: str, file: str, text: str, problems: list[Problem], about: About | None = None) -> Table:
    """The table in one CSV text; rows that cannot be used are added to `problems`, at the cell, and left out."""
    header = header_of(text)
    if set(header) - set(OPTIONAL) != set(COLUMNS) or len(set(header)) < len(header):
        rule = f"the columns of a table are {', '.join(COLUMNS)}, and {', '.join(OPTIONAL)} where wanted"
        problems.append(Problem("table-columns", rule, f"{file}:1:1", next_step="write these as the first line"))
        return Table(name)
    found: dict[str, list[tuple[Row, str]]] = {}
    for written in written_rows(file, text, problems):
        try:
            if written.too_long:
                raise RowError("has more cells than there are columns: quote a text that holds a comma", "")
            row = row_of(written.cells)
        except RowError as error:
            problems.append(Problem("table-row", f"this row {error}", written.place(error.column)))
            continue
        if not row.source:
            rule = "every row names where it was taken from"
            problems.append(Problem("table-source", rule, written.place("source"), row.code))
        known = found.setdefault(row.code, [])
        for other, place in known:
            if other.meets(row):
                problems.append(_twice(row, place, written))
        known.append((row, written.where))
    return table_of(name, (row for known in found.values() for row, _ in known), about)


def read_about(source: Source, problems: list[Problem]) -> About:
    """What a table says of itself in the YAML file beside it; what cannot be used is added to `problems`."""
    value = source.value
    if not isinstance(value, dict):
        rule = f"the file beside a table is an object with {', '.join(ABOUT_KEYS)}, each where wanted"
        problems.append(Problem("table-about", rule, source.where(())))
        return About()
    for key, said in value.items():
        if key not in ABOUT_KEYS or not isinstance(said, str):
            rule = f"the file beside a table has {', '.join(ABOUT_KEYS)}, each a text"
            problems.append(Problem("table-about", rule, source.where((key,)), key, "put a number in quotes"))
    return About(**{key: said.strip() for key in ABOUT_KEYS if isinstance(said := value.get(key), str)})


def as_csv(rows: Iterable[Row]) -> str:
    """The CSV text of rows, as `read_table` reads them; optional columns only where they say something."""
    listed = [asdict(row) for row in rows]
    for row in listed:
        row["from"] = row.pop("start")
    columns = [*COLUMNS, *(column for column in OPTIONAL if any(row[column] for row in listed))]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue()


def _twice(row: Row, other: str, written: WrittenRow) -> Problem:
    if row.dated:
        rule = f"this row and the one at {other.removesuffix(':1')} hold on the same days"
        step = "end one before the other begins, or keep one"
        return Problem("table-overlap", rule, written.place("from" if row.start else "until"), row.code, step)
    rule = "one code has one row, or rows of different days"
    return Problem("table-twice", rule, written.place("code"), row.code, "keep one")
