"""Tables as records: CSV and XLSX, one record a row, its keys from the first row.

A cell left empty is a key left out. CSV is read by Python's own reader, because a row that does not fit must be named
and the others read, and nothing about the dialect is to be guessed; its cells are strings.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from bridge.errors import ConfigError, Problem
from bridge.intake.rows import Limits, Row, too_large, unreadable
from bridge.jobs.query import missing_package

# A cell whose formula gave an error (t="e"), or was never computed; calamine reads both as empty.
_ERROR_CELL = re.compile(rb"<c\b[^>]*\bt=\"e\"")
_NOT_COMPUTED = re.compile(rb"<c\b(?![^>]*\bt=\"str\")[^>]*><f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_UNPACKED_LIMIT = 20
"""How many times the file limit an XLSX, which is a zip file, may unpack to."""


def read_csv(text: str, name: str, limits: Limits) -> Iterator[Row | Problem]:
    """Every row of a comma-separated text (RFC 4180) as a record of strings."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    index, last = 0, 0
    while True:
        where = f"{name}:{last + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            rule = "quotes must be closed and doubled within a cell; what follows was not read"
            yield unreadable(where, "row", rule)
            return
        last = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            problem = _header_problem(header, where)
            if problem is not None:
                yield problem
                return
            continue
        index += 1
        yield _row(header, cells, index, where, limits)
    if header is None:
        yield unreadable(name, "empty", "the first row must name the fields")


def read_xlsx(path: Path, limits: Limits) -> Iterator[Row | Problem]:
    """Every row of the workbook's one filled sheet as a record: numbers, booleans, strings, dates as ISO strings.

    Raises ConfigError where python-calamine is not installed.
    """
    try:
        import python_calamine as calamine
    except ModuleNotFoundError:
        raise ConfigError(missing_package("an .xlsx file", "python-calamine")) from None
    problem = _workbook_problem(path, limits)
    if problem is not None:
        yield problem
        return
    try:
        with calamine.load_workbook(path) as book:
            sheets = [book.get_sheet_by_index(number) for number in range(len(book.sheet_names))]
            grids = [grid for sheet in sheets if (grid := sheet.to_python(skip_empty_area=False))]
    except (calamine.CalamineError, OSError):
        yield unreadable(path.name, "format", "the file must be a workbook that opens, without a password")
        return
    if len(grids) != 1:
        rule = f"one sheet of the workbook must hold the records, and the others nothing; {len(grids)} hold something"
        yield unreadable(path.name, "sheet", rule, "save the sheet with the records as a workbook or CSV of its own")
        return
    yield from _read_grid(grids[0], path.name, limits)


def _read_grid(grid: Sequence[Sequence[Any]], name: str, limits: Limits) -> Iterator[Row | Problem]:
    header: list[str] | None = None
    index = 0
    for number, cells in enumerate(grid, start=1):
        where = f"{name} row {number}"
        if all(cell == "" for cell in cells):
            continue
        if header is None:
            header = [str(cell).strip() for cell in cells]
            while header and not header[-1]:
                header.pop()
            problem = _header_problem(header, where)
            if problem is not None:
                yield problem
                return
            continue
        index += 1
        values = [_plain(cell) for cell in cells]
        while len(values) > len(header) and values[-1] == "":
            values.pop()
        yield _row(header, values, index, where, limits)


def _row(header: list[str], cells: Sequence[Any], index: int, where: str, limits: Limits) -> Row | Problem:
    if len(cells) != len(header):
        rule = f"a row must have as many cells as the first one ({len(header)}); this one has {len(cells)}"
        return unreadable(where, "row", rule, "put a cell that holds a comma or a line break in double quotes")
    record = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
    text = json.dumps(record, ensure_ascii=False)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return unreadable(where, "encoding", "must be UTF-8 throughout", "save the file again as UTF-8")
    return too_large(where, limits) if size > limits.record_bytes else Row(index, where, record, text)


def _header_problem(header: list[str], where: str) -> Problem | None:
    """What is wrong with the names of the fields; names are the agency's, so they are counted and not shown."""
    if not all(header):
        empty = header.index("") + 1
        return unreadable(where, "header", f"every column must have a name in the first row; column {empty} has none")
    for number, name in enumerate(header, start=1):
        if name in header[: number - 1]:
            return unreadable(where, "header", f"a column name must be given once; column {number} repeats one")
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        return unreadable(where, "header", "cells must be separated by commas", "save the file with commas")
    return None


def _workbook_problem(path: Path, limits: Limits) -> Problem | None:
    """Why a workbook is not read at all: no zip file, too large unpacked, or cells without their value."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > _UNPACKED_LIMIT * limits.file_bytes:
                return unreadable(path.name, "too-large", "the workbook must not unpack to such a size")
            for part in parts:
                if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", part.filename):
                    continue
                content = archive.read(part)
                if _ERROR_CELL.search(content) or _NOT_COMPUTED.search(content):
                    rule = "every formula must have a value, and none an error such as #N/A"
                    return unreadable(path.name, "formula", rule, "open it, correct the cells and save it again")
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError):  # RuntimeError: encrypted, or packed oddly
        return unreadable(path.name, "format", "the file must be a workbook that opens, without a password")
    return None


def _plain(cell: Any) -> Any:
    """A cell's value as JSON has it: whole numbers without a point, dates and times as ISO strings."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, (date, datetime, time)):
        return cell.isoformat()
    return cell if isinstance(cell, (str, int, float, bool)) else str(cell)
