"""Cases beside a mapping: a record, and what must come of it. `bridge check` and the tests run them all.

A `*.cases.yaml` names its `kind`, a base `record` and an `agency`; each case lays its own `record` over the base
(objects merge, null removes) and states under `expect` exactly which parts come about or which holds or refusals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.errors import ConfigError, Problem
from bridge.mappings.functions import AgencyContext
from bridge.mappings.load import CASES
from bridge.mappings.source import Source, read
from bridge.mappings.tables import Table, row_of, table_of
from bridge.mappings.translate import Translator
from bridge.model import Part, Translation, type_json

_FILE_KEYS = {"kind", "agency", "record", "cases"}
_CASE_KEYS = {"name", "proves", "agency", "record", "rows", "expect"}
_EXPECT_KEYS = {"parts", "holds", "rejected"}
_PART_KEYS = {"about", "labels", "sections", "is", "has_not", "whole"}
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")
_ABSENT = object()
_AGENCY = AgencyContext("agency", "An agency", "program", "America/New_York")


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `where` is its file:line, `proves` the requirement ids it shows."""

    name: str
    kind: str
    where: str
    record: type_json
    agency: AgencyContext
    expect: Mapping[str, Any]
    rows: Mapping[str, Table] = field(default_factory=dict)
    proves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a case came out otherwise than it says. The values are the case's own, which are made up."""

    path: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected!r}, found {self.found!r}"


def read_cases(files: Mapping[str, str]) -> list[Case]:
    """Every case in a set of files. Raises ConfigError with every problem in them."""
    problems: list[Problem] = []
    cases = [
        case
        for file, text in sorted(files.items())
        if file.endswith(CASES)
        for case in _cases(read(file, text, problems), problems)
    ]
    if problems:
        raise ConfigError(problems)
    return cases


def translate_case(case: Case, translator: Translator) -> tuple[Translation | None, list[str]]:
    """What a case's record becomes: its translation, or None and the fields for which the door refuses it."""
    kind = translator.mappings.kinds[case.kind]
    kept = kind.strip(case.record)
    refused = sorted({problem.field for problem in kind.check(kept)})
    return (None, refused) if refused else (translator.translate(case.kind, kept, case.agency, case.rows), [])


def run_case(case: Case, translator: Translator) -> list[Difference]:
    """Every difference between what a case expects and what comes about; none when it holds."""
    translation, refused = translate_case(case, translator)
    expected_refused = sorted(case.expect.get("rejected", []))
    if translation is None or expected_refused:
        return [] if refused == expected_refused else [Difference("rejected", expected_refused, refused)]
    differences = []
    holds = sorted(hold.waits_for for hold in translation.holds)
    if holds != sorted(case.expect.get("holds", [])):
        differences.append(Difference("holds", sorted(case.expect.get("holds", [])), holds))
    expected_parts: Mapping[str, Any] = case.expect.get("parts", {})
    names = sorted(part.name for part in translation.parts)
    if names != sorted(expected_parts):
        differences.append(Difference("parts", sorted(expected_parts), names))
    for part in translation.parts:
        differences.extend(_part(part, expected_parts.get(part.name) or {}))
    return differences


def value_at(value: Any, path: str) -> Any:
    """The value at `a.b[0].c`; `[*]` gives the list of what is there in each entry. None where there is nothing."""
    found = _at(value, [match[1] or f"[{match[2]}]" for match in _STEP.finditer(path)])
    return None if found is _ABSENT else found


def _at(value: Any, steps: list[str]) -> Any:
    for index, step in enumerate(steps):
        if step == "[*]":
            each = [_at(one, steps[index + 1 :]) for one in value] if isinstance(value, list) else []
            return [one for one in each if one is not _ABSENT]
        if step.startswith("["):
            position = int(step[1:-1])
            value = value[position] if isinstance(value, list) and position < len(value) else _ABSENT
        else:
            value = value.get(step, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


def _part(part: Part, expected: Mapping[str, Any]) -> Iterator[Difference]:
    found: dict[str, Any] = {
        "about": part.about,
        "labels": sorted(part.labels),
        "sections": [sorted(one) for one in part.sections],
        "whole": part.resource,
    }
    for key in found.keys() & expected.keys():
        wanted = expected[key]
        if key == "labels":
            wanted = sorted(wanted)
        elif key == "sections":
            wanted = [sorted(one) for one in wanted]
        if wanted != found[key]:
            yield Difference(f"{part.name} {key}", wanted, found[key])
    for path, wanted in (expected.get("is") or {}).items():
        got = value_at(part.resource, path)
        if got != wanted:
            yield Difference(f"{part.name}.{path}", wanted, got)
    for path in expected.get("has_not") or []:
        got = value_at(part.resource, path)
        if got not in (None, []):
            yield Difference(f"{part.name}.{path}", None, got)


def _cases(source: Source, problems: list[Problem]) -> Iterator[Case]:
    value = source.value
    if not isinstance(value, dict) or not isinstance(value.get("cases"), list) or not value.get("kind"):
        rule = "a case file names its `kind` and lists its `cases`"
        problems.append(Problem("case-shape", rule, source.where(())))
        return
    _known(value, _FILE_KEYS, source, (), problems)
    base = Source(source.file, value.get("record") or {})
    agency = replace(_AGENCY, **(value.get("agency") or {}))
    for index, one in enumerate(value["cases"]):
        path = ("cases", index)
        if not isinstance(one, dict) or not one.get("name") or not isinstance(one.get("expect"), dict):
            rule = "a case has a `name` and says what to `expect`"
            problems.append(Problem("case-shape", rule, source.where(path)))
            continue
        _known(one, _CASE_KEYS, source, path, problems)
        _known(one["expect"], _EXPECT_KEYS, source, (*path, "expect"), problems)
        for name, part in (one["expect"].get("parts") or {}).items():
            _known(part or {}, _PART_KEYS, source, (*path, "expect", "parts", name), problems)
        yield Case(
            name=str(one["name"]),
            kind=str(value["kind"]),
            where=source.where(path),
            record=base.override(Source(source.file, one.get("record") or {})).value,
            agency=replace(agency, **(one.get("agency") or {})),
            expect={key: inner or {} for key, inner in one["expect"].items()},
            rows={
                table: table_of(table, (row_of({"code": code, **cells}) for code, cells in rows.items()))
                for table, rows in (one.get("rows") or {}).items()
            },
            proves=tuple(one.get("proves") or ()),
        )


def _known(
    value: Mapping[str, Any], keys: set[str], source: Source, path: tuple[str | int, ...], problems: list[Problem]
) -> None:
    for key in value.keys() - keys:
        rule = f"there is only {', '.join(sorted(keys))}"
        problems.append(Problem("case-shape", rule, source.where((*path, key)), key))
