"""A mapping file, with what it extends, → RecordMapping."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bridge.errors import Problem
from bridge.fhir.terminology import Members
from bridge.mappings.canonicals import Canonicals, by_url, is_url, named
from bridge.mappings.checks import Checks
from bridge.mappings.classes import CLASSES
from bridge.mappings.kinds import Kind
from bridge.mappings.labels import Label
from bridge.mappings.parts import PartTemplate, Reader
from bridge.mappings.source import Path, Source
from bridge.mappings.tables import Table
from bridge.mappings.template import Expression
from bridge.mappings.watching import Watching
from bridge.model import HoldReason

_KEYS = ("mapping", "reads", "extends", "tables", "holds", "emits", "labels", "not_mapped")
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
class LeftOut:
    """A source field (`path`) or an element of a part (`element`) that is left out on purpose, with a reason."""

    key: str
    name: str
    where: str


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """How records of one kind become parts. `tables` goes by the short names that its expressions use, `value_sets` by
    url.
    """

    name: str
    kind: str
    tables: Mapping[str, Table]
    parts: tuple[PartTemplate, ...]
    labels: tuple[Label, ...]
    holds: tuple[HoldRule, ...] = ()
    not_mapped: tuple[LeftOut, ...] = ()
    value_sets: Mapping[str, Members] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Laid:
    """A mapping laid over those it extends, with the places of all; `sound` says that nothing is wrong in it."""

    chain: tuple[MappingFile, ...]
    source: Source
    mapping: RecordMapping
    sound: bool


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One file as written; `name` is PACK/NAME."""

    name: str
    pack: str
    extends: str
    source: Source

    @property
    def tables(self) -> list[Any]:
        """What it lists under `tables`."""
        listed = self.source.value.get("tables") or []
        return listed if isinstance(listed, list) else [listed]

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
    canonicals: Canonicals,
    problems: list[Problem],
    broken: frozenset[str] = frozenset(),
    watching: Watching | None = None,
) -> Laid | None:
    """The mapping of a file laid over those it extends, or None with its problems added.

    `broken` are kinds that are declared and cannot be read: that is told at their own files.
    """
    before = len(problems)
    chain = _chain(written, others, problems)
    source = chain[0].source
    for one in chain[1:]:
        source = source.override(one.source)
    value = source.value
    kind = kinds.get(str(value.get("reads")))
    if kind is None and str(value.get("reads")) in broken:
        return None
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
        canonicals=canonicals,
    )
    reader = Reader(checks, watching.of(written.name) if watching is not None else None)
    checks.labels = labels = tuple(_labels(chain, kind, reader, problems))
    for name, part in emits.items():
        _check_part(name, part, kind, source, problems)
    read = [reader.part(name, part, ("emits", name)) for name, part in emits.items()]
    parts = tuple(part for part in read if part is not None)
    holds = tuple(_holds(chain, reader, problems))
    left_out = tuple(_not_mapped(chain, problems))
    mapping = RecordMapping(written.name, kind.name, known, parts, labels, holds, left_out, checks.value_sets)
    return Laid(tuple(chain), source, mapping, len(problems) == before)


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
        for index, (name, of) in enumerate(map(named, one.tables)):
            table = next((tables[f"{pack}/{of}"] for pack in packs if f"{pack}/{of}" in tables), None)
            table = table or by_url(tables, of)
            if table is None:
                rule, step = f"there is no tables/{of}.csv", ""
                if is_url(of):
                    rule = "no ConceptMap of this url is here, nor a table that says it is it"
                    step = "correct it, or add its package with `bridge definitions add`"
                problems.append(Problem("mapping-table", rule, one.source.where(("tables", index)), name, step))
                absent.add(name)
            else:
                found[name] = table
    return found, frozenset(absent)


def _labels(chain: list[MappingFile], kind: Kind, reader: Reader, problems: list[Problem]) -> Iterator[Label]:
    for one in chain:
        for path, line in _lines(one, "labels"):
            where = partial(_where_in, one.source, path)
            if not isinstance(line, dict) or not {"path", "class"} <= line.keys() <= set(_LABEL_KEYS):
                rule = "a label is written `{path: …, class: …}`, with `about` and `when` where they apply"
                problems.append(Problem("mapping-label", rule, where()))
                continue
            field = tuple(str(line["path"]).split("."))
            if kind.schema.field(field) is None:
                rule = f"a {kind.name} has no such field"
                problems.append(Problem("mapping-label", rule, where("path"), str(line["path"]), _near(kind, field)))
            if str(line["class"]) not in CLASSES:
                rule = f"the classes are {', '.join(sorted(CLASSES))}"
                problems.append(Problem("mapping-label", rule, where("class"), str(line["class"])))
            about = str(line.get("about") or "")
            if about and about not in kind.people:
                rule = f"the roles of this kind are {', '.join(sorted(kind.people))}"
                problems.append(Problem("mapping-label", rule, where("about"), about))
            when = reader.condition(line["when"], one.source, (*path, "when")) if "when" in line else None
            yield Label(field, str(line["class"]), about, when, where("path"))


def _not_mapped(chain: list[MappingFile], problems: list[Problem]) -> Iterator[LeftOut]:
    """What the files of a chain leave out on purpose."""
    for one in chain:
        for path, line in _lines(one, "not_mapped"):
            key = next((key for key in ("path", "element") if isinstance(line, dict) and key in line), "")
            if not key or set(line) != {key, "reason"} or not line["reason"]:
                rule = "is written `{path: FIELD, reason: …}` or `{element: PART.ELEMENT, reason: …}`"
                problems.append(Problem("mapping-shape", rule, one.source.where(path), "not_mapped"))
                continue
            listed = line[key] if isinstance(line[key], list) else [line[key]]
            for index, name in enumerate(listed):
                place = (*path, key, index) if isinstance(line[key], list) else (*path, key)
                yield LeftOut(key, str(name), one.source.where(place))


def _lines(one: MappingFile, key: str) -> Iterator[tuple[Path, Any]]:
    """The entries of a list of a file, each with its path; a single one may stand alone."""
    listed = one.source.value.get(key) or []
    if not isinstance(listed, list):
        yield (key,), listed
        return
    for index, line in enumerate(listed):
        yield (key, index), line


def _where_in(source: Source, path: Path, *more: str) -> str:
    """Where a value stands (not its key)."""
    place = source.place((*path, *more))
    return source.where(path) if place is None else str(place.value)


def _near(kind: Kind, field: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(".".join(field), [".".join(known) for known in kind.schema.fields if known], 1)
    return f"did you mean {near[0]}?" if near else ""


def _holds(chain: list[MappingFile], reader: Reader, problems: list[Problem]) -> Iterator[HoldRule]:
    """The holds of a file and of those it extends: what a parent holds, a child cannot let go."""
    for one in chain:
        for path, line in _lines(one, "holds"):
            if not isinstance(line, dict) or set(line) != set(_HOLD_KEYS) or line["reason"] not in _HOLD_REASONS:
                rule = f"a hold has {', '.join(_HOLD_KEYS)}; its reason is one of {', '.join(_HOLD_REASONS)}"
                problems.append(Problem("mapping-hold", rule, one.source.where(path)))
                continue
            when = reader.condition(line["when"], one.source, (*path, "when"))
            if when is not None:
                yield HoldRule(when, HoldReason(line["reason"]), str(line["rule"]), str(line["next_step"]))


def _check_part(name: str, part: dict[str, Any], kind: Kind, source: Source, problems: list[Problem]) -> None:
    path: Path = ("emits", name)
    if str(part.get("about")) not in kind.people:
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
