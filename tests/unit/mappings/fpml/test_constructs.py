"""Every construct of FPML, by the statements of its README and our page on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.mappings.fhirpath import Environment
from bridge.mappings.fpml import compile_template

RECORD: dict[str, Any] = {
    "a": "x", "n": 5, "yes": True, "no": False, "null": None, "empty": "", "score": 2.5, "list": [1, None, 2],
     "none": [],
    "o": {"p": {}, "q": [], "r": None, "s": "v"}, "items": [{"k": 1}, {"k": None}, {}, {"k": 4}],
    "code": "{{ secret }}", "secret": "s", "born": "2020-02-29", "who": {"name": "W"},
}  # fmt: skip
_TEXT: dict[str, Any] = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object", "additionalProperties": False,
    "properties": {
        "a": _TEXT, "n": {"type": "integer"}, "yes": {"type": "boolean"}, "no": {"type": "boolean"}, "null": _TEXT,
        "empty": _TEXT, "score": {"type": "number"}, "list": {"type": "array"}, "none": {"type": "array",
         "items": _TEXT},
        "o": {"type": "object"}, "code": _TEXT, "secret": _TEXT, "born": {"type": "string", "format": "date"},
        "who": {"type": "object", "additionalProperties": False, "properties": {"name": _TEXT}}, "missing": _TEXT,
        "items": {"type": "array", "items": {"type": "object", "additionalProperties": False,
                                             "properties": {"k": {"type": "integer"}}}},
    },
}  # fmt: skip

CASES: dict[str, list[tuple[Any, Any]]] = {
    "itself": [
        ("text", "text"), (1, 1), (1.5, 1.5), (True, True), (False, False),
        ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}),
        ("", ""), ({"k": ""}, {"k": ""}), (None, None), ({}, None), ([], None),
    ],
    "first result with its own type": [
        ("{{ a }}", "x"), ("{{ n }}", 5), ("{{ yes }}", True), ("{{ no }}", False), ("{{ score }}", 2.5),
        ("{{ items.k }}", 1),
        ("{{ list }}", 1), ("{{ who }}", {"name": "W"}), ({"k": "{{ missing }}"}, None),
        ({"k": "{{ null }}", "l": 1}, {"l": 1}),
        ("{{ empty }}", ""), ("{{\n items.where(\n  k = 4).k\n}}", 4), ("{{ 5 / 2 }}", 2.5), ("{{ 4 / 2 }}", 2),
        ("{{ born + 1 day }}", "2020-03-01"), ("{{ 1 'mg' }}", {"value": 1, "unit": "mg",
                                                               "system": "http://unitsofmeasure.org", "code": "mg"}),
    ],
    "all results": [
        ("{[ items.k ]}", [1, 4]), ("{[ list ]}", [1, 2]), ({"k": "{[ none ]}"}, None), ("{[ a ]}", ["x"]),
        ("{[ items ]}", [{"k": 1}, {"k": 4}]), (["{[ list ]}", "{{ n }}", "{[ none ]}"], [1, 2, 5]),
    ],
    "null kept": [
        ({"k": "{{+ missing +}}"}, {"k": None}), ({"k": "{{+ a +}}"}, {"k": "x"}),
        (["{{+ missing +}}", "{{ a }}"], [None, "x"]),
        ({"k": "p/{{+ missing +}}"}, {"k": None}), ({"k": "p/{{+ a +}}"}, {"k": "p/x"}), ("{{+ missing +}}", None),
        ({"r": {"{% if no %}": 1, "{% else %}": "{{+ {} +}}"}}, {"r": None}),
        ({"{% assign %}": [{"v": "p/{{+ missing +}}"}], "k": "{{ %v }}", "l": 1}, {"l": 1}),
    ],
    "string concatenation": [
        ("p/{{ a }}", "p/x"), ("{{ a }} {{ n }}", "x 5"), ("{{ a }}{{ a }}", "xx"), ("  {{ a }}  ", "  x  "),
        ("{{ yes }}!", "true!"), ("{{ score }}!", "2.5!"), ("{{ born }}!", "2020-02-29!"),
        ({"k": "p/{{ missing }}/{{ a }}"}, None),
        ("{{ 'a}}b' }}", "a}}b"), ("x{{ `a` /* }} */ }}", "xx"), ("{{ items.k }}/{{ items.k.last() }}", "1/4"),
    ],
    "assign": [
        ({"{% assign %}": [{"v": 1}, {"w": "{{ %v + 1 }}"}], "k": "{{ %w }}"}, {"k": 2}),
        ({"{% assign %}": {"v": "{{ who }}"}, "k": "{{ %v.name }}"}, {"k": "W"}),
        ({"{% assign %}": [{"v": "{[ items ]}"}], "k": "{[ %v.k ]}", "c": "{{ %v.count() }}"}, {"k": [1, 4], "c": 4}),
        ({"{% assign %}": [{"v": {"x": "{{ a }}", "y": [1, "{{ n }}"]}}], "k": "{{ %v.x }}", "l": "{[ %v.y ]}",
         "o": "{{ %v }}"},
         {"k": "x", "l": [1, 5], "o": {"x": "x", "y": [1, 5]}}),
        ({"{% assign %}": [{"v": "{{ missing }}"}, {"w": "{{ %v }}"}], "k": "{{ %w }}"}, None),
        ({"{% assign %}": {"v": 1}, "in": {"{% assign %}": {"v": 2}, "k": "{{ %v }}"}, "k": "{{ %v }}"},
         {"in": {"k": 2}, "k": 1}),
        ({"{% assign %}": [{"v": {"{% assign %}": [{"x": 1}], "y": "{{ %x }}"}}], "k": "{{ %v.y }}"}, {"k": 1}),
        ({"{% assign %}": [{"v": "{{ who.name }}-{{ n }}"}], "k": "{{ %v.upper() }}"}, {"k": "W-5"}),
        ({"{% assign %}": [{"l": [1, 2]}], "{% for x in %l %}": "{{ %x * 2 }}"}, [2, 4]),
    ],
    "if and else": [
        ({"{% if yes %}": {"k": 1}, "{% else %}": {"l": 2}}, {"k": 1}),
        ({"{% if no %}": {"k": 1}, "{% else %}": {"l": 2}}, {"l": 2}),
        ({"{% if no %}": {"k": 1}}, None), ({"r": {"{% if no %}": {"k": 1}}}, None),
        ({"r": {"{% if yes %}": "s"}}, {"r": "s"}),
        ({"r": {"{% if missing %}": 1, "{% else %}": 2}}, {"r": 2}),
        ({"{% if n > 4 and yes %}": {"k": 1}, "z": 0}, {"z": 0, "k": 1}),
        ({"{% if yes %}": {"z": "{{ missing }}"}, "z": 0}, {"z": 0}), ({"{% if yes %}": {"z": 1}, "z": 0}, {"z": 1}),
        ({"{% if yes %}": "{{ who }}", "z": 0}, {"z": 0, "name": "W"}), ({"{% if a %}": {"k": 1}}, {"k": 1}),
        ({"{% if yes %}": {"{% if no %}": {"k": 1}, "{% else %}": {"l": {"{% if yes %}": [1, "{{ n }}"]}}}}, {"l": [1,
         5]}),
        ({"x": {"{% if no %}": {"k": 1}, "{% else %}": {"{% if no %}": {"k": 1}}}, "y": 1}, {"y": 1}),
        ([{"{% if yes %}": [1, 2]}, {"{% if no %}": 3}, {"{% if yes %}": "{{ n }}"}], [1, 2, 5]),
    ],
    "for": [
        ({"{% for x in items %}": {"k": "{{ %x.k }}"}}, [{"k": 1}, {"k": 4}]), ({"{% for x in none %}": 1}, None),
        ({"{% for i, x in items %}": {"i": "{{ %i }}", "k": "{{ %x.k }}"}}, [{"i": 0, "k": 1}, {"i": 1}, {"i": 2},
         {"i": 3, "k": 4}]),
        ({"l": {"{% for x in list %}": "{{ %x }}"}}, {"l": [1, 2]}),
        ({"l": [0, {"{% for x in list %}": "{{ %x }}"}]}, {"l": [0, 1, 2]}),
        ({"{% for x in list %}": {"{% for y in list %}": "{{ %x * 10 + %y }}"}}, [11, 12, 21, 22]),
        ({"{% for x in items.where(k > 1) %}": {"a": "{{ a }}", "k": "{{ %x.k }}"}}, [{"a": "x", "k": 4}]),
        ({"{% for x in list %}": ["{{ %x }}", "{{ a }}"]}, [1, "x", 2, "x"]),
    ],
    "merge": [
        ({"{% merge %}": [{"a": 1}, {"b": 2}]}, {"a": 1, "b": 2}),
        ({"{% merge %}": [{"a": 1}, {"a": "{{ n }}"}], "c": 3}, {"c": 3, "a": 5}),
        ({"{% merge %}": {"a": 1}}, {"a": 1}), ({"{% merge %}": ["{{ who }}", {"a": "{{ missing }}"}]}, {"name": "W"}),
        ({"{% merge %}": [{"{% if no %}": {"a": 1}}, {"{% if yes %}": {"b": 2}}]}, {"b": 2}),
        ({"{% merge %}": []}, None),
        ({"{% merge %}": [{"a": 1}], "{% if yes %}": {"c": 2}}, {"a": 1, "c": 2}),
        ({"a": 0, "{% merge %}": [{"a": 1}]}, {"a": 1}),
    ],
    "flattening and removal": [
        ([[1, 2, None, 3], None, [[4], 5, None]], [1, 2, 3, 4, 5]),
        ({"k": None, "l": {}, "m": [], "n": [[]], "o": [{}]}, None),
        ({"k": {"l": {"m": "{{ missing }}"}}}, None), ({"k": "{{ o }}"}, {"k": {"s": "v"}}),
        (["{{ missing }}", {}], None),
        ([{"k": "{{ missing }}"}, {"k": "{{ a }}"}], [{"k": "x"}]),
        ({"k": [["{[ items.k ]}"], "{{ a }}"]}, {"k": [1, 4, "x"]}),
    ],
    "data is never a template": [
        ("{{ code }}", "{{ secret }}"), ({"k": ["{[ code ]}"]}, {"k": ["{{ secret }}"]}),
        ("-{{ code }}", "-{{ secret }}"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["plain", "schema"])
@pytest.mark.parametrize(
    ("template", "result"), [case for cases in CASES.values() for case in cases],
    ids=[f"{name} {n}" for name, cases in CASES.items() for n in range(len(cases))],
)  # fmt: skip
def test_construct(template: Any, result: Any, schema: dict[str, Any] | None) -> None:
    found = compile_template(template, schema=schema).render(RECORD)
    assert json.dumps(found) == json.dumps(result)


def test_output_is_fresh() -> None:
    """Changing a result changes neither the record nor the next result."""
    record = {"who": {"name": "W"}, "list": [1, [2]]}
    template = compile_template({"w": "{{ who }}", "l": "{[ list ]}", "c": {"d": [1]}, "e": ["{[ list ]}"]})
    first: Any = template.render(record)
    first["w"]["name"] = "changed"
    first["l"].append(3)
    first["c"]["d"].append(2)
    assert template.render(record) == {"w": {"name": "W"}, "l": [1, 2], "c": {"d": [1]}, "e": [1, 2]}
    assert record == {"who": {"name": "W"}, "list": [1, [2]]}
    typed = compile_template({"l": "{[ none ]}", "m": ["{[ none ]}"]}, schema=SCHEMA)
    data = {"none": ["a"]}
    out: Any = typed.render(data)
    out["l"].append("b")
    assert (data, out["m"]) == ({"none": ["a"]}, ["a"])


def test_the_order_of_keys_is_the_templates() -> None:
    template = {"z": "{{ a }}", "b": 1, "y": {"{% if yes %}": 2}, "a": "{{ n }}", "c": 3}
    assert list(compile_template(template).render(RECORD)) == ["z", "b", "y", "a", "c"]  # type: ignore[call-overload]


def test_strict_mode_reads_through_variables_only() -> None:
    from bridge.mappings.fhirpath import ExpressionError

    assert compile_template("{{ %context.a }}", strict=True).render(RECORD) == "x"
    assert compile_template({"{% for x in %context.items %}": "{{ %x.k }}"}, strict=True).render(RECORD) == [1, 4]
    assert compile_template("{[ %context.items.where(k = 4).k ]}", strict=True).render(RECORD) == [4]
    with pytest.raises(ExpressionError) as caught:
        compile_template({"k": "{{ items.k }}"}, strict=True)
    assert str(caught.value) == (
        "1:4: k: items is read without a variable, which strict mode refuses [FT08]\n    → write %context.items"
    )


def test_a_text_around_an_item_without_a_value_is_empty() -> None:
    record = {"given": ["a", None], "_given": [None, {"extension": [{"url": "u"}]}]}
    assert compile_template({"{% for x in given %}": "-{{ %x }}"}).render(record) == ["-a"]


def test_variables_of_the_caller() -> None:
    env = Environment(variables={"program": "p", "rows": [{"x": 1}, {"x": 2}]})
    template = {"p": "{{ %program }}", "x": {"{% for row in %rows %}": "{{ %row.x }}"}}
    assert compile_template(template, variables={"program": None, "rows": None}).render({}, env) == {
        "p": "p",
        "x": [1, 2],
    }


def test_a_resource_is_read_with_its_model() -> None:
    from tests.unit.mappings.fhirpath.r4_model import R4Model

    response = {"resourceType": "QuestionnaireResponse", "item": [
        {"linkId": "1", "answer": [{"valueString": "Ilya"}]},
        {"linkId": "2", "answer": [{"valueDate": "2023-05-03"}]},
        {"linkId": "3", "answer": [{"valueCoding": {"code": "male", "display": "Male"}}]},
    ]}  # fmt: skip
    template = {
        "resourceType": "Patient",
        "birthDate": "{{ QuestionnaireResponse.repeat(item).where(linkId='2').answer.value }}",
        "name": [{"given": ["{{ QuestionnaireResponse.repeat(item).where(linkId='1').answer.value }}"]}],
        "gender": "{{ QuestionnaireResponse.repeat(item).where(linkId='3').answer.value.code }}",
        "note": "{{ QuestionnaireResponse.repeat(item).where(linkId='9').answer.value }}",
    }
    expected = {"resourceType": "Patient", "birthDate": "2023-05-03", "name": [{"given": ["Ilya"]}], "gender": "male"}
    assert compile_template(template).render(response) == expected
    assert compile_template(template, model=R4Model()).render(response) == expected
