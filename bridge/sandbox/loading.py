"""Shapes read from their files: merged with what they extend, each row given the fact it rests on, checked whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bridge.sandbox.files import read_yaml
from bridge.sandbox.shape import Row, Shape

FOLDER = Path(__file__).parent / "shapes"
ROWS = ("resources", "conduct", "site", "keeps", "first", "answers")  # sections of named rows


class ShapeError(ValueError):
    """A shape cannot be used; the message names the file and the place, never a value of a record."""


def names() -> tuple[str, ...]:
    """The shapes that come with the sandbox, in order of name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "standard"))


def load(name: str) -> Shape:
    """The shape of that name, or of that file (YAML or JSON); `ShapeError` when it cannot be used."""
    try:
        shape = Shape.model_validate(_merged(name))
    except ValidationError as error:
        places = [".".join(map(str, item["loc"])) + ": " + item["type"] for item in error.errors(include_input=False)]
        raise ShapeError(f"{name}: {'; '.join(places)}") from None
    unknown = sorted({row.site for row in shape.paces} - set(shape.site))
    if unknown:
        raise ShapeError(f"{name}: paces: no site values {', '.join(unknown)}")
    missing = sorted({row.fact for row in rows(shape)} - set(shape.facts))
    if missing:
        raise ShapeError(f"{name}: facts without a source: {', '.join(missing)}")
    return shape


def rows(shape: Shape) -> list[Row]:
    """Every row of the shape that rests on a fact."""
    found: list[Row] = [shape.login, *shape.resources.values(), *shape.answers.values(), *shape.site.values()]
    found += [rule for rules in shape.rules.values() for rule in rules]
    found += [*shape.keeps.values(), *shape.first.values()]
    found += [*(row for _, row in shape.conduct if isinstance(row, Row)), *shape.paces]
    return found


def _merged(name: str) -> dict[str, Any]:
    content = _read(name)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    below = _merged(str(parent))
    for key in ("facts", "conduct", "answers"):
        content[key] = {**below.get(key, {}), **content.get(key, {})}
    content.setdefault("login", below.get("login"))
    inherited, own = below.get("rules", {}), content.get("rules", {})
    content["rules"] = {kind: [*inherited.get(kind, ()), *own.get(kind, ())] for kind in {**inherited, **own}}
    return content


def _read(name: str) -> dict[str, Any]:
    file = FOLDER / f"{name}.yaml" if name in (*names(), "standard") else Path(name)
    try:
        content = read_yaml(file)
    except (OSError, yaml.YAMLError):
        raise ShapeError(f"{name}: not a shape ({', '.join(names())}) and not a file that can be read") from None
    if not isinstance(content, dict):
        raise ShapeError(f"{name}: must be a mapping")
    sections = [content.get(section) or {} for section in ROWS]
    named = [row for section in sections for row in section.values()]
    named += [content["login"]] if isinstance(content.get("login"), dict) else []
    named += content.get("paces") or []
    for row in [*named, *(row for rules in (content.get("rules") or {}).values() for row in rules)]:
        row.setdefault("fact", content.get("fact", ""))
    return content
