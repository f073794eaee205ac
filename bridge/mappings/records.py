"""Plain JSON records: what stands at a path, and records without what says nothing or is never kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bridge.mappings.schema import Field
from bridge.model import type_json

DEEPEST = 64
_HALF = re.compile("[\ud800-\udfff]")
# XML 1.0 §2.2 "Characters" without the line breaks that Word leaves behind.
_UNWRITABLE = re.compile("[\x00-\x08\x0e-\x1f\ufffe\uffff]")


def values_at(record: Any, path: Field) -> list[Any]:
    """Every value at a dotted path, lists gone through."""
    found = [record]
    for step in (*path, None):
        flat: list[Any] = []
        for value in found:
            flat.extend(value if isinstance(value, list) else [value])
        if step is None:
            return flat
        found = [value[step] for value in flat if isinstance(value, dict) and step in value]
    return found


def tidy(record: Any) -> Any:
    """The record without what says nothing: null, blank text, empty lists and objects."""
    if isinstance(record, dict):
        return {key: kept for key, value in record.items() if (kept := tidy(value)) not in (None, "", [], {})}
    if isinstance(record, list):
        return [kept for value in record if (kept := tidy(value)) not in (None, "", [], {})]
    return "" if isinstance(record, str) and not record.strip() else record


def texts_at(record: type_json, path: Field | None) -> Iterator[str]:
    """Every text or whole number at a path that says something, as text."""
    if path is not None:
        for value in values_at(record, path):
            if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
                yield as_text(value)


def as_text(value: Any) -> str:
    """An id as text: spreadsheets give 7.0 where 7 was written."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def text_at(record: type_json, path: Field | None) -> str:
    """The first of them, or an empty text."""
    return next(texts_at(record, path), "")


def without(value: Any, never: tuple[Field, ...], path: Field, deep: int = 0) -> Any:
    """The value without fields whose path ends in one of `never`, in any list; below DEEPEST it is left as it is."""
    if deep > DEEPEST:
        return value
    if isinstance(value, dict):
        return {
            key: without(inner, never, (*path, key), deep + 1)
            for key, inner in value.items()
            if not any((*path, key)[-len(pattern) :] == pattern for pattern in never)
        }
    if isinstance(value, list):
        return [without(inner, never, path, deep + 1) for inner in value]
    return value


def within(value: Any, depth: int) -> bool:
    """Whether nothing in a value lies deeper than that."""
    if not isinstance(value, dict | list):
        return True
    inside = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(within(inner, depth - 1) for inner in inside)


def halved(record: Any) -> bool:
    """Whether a text of the record holds half of a character: it is no text, and nothing can keep it."""
    return any(_HALF.search(text) for text in _all_texts(record))


def unwritable(record: Any) -> bool:
    """Whether a text of the record holds control characters that no document can carry."""
    return any(_UNWRITABLE.search(text) for text in _all_texts(record))


def _all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _all_texts(inner)
