"""Ids that would not come out the same the next time: made from a time, a position, or what somebody wrote."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.mappings.fhirpath import Position, tree
from bridge.mappings.fhirpath.reads import Reads
from bridge.mappings.labels import identifying
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.walking import Walked
from bridge.mappings.schema import Field

_COUNTING = frozenset({"count", "indexOf", "length"})


def check_identifiers(subject: Subject, walked: list[Walked]) -> None:
    """The ids of a mapping's parts and of its kind."""
    for name in ("id",):
        _check_field(subject, subject.kind.id, subject.kind_source.where((name,)), ".".join(subject.kind.id))
    for one in walked:
        part = one.part
        if part is None:
            continue
        if part.each is not None:
            _check_reads(subject, part.key.flow.consumed(), _key_place(subject, part.name), f"{part.name}.key")
        for leaf in part.body.leaves():
            if leaf.target in ("id", "identifier.value"):
                _check_reads(subject, leaf.reads, leaf.position, f"{part.name}.{leaf.target}")
        for said in one.said:
            if said.role == "key" or (said.role == "value" and said.path in ("id", "identifier.value")):
                _check_counting(subject, said.tree, part.name)
                for index in _indexes(said.tree, one):
                    rule = "an entry's position is no id: it changes when another is added"
                    subject.say("identifier-counter", index, rule, part.name, "use the entry's own id")


def _check_counting(subject: Subject, node: tree.Node, name: str) -> None:
    for one in tree.within(node):
        counting = isinstance(one, tree.Call) and one.name in _COUNTING
        if counting or (isinstance(one, tree.Special) and one.name == "index"):
            rule = "an entry's position is no id: it changes when another is added"
            subject.say("identifier-counter", one.position, rule, name, "use the entry's own id")


def _indexes(node: tree.Node, walked: Walked) -> Iterator[Position]:
    """Where the counter of a loop around is read."""
    counters = {
        name
        for said in walked.said
        if said.role == "value"
        for name, given in said.knowing.names.items()
        if given.counter
    }
    for one in tree.within(node):
        if isinstance(one, tree.Variable) and one.name in counters:
            yield one.position


def _check_reads(subject: Subject, reads: Reads, where: Position | str, name: str) -> None:
    for read in sorted(reads):
        _check_field(subject, tuple(read.path.split(".")), where, name)


def _check_field(subject: Subject, path: Field, where: Position | str, name: str) -> None:
    kind = subject.kind
    known = kind.schema.field(path)
    if known is None:
        return
    if _is_time(subject, path) or path in (kind.when, kind.version):
        rule = f"{'.'.join(path)} is a time, which changes when the record is corrected"
        subject.say("identifier-time", where, rule, name, "use the record's own id")
    elif known.free_text and path not in identifying(kind):
        rule = f"{'.'.join(path)} is free text, which changes when somebody writes it differently"
        subject.say("identifier-text", where, rule, name, "use the record's own id, or give the field `format: id`")


def _is_time(subject: Subject, path: Field) -> bool:
    place: object = subject.kind.schema.document
    for step in path:
        place = place.get("properties", {}).get(step) if isinstance(place, dict) else None
        while isinstance(place, dict) and "items" in place:
            place = place["items"]
    return isinstance(place, dict) and place.get("format") in ("moment", "date", "date-time", "time")


def _key_place(subject: Subject, part: str) -> str:
    place = subject.source.place(("emits", part, "key")) or subject.source.place(("emits", part, "each"))
    return "" if place is None else str(place.value)
