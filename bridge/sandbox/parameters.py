"""Search parameters: what each reads from a resource, and when a resource matches a value (FHIR R4, search)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path as File
from typing import Any, NamedTuple

from bridge.sandbox.files import read_yaml
from bridge.sandbox.instants import compare, parse_range, range_of
from bridge.sandbox.paths import Json, Path, compile_path, values

_COMMA = re.compile(r"(?<!\\),")


class Parameter(NamedTuple):
    """One parameter of one type: its kind, the type a reference must have ("" any), the paths it reads."""

    name: str
    kind: str  # token | reference | date | string | uri
    target: str
    paths: tuple[Path, ...]


class BadValue(ValueError):
    """A parameter's value or modifier cannot be read; the message is the parameter's name."""


class Parameters:
    """The parameters of every type: the sandbox's own table, and what a shape adds."""

    def __init__(self, added: dict[str, dict[str, str]]) -> None:
        self._types = {kind: dict(rows) for kind, rows in _table().items()}
        for kind, rows in added.items():
            self._types.setdefault(kind, {}).update({name: _compiled(name, row) for name, row in rows.items()})
        self._common = self._types.pop("common")

    def of(self, kind: str) -> dict[str, Parameter]:
        """Every parameter known for the type, by name."""
        return {**self._common, **self._types.get(kind, {})}

    def patient(self, kind: str) -> Parameter | None:
        """The parameter that says whom a resource of the type is about."""
        return self._types.get(kind, {}).get("patient")

    def identifier(self, kind: str) -> Parameter | None:
        """The parameter that reads the identifiers of a resource of the type."""
        return self._types.get(kind, {}).get("identifier")


def matches(parameter: Parameter, modifier: str, wanted: str, resource: Json) -> bool:
    """Whether the resource matches one of the comma-separated values; `BadValue` when one cannot be read."""
    if modifier == "missing" and wanted in ("true", "false"):
        return (next(_read(parameter, resource), None) is None) == (wanted == "true")
    target = parameter.target
    if parameter.kind == "reference" and modifier and modifier[0].isupper():
        target, modifier = modifier, ""
    if modifier and not (parameter.kind == "string" and modifier in ("exact", "contains")):
        raise BadValue(parameter.name)
    options = [option.replace("\\,", ",") for option in _COMMA.split(wanted)]
    for value in _read(parameter, resource):
        for option in options:
            if _one(parameter, modifier, target, option, value):
                return True
    if parameter.kind == "date":  # a value that cannot be read is an error even where nothing could match
        _ranges(parameter.name, options)
    return False


def references(parameter: Parameter | None, resource: Json, target: str) -> Iterator[str]:
    """Ids of the resources of one type that the parameter's references name."""
    for value in _read(parameter, resource) if parameter else ():
        kind, id = literal(value)
        if kind == target:
            yield id


def identifiers(parameter: Parameter | None, resource: Json) -> Iterator[tuple[str, str]]:
    """System ("" when none) and value of each identifier that has a value."""
    for value in _read(parameter, resource) if parameter else ():
        if isinstance(value, dict) and isinstance(value.get("value"), str):
            yield str(value.get("system") or ""), value["value"]


def literal(reference: Any) -> tuple[str, str]:
    """Type and id of a literal reference, version and base left away; two empty strings when there is none."""
    text = reference.get("reference") if isinstance(reference, dict) else reference
    if not isinstance(text, str):
        return "", ""
    parts = text.split("/_history/")[0].rstrip("/").split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 and parts[-2].isalpha() else ("", "")


def _one(parameter: Parameter, modifier: str, target: str, wanted: str, value: Any) -> bool:
    if parameter.kind == "token":
        return _token(wanted, value)
    if parameter.kind == "reference":
        kind, id = literal(value)
        asked, asked_id = literal(wanted) if "/" in wanted else (target, wanted)
        return id == asked_id and kind == (asked or kind) and kind == (target or kind)
    if parameter.kind == "date":
        found = range_of(value)
        return found is not None and any(
            compare(prefix, found, span) for prefix, span in _ranges(parameter.name, [wanted])
        )
    if parameter.kind == "uri":
        return bool(value == wanted)
    texts = list(_texts(value))
    if modifier == "exact":
        return wanted in texts
    folded = _folded(wanted)
    if modifier == "contains":
        return any(folded in _folded(text) for text in texts)
    return any(_folded(text).startswith(folded) for text in texts)


def _ranges(name: str, options: list[str]) -> list[tuple[str, tuple[float, float]]]:
    ranges = [parse_range(option) for option in options]
    if None in ranges:
        raise BadValue(name)
    return [item for item in ranges if item is not None]


def _token(wanted: str, value: Any) -> bool:
    system, bar, code = wanted.partition("|") if "|" in wanted else ("", "", wanted)
    for own_system, own_code in _codes(value):
        if bar and own_system is not None and own_system != system:
            continue
        if code in ("", own_code):
            return True
    return False


def _codes(value: Any) -> Iterator[tuple[str | None, str]]:
    """System (None: a code or boolean without one) and code of any type a token reads."""
    if isinstance(value, bool):
        yield None, "true" if value else "false"
    elif isinstance(value, str):
        yield None, value
    elif isinstance(value, dict):
        if isinstance(value.get("coding"), list):
            for coding in value["coding"]:
                yield from _codes(coding)
        elif "code" in value:
            yield str(value.get("system") or ""), str(value["code"])
        elif "value" in value:
            yield str(value.get("system") or ""), str(value["value"])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _folded(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(mark))


def _read(parameter: Parameter, resource: Json) -> Iterator[Any]:
    for path in parameter.paths:
        yield from values(resource, path)


def _compiled(name: str, row: str) -> Parameter:
    kind, _, paths = row.partition(" ")
    kind, _, target = kind.partition("/")
    return Parameter(name, kind, target, tuple(compile_path(path.strip()) for path in paths.split("|")))


@cache
def _table() -> dict[str, dict[str, Parameter]]:
    content = read_yaml(File(__file__).with_name("parameters.yaml"))
    return {kind: {name: _compiled(name, row) for name, row in rows.items()} for kind, rows in content.items()}
