"""With the record's schema the same answers come from plain look-ups."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.mappings.fhirpath import EvaluationError, ExpressionError, compile_expression
from bridge.mappings.fhirpath.shapes import paths, root_shape

_SCHEMA: dict[str, Any] = {
    "$defs": {"person": {"type": "object", "additionalProperties": False, "properties": {
        "name": {"type": "string"}, "born": {"type": "string", "format": "date"}}}},
    "type": "object", "additionalProperties": False,
    "properties": {
        "place": {"type": ["string", "null"]}, "kind": {"enum": ["a", "b"]}, "fixed": {"const": 5},
         "n": {"type": "integer"},
        "score": {"type": "number"}, "yes": {"type": "boolean"}, "at": {"type": "string", "format": "date-time"},
        "until": {"type": "string", "format": "date-time"}, "who": {"$ref": "#/$defs/person"},
        "people": {"type": "array", "items": {"$ref": "#/$defs/person"}}, "words": {"type": "array",
         "items": {"type": "string"}},
        "any": {}, "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "nested": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        "open": {"type": "object", "properties": {"x": {"type": "string"}}}, "broken": {"$ref": "#/$defs/none"},
        "loop": {"$ref": "#/properties/loop"}, "remote": {"$ref": "urn:x"}, "valueString": {"type": "string"},
    },
}  # fmt: skip
_RECORD: dict[str, Any] = {
    "place": "home", "kind": "a", "fixed": 5, "n": 3, "score": 1.5, "yes": True, "at": "2026-03-02T10:00:00-05:00",
    "until": "2026-03-02T16:00:00Z", "who": {"name": "W", "born": "2020-02-29"}, "any": {"deep": [1]}, "either": 5,
    "people": [{"name": "A"}, {"born": "2021-01-01"}, {"name": "B", "born": "2019-01-01"}], "words": ["x", "y"],
    "nested": [["a"], ["b", "c"]], "open": {"x": "1", "more": 2}, "valueString": "v", "broken": 1, "loop": 2,
     "remote": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        "place", "place.upper() & kind", "n + fixed", "n * 2 > 5 and yes", "score + 1", "score.round()", "at",
         "at < until",
        "at = until", "at + 1 hour", "born", "who.name", "who.born < @2021", "who.born + 1 year", "people.name",
        "people.where(born.exists()).name", "people.where(name = 'A' or name = 'B').name", "people[0].name", "words",
        "words.join(',')", "words.where($this != 'x')", "any.deep", "either", "nested", "open.x", "open.more", "value",
        "people.name.first()", "people.select(name & '!')", "place in ('home' | 'x')", "kind = place", "yes = true",
        "yes.not()", "n = 3", "n != 3", "n in (1 | 3)", "iif(yes, who, people).name", "iif(n > 5, place)",
         "place is String",
        "(people | who).name", "people.all(name.exists())", "people.exists(name = 'B')", "place.matches('^h')",
        "n.toString() & place", "place.length() + n", "people.aggregate($total + 1, 0)", "$this.place",
         "%context.who.name",
        "at.substring(0, 10)", "at.toDate() < @2027", "at & '!'", "-n", "-(n + 1)", "who.exists() and any.exists()",
        "people.skip(1).name", "people.last().name", "people.single()", "place.ofType(String)", "place as String",
        "words.count() + people.count()", "words | people.name", "{}.exists()", "place.empty()", "broken", "loop",
         "remote",
        "place = {}", "place ~ 'HOME'", "n ~ 3.2", "words = words", "place + kind", "place < kind",
         "people.repeat(name)",
        "who.children().count()", "place.select($this & $index.toString())", "n > score", "2 > n implies yes",
    ],
)  # fmt: skip
@pytest.mark.parametrize("record", [_RECORD, {}], ids=["full", "empty"])
def test_the_schema_changes_speed_not_answers(expression: str, record: dict[str, Any]) -> None:
    def answer(schema: dict[str, Any] | None) -> str:
        try:
            return repr(compile_expression(expression, schema=schema).evaluate(record))
        except (EvaluationError, ExpressionError) as error:
            return f"{type(error).__name__} {error.code}"

    assert answer(_SCHEMA) == answer(None)


def test_a_known_path_is_a_look_up() -> None:
    source = compile_expression("who.name", schema=_SCHEMA).compiled.source
    assert "step" not in source
    assert ".get('name')" in source
    assert compile_expression("place", schema=_SCHEMA).evaluate(_RECORD) == ["home"]


def test_a_result_is_not_the_record_itself() -> None:
    found = compile_expression("words", schema=_SCHEMA).evaluate(_RECORD)
    found.append("z")
    assert _RECORD["words"] == ["x", "y"]


def test_equal_steps_are_taken_once() -> None:
    assert compile_expression("who.name & who.name", schema=_SCHEMA).compiled.source.count(".get('who')") == 1


def test_paths_of_a_schema() -> None:
    found = list(paths(root_shape(_SCHEMA)))
    assert {"place", "who.name", "people.born", "words", "open.x"} <= set(found)
    assert "who" not in found


def test_an_expression_knows_the_shape_of_its_items() -> None:
    each = compile_expression("people.where(name.exists())", schema=_SCHEMA)
    assert each.shape is not None
    assert each.shape.names() == ("name", "born")
    inner = compile_expression("%item.nmae", variables={"item": each.shape})
    assert inner.issues[0].next_step == "did you mean name?"
    assert compile_expression("any", schema=_SCHEMA).shape is None


def test_a_condition_holds_or_not() -> None:
    record = {"yes": True, "no": False, "words": ["x"], "many": [1, 2]}
    answers = {text: compile_expression(text).holds(record) for text in ("yes", "no", "none", "words", "many.exists()")}
    assert answers == {"yes": True, "no": False, "none": False, "words": True, "many.exists()": True}
    with pytest.raises(EvaluationError, match="FE01"):
        compile_expression("many").holds(record)
