"""The files of a code table: `NAME.csv` with its rows, and `NAME.yaml` beside it, where it says something of itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict

from bridge.errors import Problem
from bridge.mappings.source import Source
from bridge.mappings.tables import COLUMNS, OPTIONAL, About, Row, Table, row_of, table_of

ABOUT_KEYS = ("version", "title", "url", "system")


def read_table(name: str, file: str, text: str, problems: list[Problem], about: About | None = None) -> Table:
    """The table in one CSV text; rows that cannot be used are added to `problems` and left out."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[str, list[tuple[Row, str]]] = {}
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
            known = found.setdefault(row.code, [])
            for other, place in known:
                if other.meets(row):
                    problems.append(_twice(row, place, where))
            known.append((row, where))
    except csv.Error:
        problems.append(Problem("table-unreadable", "this is not CSV", f"{file}:{reader.line_num + 1}"))
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


def _twice(row: Row, other: str, where: str) -> Problem:
    if row.dated:
        rule = f"this row and the one at {other} hold on the same days"
        return Problem("table-overlap", rule, where, row.code, "end one before the other begins, or keep one")
    return Problem("table-twice", "one code has one row, or rows of different days", where, row.code, "keep one")
