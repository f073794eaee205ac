"""What the cases reach of each mapping and of each table: values given, ways taken, rows looked up.

A line of a template is covered when each value on it was given in some case, a decision when it went both ways, a row
when a case looks it up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.mappings.cases.reading import NotCovered, read_not_covered
from bridge.mappings.fhirpath.compiling.coverage import Mark
from bridge.mappings.load import Mappings
from bridge.mappings.mappingfile import RecordMapping
from bridge.mappings.rowplaces import RowPlaces
from bridge.mappings.tables import row_on
from bridge.mappings.watching import MappingWatch, Watching

_SAID = {
    "": "no case gives this a value",
    "yes": "no case makes this true",
    "no": "no case makes this false",
    "filled": "no case has an entry here",
    "empty": "no case is without an entry here",
}


@dataclass(frozen=True, slots=True)
class Missed:
    """A value, a way of a decision or a row that no case reaches; `reason` where a case file says why none can."""

    where: str
    place: str
    kind: str
    says: str
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON answers."""
        told = {"where": self.where, "place": self.place, "kind": self.kind, "says": self.says}
        return told | ({"reason": self.reason} if self.reason else {})

    def __str__(self) -> str:
        text = f"{self.where}: {self.place}: {self.says}"
        return f"{text} ({self.reason})" if self.reason else text


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of one mapping or table is covered; `counts` holds, by what is counted, (covered, all there are)."""

    name: str
    counts: Mapping[str, tuple[int, int]]
    missed: tuple[Missed, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers."""
        counts = {key: {"covered": covered, "of": all_} for key, (covered, all_) in self.counts.items()}
        return {"name": self.name, **counts, "missed": [one.as_dict() for one in self.missed]}

    def __str__(self) -> str:
        return ", ".join(f"{covered}/{all_} {key}" for key, (covered, all_) in self.counts.items())


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of all mappings and of the tables they list, each in the order of its name."""

    mappings: tuple[Covered, ...]
    tables: tuple[Covered, ...]

    def __str__(self) -> str:
        totals: dict[str, tuple[int, int]] = {}
        for one in (*self.mappings, *self.tables):
            for key, (covered, all_) in one.counts.items():
                before = totals.get(key, (0, 0))
                totals[key] = (before[0] + covered, before[1] + all_)
        return ", ".join(f"{covered}/{all_} {key}" for key, (covered, all_) in totals.items())

    def missed(self) -> Iterator[Missed]:
        """All that no case reaches, mappings first."""
        for one in (*self.mappings, *self.tables):
            yield from one.missed

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers."""
        return {
            "mappings": [one.as_dict() for one in self.mappings],
            "tables": [one.as_dict() for one in self.tables],
        }


def coverage_of(
    mappings: Mappings, watching: Watching, files: Mapping[str, str], kinds: Collection[str] | None = None
) -> Coverage:
    """What was reached since the mappings were loaded with `watching`, of all kinds or of these.

    `files` tell on which line a row stands, and why some places cannot be reached.
    """
    reasons = {(one.kind, one.place): one.reason for one in read_not_covered(files)}
    of = [one for kind, one in sorted(mappings.mappings.items()) if kinds is None or kind in kinds]
    listed = {table.name: table for one in of for table in one.tables.values()}
    places = RowPlaces(files)
    tables = []
    for name, table in sorted(listed.items()):
        found = {row_on(day, code, table) for full, code, day in watching.rows if full == name}
        unused = [row for row in table.every() if row not in found]
        missed = (
            Missed(places.where(name, row.code, start=row.start) or name, row.code, "row", "no case looks this row up")
            for row in unused
        )
        count = sum(1 for _ in table.every())
        tables.append(Covered(name, {"rows": (count - len(unused), count)}, tuple(missed)))
    return Coverage(tuple(_mapping(one, watching.of(one.name), reasons) for one in of), tuple(tables))


def idle_reasons(files: Mapping[str, str], mappings: Mappings, coverage: Coverage) -> Iterator[NotCovered]:
    """Reasons for places that are covered after all, or are none."""
    kinds = {one.name: kind for kind, one in mappings.mappings.items()}
    missed = {(kinds[one.name], inner.place) for one in coverage.mappings for inner in one.missed}
    looked_at = {kinds[one.name] for one in coverage.mappings}
    for one in read_not_covered(files):
        if one.kind in looked_at and (one.kind, one.place) not in missed:
            yield one


def _mapping(mapping: RecordMapping, watch: MappingWatch, reasons: Mapping[tuple[str, str], str]) -> Covered:
    values = {mark: number in watch.reached for mark, number in watch.marks.items() if mark.kind == "value"}
    ways = {mark: number in watch.reached for mark, number in watch.marks.items() if mark.kind != "value"}
    lines: dict[str, bool] = {}
    for mark, reached in values.items():
        line = f"{mark.position.file}:{mark.position.line}"
        lines[line] = reached and lines.get(line, True)
    counts = {"lines": (sum(lines.values()), len(lines)), "branches": (sum(ways.values()), len(ways))}
    missed = [mark for mark, reached in (values | ways).items() if not reached]
    missed.sort(key=lambda mark: (mark.position.file, mark.position.line, mark.position.column))
    told = (
        Missed(_where(one), _place(one), one.kind, _SAID[one.way], reasons.get((mapping.kind, _place(one)), ""))
        for one in missed
    )
    return Covered(mapping.name, counts, tuple(told))


def _where(mark: Mark) -> str:
    position = mark.position
    return f"{position.file}:{position.line}:{position.column}" if position.file else ""


def _place(mark: Mark) -> str:
    path = mark.position.path.removeprefix("0.")  # a section is compiled as a list of its own
    return f"{mark.part}.{path}" if mark.part and path else mark.part or path
