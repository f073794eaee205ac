"""Readers of what an agency hands over as a file: every record of it, or the problem of the place that is none.

A good row is yielded whatever its neighbours are. Problems name the file, its line, item or row, and the rule; never
what stands there. Formats are told by the suffix:

    .json            one object, or an array of objects
    .ndjson .jsonl   one object a line
    .csv .xlsx       one record a row, the first row naming the fields (`jobs.sheets`)
    .sql             a query over a folder of export files (`jobs.query`)
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from bridge.errors import Problem
from bridge.intake.reading import read_json, read_lines
from bridge.intake.rows import Limits, Row, unreadable
from bridge.jobs.query import read_query, shipped_query
from bridge.jobs.sheets import read_csv, read_xlsx

__all__ = ["SUFFIXES", "Limits", "Row", "read", "read_query", "shipped_query"]

SUFFIXES = (".json", ".ndjson", ".jsonl", ".csv", ".xlsx")
"""The file names a watched folder takes."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(
    path: Path, *, query: Path | None = None, folder: Path | None = None, limits: Limits | None = None
) -> Iterator[Row | Problem]:
    """Every record of `path` in its order; with `query` (or a path ending in .sql) those the query makes of `folder`.

    Where a query is given without a folder, `path` is the folder. Raises ConfigError where the format needs a package
    that is not installed; everything else that is wrong is a Problem in its place.
    """
    limits = limits or Limits()
    if query is not None or path.suffix.lower() == ".sql":
        yield from read_query(query or path, folder or (path if query else path.parent), limits=limits)
        return
    refused = _refused(path, limits)
    if refused is not None:
        yield refused
        return
    suffix = path.suffix.lower()
    if suffix in (".ndjson", ".jsonl"):
        with path.open("rb") as file:
            yield from read_lines(file, path.name, limits)
    elif suffix == ".xlsx":
        yield from read_xlsx(path, limits)
    else:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        yield from read_json(text, path.name, limits) if suffix == ".json" else read_csv(text, path.name, limits)


def _refused(path: Path, limits: Limits) -> Problem | None:
    """Why the file as a whole cannot be read, before reading it."""
    if path.suffix.lower() not in SUFFIXES:
        return unreadable(path.name, "format", f"the name must end in one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        return unreadable(path.name, "missing", "there must be a file of this name")
    size = path.stat().st_size
    if size == 0:
        return unreadable(path.name, "empty", "the file must hold something", "send [] to say: no records")
    if size > limits.file_bytes:
        return unreadable(path.name, "too-large", f"a file must not be larger than {limits.file_bytes} bytes")
    if path.suffix.lower() == ".xlsx":
        return None
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_UTF16) or b"\0" in head:
        return unreadable(path.name, "encoding", "the text must be UTF-8, not UTF-16", "save it again as UTF-8")
    return None
