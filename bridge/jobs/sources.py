"""A source that is read several times over: its records, what could not be read, and the fields its first row names."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bridge.errors import Problem
from bridge.jobs.files import Limits, Row, read
from bridge.model import type_json


@dataclass(slots=True)
class Source:
    """A file, or a query over a folder of files; each iteration reads it anew and yields its records.

    `problems` are those of the first reading, one for each place that is no record.
    """

    path: Path
    query: Path | None = None
    limits: Limits = field(default_factory=Limits)
    problems: list[Problem] = field(default_factory=list)
    _read: bool = False

    @property
    def name(self) -> str:
        """What the source is called: the file's name, or the query's."""
        return self.query.name if self.query is not None else self.path.name

    def __iter__(self) -> Iterator[type_json]:
        first, self._read = not self._read, True
        for row in read(self.path, query=self.query, folder=self.path if self.query else None, limits=self.limits):
            if isinstance(row, Row):
                yield row.record
            elif first:
                self.problems.append(row)

    def fields(self) -> list[str]:
        """The names in the first row of a CSV, also of columns that no record fills; none for other formats."""
        if self.query is not None or self.path.suffix.lower() != ".csv" or not self.path.is_file():
            return []
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            try:
                return next(
                    ([cell.strip() for cell in row] for row in csv.reader(file) if any(map(str.strip, row))), []
                )
            except csv.Error:
                return []
