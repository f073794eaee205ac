"""Guesses at what a kind declares: the id, whose record it is, when it was, final, void. Ranked, with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bridge.mappings.draft import names
from bridge.mappings.draft.columns import NEVER, Column, Sort
from bridge.mappings.schema import Field

_TOLD = 3  # guesses told for one declaration


@dataclass(frozen=True, slots=True)
class Guess:
    """One field for one declaration; the higher the score, the likelier."""

    column: Column
    score: int
    reason: str

    def __str__(self) -> str:
        return f"{self.column.dotted}, {self.reason}"


@dataclass(frozen=True, slots=True)
class Declared:
    """The guesses for each declaration, the likeliest first; none where nothing fits."""

    id: Sequence[Guess]
    subject: Sequence[Guess]
    people: Sequence[tuple[str, Column]]
    version: Sequence[Guess]
    when: Sequence[Guess]
    ended: Sequence[Guess]
    program: Sequence[Guess]
    practice: Sequence[Guess]
    final: Sequence[Guess]
    void: Sequence[Guess]
    stand_in: Column | None

    @property
    def identity(self) -> Column | None:
        """The field that tells records apart, or the one that stands in where none does; None where none could."""
        return self.id[0].column if self.id else self.stand_in

    @property
    def about_the_record(self) -> frozenset[Field]:
        """The fields that say how it is kept, and nothing of anybody: version, state, program and practice."""
        kept = (self.version, self.final, self.void, self.program, self.practice)
        return frozenset(guesses[0].column.path for guesses in kept if guesses)

    @property
    def role(self) -> str:
        """What the one a record is about is called."""
        return role_of(self.subject[0].column) if self.subject else "client"


def ranked(guesses: Sequence[Guess]) -> str:
    """The guesses as they stand in a comment."""
    return "; ".join(f"{place}: {guess}" for place, guess in enumerate(guesses[:_TOLD], start=1))


def declared(columns: Iterable[Column], name: str) -> Declared:
    """What the columns of a kind called `name` are guessed to be."""
    top = [column for column in columns if not column.listed and column.usable and column.stays != NEVER]
    ids = _sorted(_id(column, name, place) for place, column in enumerate(top))
    subjects = _sorted(_subject(column, name) for column in top) or _themselves(top, ids)
    moments = [column for column in top if column.sort is Sort.MOMENT and not column.stays]
    coded = [column for column in top if column.sort is Sort.CODE]
    return Declared(
        id=ids,
        subject=subjects,
        people=tuple(_people(top, subjects)),
        version=_sorted(_version(column) for column in top),
        when=_sorted(
            Guess(column, score + round(2 * column.node.share), f"{column.facts}, its name sounds like the time")
            for column in moments
            if (score := names.clinical_time(column.path[-1]))
        ),
        ended=_sorted(Guess(one, 1, one.facts) for one in moments if names.end_like(one.path[-1])),
        program=_sorted(
            Guess(one, 1, one.facts) for one in coded if names.words(one.path[-1])[-1:] in (("program",), ("programa",))
        ),
        practice=_sorted(
            Guess(one, 1, one.facts) for one in coded if one.words & {"practice", "clinic", "pcp"} and not one.stays
        ),
        final=_sorted(_states(column, names.FINAL, "finished") for column in coded),
        void=_sorted(_states(column, names.VOID, "withdrawn") for column in coded),
        stand_in=next((column for column in top if _scalar(column)), None),
    )


def states(column: Column, among: Sequence[str]) -> list[str]:
    """The values of a status column that read as one of these."""
    return [value for value in column.values if value.strip().lower().replace(" ", "_") in among]


def role_of(column: Column) -> str:
    """The role a column of persons' ids names."""
    found = column.words
    return next((word for word in (*sorted(found & names.CAREGIVER), *names.SUBJECT) if word in found), "client")


def _sorted(guesses: Iterable[Guess | None]) -> list[Guess]:
    return sorted((guess for guess in guesses if guess is not None and guess.score > 0), key=lambda one: -one.score)


def _scalar(column: Column) -> bool:
    return bool(column.node.types) and column.node.types.keys() <= {"string", "integer", "number"}


def _id(column: Column, name: str, place: int) -> Guess | None:
    node = column.node
    plain = not node.types.keys() - {"string", "integer"} and ("id" in node.formats or not node.types["string"])
    if not plain or not node.filled or column.sort in (Sort.MOMENT, Sort.DATE, Sort.TIME, Sort.CODE, Sort.FLAG):
        return None
    own = names.called(name)
    score = (5 if node.unique else 0) + (4 if node.filled == node.parents else 0) + (2 if place == 0 else 0)
    score += 4 if column.words & names.UNIQUE_ID else 2 if column.words & names.ID else 0
    score += 2 if column.words & own else 0
    if column.path[-1].lower() == "id":
        score += 3
    if column.sort is Sort.PERSON and not column.words & own:
        score -= 4
    if column.sort in (Sort.IDENTIFYING, Sort.NUMBER, Sort.WORDS):
        score -= 6
    return Guess(column, score, column.facts)


def _subject(column: Column, name: str) -> Guess | None:
    if column.sort not in (Sort.PERSON, Sort.ID, Sort.IDENTIFYING) or column.words & names.NAMING:
        return None
    own = names.called(name) & set(names.SUBJECT)
    rank = next((len(names.SUBJECT) - place for place, word in enumerate(names.SUBJECT) if word in column.words), 0)
    if not rank and own and column.path[-1].lower() == "id":
        rank = len(names.SUBJECT)
    if not rank and column.words & names.CAREGIVER:
        rank = 1
    if not rank:
        return None
    if column.sort is Sort.IDENTIFYING:
        if "id" not in column.node.formats or column.words & (names.IDENTIFYING - names.NAMING):
            return None
        return Guess(column, 1, f"{column.facts}; are these names? then an id is needed")
    return Guess(column, 4 + rank + round(4 * column.node.share), column.facts)


def _themselves(columns: Sequence[Column], ids: Sequence[Guess]) -> list[Guess]:
    """The id, where each record is a person: it has a birth date, or a first and a last name."""
    born = any(column.words & names.BIRTH for column in columns)
    named = all(any(column.words & part for column in columns) for part in (names.GIVEN, names.FAMILY))
    return [replace(ids[0], reason=f"{ids[0].reason}; each record is a person")] if ids and (born or named) else []


def _people(columns: Sequence[Column], subjects: Sequence[Guess]) -> list[tuple[str, Column]]:
    """The roles: whose record it is, and every other person whose id stands in it; one column a role."""
    found: dict[str, Column] = {}
    if subjects:
        found[role_of(subjects[0].column)] = subjects[0].column
    for column in columns:
        if column.sort is Sort.PERSON and role_of(column) not in found and column not in found.values():
            found[role_of(column)] = column
    return list(found.items())


def _version(column: Column) -> Guess | None:
    whole = column.sort is Sort.NUMBER and column.words & {"version", "revision"} and "decimal" not in column.why
    if (column.sort is not Sort.MOMENT and not whole) or not names.version_like(column.path[-1]):
        return None
    return Guess(column, 1 + round(4 * column.node.share), column.facts)


def _states(column: Column, among: Sequence[str], what: str) -> Guess | None:
    found = states(column, among)
    if not found or not column.words & names.STATUS:
        return None
    return Guess(column, len(found), f"{', '.join(found)} read as {what}, of {', '.join(column.values)}")
