"""Which codes may be shown: those that came for more than one person, so that none stands for somebody.

A second pass over the rows, because whose a record is is known only after the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from bridge.mappings.draft import names
from bridge.mappings.draft.columns import Column, Sort, settled
from bridge.mappings.records import as_text, text_at, tidy, values_at
from bridge.mappings.schema import Field
from bridge.model import type_json

OFTEN = 2
"""The least number of times, and of persons, a value is seen for before it is written anywhere."""


def with_values(
    found: Iterable[Column], rows: Iterable[type_json], subject: Field | None, coded: Collection[str]
) -> Iterator[Column]:
    """The columns, those of codes with the values that may be shown.

    A column of codes of which none may be shown, or fewer than may not, is one of words after all; unless it is in
    `coded`, where somebody said that its values are codes.
    """
    columns = list(found)
    behind: dict[Field, dict[str, set[int]]] = {
        column.path: {} for column in columns if column.sort is Sort.CODE and column.stays != "never"
    }
    if behind:
        for number, row in enumerate(rows):
            plain = tidy(row)
            whose = hash(text_at(plain, subject)) if subject is not None else number
            for path, people in behind.items():
                for value in values_at(plain, path):
                    if isinstance(value, str | int | float):
                        of = people.setdefault(as_text(value), set())
                        if len(of) < OFTEN:
                            of.add(whose)
    for column in columns:
        counts = column.node.counts
        if column.path not in behind or counts is None:
            yield column
            continue
        people = behind[column.path]
        shown = [
            value
            for value, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
            if (count >= OFTEN and len(people.get(value, ())) >= OFTEN) or _lifecycle(column, value)
        ]
        rare = len(counts) - len(shown)
        if rare >= max(1, len(shown)) and column.dotted not in coded:
            yield settled(column.node, column.listed, Sort.WORDS, "values that stand for one person each, or nearly")
        else:
            yield replace(column, values=tuple(shown), rare=rare)


def _lifecycle(column: Column, value: str) -> bool:
    """Whether it is one of our own words for finished and withdrawn, in a status: those say nothing of anybody."""
    return bool(column.words & names.STATUS) and value.strip().lower() in names.FINAL + names.VOID
