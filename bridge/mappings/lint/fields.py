"""The fields of the record: which of them nothing reads, and what a mapping says it leaves out."""

from __future__ import annotations

from collections.abc import Container, Iterator

from bridge.mappings.fhirpath import Read
from bridge.mappings.kinds import Kind
from bridge.mappings.labels import identifying
from bridge.mappings.lint.elements import profiles_of
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.walking import Walked
from bridge.mappings.schema import Field
from bridge.mappings.source import Path, Source


def all_reads(subject: Subject) -> frozenset[Read]:
    """Every field that a mapping reads, in its parts, its holds and the conditions of its labels."""
    mapping = subject.mapping
    found = set(part_reads(subject))
    for condition in (*(line.when for line in mapping.holds), *(line.when for line in mapping.labels)):
        if condition is not None:
            found |= condition.flow.consumed()
    return frozenset(found)


def part_reads(subject: Subject) -> frozenset[Read]:
    """Every field that goes into a part or decides over it."""
    found: set[Read] = set()
    for part in subject.mapping.parts:
        for expression in (part.when, part.person, part.key if part.each is not None else None):
            if expression is not None:
                found |= expression.flow.consumed()
        if part.each is not None:
            found |= part.each.flow.noticed()
        for template in (part.body, *(section.template for section in part.sections)):
            for leaf in template.leaves():
                found |= leaf.sources
    return frozenset(found)


def check_fields(subject: Subject, walked: list[Walked]) -> None:
    """Fields of the kind that nothing reads, and lines of `not_mapped` that say what is not so."""
    reads = all_reads(subject)
    left_out = {tuple(line.name.split(".")): line for line in subject.mapping.not_mapped if line.key == "path"}
    declared = _declared(subject.kind)
    for field in _leaves(subject.kind):
        if _covered(field, declared) or _covered(field, left_out) or _read(field, reads):
            continue
        where = _place(subject.kind_source, field)
        step = f"map it in {subject.source.file}, or list it there under `not_mapped` with the reason"
        subject.say("field-unread", where, "nothing reads this field of the record", ".".join(field), step)
    for path, line in left_out.items():
        if not subject.own(line.where):
            continue
        below = [field for field in _leaves(subject.kind) if field[: len(path)] == path]
        if subject.kind.schema.field(path) is None:
            subject.say("not-mapped-stale", line.where, f"a {subject.kind.name} has no such field", line.name)
        elif below and all(_read(field, reads) or _covered(field, declared) for field in below):
            subject.say("not-mapped-stale", line.where, "this field is read after all", line.name)
    _check_elements(subject, walked)


def _check_elements(subject: Subject, walked: list[Walked]) -> None:
    for line in subject.mapping.not_mapped:
        if line.key != "element" or not subject.own(line.where):
            continue
        name, _, path = line.name.partition(".")
        one = next((one for one in walked if one.part is not None and one.part.name == name), None)
        if one is None or one.part is None:
            subject.say("not-mapped-stale", line.where, "there is no such part", line.name)
            continue
        supported = {known for profile in profiles_of(subject, one.part) for known in profile.must_support}
        if not any(known == path or known.startswith(f"{path}.") for known in supported):
            subject.say("not-mapped-stale", line.where, "no profile of this part asks for it", line.name)
        elif any(value.at.path == path for value in one.formed):
            subject.say("not-mapped-stale", line.where, "this element is made after all", line.name)


def _leaves(kind: Kind) -> Iterator[Field]:
    """The fields that hold values: those without any beneath them."""
    fields = kind.schema.fields
    above = {path[:-1] for path in fields if path}
    return (path for path in fields if path and path not in above)


def _declared(kind: Kind) -> frozenset[Field]:
    """The fields that the kind itself uses, or keeps back."""
    found = set(identifying(kind)) | set(kind.agency_only) | set(kind.custody)
    found |= {rule.path for rule in (kind.final, kind.void, *kind.urgent, *kind.significant) if rule is not None}
    found |= {kind.safety} if kind.safety is not None else set()
    if kind.consent is not None:
        found |= set(kind.consent.paths)
    for path in kind.schema.fields:
        if any(path[-len(never) :] == never for never in kind.never):
            found.add(path)
    return frozenset(found)


def _covered(field: Field, known: Container[Field]) -> bool:
    return any(field[:length] in known for length in range(1, len(field) + 1))


def _read(field: Field, reads: frozenset[Read]) -> bool:
    dotted = ".".join(field)
    return any(
        one.path == dotted or (one.whole and (dotted.startswith(f"{one.path}.") or one.path.startswith(f"{dotted}.")))
        for one in reads
    )


def _place(source: Source, field: Field) -> str:
    """Where a field is declared in the schema, or the nearest place around it."""
    path: Path = ("schema",)
    for name in field:
        for way in (("properties", name), ("items", "properties", name)):
            if (*path, *way) in source.marks:
                path = (*path, *way)
                break
        else:
            return source.where(path)
    return source.where(path)
