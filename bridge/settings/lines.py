"""YAML with line numbers: plain values, where each stands, and no surprises (duplicate keys, aliases, tags)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from bridge.errors import Problem

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A parsed file: its plain value, the line of each key and list item, and what was wrong with it."""

    name: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def where(self, path: Path) -> str:
        """`file:line` of `path`."""
        return f"{self.name}:{self.line(path)}"


class PlainLoader(yaml.SafeLoader):
    """The safe loader without aliases: a value stands where it is used, and no file can grow by referring to itself."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not used here", event.start_mark)
        return super().compose_node(parent, index)


def read_yaml(text: str, name: str) -> Document:
    """The document in `text`; its `problems` say all that is wrong, with lines and without values. Raises nothing."""
    document = Document(name)
    loader = PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.value = _plain(loader, node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        document.problems.append(
            Problem(
                "yaml-syntax",
                f"not YAML: {error.problem}",
                f"{name}:{line}",
                next_step="mend the line or the one above",
            )
        )
    except (yaml.YAMLError, RecursionError):
        document.problems.append(
            Problem("yaml-syntax", "not YAML text", f"{name}:1", next_step="save the file as UTF-8")
        )
    finally:
        loader.dispose()
    return document


def _plain(loader: PlainLoader, node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, index), document) for index, item in enumerate(node.value)]
    try:
        return loader.construct_object(node)
    except ValueError:  # looks like a day or number and is none, as 2026-02-30: it is text, and judged as text
        return node.value


def _mapping(loader: PlainLoader, node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        line = key_node.start_mark.line + 1
        where = f"{document.name}:{line}"
        if key is None or key_node.tag != "tag:yaml.org,2002:str":
            rule = "a key must be text" if key != "<<" else "merging keys is not used here"
            document.problems.append(
                Problem("yaml-key", rule, where, ".".join(map(str, path)), "put the key in quotes")
            )
            continue
        if key in found:
            first = document.lines[(*path, key)]
            field_name = ".".join(map(str, (*path, key)))
            document.problems.append(
                Problem("duplicate-key", f"stands here and on line {first}", where, field_name, "keep one of them")
            )
            continue
        document.lines[(*path, key)] = line
        found[key] = _plain(loader, value_node, (*path, key), document)
    return found
