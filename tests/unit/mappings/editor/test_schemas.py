"""The schemas that editors take: what loads fits them, and a mistake of shape does not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import jsonschema_rs
import pytest

from bridge.fhir import definitions
from bridge.mappings import kindfile, mappingfile, tablefile
from bridge.mappings.cases import reading
from bridge.mappings.editor import schemas
from bridge.mappings.load import available_packs, read_all
from bridge.mappings.parts import OWN_KEYS
from bridge.mappings.source import read
from bridge.mappings.tables import COLUMNS, OPTIONAL
from tests.unit.mappings.cases.one import FILE, NAME
from tests.unit.mappings.lint.mistakes import Mistake, mistakes

MADE = schemas(definitions.load())
CHECKS = {name: jsonschema_rs.Draft7Validator(one) for name, one in MADE.items() if name != "bridge.schema.json"}
SHAPES = (
    "mapping-shape", "mapping-hold", "mapping-label", "kind-shape", "table-columns", "element-unknown",
    "element-single", "element-list", "resource-unknown", "FT01", "FT03", "FT04", "FT05", "FT07",
)  # fmt: skip
PACKS = read_all(available_packs())
MISTAKES = mistakes()


def schema_of(file: str) -> str:
    if file.endswith(".csv"):
        return "table-row.schema.json"
    if "/tables/" in file:
        return "table.schema.json"
    kind = {".kind.yaml": "kind", ".cases.yaml": "cases"}.get("".join(PurePosixPath(file).suffixes), "mapping")
    return f"{kind}.schema.json"


def wrong(files: Mapping[str, str]) -> Iterator[str]:
    """What does not fit, by file and place."""
    for file, text in files.items():
        if file.endswith("pack.yaml"):
            continue
        values: list[Any] = [read(file, text, []).value]
        if file.endswith(".csv"):
            values = list(csv.DictReader(io.StringIO(text), restkey="beside the columns"))
        for value in values:
            for error in CHECKS[schema_of(file)].iter_errors(value):
                yield f"{file} {error.instance_path}"


def test_every_file_of_the_packs_fits() -> None:
    assert list(wrong(PACKS)) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=[one.name for one in MISTAKES])
def test_what_is_right_fits(mistake: Mistake) -> None:
    assert list(wrong(mistake.right)) == []


SHAPED = [one for one in MISTAKES if re.search(rf"\[({'|'.join(SHAPES)})\]", one.expect[0])]


@pytest.mark.parametrize("mistake", SHAPED, ids=[one.name for one in SHAPED])
def test_a_mistake_of_shape_does_not_fit(mistake: Mistake) -> None:
    assert len(SHAPED) > 12
    assert list(wrong(mistake.wrong)) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: tiny/visit\n", ""),
        ("kind: tiny/visit", "kind: visit"),
        ("name: as it is", "nam: as it is"),
        ("    expect:", "    expects: {}\n    expect:"),
        ("      parts:", "      part: {}\n      parts:"),
        ("about: K1", "abuot: K1"),
        ("labels: [ordinary]", "labels: [odinary]"),
        ("labels: [ordinary]", "sections: [ordinary]"),
        ("class.code: HH", "class..code: HH"),
        ("class.code: HH", '"class[x].code": HH'),
        ("{ id: oak,", "{ idd: oak,"),
        ("    expect:", "    rows: { tiny/place: { barn: { targt: HH } } }\n    expect:"),
        ("    expect:", "    rows: { tiny/place: { barn: { target: HH } } }\n    expect:"),
        ("cases:", "not_covered: [ { place: x } ]\ncases:"),
    ],
)
def test_a_case_of_another_shape_does_not_fit(old: str, new: str) -> None:
    assert list(wrong({NAME: FILE})) == []
    assert list(wrong({NAME: FILE.replace(old, new, 1)})) != []


@pytest.mark.parametrize(
    "value",
    [
        {"type": [{"text": 7}]},
        {"type": {"text": "Visit"}},
        {"period": [{"start": "2026-01-05"}]},
        {"period": {"start": "5 January"}},
        {"period": {"start": "{[ started ]}"}},
        {"status": "done"},
        {"class": {"{% for one in places %}": {"code": "{{ %one }}"}}},
        {"class": {"{% unless place.exists() %}": {"code": "HH"}}},
        {"participant": [{"{% for one in staff %}": {"indivdual": {"display": "{{ %one }}"}}}]},
        {"key": "id"},
    ],
)
def test_an_element_of_another_shape_does_not_fit(value: dict[str, Any]) -> None:
    part = {"about": "child", "resourceType": "Encounter", "status": "finished", **value}
    good = {
        "mapping": "visit",
        "reads": "tiny/visit",
        "emits": {"visit": {"about": "child", "resourceType": "Encounter"}},
    }
    check = CHECKS["mapping.schema.json"]

    assert check.is_valid(good)
    assert not check.is_valid({**good, "emits": {"visit": part}})


def test_blocks_and_expressions_fit_wherever_a_value_may_stand() -> None:
    part = {
        "about": "child",
        "resourceType": "Encounter",
        "{% assign %}": [{"how": "{{ place }}"}, {"all": {"a": ["{[ places ]}"]}}],
        "status": {"{% if signed %}": "finished", "{% else %}": "{{ status }}"},
        "class": {"{% if place.exists() %}": {"code": "{{ place }}"}, "{% else %}": "{{ %tables.coding('p', place) }}"},
        "type": ["{[ concepts ]}", {"{% if a %}": {"{% for i, x in b %}": {"text": "{{ %x }}"}}}, [{"text": "x"}]],
        "participant": {"{% for one in staff %}": {"individual": {"display": "{{ %one }}"}}},
        "period": {"{% merge %}": [{"start": "2026-01-05"}, "{{ %rest }}"], "end": None},
        "length": {"value": "{{ minutes }}", "unit": "min"},
        "_language": {"extension": []},
    }
    own = {"mapping": "visit", "reads": "tiny/visit", "emits": {"visit": part}}

    assert [str(error.instance_path) for error in CHECKS["mapping.schema.json"].iter_errors(own)] == []


def test_a_variation_may_say_less_and_take_away() -> None:
    emits = {"visit": {"location": [{"location": {"display": "x"}}]}, "mood": None}
    own = {"mapping": "visit", "reads": "tiny/visit", "emits": emits}
    check = CHECKS["mapping.schema.json"]

    assert check.is_valid({**own, "extends": "tiny/visit"})
    assert not check.is_valid(own)


def test_the_schema_of_all_knows_each_by_what_it_begins_with() -> None:
    """Its references lead to the other files; here they stand in it."""
    whole = MADE["bridge.schema.json"]
    chosen = {one["if"]["required"][0]: one["then"]["$ref"] for one in whole["allOf"]}

    assert chosen == {"mapping": "mapping.schema.json", "cases": "cases.schema.json", "schema": "kind.schema.json"}
    for file, text in PACKS.items():
        if not file.endswith((".csv", "pack.yaml")):
            said = read(file, text, []).value.keys()
            assert [chosen[key] for key in chosen if key in said] == [schema_of(file)]


def test_a_concept_map_may_have_a_name_of_the_mapping_s_own() -> None:
    url = "http://hl7.org/fhir/ConceptMap/sc-goal-status"
    base = {"mapping": "visit", "reads": "tiny/visit", "emits": {}}

    assert CHECKS["mapping.schema.json"].is_valid({**base, "tables": ["place", url, {"goal": url}]})
    assert not CHECKS["mapping.schema.json"].is_valid({**base, "tables": [{"goal": url, "also": url}]})


def test_a_table_says_of_itself_what_the_loader_knows() -> None:
    check = CHECKS["table.schema.json"]

    assert check.is_valid({"version": "2026-01", "url": "urn:x"})
    assert not check.is_valid({"version": 2026})
    assert not check.is_valid({"versoin": "1"})


def test_the_schemas_know_the_keys_that_the_loader_knows() -> None:
    def keys(*path: str) -> set[str]:
        found: Any = MADE[path[0]]
        for step in path[1:]:
            found = found["items"] if step == "[]" else found["properties"][step]
        return set(found["properties"])

    assert keys("kind.schema.json") == set(kindfile._REQUIRED + kindfile._OPTIONAL)
    assert keys("kind.schema.json", "consent") == set(kindfile.CONSENT_KEYS)
    assert keys("table.schema.json") == set(tablefile.ABOUT_KEYS)
    assert set(MADE["kind.schema.json"]["required"]) == set(kindfile._REQUIRED)
    assert keys("mapping.schema.json") == set(mappingfile._KEYS)
    assert keys("cases.schema.json") == set(reading.FILE_KEYS)
    assert keys("cases.schema.json", "cases", "[]") == set(reading.CASE_KEYS)
    assert keys("cases.schema.json", "cases", "[]", "expect") == set(reading.EXPECT_KEYS)
    parts = MADE["cases.schema.json"]["properties"]["cases"]["items"]["properties"]["expect"]["properties"]["parts"]
    assert set(parts["additionalProperties"]["properties"]) == set(reading.PART_KEYS)
    assert keys("table-row.schema.json") == {*COLUMNS, *OPTIONAL}
    assert set(MADE["mapping.schema.json"]["definitions"]["part"]["properties"]) == {*OWN_KEYS, "resourceType"}
