"""Strings of a template: literal text and the expressions in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.mappings.fhirpath.problems import ExpressionError, Position

_INSIDE = re.compile(r"'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|/\*.*?\*/|//[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression in a string: its text, where the text begins, and whether empty stays as null ({{+ +}})."""

    text: str
    position: Position
    keep_null: bool = False


@dataclass(frozen=True, slots=True)
class Pieces:
    """A string taken apart. `every` says that it is one {[ … ]}; `parts` are texts and holes otherwise."""

    parts: tuple[str | Hole, ...]
    every: bool = False


def pieces(text: str, position: Position) -> Pieces | None:
    """The parts of a string; None where it holds no expression. Raises ExpressionError FT06."""
    if "{{" not in text and "{[" not in text:
        return None
    if text.startswith("{["):
        return Pieces((_every(text, position),), every=True)
    parts: list[str | Hole] = []
    end = 0
    while (start := text.find("{{", end)) >= 0:
        if start > end:
            parts.append(text[end:start])
        hole, end = _hole(text, start, position)
        parts.append(hole)
    if text[end:]:
        parts.append(text[end:])
    if any(isinstance(part, str) and "{[" in part for part in parts):
        rule = "a list {[ … ]} is the whole string"
        raise _wrong(text, text.index("{["), position, rule, "take away what is beside it")
    return Pieces(tuple(parts))


def _every(text: str, position: Position) -> Hole:
    inside = _closing(text, 2, "]}", position)
    if inside + 2 != len(text):
        rule = "a list {[ … ]} is the whole string"
        raise _wrong(text, inside + 2, position, rule, "take away what follows it")
    return _made(text, 2, inside, position, False)


def _hole(text: str, start: int, position: Position) -> tuple[Hole, int]:
    keep = text.startswith("{{+", start)
    inside = start + (3 if keep else 2)
    end = _closing(text, inside, "}}", position)
    stop = end - 1 if keep and text[end - 1] == "+" else end
    if keep and stop == end:
        raise _wrong(text, start, position, "what begins with {{+ ends with +}}", "write {{+ expression +}}")
    return _made(text, inside, stop, position, keep), end + 2


def _closing(text: str, start: int, sign: str, position: Position) -> int:
    """Where the expression that begins at `start` ends: strings, quoted names and comments may hold the sign."""
    place = start
    while place < len(text):
        inside = _INSIDE.match(text, place)
        if inside is not None:
            place = inside.end()
        elif text.startswith(sign, place):
            return place
        else:
            place += 1
    opened = "{[" if sign == "]}" else "{{"
    raise _wrong(text, start - 2, position, f"what begins with {opened} ends with {sign}", f"add the closing {sign}")


def _made(text: str, start: int, end: int, position: Position, keep: bool) -> Hole:
    inside = text[start:end]
    if not inside.strip():
        raise _wrong(text, start, position, "there is no expression between the brackets", "write one, or remove them")
    begin = start + len(inside) - len(inside.lstrip())
    return Hole(inside.strip(), within(text, begin, position), keep)


def within(text: str, offset: int, position: Position) -> Position:
    """The position of the character at `offset` of a text that begins at `position`."""
    line = text.count("\n", 0, offset)
    return position.moved(line + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1)


def _wrong(text: str, offset: int, position: Position, rule: str, step: str) -> ExpressionError:
    return ExpressionError("FT06", within(text, max(offset, 0), position), rule, step)
