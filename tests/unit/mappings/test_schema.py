from __future__ import annotations

from typing import Any

import pytest

from bridge.mappings.schema import Schema

CANARY = "Zyzzyva Ahumada"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "format": "id"},
        "code": {"type": "string", "format": "code"},
        "lang": {"type": "string", "format": "language"},
        "day": {"type": "string", "format": "moment"},
        "score": {"type": "integer", "minimum": 0, "maximum": 9},
        "state": {"enum": ["a", "b"]},
        "words": {"type": "string", "maxLength": 20},
        "maybe": {"anyOf": [{"enum": ["x"]}, {"type": "string"}]},
        "list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/entry"}},
        "map": {"type": "object", "additionalProperties": {"type": "string", "format": "code"}},
        "any": {},
    },
    "if": {"properties": {"words": {"const": "x"}}, "required": ["words"]},
    "then": {"required": ["code"]},
    "$defs": {"entry": {"type": "object", "properties": {"text": {"type": "string"}, "on": {"type": "boolean"}}}},
}


@pytest.mark.parametrize(
    ("record", "code", "pointer", "field"),
    [
        ({}, "record-required", "/", "id"),
        ({"id": 7}, "record-type", "/id", "id"),
        ({"id": "1", "zz": CANARY}, "record-additional-properties", "/", ""),
        ({"id": "1", CANARY: 1}, "record-additional-properties", "/", ""),
        ({"id": "1", "Zyzzyva": 1}, "record-additional-properties", "/", ""),
        ({"id": "1", "code": f"{CANARY} and five more words here"}, "record-format", "/code", "code"),
        ({"id": "1", "lang": "Spanish!"}, "record-format", "/lang", "lang"),
        ({"id": "1", "day": "01/05/2026"}, "record-format", "/day", "day"),
        ({"id": "1", "day": "2026-13-05"}, "record-format", "/day", "day"),
        ({"id": "1", "day": "2026-02-30"}, "record-format", "/day", "day"),
        ({"id": "1", "score": 12}, "record-maximum", "/score", "score"),
        ({"id": "1", "state": CANARY}, "record-enum", "/state", "state"),
        ({"id": "1", "words": CANARY * 3}, "record-max-length", "/words", "words"),
        ({"id": "1", "list": []}, "record-min-items", "/list", "list"),
        ({"id": "1", "list": [{"text": 1}]}, "record-type", "/list/0/text", "list.text"),
        ({"id": "1", "words": "x"}, "record-required", "/", "code"),
    ],
)
def test_a_problem_names_place_and_rule_and_no_value(
    record: dict[str, Any], code: str, pointer: str, field: str
) -> None:
    (problem,) = Schema(SCHEMA).problems(record)

    assert (problem.code, problem.where, problem.field) == (code, pointer, field)
    assert problem.rule
    assert CANARY.split()[0] not in str(problem)


@pytest.mark.parametrize(
    "moment",
    ["2026-01-05", "2026-01-05T14:30", "2026-01-05 14:30:15", "2026-01-05T14:30:15.123Z", "2026-01-05T14:30-05:00"],
)
def test_a_moment_is_a_day_or_a_time_with_or_without_offset(moment: str) -> None:
    assert Schema(SCHEMA).problems({"id": "1", "day": moment}) == []


@pytest.mark.parametrize("name", ["wodrs", "Words", "words_"])
def test_an_unknown_field_is_told_by_the_nearest_known_one(name: str) -> None:
    (problem,) = Schema(SCHEMA).problems({"id": "1", name: "x"})

    assert problem.rule.endswith("nearest: words")


def test_an_unknown_name_is_never_shown_for_it_can_be_a_person_s() -> None:
    found = Schema(SCHEMA).problems({"id": "1", "zyzzyva_ahumada": 1, "map": {"zyzzyva": 7, "Ahumada": 7}})

    assert {problem.code for problem in found} == {"record-additional-properties", "record-type"}
    assert {(problem.where, problem.field) for problem in found} == {("/", ""), ("/map/*", "map.*")}
    assert not any(word in str(found).lower() for word in CANARY.lower().split())


def test_free_text_is_what_no_certain_rule_closes() -> None:
    fields = Schema(SCHEMA).fields

    free = {".".join(path) for path, field in fields.items() if field.free_text}

    assert free == {"words", "maybe", "list.text", "any"}
    assert fields["list", "on"].types == {"boolean"}
    assert fields["list",].types == {"array", "object"}


def test_a_path_is_known_through_lists_and_maps() -> None:
    schema = Schema(SCHEMA)

    assert schema.field(("list", "text")) is not None
    assert schema.field(("map", "anything")) is not None
    assert schema.field(("list", "txet")) is None
    assert schema.field(("words", "deeper")) is None


@pytest.mark.parametrize(
    "schema",
    [{"type": "objekt"}, {"format": "zork"}, {"$ref": "https://example.org/schema"}, {"$ref": "#/$defs/none"}],
)
def test_what_is_no_schema_of_ours_is_refused_without_a_look_outside(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Schema(schema)


def test_a_schema_that_contains_itself_is_followed_to_a_depth() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}

    schema = Schema({"$ref": "#/$defs/node", "$defs": {"node": node}})

    assert schema.field(("next", "next", "next")) is not None
