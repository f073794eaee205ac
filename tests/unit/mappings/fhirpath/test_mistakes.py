"""What a mapping's author reads: the text of every error, with its place. Golden."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.mappings.fhirpath import (
    CODES,
    Environment,
    EvaluationError,
    ExpressionError,
    Fault,
    Function,
    Halt,
    Limits,
    Position,
    Registry,
    Style,
    compile_expression,
)

_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "place": {"type": "string"},
        "duration": {"type": "integer"},
        "goals": {"type": "array", "items": {"type": "object", "additionalProperties": False,
                                             "properties": {"title": {"type": "string"}}}},
    },
}  # fmt: skip
COMPILE = [
    ("a # b", "1:3: an expression has no such character here [FP01]\n    → take it out, or quote it"),
    ('a = "x"', "1:5: a string stands in single quotes [FP01]\n    → write 'text'"),
    ("a.where(", "1:9: a name, a function or a value is expected here, not the end of the expression [FP02]\n"
     "    → finish the expression"),
    ("a b", "1:3: an operator, a dot or the end of the expression is expected here, not “b” [FP02]\n"
     "    → correct the spelling, or quote a name with `"),
    ("a +\n  * b", "2:3: a name, a function or a value is expected here, not “*” [FP02]\n"
     "    → correct the spelling, or quote a name with `"),
    ("'open", "1:1: what begins with ' ends with ' [FP02]\n    → add the closing '"),
    ("a /* open", "1:3: a comment that begins with /* ends with */ [FP02]\n    → close the comment"),
    ("$that", "1:1: only $this, $index and $total begin with a dollar sign [FP02]\n    → write %name for a variable"),
    ("@2026-02-30", "1:1: a date or time must exist in the calendar [FP03]\n    → correct it"),
    ("@26", "1:1: a date or time is written @2026-01-31, @2026-01-31T10:30:00Z or @T10:30 [FP03]\n"
     "    → write it with all its digits"),
    ("a.matches('\\d')", "1:12: a backslash in a string is followed by one of \\ / f n r t ' ` \" or u and four hex "
     "digits [FP03]\n    → write \\\\ for a backslash"),
    ("a.uper()", "1:3: there is no function uper() [FP04]\n    → did you mean upper()?"),
    ("a.first(1)", "1:3: first() does not take 1 arguments [FP05]\n    → write it as first()"),
    ("now()", "1:1: now() is refused: a mapping reaches no clock: the same record must always give the same resource "
     "[FP06]\n    → read a date of the record, or let the caller pass one as a variable"),
    ("a.trace('x')", "1:3: trace() is refused: it writes what a record says into a log [FP06]\n    → take it out"),
    ("%plase", "1:1: nothing defines %plase [FP07]\n    → did you mean place?"),
    ("a is Strnig2.x", "1:13: an operator, a dot or the end of the expression is expected here, not “.” [FP02]\n"
     "    → correct the spelling, or quote a name with `"),
    ("a is strnig", "1:3: there is no type strnig [FP08]\n    → write String, Quantity, Patient,"
     " FHIR.code and the like"),
    ("$total", "1:1: $total has a meaning only inside aggregate() [FP09]\n    → take it out"),
    ("'a'.matches('(a+)+')", "1:13: a repeated group holds no choice and nothing of varying length [FP11]\n"
     "    → write it simpler, or test the text with startsWith(), contains() or in"),
    ("place + duration", "1:7: + does not take String and Integer [FP12]\n"
     "    → convert one of them, for example with toString()"),
    ("duration.upper()", "1:10: upper() takes String here, not Integer [FP12]\n"
     "    → convert it, for example with toString() or toInteger()"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), COMPILE, ids=[text for text, _ in COMPILE])
def test_what_a_wrong_expression_says(text: str, message: str) -> None:
    schema = _SCHEMA if "duration" in text else None
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, schema=schema, variables={"place": None})
    assert str(caught.value) == message
    assert caught.value.code in CODES


@pytest.mark.parametrize(
    ("text", "code", "column", "hint"),
    [
        ("plase", "FP13", 1, "did you mean place?"),
        ("goals.titel", "FP13", 7, "did you mean title?"),
        ("goals.where(stattus = 'x')", "FP13", 13, "it has title"),
        ("place.text", "FP13", 7, "take the step out"),
        ("{} | {}", "", 0, ""),
    ],
)
def test_a_path_the_source_cannot_have_is_an_issue(text: str, code: str, column: int, hint: str) -> None:
    issues = compile_expression(text, schema=_SCHEMA).issues
    assert [(issue.code, issue.position.column, issue.next_step) for issue in issues] == (
        [(code, column, hint)] if code else []
    )
    assert all(issue.as_problem().code == issue.code for issue in issues)


EVALUATE = [
    ("goals.single().title", {"goals": [{}, {}]}, "1:7: single() takes at most one item [FE01]\n"
     "    → choose one with first() or where()"),
    ("place & goals.title", {"goals": [{"title": "a"}, {"title": "b"}]},
     "1:7: one item is expected here, and there are several [FE01]\n    → choose with first(), where() or select()"),
    ("place.indexOf(duration)", {"place": "x", "duration": 5}, "1:7: a String is expected here, not Integer [FE02]\n"
     "    → convert it with toString()"),
    ("%missing", {}, "1:1: %missing has no value here [FE03]\n    → define it with {% assign %}, or correct its name"),
    ("place < duration", {"place": "secret", "duration": 5}, "1:7: String and Integer have no common order [FE05]\n"
     "    → convert one of them, for example with toInteger() or toDateTime()"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "data", "message"), EVALUATE, ids=[text for text, _, _ in EVALUATE])
def test_what_a_record_that_does_not_fit_says(text: str, data: object, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_expression(text).evaluate(data)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_a_record_of_another_shape_names_the_place_and_no_value() -> None:
    expression = compile_expression("goals.title", schema=_SCHEMA)
    for record in ({"goals": ["secret"]}, {"goals": "secret"}, {"goals": [["secret"]]}):
        with pytest.raises(EvaluationError) as caught:
            expression.evaluate(record)
        assert caught.value.code == "FE06"
        assert caught.value.position.column in (1, 7)
        assert "secret" not in str(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_positions_count_from_where_the_text_begins() -> None:
    origin = Position(40, 12, "contact.yaml", "encounter.status", indent=6)
    with pytest.raises(ExpressionError) as caught:
        compile_expression("place +\nb c", position=origin)
    assert str(caught.value).startswith("contact.yaml:41:9: encounter.status: an operator")
    with pytest.raises(EvaluationError) as later:
        compile_expression("a.single()", position=origin).evaluate({"a": [1, 2]})
    assert str(later.value).startswith("contact.yaml:40:14: encounter.status: single()")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100 + "a" + ")" * 100, "a" + ".b" * 1000, "a" + " + a" * 1000, "-" * 500 + "1",
         "a[" * 100 + "0" + "]" * 100,
        "a.where(" * 20 + "b" + ")" * 20, "a.select(" * 13 + "b" + ")" * 13, "x" * 20_000, "1" * 40,
    ],
    ids=["brackets", "steps", "operators", "signs", "indexes", "where", "select", "length", "digits"],
)  # fmt: skip
def test_expressions_are_bounded(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.code in ("FP10", "FP03")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 47 + "a" + ")" * 47, "a" + ".b" * 98, "a" + " + a" * 98, "-" * 40 + "1", "a[" * 46 + "0" + "]" * 46,
        "a.where(" * 12 + "b" + ")" * 12, "iif(a, " * 23 + "b" + ")" * 23, "a" + ".where(b)" * 49,
    ],
)  # fmt: skip
def test_up_to_the_bounds_they_compile(text: str) -> None:
    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
        else:
            compile_expression(text).evaluate({"a": None})

    deeper(150)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a.select(%context.a.select(%context.a))", {"a": list(range(60))}),
        ("a.aggregate($total & $total & 'xxxxxxxx', 'x')", {"a": list(range(60))}),
        ("a.aggregate($total.combine($total), 'x')", {"a": list(range(60))}),
        ("repeat($this.toString() & 'x')", {"a": 1}),
        ("(1).repeat($this + 1)", {}),
        ("a.repeat($this + 1)", {"a": 1}),
        ("'a'.replace('', a.replace('', a.replace('', a)))", {"a": "x" * 300}),
        ("a.matches('.*.*.*x')", {"a": "y" * 3000}),
        ("a.descendants()", {"a": None}),
        ("a = a", {"a": None}),
    ],
    ids=["loops", "text", "combine", "wrong", "repeat", "again", "replace", "regex", "walk", "compare"],
)
def test_evaluation_is_bounded(text: str, data: dict[str, object]) -> None:
    if data.get("a", 0) is None:
        deep: object = 1
        for _ in range(400):
            deep = {"n": deep}
        data = {"a": deep}
    expression = compile_expression(text)
    with pytest.raises(EvaluationError) as caught:
        expression.evaluate(data, Environment(limits=Limits(work=20_000, rounds=100)))
    assert caught.value.code in ("FE04", "FE02")


def test_a_function_of_ours_may_halt_a_record_and_may_fail() -> None:
    class Hold(Halt):
        """Waits for a table row."""

    def hold(value: object) -> object:
        raise Hold("table")

    def fault(value: object) -> object:
        raise Fault("FE07", "no row", "add one")

    def broken(value: object) -> object:
        raise KeyError("secret")

    calls = {"hold": hold, "fault": fault, "broken": broken}
    registry = Registry(tuple(Function(n, f"{n}()", Style.VALUE, c, takes=("Any",)) for n, c in calls.items()))
    with pytest.raises(Hold) as held:
        compile_expression("a.hold()", functions=registry).evaluate({"a": 1})
    assert held.value.position is not None
    assert held.value.position.column == 3
    with pytest.raises(EvaluationError, match=r"1:3: no row \[FE07\]"):
        compile_expression("a.fault()", functions=registry).evaluate({"a": 1})
    with pytest.raises(EvaluationError, match="FE07") as caught:
        compile_expression("a.broken()", functions=registry).evaluate({"a": 1})
    assert "secret" not in str(caught.value)


NUMBERED = {"type": "object", "properties": {"v": {"type": "integer"}}}
SCHEMA_OF_LONG = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": NUMBERED}, "w": {"type": "string"}},
}
LONG: dict[str, Any] = {"a": [{"v": number} for number in range(3000)], "w": "x" * 900_000}


@pytest.mark.parametrize(
    "expression",
    [
        "a.select(%context.a.select(%context.a.v.count()))",
        "a.select(%context.a = %context.a)",
        "a.select(%context.a ~ %context.a)",
        "a.select(%context.w.upper().lower().length())",
        "a.select(%context.w & %context.w.substring(0, 9))",
        "a.select(%context.a.v | %context.a.v)",
    ],
)
@pytest.mark.parametrize("schema", [None, SCHEMA_OF_LONG], ids=["unknown", "known"])
def test_what_a_loop_walks_again_each_round_counts_as_work(expression: str, schema: dict[str, Any] | None) -> None:
    """A step over a list, a comparison of lists and a function of a text cost what they walk."""
    with pytest.raises(EvaluationError) as caught:
        compile_expression(expression, schema=schema).evaluate(LONG)
    assert caught.value.code == "FE04"
