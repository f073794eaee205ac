"""Which class each emitted element falls in, and about whom it is: by the source fields its expressions read.

Mappings label; only release withholds. A label stands on a source path and covers everything below it. An element takes
the labels of every field it reads; an element that emits a whole object takes those of all inside it; asking whether a
field is there counts for that field's own labels. Found without running anything, so it holds for every record; in one
record, the labels of fields that it does not have say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge.mappings.classes import LOCATION, ORDINARY, SUPPRESSED
from bridge.mappings.fhirpath import Read
from bridge.mappings.fpml import covers
from bridge.mappings.kinds import Kind
from bridge.mappings.records import values_at
from bridge.mappings.schema import Field
from bridge.mappings.template import Expression, Scope
from bridge.model import type_json


@dataclass(frozen=True, slots=True)
class Label:
    """One line under `labels:`. With `about` it is a fact about that role; with `when` it holds for some records.

    `where` is its file:line:column.
    """

    path: Field
    name: str
    about: str = ""
    when: Expression | None = None
    where: str = ""

    def covers(self, path: Field) -> bool:
        """Whether the label stands on a path or above it."""
        return path[: len(self.path)] == self.path

    @property
    def dotted(self) -> str:
        """The path as the engine writes it."""
        return ".".join(self.path)


Reads = Iterable[Read]
"""The source fields that went into something: with all beneath them, or only asked whether they are there."""


def applying(reads: Reads, labels: Sequence[Label]) -> frozenset[int]:
    """The positions of the labels that these fields bring along."""
    read = tuple(reads)
    return frozenset(
        position for position, label in enumerate(labels) if any(covers(label.dotted, one) for one in read)
    )


def classes(positions: Iterable[int], labels: Sequence[Label], off: frozenset[int]) -> frozenset[str]:
    """The classes of these labels without those that are `off` for this record; ordinary where nothing else is."""
    found = frozenset(labels[position].name for position in positions if position not in off) - {ORDINARY}
    return found or frozenset({ORDINARY})


def with_brought(found: frozenset[str], brought: frozenset[str]) -> frozenset[str]:
    """The classes of an element together with those of the parts it may have read."""
    return ((found | brought) - {ORDINARY}) or found


def suppressed(found: frozenset[str]) -> frozenset[str]:
    """The classes of an element of a record whose person must not be found."""
    return found | {SUPPRESSED} if LOCATION in found else found


def switched_off(labels: Sequence[Label], record: type_json, scope: Scope) -> frozenset[int]:
    """The labels that mean nothing for this record: it lacks the field, or `when` does not hold.

    Raises EvaluationError.
    """
    return frozenset(
        position
        for position, label in enumerate(labels)
        if not values_at(record, label.path) or (label.when is not None and not label.when.holds(scope))
    )


def unlabelled(reads: Reads, labels: Sequence[Label], kind: Kind) -> Iterator[Field]:
    """The fields that may hold anyone's words and would leave without a label."""
    covered = (*identifying(kind), *kind.agency_only, *(label.path for label in labels))
    for one in sorted(reads):
        for below in kind.schema.below(tuple(one.path.split("."))) if one.whole else ():
            free = kind.schema.fields[below].free_text
            if free and not any(below[: len(path)] == path for path in covered):
                yield below


def about_others(reads: Reads, labels: Sequence[Label], about: str) -> Iterator[Label]:
    """The labels that say a field is a fact about somebody else than the person a part is about."""
    for position in sorted(applying(reads, labels)):
        if labels[position].about not in ("", about):
            yield labels[position]


def identifying(kind: Kind) -> frozenset[Field]:
    """The fields a kind declares as identifiers: they are no free text, whatever the schema says."""
    declared = (kind.id, kind.version, kind.when, kind.practice, kind.program, *kind.subject, *kind.people.values())
    return frozenset(path for path in declared if path is not None)
