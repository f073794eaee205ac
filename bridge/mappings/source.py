"""YAML read into plain values with the place of each kept, so that every later message can point at it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from bridge.errors import Problem
from bridge.mappings.fhirpath import Position
from bridge.mappings.fpml import Place
from bridge.mappings.written import text_position

Path = tuple[str | int, ...]
_VALUES = 100_000
_DEPTH = 60
_CORE: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(slots=True)
class Source:
    """One file's values, and for each path in them where its key and its value were written."""

    file: str
    value: Any = None
    marks: dict[Path, Place] = field(default_factory=dict)

    def where(self, path: Path) -> str:
        """The `file:line:column` of a path's key (of an entry of a list: its own), or of the nearest thing around."""
        place = self.place(path)
        return f"{self.file}:1:1" if place is None else str(place.key)

    def place(self, path: Path) -> Place | None:
        """Where a path's key and value stand, or those of the nearest thing around it; None for an empty file."""
        for length in range(len(path), -1, -1):
            mark = self.marks.get(path[:length])
            if mark is not None:
                return mark
        return None

    def override(self, child: Source) -> Source:
        """These values with the child's laid over them: objects merge, all else is replaced, null removes."""
        marks = dict(self.marks)
        value = _laid_over(self.value, child.value, (), marks, child.marks)
        return Source(child.file, value, marks)


def _laid_over(base: Any, top: Any, path: Path, marks: dict[Path, Place], top_marks: dict[Path, Place]) -> Any:
    if not (isinstance(base, dict) and isinstance(top, dict)):
        for known in [known for known in marks if known[: len(path)] == path]:
            del marks[known]
        marks.update({known: mark for known, mark in top_marks.items() if known[: len(path)] == path})
        return top
    merged = dict(base)
    for key, value in top.items():
        if value is None:
            merged.pop(key, None)
        elif key in merged:
            merged[key] = _laid_over(merged[key], value, (*path, key), marks, top_marks)
        else:
            here = (*path, key)
            marks.update({known: mark for known, mark in top_marks.items() if known[: len(here)] == here})
            merged[key] = value
    return merged


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core values only: `no`, `on` and 2026-01-05 stay the text that was written."""


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?[0-9]+\.[0-9]+$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)


def read(file: str, text: str, problems: list[Problem]) -> Source:
    """The values of one YAML text; what cannot be read is added to `problems` and left out."""
    source = Source(file)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        source.value = _Reading(text, source, problems).value(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Position(mark.line + 1, mark.column + 1, file) if mark else Position(file=file)
        problems.append(Problem("yaml-unreadable", error.problem or "this is not YAML", str(place)))
    except (yaml.YAMLError, ValueError):
        problems.append(Problem("yaml-unreadable", "this is not YAML", str(Position(file=file))))
    except RecursionError:
        rule = f"a file nests at most {_DEPTH} deep"
        problems.append(Problem("yaml-unreadable", rule, str(Position(file=file)), next_step="split it"))
    if problems and source.value is None:
        source.marks.clear()
    return source


class _Reading:
    """Values and marks from the nodes of one text."""

    def __init__(self, text: str, source: Source, problems: list[Problem]) -> None:
        self.text = text
        self.source = source
        self.problems = problems
        self.count = 0

    def value(self, node: yaml.Node, path: Path, key: Position | None = None) -> Any:
        """The value of a node that stands under `key`, or in a list."""
        start = node.start_mark
        self.count += 1
        if self.count > _VALUES or len(path) > _DEPTH:
            rule = f"a file holds at most {_VALUES} values, nested at most {_DEPTH} deep"
            raise yaml.MarkedYAMLError(problem=rule, problem_mark=start)
        here = self._position(node)
        self.source.marks[path] = Place(here, here if key is None else key)
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
            raise yaml.MarkedYAMLError(problem="a mapping knows no tags", problem_mark=start)
        if isinstance(node, yaml.MappingNode):
            return self._object(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        make = _CORE.get(node.tag)
        if make is None:
            raise yaml.MarkedYAMLError(problem="a mapping knows no tags", problem_mark=start)
        return make(node.value)

    def _object(self, node: yaml.MappingNode, path: Path) -> dict[str, Any] | None:
        value: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = self._position(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                rule = "YAML takes these braces for its own"
                step = 'write "{{ … }}" in quotes'
                self.problems.append(Problem("yaml-unquoted", rule, str(place), next_step=step))
                return None
            key = str(key_node.value)
            if key in value:
                rule = "this key is written twice"
                self.problems.append(Problem("yaml-duplicate-key", rule, str(place), key, "keep one"))
            value[key] = self.value(value_node, (*path, key), place)
        return value

    def _position(self, node: yaml.Node) -> Position:
        if isinstance(node, yaml.ScalarNode):
            return text_position(self.source.file, self.text, node)
        return Position(node.start_mark.line + 1, node.start_mark.column + 1, self.source.file)
