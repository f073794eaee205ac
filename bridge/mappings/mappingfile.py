"""A mapping file, with what it extends, → RecordMapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import Problem
from bridge.mappings.checks import Checks
from bridge.mappings.classes import CLASSES
from bridge.mappings.kinds import Kind
from bridge.mappings.labels import Label
from bridge.mappings.parts import PartTemplate, Reader
from bridge.mappings.source import Path, Source
from bridge.mappings.tables import Table
from bridge.mappings.template import Expression
from bridge.model import HoldReason

_KEYS = ("mapping", "reads", "extends", "tables", "holds", "emits", "labels")
_HOLD_KEYS = ("when", "reason", "rule", "next_step")
_HOLD_REASONS = (HoldReason.DECISION, HoldReason.RECORD, HoldReason.CONTENT)
_LABEL_KEYS = ("path", "class", "about", "when")


@dataclass(frozen=True, slots=True)
class HoldRule:
    """One line under `holds:`. A record of which `when` is true waits, and nothing else is tried with it."""

    when: Expression
    reason: HoldReason
    rule: str
    next_step: str


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """How records of one kind become parts. `tables` goes by the short names that its expressions use."""

    name: str
    kind: str
    tables: Mapping[str, Table]
    parts: tuple[PartTemplate, ...]
    labels: tuple[Label, ...]
    holds: tuple[HoldRule, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One file as written; `name` is PACK/NAME."""

    name: str
    pack: str
    extends: str
    source: Source

    @staticmethod
    def of(source: Source, pack: str, problems: list[Problem]) -> MappingFile | None:
        """The file, or None with its problems added."""
        value = source.value
        if not isinstance(value, dict) or not isinstance(value.get("mapping"), str):
            rule = "a mapping file is an object that begins with `mapping: NAME`"
            problems.append(Problem("mapping-shape", rule, source.where(())))
            return None
        for key in value:
            if key not in _KEYS:
                rule = f"a mapping has {', '.join(_KEYS)}"
                problems.append(Problem("mapping-shape", rule, source.where((key,)), key))
        return MappingFile(f"{pack}/{value['mapping']}", pack, str(value.get("extends") or ""), source)


def read_mapping(
    written: MappingFile,
    others: Mapping[str, MappingFile],
    kinds: Mapping[str, Kind],
    tables: Mapping[str, Table],
    problems: list[Problem],
) -> RecordMapping | None:
    """The mapping of a file laid over those it extends, or None with its problems added."""
    chain = _chain(written, others, problems)
    source = chain[0].source
    for one in chain[1:]:
        source = source.override(one.source)
    value = source.value
    kind = kinds.get(str(value.get("reads")))
    if kind is None:
        rule = f"names no kind that is declared; there are {', '.join(sorted(kinds)) or 'none'}"
        problems.append(Problem("mapping-reads", rule, source.where(("reads",)), "reads"))
        return None
    emits = value.get("emits")
    if not isinstance(emits, dict) or not all(isinstance(part, dict) for part in emits.values()):
        rule = "holds an object for each part that is emitted"
        problems.append(Problem("mapping-shape", rule, source.where(("emits",)), "emits"))
        return None
    known, absent = _tables(chain, tables, problems)
    checks = Checks(
        source=source,
        kind=kind,
        tables=known,
        absent_tables=absent,
        parts={name: (str(part.get("about", "")), str(part.get("resourceType", ""))) for name, part in emits.items()},
        problems=problems,
    )
    reader = Reader(checks)
    checks.labels = labels = tuple(_labels(chain, kind, reader, problems))
    for name, part in emits.items():
        _check_part(name, part, kind, source, problems)
    read = [reader.part(name, part, ("emits", name)) for name, part in emits.items()]
    parts = tuple(part for part in read if part is not None)
    holds = tuple(_holds(chain, reader, problems))
    return RecordMapping(written.name, kind.name, known, parts, labels, holds)


def _chain(written: MappingFile, others: Mapping[str, MappingFile], problems: list[Problem]) -> list[MappingFile]:
    """The file and those it extends, the outermost parent first."""
    chain = [written]
    while chain[0].extends:
        parent = others.get(chain[0].extends)
        if parent is None or parent in chain:
            rule = "names no mapping that is here" if parent is None else "extends itself in the end"
            where = chain[0].source.where(("extends",))
            problems.append(Problem("mapping-extends", rule, where, chain[0].extends))
            break
        chain.insert(0, parent)
    return chain


def _tables(
    chain: list[MappingFile], tables: Mapping[str, Table], problems: list[Problem]
) -> tuple[dict[str, Table], frozenset[str]]:
    """The tables that a file and those it extends list, and the names of those that are not there."""
    found: dict[str, Table] = {}
    absent = set()
    packs = [one.pack for one in reversed(chain)]
    for one in chain:
        listed = one.source.value.get("tables") or []
        for index, name in enumerate(listed if isinstance(listed, list) else [listed]):
            table = next((tables[f"{pack}/{name}"] for pack in packs if f"{pack}/{name}" in tables), None)
            if table is None:
                where = one.source.where(("tables", index))
                problems.append(Problem("mapping-table", f"there is no tables/{name}.csv", where, str(name)))
                absent.add(str(name))
            else:
                found[str(name)] = table
    return found, frozenset(absent)


def _labels(chain: list[MappingFile], kind: Kind, reader: Reader, problems: list[Problem]) -> Iterator[Label]:
    for one in chain:
        listed = one.source.value.get("labels") or []
        for index, line in enumerate(listed if isinstance(listed, list) else [listed]):
            path: Path = ("labels", index)
            where = one.source.where(path)
            if not isinstance(line, dict) or not {"path", "class"} <= line.keys() <= set(_LABEL_KEYS):
                rule = "a label is written `{path: …, class: …}`, with `about` and `when` where they apply"
                problems.append(Problem("mapping-label", rule, where))
                continue
            field = tuple(str(line["path"]).split("."))
            if kind.schema.field(field) is None:
                rule = f"a {kind.name} has no such field"
                problems.append(Problem("mapping-label", rule, where, str(line["path"])))
            if line["class"] not in CLASSES:
                rule = f"the classes are {', '.join(sorted(CLASSES))}"
                problems.append(Problem("mapping-label", rule, where, str(line["class"])))
            about = str(line.get("about") or "")
            if about and about not in kind.people:
                rule = f"the roles of this kind are {', '.join(sorted(kind.people))}"
                problems.append(Problem("mapping-label", rule, where, about))
            when = reader.condition(str(line["when"]), path) if "when" in line else None
            yield Label(field, str(line["class"]), about, when)


def _holds(chain: list[MappingFile], reader: Reader, problems: list[Problem]) -> Iterator[HoldRule]:
    """The holds of a file and of those it extends: what a parent holds, a child cannot let go."""
    for one in chain:
        listed = one.source.value.get("holds") or []
        for index, line in enumerate(listed if isinstance(listed, list) else [listed]):
            path: Path = ("holds", index)
            if not isinstance(line, dict) or set(line) != set(_HOLD_KEYS) or line["reason"] not in _HOLD_REASONS:
                rule = f"a hold has {', '.join(_HOLD_KEYS)}; its reason is one of {', '.join(_HOLD_REASONS)}"
                problems.append(Problem("mapping-hold", rule, one.source.where(path)))
                continue
            when = reader.condition(str(line["when"]), path)
            if when is not None:
                yield HoldRule(when, HoldReason(line["reason"]), str(line["rule"]), str(line["next_step"]))


def _check_part(name: str, part: dict[str, Any], kind: Kind, source: Source, problems: list[Problem]) -> None:
    path: Path = ("emits", name)
    if part.get("about") not in kind.people:
        rule = f"a part is about one of the roles of its kind: {', '.join(sorted(kind.people))}"
        problems.append(Problem("mapping-about", rule, source.where((*path, "about")), f"{name}.about"))
    type_ = part.get("resourceType")
    if not isinstance(type_, str) or not type_.isalpha():
        rule = "a part names the FHIR type it makes, without an expression"
        problems.append(Problem("mapping-shape", rule, source.where(path), f"{name}.resourceType"))
    if "each" not in part and ("key" in part):
        problems.append(Problem("mapping-shape", "`key` goes with `each`", source.where((*path, "key")), f"{name}.key"))
    if type_ == "Composition" and "section" in part and not isinstance(part["section"], list):
        rule = "the sections of a Composition are a list, one entry a section"
        problems.append(Problem("mapping-shape", rule, source.where((*path, "section")), f"{name}.section"))
