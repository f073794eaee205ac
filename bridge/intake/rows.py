"""What a reader of files yields, within which limits, and how one JSON record is read strictly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: its place in it (a line, item or row), counted from 1, and its content.

    `text` is the record's JSON as the source wrote it: a decimal keeps its digits there, `record` has Python's floats.
    """

    index: int
    where: str
    record: dict[str, Any] = field(repr=False)
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may ask of us; bytes, and for a query MiB of memory and threads."""

    file_bytes: int = 256 * 1024 * 1024
    record_bytes: int = 1024 * 1024
    query_mib: int = 1024
    query_threads: int = 2


def unreadable(where: str, code: str, rule: str, next_step: str = "") -> Problem:
    """The problem of one row or file. `code` is completed to `file-<code>`; no argument carries a value."""
    return Problem(code=f"file-{code}", rule=rule, where=where, next_step=next_step)


def too_large(where: str, limits: Limits) -> Problem:
    """The problem of a record longer than the limit."""
    return unreadable(where, "too-large", f"a record must not be longer than {limits.record_bytes} bytes")


class StrictJson:
    """JSON as RFC 8259 has it, without what other readers would read otherwise: a key given twice, NaN."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=self._pairs, parse_constant=self._constant)

    def take(self, text: str, start: int = 0) -> tuple[Any, int, str]:
        """The value at `start`, the index after it, and the rule it breaks ("" when none).

        Raises ValueError where no JSON value can be read at all.
        """
        self._faults.clear()
        try:
            value, end = self._decoder.raw_decode(text, start)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if not self._faults and not _is_unicode(text[start:end], value):
            self._faults.append("must be UTF-8 throughout, with whole characters only")
        return value, end, self._faults[0] if self._faults else ""

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self._faults.append("must not give one key twice in an object")
        return found

    def _constant(self, _name: str) -> None:
        self._faults.append("must not hold NaN or Infinity: JSON has no such number")


def as_row(value: Any, fault: str, text: str, index: int, where: str, limits: Limits) -> Row | Problem:
    """The row a JSON value is, or the problem that says why it is none."""
    if len(text.encode("utf-8", "surrogatepass")) > limits.record_bytes:
        return too_large(where, limits)
    if fault:
        code = "duplicate-key" if "twice" in fault else "encoding" if "UTF-8" in fault else "json"
        return unreadable(where, code, fault, "correct this record at its source and send it again")
    if not isinstance(value, dict):
        return unreadable(where, "not-an-object", "a record must be a JSON object")
    return Row(index, where, value, text)


def _is_unicode(text: str, value: Any) -> bool:
    """Whether the text was UTF-8 (it was decoded with `surrogateescape`) and no escape left half a character."""
    try:
        text.encode()
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
