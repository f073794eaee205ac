"""Which class each emitted element falls in, and about whom it is: by the source fields its expressions read.

Mappings label; only release withholds. A label stands on a source path and covers everything below it. An element takes
the labels of every field it reads; an element that emits a whole object takes those of all inside it; asking whether a
field is there counts for that field's own labels. Found without running anything, so it holds for every record; in one
record, the labels of fields that it does not have say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bridge.mappings.kinds import Kind
from bridge.mappings.records import values_at
from bridge.mappings.schema import Field
from bridge.mappings.template import Expression, Scope
from bridge.model import type_json

ORDINARY = "ordinary"
CLASSES = frozenset(
    (
        ORDINARY,
        "narrative",
        "caregiver-health",
        "substance-use",
        "violence-location",
        "child-welfare",
        "legal",
        "third-party",
        "supervision",
    )
)


@dataclass(frozen=True, slots=True)
class Label:
    """One line under `labels:`. With `about` it is a fact about that role; with `when` it holds for some records."""

    path: Field
    name: str
    about: str = ""
    when: Expression | None = None

    def covers(self, path: Field) -> bool:
        return path[: len(self.path)] == self.path

    def is_inside(self, path: Field) -> bool:
        return self.path[: len(path)] == path


@dataclass(slots=True)
class Uses:
    """The source fields that went into something: emitted or compared (`read`), or only asked for (`asked`)."""

    read: set[Field] = field(default_factory=set)
    asked: set[Field] = field(default_factory=set)

    def add(self, *others: Uses) -> Uses:
        for other in others:
            self.read |= other.read
            self.asked |= other.asked
        return self


def applying(uses: Uses, labels: Sequence[Label]) -> frozenset[int]:
    """The positions of the labels that these fields bring along."""
    return frozenset(
        position
        for position, label in enumerate(labels)
        if any(label.covers(path) or label.is_inside(path) for path in uses.read)
        or any(label.covers(path) for path in uses.asked)
    )


def classes(positions: Iterable[int], labels: Sequence[Label], off: frozenset[int]) -> frozenset[str]:
    """The classes of these labels without those that are `off` for this record; ordinary where nothing else is."""
    found = frozenset(labels[position].name for position in positions if position not in off) - {ORDINARY}
    return found or frozenset({ORDINARY})


def switched_off(labels: Sequence[Label], record: type_json, scope: Scope) -> frozenset[int]:
    """The labels that mean nothing for this record: it lacks the field, or `when` does not hold. Raises EngineError."""
    return frozenset(
        position
        for position, label in enumerate(labels)
        if not values_at(record, label.path) or (label.when is not None and not label.when.holds(scope))
    )


def unlabelled(uses: Uses, labels: Sequence[Label], kind: Kind) -> Iterator[Field]:
    """The fields that may hold anyone's words and would leave without a label."""
    covered = (*identifying(kind), *kind.agency_only, *(label.path for label in labels))
    for path in sorted(uses.read):
        for below in kind.schema.below(path):
            if kind.schema.fields[below].free_text and not any(below[: len(one)] == one for one in covered):
                yield below


def about_others(uses: Uses, labels: Sequence[Label], about: str) -> Iterator[Label]:
    """The labels that say a field is a fact about somebody else than the person a part is about."""
    for position in sorted(applying(uses, labels)):
        if labels[position].about not in ("", about):
            yield labels[position]


def identifying(kind: Kind) -> frozenset[Field]:
    """The fields a kind declares as identifiers: they are no free text, whatever the schema says."""
    declared = (kind.id, kind.version, kind.when, kind.practice, kind.program, *kind.subject, *kind.people.values())
    return frozenset(path for path in declared if path is not None)
