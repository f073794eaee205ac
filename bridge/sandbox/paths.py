"""Values at a path of a FHIR resource: the small path language of the shapes and search parameters.

`a.b` steps into objects and through lists; `a[x]` takes any type of a choice (`effectiveDateTime`, `effectivePeriod`);
`a[name=value]` keeps the list items whose `name` is that value.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

Json = dict[str, Any]

_STEP = re.compile(r"(?P<name>[A-Za-z]+)(?:\[(?P<choice>x)\]|\[(?P<key>\w+)=(?P<value>[^\]]+)\])?")


class Step(NamedTuple):
    """One step: an element's name, whether it is a choice, and what its items must say."""

    name: str
    choice: bool = False
    key: str = ""
    value: str = ""


Path = tuple[Step, ...]


def compile_path(text: str) -> Path:
    """The steps of a written path; `ValueError` when it is not of the language."""
    steps = []
    for part in text.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise ValueError(f"not a path: {text}")
        steps.append(Step(match["name"], match["choice"] is not None, match["key"] or "", match["value"] or ""))
    return tuple(steps)


def values(node: Any, path: Path) -> list[Any]:
    """Every value at the path, lists flattened, in order; empty when there is none."""
    found = [node]
    for step in path:
        following: list[Any] = []
        for item in found:
            if not isinstance(item, dict):
                continue
            if step.choice:
                taken = [value for key, value in item.items() if _is_choice(key, step.name)]
            else:
                taken = [item[step.name]] if step.name in item else []
            for value in taken:
                if isinstance(value, list):
                    following.extend(value)
                elif value is not None:
                    following.append(value)
        if step.key:
            following = [item for item in following if isinstance(item, dict) and item.get(step.key) == step.value]
        if not following:
            return following
        found = following
    return found


def _is_choice(key: str, stem: str) -> bool:
    return key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()


def readdressed(node: Any, addresses: dict[str, str]) -> Any:
    """A copy in which each literal reference that is a key of `addresses` is that key's value."""
    if isinstance(node, dict):
        return {
            key: addresses.get(value, value)
            if key == "reference" and isinstance(value, str)
            else readdressed(value, addresses)
            for key, value in node.items()
        }
    return [readdressed(item, addresses) for item in node] if isinstance(node, list) else node


def kept(node: Json, tree: Json) -> Json:
    """A copy of the object with only the elements the tree names; an empty subtree keeps an element whole."""
    copy: Json = {}
    for key, below in tree.items():
        if key not in node:
            continue
        value = node[key]
        if not below:
            copy[key] = value
        elif isinstance(value, list):
            copy[key] = [kept(item, below) for item in value if isinstance(item, dict)]
        elif isinstance(value, dict):
            copy[key] = kept(value, below)
    return copy


def tree_of(paths: tuple[str, ...]) -> Json:
    """The tree `kept` reads, from dotted paths."""
    tree: Json = {}
    for path in paths:
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
    return tree
