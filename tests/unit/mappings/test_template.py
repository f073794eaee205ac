"""The engine as the mappings use it."""

from __future__ import annotations

import math
import traceback
from typing import Any

import pytest

from bridge.mappings.fhirpath import EvaluationError
from bridge.mappings.functions import Functions
from bridge.mappings.tables import Table, row_of
from bridge.mappings.template import Expression, Template, scope_of
from tests.unit.mappings.small import AGENCY

CANARY = "Zyzzyva Ahumada"
HOME = row_of({"code": "home", "system": "urn:place", "target": "HH", "display": "At {home}"})


def functions() -> Functions:
    return Functions(AGENCY, "tiny/visit", "V1", {"child": ("K1",)}, {"place": Table("tiny/place", {"home": HOME})}, {})


def render(template: Any, record: dict[str, Any], **variables: Any) -> Any:
    return Template(template).render(scope_of(record, variables, functions()))


def test_every_construct_of_the_language() -> None:
    template = {
        "plain": "as it is",
        "one": "{{ a.b }}",
        "many": "{[ list.x ]}",
        "text": "A {{ a.b }} and {{ n }}",
        "none": "A {{ missing }}",
        "gone": {"deep": "{{ missing }}"},
        "{% assign %}": [{"twice": "{{ n * 2 }}"}],
        "twice": "{{ %twice }}",
        "{% if n > 1 %}": {"big": True},
        "{% else %}": {"big": False},
        "loop": {"{% for i, x in list %}": {"i": "{{ %i }}", "x": "{{ %x.x }}"}},
        "merged": {"{% merge %}": [{"m": 1}, {"m": 2, "n": "{{ n }}"}]},
        "nested": [["{[ list.x ]}"], "{{ missing }}", "z"],
    }

    made = render(template, {"a": {"b": "B"}, "n": 2, "list": [{"x": "1"}, {"x": "2"}]})

    assert made == {
        "plain": "as it is",
        "one": "B",
        "many": ["1", "2"],
        "text": "A B and 2",
        "twice": 4,
        "big": True,
        "loop": [{"i": 0, "x": "1"}, {"i": 1, "x": "2"}],
        "merged": {"m": 2, "n": 2},
        "nested": ["1", "2", "z"],
    }


def test_a_record_s_own_braces_are_never_run() -> None:
    said = "{{ secret }} {[ secret ]} {% if secret %} {{ %agency.name }}"
    record = {"said": said, "secret": CANARY, "list": [{"w": said}], said: "x"}
    template = {
        "one": "{{ said }}",
        "text": "-{{ said }}- {{ said }}",
        "loop": {"{% for x in list %}": {"w": "{{ %x.w }}"}},
        "whole": "{[ list ]}",
        "{% if said.exists() %}": {"inside": {"w": "{{ said }}"}},
        "{% assign %}": [{"v": "{{ said }}"}],
        "assigned": "{{ %v }}",
        "note": "{{ narrative(said) }}",
        "words": "{{ %tables.words('place', 'home') }}",
        "agency": "{{ %agency.name }}",
    }

    made = render(template, record, agency={"name": "{{ secret }}"})

    assert CANARY not in str(made)
    assert made["one"] == made["assigned"] == made["inside"]["w"] == said
    assert made["text"] == f"-{said}- {said}"
    assert made["loop"] == made["whole"] == [{"w": said}]
    assert made["agency"] == "{{ secret }}"
    assert made["words"] == "At {home}"
    assert said.replace("&", "&amp;") in made["note"]["div"]


def test_numbers_leave_as_they_came() -> None:
    made = render({"n": "{[ n ]}", "b": "{{ b }}"}, {"n": [1, 1.5, 7.0, 1e-7, 123456789.123456789], "b": False})

    assert made == {"n": [1, 1.5, 7.0, 1e-7, 123456789.123456789], "b": False}
    assert [type(one) for one in made["n"]] == [int, float, float, float, float]
    assert math.isclose(made["n"][3], 1e-7)


def test_r14_texts_of_any_language_are_the_same_bytes() -> None:
    said = "Niño ñandú e\u0301 é 你好 👩‍👧 \t a\u00a0b"

    assert render({"x": "{{ said }}"}, {"said": said})["x"].encode() == said.encode()


@pytest.mark.parametrize(
    "template", [{"x": {"y": ["{{ said & 1 }}"]}}, {"x": {"y": ["{{ said.toQuantity() * 'x' }}"]}}]
)
def test_a_failure_names_the_path_and_nothing_of_the_record(template: Any) -> None:
    with pytest.raises(EvaluationError) as caught:
        render(template, {"said": [CANARY, CANARY]})

    assert caught.value.position.path == "x.y.0"
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_failing_expression_says_nothing_of_the_record() -> None:
    scope = scope_of({"said": [CANARY, CANARY]}, {}, functions())

    with pytest.raises(EvaluationError) as caught:
        Expression("said & 'x'").evaluate(scope)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_condition_holds_only_where_it_is_true() -> None:
    scope = scope_of({"no": False, "yes": True, "text": "true"}, {}, functions())

    assert Expression("{{ yes }}").holds(scope)
    assert not any(Expression(text).holds(scope) for text in ("no", "text", "missing", "yes = no"))


def test_the_record_is_not_changed() -> None:
    record = {"a": {"b": [1.5, "{x}"]}}

    render({"x": "{{ a }}"}, record)

    assert record == {"a": {"b": [1.5, "{x}"]}}
