"""What may stand in a mapping: each expression against the kind, the tables, the other parts and the labels."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.errors import Problem
from bridge.mappings.fhirpath import ExpressionError, Issue, Position, Read
from bridge.mappings.fhirpath.tree import Call, Literal, Member, Node, Variable, within
from bridge.mappings.fpml import Positions
from bridge.mappings.functions import FUNCTIONS
from bridge.mappings.kinds import Kind
from bridge.mappings.labels import Label, about_others, applying, unlabelled
from bridge.mappings.source import Path, Source
from bridge.mappings.tables import Table


@dataclass(slots=True)
class Checks:
    """The checks of one mapping file; what is wrong is added to `problems` with its line.

    `tables` goes by the names the mapping lists, `absent_tables` are listed too, and reported already; `parts` holds
    for each part the role it is about and its FHIR type; `about` is the role of the part that is being read, `trees`
    are the expressions being read, in which a field is looked for that may not be.
    """

    source: Source
    kind: Kind
    tables: Mapping[str, Table]
    absent_tables: frozenset[str]
    parts: Mapping[str, tuple[str, str]]
    problems: list[Problem]
    labels: Sequence[Label] = ()
    about: str = ""
    trees: Sequence[Node] = ()

    def position(self, path: Path, beneath: int = 0) -> Position:
        """Where the value at a path of the file begins; the path as it is told leaves out the first steps."""
        return place_in(self.source, path, beneath)

    def positions(self, path: Path, under: Path = ()) -> Positions:
        """Where all beneath a path stands, by the path from there (beneath `under`)."""
        size = len(path)
        return {(*under, *known[size:]): place for known, place in self.source.marks.items() if known[:size] == path}

    def mistake(self, error: ExpressionError) -> None:
        """What cannot be compiled."""
        said = {(problem.code, problem.rule, problem.where) for problem in self.problems}
        for one in error.problems:
            if (error.code, one.rule, _where(error.position)) not in said:
                self.wrong(error.code, error.position, one.rule, error.position.path, one.next_step)

    def doubts(self, issues: Iterable[Issue]) -> None:
        """What compiles and cannot be meant; said once where a line is wrong anyway."""
        said = {problem.where.rpartition(":")[0] for problem in self.problems}
        for issue in issues:
            if issue.code != "FT11" and _where(issue.position).rpartition(":")[0] not in said:
                self.wrong(issue.code, issue.position, issue.rule, issue.position.path, issue.next_step)

    def reads(self, reads: Iterable[Read], at: Position) -> frozenset[Read]:
        """The fields that are read at a place, as far as a mapping may read them."""
        plain = frozenset(Read(*_without_stars(one)) for one in reads)
        if Read("") in plain:
            self.wrong("mapping-expression", at, "this reads the whole record: name the field")
        named = frozenset(one for one in plain if one.path)
        for one in sorted(named):
            self._field(one, at)
        return named

    def brought(self, reads: frozenset[Read], at: Position) -> frozenset[int]:
        """The positions of the labels that these fields bring to what is made of them at a place."""
        for path in dict.fromkeys(unlabelled(reads, self.labels, self.kind)):
            rule = "anyone's words may stand in this field, and it has no label"
            self.wrong(
                "mapping-unlabelled",
                self._exact(path[-1], at),
                rule,
                ".".join(path),
                "label it, as ordinary if that is what it is",
            )
        for label in about_others(reads, self.labels, self.about):
            rule = f"a fact about the {label.about} may not stand in a part about the {self.about}"
            self.wrong(
                "mapping-about",
                self._exact(label.path[-1], at),
                rule,
                label.dotted,
                f"put it in a part about the {label.about}",
            )
        return applying(reads, self.labels)

    def calls(self, calls: Iterator[Call]) -> None:
        """The uses of our own functions."""
        for call in calls:
            function = FUNCTIONS.get(call.name)
            if function is None or not isinstance(call.target, Variable | None):
                continue
            if function.on:
                self._table(call)
            elif call.name == "person":
                self._person(call)
            elif call.name == "part":
                self._part(call)

    def wrong(self, code: str, at: Position | Path, rule: str, name: str = "", next_step: str = "") -> None:
        """Something is wrong at a place of the file."""
        where = _where(at) if isinstance(at, Position) else self.source.where(at)
        problem = Problem(code, rule, where, name, next_step)
        if problem not in self.problems:
            self.problems.append(problem)

    def _exact(self, name: str, at: Position) -> Position:
        """Where a name stands in the expression that begins at a place, or that place."""
        nodes = (node for tree in self.trees if tree.position.path == at.path for node in within(tree))
        return next((one.position for one in nodes if isinstance(one, Member) and one.name == name), at)

    def _field(self, read: Read, at: Position) -> None:
        one = tuple(read.path.split("."))
        at = self._exact(one[-1], at)
        if any(one[-len(pattern) :] == pattern for pattern in self.kind.never):
            step = "take it out of the mapping"
            self.wrong("mapping-never", at, "this field is never collected", read.path, step)
        elif any(
            one[: len(kept)] == kept or (read.whole and kept[: len(one)] == one) for kept in self.kind.agency_only
        ):
            step = "take it out of the mapping"
            self.wrong("mapping-agency-only", at, "this field stays at the agency", read.path, step)
        elif self.kind.schema.field(one) is None:
            known = [".".join(known) for known in self.kind.schema.fields if known]
            near = difflib.get_close_matches(read.path, known, 1)
            step = f"did you mean {near[0]}?" if near else "see the kind's schema for what there is"
            self.wrong("mapping-path", at, f"a {self.kind.name} has no such field", read.path, step)

    def _part(self, call: Call) -> None:
        other, type_ = self.parts.get(_literals(call)[0] or "", ("", ""))
        if not type_:
            self.wrong("mapping-function", call.position, "names, as a text, a part of this mapping", call.name)
        elif type_ in {"Patient", "RelatedPerson"}:
            self.wrong("mapping-function", call.position, "persons are pointed at by person()", call.name)
        elif type_ == "Composition":
            rule = "nothing points at a document: it may have no section"
            self.wrong("mapping-function", call.position, rule, call.name)
        elif other != self.about:
            rule = f"a part about the {self.about} may not point at one about the {other}"
            self.wrong("mapping-about", call.position, rule, call.name)

    def _table(self, call: Call) -> None:
        name = _literals(call)[0] or ""
        table = self.tables.get(name)
        if table is None and name not in self.absent_tables:
            rule = "names, as a text, a table that this mapping lists under `tables`"
            self.wrong("mapping-function", call.position, rule, call.name)
        elif table and call.name in {"lookup", "coding"} and any(not row.target for row in table.rows.values()):
            rule = f"the table {name} has rows without a code: only concept and words can say them"
            self.wrong("mapping-function", call.position, rule, call.name)

    def _person(self, call: Call) -> None:
        role, *as_what = _literals(call)
        if role not in self.kind.people:
            roles = ", ".join(sorted(self.kind.people)) or "none"
            self.wrong("mapping-function", call.position, f"names, as a text, a role of the kind: {roles}", call.name)
        elif as_what and as_what[0] not in {"Patient", "RelatedPerson"}:
            self.wrong("mapping-function", call.position, "gives a 'Patient' or a 'RelatedPerson'", call.name)
        elif role != self.about and as_what != ["RelatedPerson"]:
            rule = f"a part about the {self.about} names others as a 'RelatedPerson', never by their own chart"
            self.wrong("mapping-about", call.position, rule, call.name)


def place_in(source: Source, path: Path, beneath: int = 0) -> Position:
    """Where the value at a path of a file begins; the path as it is told leaves out the first steps."""
    place = source.place(path)
    name = ".".join(map(str, path[beneath:]))
    return Position(path=name) if place is None else replace(place.value, path=name)


def _where(position: Position) -> str:
    return str(position) if position.file else ""


def _literals(call: Call) -> list[str | None]:
    """The arguments of a call: their text where they are texts, None for any other expression."""
    return [one.value if isinstance(one, Literal) and isinstance(one.value, str) else None for one in call.arguments]


def _without_stars(read: Read) -> tuple[str, bool]:
    """A path as far as it is named; what children() walks counts as all of it."""
    named, star, _ = f".{read.path}".partition(".*")
    return named[1:], read.whole or bool(star)
