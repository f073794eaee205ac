"""A `*.cases.yaml` → its cases.

The file names its `kind`, a base `record` and an `agency`; each case lays its own `record` over the base (objects
merge, null removes) and states under `expect` exactly which parts come about or which holds or refusals. It may say
with which consents it goes to whom, and what of the parts leaves then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bridge.errors import ConfigError, Problem
from bridge.mappings.cases.recipients import Recipient, Unreadable, consent_of, recipient_of
from bridge.mappings.functions import AgencyContext
from bridge.mappings.load import CASES, PROJECT
from bridge.mappings.source import Path, Source, read
from bridge.mappings.tables import Row, Table, row_of, table_of
from bridge.mappings.translate import Translator
from bridge.model import Consent, Translation, type_json

FILE_KEYS = ("kind", "agency", "record", "not_covered", "cases")
CASE_KEYS = ("name", "proves", "agency", "record", "rows", "consents", "recipient", "expect")
EXPECT_KEYS = ("parts", "released", "holds", "rejected", "findings")
PART_KEYS = ("about", "labels", "sections", "is", "has_not", "whole")
FINDING_KEYS = ("part", "code", "path")
NOT_COVERED_KEYS = ("place", "reason")
AGENCY_KEYS = tuple(one.name for one in fields(AgencyContext))
_AGENCY = AgencyContext("agency", "An agency", "program", "America/New_York")
_PART_SHAPES = {"about": str, "labels": list, "sections": list, "is": dict, "has_not": list, "whole": dict}


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `where` is where it begins, `path` its place in `source`, `proves` the requirement ids it shows."""

    name: str
    kind: str
    where: str
    record: type_json
    agency: AgencyContext
    expect: Mapping[str, Any]
    rows: Mapping[str, Table] = field(default_factory=dict)
    proves: tuple[str, ...] = ()
    source: Source = field(default_factory=lambda: Source(""), repr=False, compare=False)
    path: Path = ()
    recipient: Recipient | None = None

    @property
    def own(self) -> bool:
        """Whether it is the project's own, and no pack's."""
        return self.source.file.startswith(f"{PROJECT}/")

    def place(self, *beneath: str | int) -> str:
        """Where something beneath `expect` stands, or the nearest thing around it."""
        return self.source.where((*self.path, "expect", *beneath))


@dataclass(frozen=True, slots=True)
class NotCovered:
    """A place of a kind's mapping that no case can reach, and why; `where` is where a case file says so."""

    kind: str
    place: str
    reason: str
    where: str


def read_cases(files: Mapping[str, str]) -> list[Case]:
    """Every case in a set of files. Raises ConfigError with every problem in them.

    A project's case stands in place of a pack's of the same kind and name.
    """
    problems: list[Problem] = []
    cases = [case for reader in _readers(files, problems) for case in reader.cases()]
    if problems:
        raise ConfigError(problems)
    own = {(case.kind, case.name) for case in cases if case.own}
    return [case for case in cases if case.own or (case.kind, case.name) not in own]


def read_not_covered(files: Mapping[str, str]) -> list[NotCovered]:
    """The places that the case files say no case can reach. Files that `read_cases` refuses say nothing."""
    return [one for reader in _readers(files, []) for one in reader.not_covered()]


def _readers(files: Mapping[str, str], problems: list[Problem]) -> Iterator[_Reader]:
    for file, text in sorted(files.items()):
        if file.endswith(CASES):
            yield _Reader(read(file, text, problems), problems)


def translate_case(case: Case, translator: Translator) -> tuple[Translation | None, list[str]]:
    """What a case's record becomes: its translation, or None and the fields for which the door refuses it."""
    kind = translator.mappings.kinds[case.kind]
    kept = kind.strip(case.record)
    refused = sorted({problem.field for problem in kind.check(kept)})
    return (None, refused) if refused else (translator.translate(case.kind, kept, case.agency, case.rows), [])


class _Reader:
    """Takes one file apart; what cannot be used is added to `problems` with its line, and its case left out."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self._source = source
        self._problems = problems

    def cases(self) -> Iterator[Case]:
        value = self._source.value
        if value is None and self._problems:
            return  # no YAML, and reported
        if not isinstance(value, dict) or not isinstance(value.get("cases"), list) or not value.get("kind"):
            self._wrong((), "a case file names its `kind` and lists its `cases`")
            return
        self._known(value, FILE_KEYS, ())
        list(self.not_covered())
        base = Source(self._source.file, self._object(value, "record", ()))
        agency = replace(_AGENCY, **self._agency(value, ()))
        names: set[str] = set()
        for index, one in enumerate(value["cases"]):
            path: Path = ("cases", index)
            if not isinstance(one, dict) or not one.get("name") or not isinstance(one.get("expect"), dict):
                self._wrong(path, "a case has a `name` and says what to `expect`")
                continue
            if str(one["name"]) in names:
                self._wrong((*path, "name"), "another case of this file has this name", "name")
            names.add(str(one["name"]))
            self._known(one, CASE_KEYS, path)
            own_agency = replace(agency, **self._agency(one, path))
            yield Case(
                name=str(one["name"]),
                kind=str(value["kind"]),
                where=self._source.where(path),
                record=base.override(Source(self._source.file, self._object(one, "record", path))).value,
                agency=own_agency,
                expect=self._expect(one["expect"], (*path, "expect")),
                rows=self._rows(one, path),
                proves=tuple(map(str, self._list(one, "proves", path))),
                source=self._source,
                path=path,
                recipient=self._recipient(one, own_agency, path),
            )

    def not_covered(self) -> Iterator[NotCovered]:
        value = self._source.value
        for index, one in enumerate(self._list(value, "not_covered", ()) if isinstance(value, dict) else ()):
            path: Path = ("not_covered", index)
            if not isinstance(one, dict) or set(one) != set(NOT_COVERED_KEYS):
                self._wrong(path, "a place that no case can reach is written {place: …, reason: …}")
                continue
            where = self._source.where((*path, "place"))
            yield NotCovered(str(value.get("kind")), str(one["place"]), str(one["reason"]), where)

    def _expect(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        self._known(value, EXPECT_KEYS, path)
        expect: dict[str, Any] = {}
        if "parts" in value:
            parts = self._object(value, "parts", path)
            expect["parts"] = {name: self._part(parts, name, (*path, "parts")) for name in parts}
        if "released" in value:
            expect["released"] = self._released(value, path)
        for key in ("holds", "rejected"):
            if key in value:
                expect[key] = [str(one) for one in self._list(value, key, path)]
        if "findings" in value:
            expect["findings"] = self._list(value, "findings", path)
            for index, one in enumerate(expect["findings"]):
                if not isinstance(one, dict) or not {"part", "code"} <= one.keys() <= set(FINDING_KEYS):
                    rule = "an expected finding is written {part: …, code: …}, with `path` where it matters"
                    self._wrong((*path, "findings", index), rule)
        if not value:
            self._wrong(path, f"says at least one of {', '.join(EXPECT_KEYS)}", "expect")
        return expect

    def _recipient(self, case: dict[str, Any], agency: AgencyContext, path: Path) -> Recipient | None:
        """To whom it goes with which consents; None where that is not said or cannot be read."""
        if not case.keys() & {"recipient", "consents"}:
            if "released" in case["expect"]:
                self._wrong((*path, "expect", "released"), "a case that expects this names its `recipient`", "released")
            return None
        to = self._object(case, "recipient", path)
        if not case["expect"].keys() & {"released", "holds", "rejected"}:
            self._wrong((*path, "expect"), "a case with a recipient or consents expects what is `released`", "expect")
        at: Path = (*path, "recipient")
        try:
            recipient = recipient_of(to, (), agency.timezone)
            consents: list[Consent] = []
            for index, one in enumerate(self._list(case, "consents", path)):
                at = (*path, "consents", index)
                if not isinstance(one, dict):
                    raise Unreadable("consents", "a consent is an object")
                consents.append(consent_of(one, index + 1, recipient.practice, agency))
        except Unreadable as error:
            self._wrong((*at, error.key), error.rule, error.key)
            return None
        return replace(recipient, consents=tuple(consents))

    def _released(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        """What is expected to leave: person → part → a word or a rule, or a list of them."""
        released = self._object(value, "released", path)
        for person in released:
            chart = self._object(released, person, (*path, "released"))
            for part, said in chart.items():
                words = said if isinstance(said, list) and said else [said]
                if not all(isinstance(one, str) for one in words):
                    rule = "is `leaves`, `stays` or the rule by which it stays; of sections a list of these"
                    self._wrong((*path, "released", person, part), rule, str(part))
        return {str(person): chart or {} for person, chart in released.items()}

    def _part(self, parts: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
        part = self._object(parts, name, path)
        self._known(part, PART_KEYS, (*path, name))
        for key, shape in _PART_SHAPES.items():
            if key in part and not isinstance(part[key], shape):
                kind = {str: "text", list: "a list", dict: "an object"}[shape]
                self._wrong((*path, name, key), f"is {kind}", key)
        return part

    def _agency(self, value: dict[str, Any], path: Path) -> dict[str, str]:
        given = self._object(value, "agency", path)
        self._known(given, AGENCY_KEYS, (*path, "agency"))
        return {key: str(one) for key, one in given.items() if key in AGENCY_KEYS}

    def _rows(self, value: dict[str, Any], path: Path) -> dict[str, Table]:
        found: dict[str, list[Row]] = {}
        tables = self._object(value, "rows", path)
        for table in tables:
            rows = self._object(tables, table, (*path, "rows"))
            for code in rows:
                cells = self._object(rows, code, (*path, "rows", table))
                try:
                    found.setdefault(table, []).append(row_of({"code": code, **cells}))
                except (ValueError, TypeError, AttributeError) as error:
                    rule = f"this row {error}" if isinstance(error, ValueError) else "the cells of a row are text"
                    self._wrong((*path, "rows", table, code), rule, code)
        return {table: table_of(table, rows) for table, rows in found.items()}

    def _object(self, value: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
        found = value.get(key)
        if found is not None and not isinstance(found, dict):
            self._wrong((*path, key), "is an object", key)
        return found if isinstance(found, dict) else {}

    def _list(self, value: dict[str, Any], key: str, path: Path) -> list[Any]:
        found = value.get(key)
        if found is not None and not isinstance(found, list):
            self._wrong((*path, key), "is a list", key)
        return found if isinstance(found, list) else []

    def _known(self, value: Mapping[str, Any], keys: tuple[str, ...], path: Path) -> None:
        for key in value.keys() - set(keys):
            self._wrong((*path, key), f"there is only {', '.join(sorted(keys))}", key)

    def _wrong(self, path: Path, rule: str, field: str = "") -> None:
        self._problems.append(Problem("case-shape", rule, self._source.where(path), field))
