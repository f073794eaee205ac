"""Paths into a resource as cases write them: `a.b[0].c`, and `[*]` for each entry of a list."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")
_INDEX = re.compile(r"\[\d+\]")


class Nothing:
    """What stands where there is no value."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()


def value_at(value: Any, path: str) -> Any:
    """The value at a path; `[*]` gives the list of what is there in each entry. None where there is nothing."""
    found = found_at(value, path)
    return None if found is NOTHING else found


def found_at(value: Any, path: str) -> Any:
    """As `value_at`, with NOTHING where there is nothing."""
    return _at(value, [match[1] or f"[{match[2]}]" for match in _STEP.finditer(path)])


def _at(value: Any, steps: list[str]) -> Any:
    for index, step in enumerate(steps):
        if step == "[*]":
            each = [_at(one, steps[index + 1 :]) for one in value] if isinstance(value, list) else []
            return [one for one in each if one is not NOTHING]
        if step.startswith("["):
            position = int(step[1:-1])
            value = value[position] if isinstance(value, list) and position < len(value) else NOTHING
        else:
            value = value.get(step, NOTHING) if isinstance(value, dict) else NOTHING
    return value


def steps_of(path: str) -> tuple[str | int, ...]:
    """The keys and indexes of a path without `[*]`."""
    return tuple(match[1] or int(match[2]) for match in _STEP.finditer(path) if match[2] != "*")


def paths_of(value: Any, at: str = "") -> Iterator[str]:
    """Every path there is, those of objects and lists too."""
    if at:
        yield at
    pairs: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        pairs = [(f"{at}.{key}" if at else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{at}[{index}]", inner) for index, inner in enumerate(value)]
    for path, inner in pairs:
        yield from paths_of(inner, path)


def nearest(value: Any, path: str) -> str:
    """The path there is that is most like this one, which is not; "" where none is like it."""
    known: dict[str, None] = dict.fromkeys(paths_of(value))
    if "[*]" in path:
        known = dict.fromkeys(_INDEX.sub("[*]", one) for one in known)
    close = difflib.get_close_matches(path, known, 1, 0.6)
    if close:
        return str(close[0])
    above = path
    while (cut := max(above.rfind("."), above.rfind("["))) > 0:
        above = above[:cut]
        if above in known:
            return above
    return ""
