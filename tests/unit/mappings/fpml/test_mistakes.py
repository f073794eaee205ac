"""What the author of a template reads. Golden."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bridge.mappings.fhirpath import CODES, Environment, EvaluationError, ExpressionError, Limits, Position
from bridge.mappings.fhirpath.compiling.coverage import SEEN, Watch
from bridge.mappings.fpml import Place, compile_template

CASES: list[tuple[Any, str]] = [
    ({"{% iff a %}": 1}, "FT01 {% iff a %}: a block is {% assign %}, {% merge %}, {% if … %}, {% else %} or "
     "{% for item in … %} → correct its spelling"),
    ({"{% for x of a %}": 1}, "FT01 {% for x of a %}: a loop is {% for item in … %} → or {% for index, item in … %}"),
    ({"{% if %}": 1}, "FT01 {% if %}: a block is {% assign %}, {% merge %}, {% if … %}, {% else %} or "
     "{% for item in … %} → correct its spelling"),
    ({"a {% if a %}": 1}, "FT01 a {% if a %}: a block is {% assign %}, {% merge %}, {% if … %}, {% else %} or "
     "{% for item in … %} → correct its spelling"),
    ({"x": {"{% else %}": 1}}, "FT02 x.{% else %}: an else stands beside its if → add the if"),
    ({"{% if a %}": {"k": 1}, "{% if b %}": {"k": 1}}, "FT02 {% if b %}: an object has one if → nest them, or use "
     "{% merge %}"),
    ({"{% for x in a %}": 1, "k": 2},
     "FT03 {% for x in a %}: a for stands alone in its object → move the rest beside it"),
    ({"{% assign %}": 1}, "FT04 {% assign %}: assign holds a list of objects with one name each → write - name: "
     '"{{ expression }}" for each'),
    ({"{% assign %}": [{"a": 1, "b": 2}]}, "FT04 {% assign %}.0: assign holds a list of objects with one name each → "
     'write - name: "{{ expression }}" for each'),
    ({"{% assign %}": [{"context": 1}]}, "FT04 {% assign %}.0: %context is FHIRPath's own → choose another name"),
    ({"{% assign %}": [{"a b": 1}]}, "FT04 {% assign %}.0: a name consists of letters,"
     " digits and underscores → rename it"),
    ({"{% merge %}": [1]}, "FT05 {% merge %}: what is merged into an object is an object → give it a key of its own"),
    ({"{% if a %}": "x", "k": 1},
     "FT05 {% if a %}: what is merged into an object is an object → give it a key of its own"),
    ("{{ a", "FT06 what begins with {{ ends with }} → add the closing }}"),
    ("{{ 'a }}", "FP02 what begins with ' ends with ' → add the closing '"),
    ("{{ }}", "FT06 there is no expression between the brackets → write one, or remove them"),
    ("{[ a ]} b", "FT06 a list {[ … ]} is the whole string → take away what follows it"),
    ("b {[ a ]} {{ c }}", "FT06 a list {[ … ]} is the whole string → take away what is beside it"),
    ("{{+ a }}", "FT06 what begins with {{+ ends with +}} → write {{+ expression +}}"),
    ({"{{ a }}": 1}, "FT07 {{ a }}: an expression is no key → write {% for item in … %}"),
    ({"k": datetime.date(2026, 1, 1)}, "FT09 k: a value of a template is text, a number, true, false, null,"
     " a list or an object → put it in quotes"),
    ({True: 1}, "FT09 a key is a text → put it in quotes (YAML reads yes, on and 1 otherwise)"),
    ({"k": float("nan")}, "FT09 k: a value of a template is text, a number, true, false, null,"
     " a list or an object → put "
     "it in quotes"),
    ({"k": "{{ a + }}"}, "FP02 k: a name, a function or a value is expected here,"
     " not the end of the expression → finish "
     "the expression"),
    ({"{% if a = %}": 1}, "FP02 {% if a = %}: a name, a function or a value is expected here, not the end of the "
     "expression → finish the expression"),
    ({"k": "{{ %x }}"}, "FP07 k: nothing defines %x → define it with {% assign %} or {% for %} above"),
    ({"k": "{{ %a }}", "l": {"{% assign %}": {"a": 1}}}, "FP07 k: nothing defines %a → define it with {% assign %} or "
     "{% for %} above"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "message"), CASES, ids=range(len(CASES)))
def test_what_a_wrong_template_says(template: Any, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(template, variables={})
    problem = caught.value.problems[0]
    field = f"{problem.field}: " if problem.field else ""
    assert f"{problem.code} {field}{problem.rule} → {problem.next_step}" == message
    assert problem.code in CODES


def _positions() -> dict[tuple[str | int, ...], Place]:
    def at(line: int, key: int, value: int) -> Place:
        return Place(Position(line, value, "m.yaml"), Position(line, key, "m.yaml"))

    return {
        (): at(1, 1, 1), ("a",): at(2, 3, 7), ("b", ): at(3, 3, 6), ("b", "{% if done %}"): at(4, 6, 23),
        ("b", "{% if done %}", "c"): at(5, 7, 11), ("l",): at(6, 3, 6), ("l", 0): at(7, 5, 5), ("l", 1): at(8, 5, 5),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ({"a": "{{ x. }}"}, "m.yaml:2:12: a"),
        ({"a": "p/{{ x }}/{{ y( }}"}, "m.yaml:2:22: a"),
        ({"b": {"{% if done %}": {"c": "{{ 'a' + 1 }}"}}}, "m.yaml:5:18: b.{% if done %}.c"),
        ({"b": {"{% if done.frist() %}": 1}}, "m.yaml:3:14: b.{% if done.frist() %}"),
        ({"l": [1, "{{ x.upper(1) }}"]}, "m.yaml:8:10: l.1"),
        ({"l": ["{{ 'a' + 'b' +\n   2 }}"]}, "m.yaml:7:18: l.0"),
    ],
)
def test_the_place_is_the_line_and_column_of_the_file(template: Any, place: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(template, positions=_positions(), origin=Position(1, 1, "m.yaml"))
    assert str(caught.value).startswith(place + ": ")


def test_a_record_that_does_not_fit_names_the_place_too() -> None:
    template = compile_template(
        {"a": "x", "l": [1, "{{ items.single() }}"]}, positions=_positions(), origin=Position(1, 1, "m.yaml")
    )
    with pytest.raises(EvaluationError) as caught:
        template.render({"items": ["secret", "other"]})
    assert str(caught.value) == (
        "m.yaml:8:14: l.1: single() takes at most one item [FE01]\n    → choose one with first() or where()"
    )


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("-{{ o }}", "FE02"), ({"{% merge %}": ["{{ a }}"]}, "FE02"), ({"{% if l %}": 1}, "FE01"),
        ({"{% for x in l %}": {"{% for y in l %}": {"{% for z in l %}": 1}}}, "FE04"), ("{{ deep }}", "FE04"),
        ({"{% for x in l %}": "{[ l ]}"}, "FE04"),
    ],
)  # fmt: skip
def test_bounds_and_misfits_hold_that_record_only(template: Any, code: str) -> None:
    deep: object = 1
    for _ in range(200):
        deep = {"n": deep}
    compiled = compile_template(template)
    record = {"o": {"a": 1}, "a": "x", "l": list(range(200)), "deep": deep}
    with pytest.raises(EvaluationError) as caught:
        compiled.render(record, Environment(limits=Limits(work=10_000)))
    assert caught.value.code == code


def test_templates_are_bounded() -> None:
    deep: Any = "{{ a }}"
    for _ in range(40):
        deep = {"n": deep}
    loops: Any = "{{ a }}"
    for place in range(13):
        loops = {f"{{% for x{place} in a %}}": loops}
    for template in (deep, loops, ["{{ a }}"] * 20_001):
        with pytest.raises(ExpressionError) as caught:
            compile_template(template)
        assert caught.value.code in ("FT10", "FP10")


def test_paths_the_source_cannot_have_are_issues_with_their_place() -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {"place": {"type": "string"}}}
    template = {"a": "{{ plase }}", "l": [{"{% for x in items %}": "{{ %x.k }}"}]}
    issues = compile_template(template, schema=schema, positions=_positions()).issues
    assert [(str(issue.position), issue.position.path, issue.next_step) for issue in issues] == [
        ("m.yaml:2:10", "a", "did you mean place?"),
        ("m.yaml:7:17", "l.0.{% for x in items %}", "it has place"),
    ]


def test_what_is_doubtful_is_an_issue() -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {
        "status": {"enum": ["signed", "draft"]}, "tags": {"type": "array", "items": {"type": "string"}}}}  # fmt: skip
    template = {
        "a": "{{ tags }}", "b": {"{% if status = 'sigend' %}": 1}, "c": {"{% if true %}": 1}, "d": "{{ {} }}",
        "e": "{{ status in ('draft' | 'open') }}", "f": "{{ iif(1 = 1, status) }}", "g": "{{ tags.first() }}",
    }  # fmt: skip
    issues = compile_template(template, schema=schema).issues
    assert [(issue.code, issue.position.path.split(".")[0], issue.next_step) for issue in issues] == [
        ("FT11", "a", "write .first(), or {[ … ]}"),
        ("FP16", "b", "did you mean signed?"),
        ("FP15", "c", "take the branch that is never reached out"),
        ("FP14", "d", "take it out"),
        ("FP16", "e", "it has signed, draft"),
    ]


def test_what_a_record_reaches_is_known_where_it_is_watched() -> None:
    tree = {
        "{% if done %}": {"a": "{{ x }}"},
        "{% else %}": {"b": 1},
        "c": {"{% for one in list %}": "{{ iif(%one > 1, 'many') }}"},
    }
    watch = Watch()
    template = compile_template(tree, watch=watch)
    plain = compile_template(tree)
    record = {"done": True, "list": [2]}

    def reached(record: dict[str, Any]) -> set[tuple[str, str]]:
        watch.reached.clear()
        assert template.render(record) == plain.render(record)
        return {(mark.kind, mark.way) for mark, number in watch.marks.items() if number in watch.reached}

    assert SEEN not in plain.compiled.source
    assert reached(record) == {("if", "yes"), ("for", "filled"), ("iif", "yes"), ("value", "")}
    assert reached({"done": False}) == {("if", "no"), ("for", "empty"), ("value", "")}
    assert reached({"done": True, "list": [1]}) == {("if", "yes"), ("for", "filled"), ("iif", "no")}
    assert len(watch.marks) == 9
