"""YAML read into plain values with the line of each kept, so that every later message can point at it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from bridge.errors import Problem

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Source:
    """One file's values, and for each path in them the `file:line` it was written at."""

    file: str
    value: Any = None
    marks: dict[Path, str] = field(default_factory=dict)

    def where(self, path: Path) -> str:
        """The place of a path, or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            mark = self.marks.get(path[:length])
            if mark is not None:
                return mark
        return self.file

    def override(self, child: Source) -> Source:
        """These values with the child's laid over them: objects merge, all else is replaced, null removes."""
        marks = dict(self.marks)
        value = _laid_over(self.value, child.value, (), marks, child.marks)
        return Source(child.file, value, marks)


def _laid_over(base: Any, top: Any, path: Path, marks: dict[Path, str], top_marks: dict[Path, str]) -> Any:
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
        source.value = _value(loader, node, (), source, problems) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(Problem("yaml-unreadable", error.problem or "this is not YAML", f"{file}:{line}"))
    except yaml.YAMLError:
        problems.append(Problem("yaml-unreadable", "this is not YAML", f"{file}:1"))
    return source


def _value(loader: _Loader, node: yaml.Node, path: Path, source: Source, problems: list[Problem]) -> Any:
    mark = f"{source.file}:{node.start_mark.line + 1}"
    source.marks.setdefault(path, mark)
    if isinstance(node, yaml.MappingNode):
        value: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = f"{source.file}:{key_node.start_mark.line + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                rule = "YAML takes these braces for its own"
                problems.append(Problem("yaml-unquoted", rule, place, next_step='write "{{ … }}" in quotes'))
                return None
            if key in value:
                problems.append(Problem("yaml-duplicate-key", "this key is written twice", place, key, "keep one"))
            source.marks[*path, key] = place
            value[key] = _value(loader, value_node, (*path, key), source, problems)
        return value
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, index), source, problems) for index, item in enumerate(node.value)]
    return loader.construct_object(node)
