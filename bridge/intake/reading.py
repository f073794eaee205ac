"""JSON and lines of JSON, read item by item: what is good is read whatever its neighbours are.

Used by the door for what is posted and by the readers of files; problems name the place and the rule, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import BinaryIO

from bridge.errors import Problem
from bridge.intake.rows import Limits, Row, StrictJson, as_row, too_large, unreadable

_WHITE = " \t\r\n"
_SPACES = re.compile(f"[{_WHITE}]*")


def read_json(text: str, name: str, limits: Limits) -> Iterator[Row | Problem]:
    """The object, or the objects of the array one by one, so that those before a broken one are not lost."""
    at = _skip(text, 0)
    if at == len(text):
        yield unreadable(name, "empty", "the file must hold something", "send [] to say: no records")
        return
    array = text[at] == "["
    at = _skip(text, at + 1) if array else at
    if array and text[at : at + 1] == "]":
        end: int | None = at + 1
    else:
        end = yield from _read_items(text, at, array, name, limits)
    if end is not None and _skip(text, end) < len(text):
        rule = "one object or one array must be all the file holds; what follows it was not read"
        yield unreadable(name, "json", rule, "name the file .ndjson where each line is a record")


def _read_items(
    text: str, at: int, array: bool, name: str, limits: Limits
) -> Generator[Row | Problem, None, int | None]:
    """The items from `at` on; returns the index after the object or the closing bracket, None where reading ended."""
    strict = StrictJson()
    line, counted, index = 1, 0, 0
    while True:
        line, counted, index = line + text.count("\n", counted, at), at, index + 1
        where = f"{name}:{line}"
        try:
            value, end, fault = strict.take(text, at)
        except ValueError:
            yield unreadable(where, "json", f"item {index} must be JSON; what follows it was not read")
            return None
        yield as_row(value, fault, text[at:end], index, where, limits)
        if not array:
            return end
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return at + 1
        if text[at : at + 1] != ",":
            yield unreadable(where, "json", f"a comma or ] must follow item {index}; what follows was not read")
            return None
        at = _skip(text, at + 1)


def read_lines(file: BinaryIO, name: str, limits: Limits) -> Iterator[Row | Problem]:
    """One record a line; a line too long is passed over without being held in memory."""
    strict = StrictJson()
    number = 0
    while line := file.readline(limits.record_bytes + 2):
        number += 1
        where = f"{name}:{number}"
        if len(line) > limits.record_bytes + 1 and not line.endswith(b"\n"):
            while (rest := file.readline(limits.record_bytes)) and not rest.endswith(b"\n"):
                continue
            yield too_large(where, limits)
            continue
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="surrogateescape").strip(_WHITE)
        if text:
            yield _line(strict, text, number, where, limits)


def _line(strict: StrictJson, text: str, number: int, where: str, limits: Limits) -> Row | Problem:
    try:
        value, end, fault = strict.take(text)
        if end != len(text):
            raise ValueError
    except ValueError:
        return unreadable(where, "json", "the line must be one JSON object")
    return as_row(value, fault, text, number, where, limits)


def _skip(text: str, at: int) -> int:
    """The index of the first character at or after `at` that is not white space."""
    found = _SPACES.match(text, at)
    return found.end() if found else at
