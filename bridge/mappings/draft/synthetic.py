"""A record made up by rule: it fits the drafted schema and holds no value of the source but codes that many share."""

from __future__ import annotations

from typing import Any

from bridge.mappings.draft.columns import Column, Sort
from bridge.mappings.draft.declarations import Declared, role_of, states
from bridge.mappings.draft.names import FINAL, VOID, end_like
from bridge.mappings.draft.shapes import Source
from bridge.model import type_json

_BEGIN, _END = "2026-01-05T10:00:00", "2026-01-05T11:00:00"


def made_up(source: Source) -> type_json:
    """The smallest record that shows what the mapping reads."""
    record: dict[str, Any] = {}
    guessed = source.guessed
    first = [guess.column for guess in guessed.subject[:1]]
    for column in [guessed.identity, *first, *(column for _, column in guessed.people)]:
        if column is not None:
            _put(record, column, _id(column, guessed))
    for column in source.free(Sort.MOMENT, Sort.CODE, Sort.FLAG, Sort.NUMBER, Sort.LANGUAGE):
        value = _value(column)
        if value is not None and (column.sort is Sort.CODE or not column.listed):
            _put(record, column, [value] if column.listed else value)
    for guesses, among in ((guessed.void, VOID), (guessed.final, FINAL)):
        if guesses:
            column = guesses[0].column
            others = [one for one in column.values if one not in states(column, VOID)]
            wanted = states(column, among) if among is FINAL else others
            if wanted:
                _put(record, column, wanted[0])
    return record


def _id(column: Column, guessed: Declared) -> Any:
    if column.sort not in (Sort.ID, Sort.PERSON, Sort.IDENTIFYING, Sort.WORDS):
        value = _value(column)
        return "example-1" if value is None else value
    own = guessed.identity is not None and column.path == guessed.identity.path
    types = column.node.types
    text = types["string"] or (column.sort in (Sort.ID, Sort.PERSON) and types["integer"] and not types["number"])
    if own:
        return "example-1" if types["string"] else 1
    return f"example-{role_of(column)}" if text else 2


def _value(column: Column) -> Any:
    node = column.node
    text = "string" in node.types
    if column.sort is Sort.MOMENT:
        return _END if end_like(column.path[-1]) else _BEGIN
    if column.sort is Sort.CODE:
        first = next(iter(column.values), None)
        return first if first is None or text else int(first)
    if column.sort is Sort.FLAG:
        return min(node.counts or ("yes",)) if text else True
    if column.sort is Sort.NUMBER:
        return "3" if text else 3
    return "en"


def _put(record: dict[str, Any], column: Column, value: Any) -> None:
    inside = record
    for name in column.path[:-1]:
        inside = inside.setdefault(name, {})
    inside[column.path[-1]] = value
