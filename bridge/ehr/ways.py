"""The ladder of each kind of record, as data: `ways.yaml`, and a project's own file of the same shape over it."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.ehr.merge import can_be_in_error
from bridge.errors import ConfigError, Problem
from bridge.settings.lines import Document, read_yaml

WHOLE = "document"
"""The way that carries a record whole."""
DOCUMENT = "DocumentReference"
CORRECTION = "correction"
OTHER = "other"
FILE = "ways.yaml"

NEVER_ALONE = frozenset(
    {
        "Composition",  # becomes the document
        "Patient",  # design: never created silently
        "RelatedPerson",
        "Consent",  # an agency's consent is not the practice's record
        "Provenance",
        "EpisodeOfCare",
        "Location",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    }
)
"""Types that travel only inside something else, or not at all; no file changes that."""


class Section(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Written(Section):
    """What is written by one way: a FHIR type by its name, or the document; what that causes and loses anyhow."""

    rank: Annotated[int, Field(ge=10, le=90)]
    causes: str = Field(min_length=3)
    loses: tuple[str, ...] = ()


class Handed(Section):
    """What a hand-off causes, by its way, and what is lost by it and by a correction that goes that way."""

    causes: Mapping[str, str]
    loses: tuple[str, ...]
    correction: tuple[str, ...]


class Ladder(Section):
    """One kind of record: its ways in order, each with what it does not carry."""

    title: str
    records: tuple[str, ...] = ()  # kinds of record, PACK/NAME
    ways: Mapping[str, tuple[str, ...]]


class Correction(Section):
    """One way to correct or to take back a document: what the reader of the chart sees, and what is lost."""

    reader: str = Field(min_length=3)
    loses: tuple[str, ...] = ()


Correcting = Literal["update", "replaces", "superseding-note", "entered-in-error", "disregard-note"]


class Ways(Section):
    """The whole file."""

    written: Mapping[str, Written]
    handed: Handed
    corrections: Mapping[Correcting, Correction]
    kinds: Mapping[str, Ladder]
    other: Ladder

    def named(self, kind: str) -> str:
        """The ladder of a kind of record (PACK/NAME), by its name; a ladder's own name is itself."""
        return self._names.get(kind, OTHER)

    @cached_property
    def _names(self) -> dict[str, str]:
        records = {record: name for name, ladder in self.kinds.items() for record in ladder.records}
        return {**records, **{name: name for name in self.kinds}}

    def ladder(self, kind: str) -> Ladder:
        """The ladder that a kind of record goes."""
        return self.kinds.get(self.named(kind), self.other)

    @property
    def types(self) -> Mapping[str, int]:
        """Every FHIR type that is ever written → its rank."""
        return {DOCUMENT if name == WHOLE else name: written.rank for name, written in self.written.items()}


@cache
def shipped() -> Ways:
    """What the package's `ways.yaml` says."""
    return read_ways(importlib.resources.files("bridge.ehr").joinpath(FILE).read_text(encoding="utf-8"))


@cache
def of_project(text: str) -> Ways:
    """The shipped ways with a project's own file over them; "" is none. Raises ConfigError, each problem with its line.

    Its `kinds` add to those of the same name, way by way and record by record; its `written` and `corrections` replace.
    """
    if not text:
        return shipped()
    document = read_yaml(text, FILE)
    if document.problems or not isinstance(document.value, dict):
        rule = "is no table of ways"
        raise ConfigError(document.problems or Problem("ways-form", rule, f"{FILE}:1", next_step="see configuring.md"))
    base: dict[str, Any] = shipped().model_dump(mode="python")
    value: dict[str, Any] = document.value
    own = _mapping(value, "kinds")
    theirs = {record for ladder in own.values() for record in _records(ladder)}
    kinds: dict[str, Any] = {}
    for name, ladder in base["kinds"].items():  # a record that the project sends another way leaves the shipped one
        kinds[name] = {**ladder, "records": [record for record in ladder["records"] if record not in theirs]}
    for name, ladder in own.items():
        before, new = kinds.get(name, {}), ladder if isinstance(ladder, dict) else {"title": ladder}
        records = [*before.get("records", ()), *_records(new)]
        kinds[name] = {**before, **new, "records": records, "ways": {**before.get("ways", {}), **_mapping(new, "ways")}}
    over = {name: {**base[name], **_mapping(value, name)} for name in ("written", "corrections")}
    return _checked({**base, **value, "kinds": kinds, **over}, document)


def read_ways(text: str) -> Ways:
    """A whole file of ways. Raises ConfigError."""
    document = read_yaml(text, FILE)
    return _checked(document.value, document)


def _checked(value: Any, document: Document) -> Ways:
    try:
        ways = Ways.model_validate(value)
    except ValidationError as error:
        raise ConfigError([_problem(document, item) for item in error.errors(include_input=False)]) from None
    problems = list(_unwritable(ways, document))
    if problems:
        raise ConfigError(problems)
    return ways


def _unwritable(ways: Ways, document: Document) -> Iterator[Problem]:
    """Ways that are not described, types that may not be written, and records that go two ladders."""
    for name in ways.written:
        if name != WHOLE and (name in NEVER_ALONE or not can_be_in_error(name)):
            rule = "the bridge never writes this type: it travels inside a document, or could not be taken back"
            yield Problem("ways-type", rule, document.where(("written", name)), f"written.{name}", "leave it out")
    ladders = {("kinds", name): ladder for name, ladder in ways.kinds.items()} | {(OTHER,): ways.other}
    seen: dict[str, str] = {}
    for path, ladder in ladders.items():
        for way in ladder.ways:
            if way not in ways.written:
                where = document.where((*path, "ways", way))
                step = f"describe it under `written`, or name one of {', '.join(ways.written)}"
                yield Problem("ways-unknown", "is no way of writing", where, ".".join((*path, "ways", way)), step)
        for index, record in enumerate(ladder.records):
            if record in seen:
                where, field = document.where((*path, "records", index)), ".".join((*path, "records"))
                rule = f"this kind of record goes the ladder {seen[record]} already"
                yield Problem("ways-twice", rule, where, field, "name it in one of them")
            seen[record] = path[-1]


def _problem(document: Document, error: Any) -> Problem:
    path = tuple(error["loc"])
    field = ".".join(map(str, path))
    return Problem("ways-form", error["msg"], document.where(path), field, "see the ways of the package's ways.yaml")


def _mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _records(ladder: Any) -> list[Any]:
    found = ladder.get("records") if isinstance(ladder, dict) else None
    return list(found) if isinstance(found, list | tuple) else []
