"""What the columns of a source look like together: contacts, persons, results, questionnaires, goals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.mappings.draft import names
from bridge.mappings.draft.columns import AGENCY_ONLY, Column, Sort
from bridge.mappings.draft.declarations import Declared
from bridge.mappings.draft.profile import Node
from bridge.mappings.schema import Field

_SIMPLE = re.compile(r"[a-z][a-zA-Z0-9_]*")
_RESERVED = re.compile(
    "and|as|contains|days?|div|false|hours?|implies|in|is|milliseconds?|minutes?|mod|months?|or|seconds?|true|weeks?|"
    "xor|years?"
)
_QUESTION = re.compile(r"(?i)(.*?)[_ -]?q?(\d{1,3})")
_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Source:
    """What the parts are made of: the columns, what is declared of them, and the table of each coded column."""

    name: str
    root: Node
    columns: Sequence[Column]
    guessed: Declared
    tables: Mapping[Field, str]

    @property
    def role(self) -> str:
        """What the one a record is about is called."""
        return self.guessed.role

    @property
    def when(self) -> Column | None:
        """The time of a record, where one is guessed."""
        return self.guessed.when[0].column if self.guessed.when else None

    def free(self, *sorts: Sort) -> list[Column]:
        """The columns of these sorts that may leave, outside lists of objects."""
        return [
            one for one in self.columns if one.sort in sorts and not one.stays and one.usable and in_no_list(one, self)
        ]

    def coded(self, like: frozenset[str]) -> Column | None:
        """The first coded column named like this, which is not a list."""
        return next(
            (one for one in self.free(Sort.CODE) if one.words & like and not one.listed and one.path in self.tables),
            None,
        )


def expression(column: Column) -> str:
    """The FHIRPath of a field."""
    return ".".join(
        name if _SIMPLE.fullmatch(name) and not _RESERVED.fullmatch(name) else f"`{name}`" for name in column.path
    )


def title(name: str) -> str:
    """A name as people write it."""
    return " ".join(names.words(name)).capitalize() or "Record"


def is_roster(source: Source) -> bool:
    """Whether the source lists persons: its id is the person's own, and it holds names or days of birth."""
    guessed = source.guessed
    own = guessed.id and guessed.subject and guessed.id[0].column.path == guessed.subject[0].column.path
    return bool(own) and any(one.words & (names.BIRTH | names.NAMING) for one in source.columns)


def scores(source: Source) -> list[Column]:
    """The columns that hold a result each."""
    items = {column.path for group in questions(source).values() for column in group}
    found = source.free(Sort.NUMBER)
    return [one for one in found if one.words & names.SCORE and one.path not in items and not one.listed]


def questions(source: Source) -> dict[str, list[Column]]:
    """The answers to one questionnaire, by the name they share: `cans_1`, `cans_2`, …"""
    groups: dict[str, list[Column]] = {}
    for column in source.columns:
        match = _QUESTION.fullmatch(column.path[-1])
        if match and column.sort in (Sort.NUMBER, Sort.CODE, Sort.FLAG) and not column.listed:
            groups.setdefault(match[1].strip("_- "), []).append(column)
    return {stem: group for stem, group in groups.items() if len(group) >= _QUESTIONS}


def in_no_list(column: Column, source: Source) -> bool:
    """Whether a field is reached without going through a list of objects or of lists."""
    node = source.root
    for name in column.path[:-1]:
        node = node.children.get(name, node)
        if node.items is not None:
            return False
    last = node.children.get(column.path[-1])
    return last is None or last.items is None or not last.items.is_list


def staying(source: Source) -> list[Column]:
    """The columns that stay at the agency until a person decides, without those that name people."""
    declared = {column.path for _, column in source.guessed.people}
    return [one for one in source.columns if one.stays == AGENCY_ONLY and one.usable and one.path not in declared]


def is_contact(source: Source) -> bool:
    """Whether the source tells of contacts: it says when, and its names speak of visits or calls."""
    called = set(names.words(source.name)) | {word for one in source.columns for word in one.words}
    return bool(called & names.VISIT)


def part_name(column: Column) -> str:
    """A part's name, made of a field's."""
    return "-".join(word for name in column.path for word in names.words(name)) or "part"


def subject_text(source: Source) -> str:
    """The reference to the person a record is about, as a YAML text."""
    return f"\"{{{{ person('{source.role}') }}}}\""
