"""Functions one by one: nothing, one item, many items, and what N1 says of each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bridge.mappings.fhirpath import (
    CODES,
    REGISTRY,
    Environment,
    ExpressionError,
    Function,
    Registry,
    Style,
    compile_expression,
)
from bridge.mappings.fhirpath.documentation import functions_page
from tests.unit.mappings.fhirpath.asking import FAILS, ask

_EXAMPLES = [(e.expression, e.result) for function in REGISTRY for e in function.examples]


@pytest.mark.parametrize(("expression", "result"), _EXAMPLES, ids=[e for e, _ in _EXAMPLES])
def test_examples_of_the_registry_run(expression: str, result: tuple[object, ...] | None) -> None:
    wanted = FAILS if result is None else [float(r) if isinstance(r, Decimal) else r for r in result]
    assert ask(expression) == wanted


@pytest.mark.parametrize("function", [f for f in REGISTRY if f.style is not Style.REFUSED], ids=lambda f: str(f.name))
def test_every_function_documents_itself(function: Function) -> None:
    assert function.usage.startswith(f"{function.name}(")
    assert function.examples or function.name in ("children", "descendants")


@pytest.mark.parametrize("function", [f for f in REGISTRY if f.style is Style.REFUSED], ids=lambda f: str(f.name))
def test_refused_functions_say_why(function: Function) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(f"a.{function.name}('x')")
    assert caught.value.code == "FP06"
    assert function.reason in str(caught.value)
    assert caught.value.problems[0].next_step


_SINGLE = [
    f for f in REGISTRY if f.style is Style.VALUE and f.takes and f.takes[0] in ("String", "Decimal", "Number", "Any")
]


@pytest.mark.parametrize("function", _SINGLE, ids=lambda f: str(f.name))
def test_functions_of_one_value(function: Function) -> None:
    """N1: an empty input or argument gives empty, more than one item is an error."""
    values = {"String": "'1'", "Integer": "1", "Decimal": "1", "Number": "1", "Any": "'1'"}
    arguments = [values[take] for take in function.takes[1 : 1 + function.least]]
    assert ask(f"{{}}.{function.name}({', '.join(arguments)})") == []
    assert ask(f"many.{function.name}({', '.join(arguments)})", {"many": ["1", "2"]}) == FAILS
    assert isinstance(ask(f"{values[function.takes[0]]}.{function.name}({', '.join(arguments)})"), list)
    for place in range(len(arguments)):
        emptied = [*arguments[:place], "{}", *arguments[place + 1 :]]
        assert ask(f"{values[function.takes[0]]}.{function.name}({', '.join(emptied)})") == []
    if function.takes[0] != "Any":
        wrong = "yes" if function.takes[0] != "String" else "number"
        assert ask(f"{wrong}.{function.name}({', '.join(arguments)})", {"yes": True, "number": 5}) == FAILS


DATA: dict[str, Any] = {
    "none": [], "one": [3], "many": [3, 1, 2, 3], "words": ["b", "a", "b"], "truths": [True, False], "yes": [True,
     True],
    "no": [False], "item": [{"id": "1", "item": [{"id": "1.1"}, {"id": "1.2", "item": [{"id": "1.2.1"}]}]},
     {"id": "2"}],
    "mixed": [1, "a", True, {"x": 1}], "text": "abcdefg", "deep": {"a": {"b": [{"c": 1}, {"c": 2}]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        # existence
        ("none.empty()", [True]), ("one.empty()", [False]), ("many.exists()", [True]), ("none.exists()", [False]),
        ("many.exists($this > 2)", [True]), ("many.exists($this > 9)", [False]), ("none.exists($this > 2)", [False]),
        ("none.all($this > 2)", [True]), ("many.all($this > 0)", [True]), ("many.all($this > 1)", [False]),
        ("words.all($this > {})", [False]),
        ("none.allTrue()", [True]), ("yes.allTrue()", [True]), ("truths.allTrue()", [False]), ("many.allTrue()", FAILS),
        ("none.anyTrue()", [False]), ("truths.anyTrue()", [True]), ("no.anyTrue()", [False]),
        ("none.allFalse()", [True]), ("no.allFalse()", [True]), ("truths.allFalse()", [False]),
        ("none.anyFalse()", [False]), ("truths.anyFalse()", [True]), ("yes.anyFalse()", [False]),
        ("none.subsetOf(many)", [True]), ("one.subsetOf(many)", [True]), ("many.subsetOf(one)", [False]),
        ("one.subsetOf(none)", [False]), ("none.supersetOf(none)", [True]), ("many.supersetOf(one)", [True]),
        ("none.supersetOf(one)", [False]), ("none.isDistinct()", [True]), ("many.isDistinct()", [False]),
        ("none.distinct()", []), ("many.distinct()", [3, 1, 2]), ("none.count()", [0]), ("one.count()", [1]),
        ("many.count()", [4]),
        # filtering and projection
        ("none.where(true)", []), ("many.where($this > 1)", [3, 2, 3]), ("many.where({})", []),
        ("many.where($index = 0)", [3]),
        ("none.select($this)", []), ("many.select($this + 1)", [4, 2, 3, 4]), ("item.select(item.id)", ["1.1", "1.2"]),
        ("item.repeat(item).id", ["1.1", "1.2", "1.2.1"]), ("none.repeat(item)", []), ("repeat(item).id.count()", [5]),
        ("many.select($index)", [0, 1, 2, 3]), ("item.select($this.item.select($index))", [0, 1]),
        ("mixed.ofType(String)", ["a"]), ("mixed.ofType(Integer)", [1]), ("none.ofType(String)", []),
        # subsetting
        ("many[0]", [3]), ("many[9]", []), ("many[-1]", []), ("none[0]", []), ("many[{}]", []), ("many[one]", [3]),
        ("many[words]", FAILS), ("many['a']", FAILS), ("text[0]", ["abcdefg"]),
        ("none.single()", []), ("one.single()", [3]), ("many.single()", FAILS), ("many.first()", [3]),
        ("none.first()", []),
        ("many.last()", [3]), ("none.last()", []), ("many.tail()", [1, 2, 3]), ("one.tail()", []), ("none.tail()", []),
        ("many.skip(2)", [2, 3]), ("many.skip(0)", [3, 1, 2, 3]), ("many.skip(-1)", [3, 1, 2, 3]), ("one.skip(5)", []),
        ("many.take(2)", [3, 1]), ("many.take(0)", []), ("none.take(3)", []), ("many.take(words)", FAILS),
        ("many.intersect(one)", [3]), ("many.intersect(none)", []), ("many.exclude(one)", [1, 2]),
        ("many.exclude(none)", [3, 1, 2, 3]), ("none.exclude(many)", []),
        # combining
        ("many.union(one)", [3, 1, 2]), ("none.union(many)", [3, 1, 2]), ("one.combine(one)", [3, 3]),
        ("none.combine(one)", [3]),
        # utility and aggregates
        ("iif(true, 'a', 'b')", ["a"]), ("iif(false, 'a', 'b')", ["b"]), ("iif({}, 'a')", []),
        ("iif({}, 'a', 'b')", ["b"]),
        ("iif(many, 'a')", FAILS), ("one.iif($this = 3, 'three')", ["three"]),
        ("many.aggregate($this + $total, 0)", [9]), ("none.aggregate($this + $total, 0)", [0]),
        ("many.aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", [1]),
        ("many.aggregate($total & $this.toString(), '')", ["3123"]), ("none.sum()", []), ("many.sum()", [9]),
        ("many.min()", [1]), ("words.max()", ["b"]), ("many.avg()", [2.25]), ("mixed.sum()", FAILS),
        # logic and types
        ("true.not()", [False]), ("none.not()", []), ("many.not()", FAILS), ("one.not()", [False]),
        ("text is String", [True]), ("none is String", []), ("many is Integer", FAILS), ("one is Integer", [True]),
        ("text as Integer", []), ("text as String", ["abcdefg"]), ("many as Integer", FAILS), ("none as String", []),
        ("one.type().name", ["Integer"]), ("deep.type().name", ["object"]), ("text.is(System.String)", [True]),
        # tree
        ("deep.children().count()", [1]), ("deep.descendants().count()", [5]), ("none.children()", []),
        ("deep.descendants().c", [1, 2]), ("text.children()", []),
        # text, edges
        ("text.substring(3)", ["defg"]), ("text.substring(1, 2)", ["bc"]), ("text.substring(6, 2)", ["g"]),
        ("text.substring(7, 1)", []), ("text.substring(-1)", []), ("text.substring(0, 0)", [""]),
        ("text.indexOf('')", [0]),
        ("'abc'.replace('b', '')", ["ac"]), ("'a.b'.matches('a.b')", [True]), ("'a\\nb'.matches('a.b')", [True]),
        ("'abc'.matches('')", [True]), ("'abc'.replaceMatches('', 'x')", ["abc"]),
        ("'ab'.replaceMatches('(a)', '$1$1')",
         ["aab"]), ("''.toChars()", []), ("'é'.encode('base64').decode('base64')", ["é"]), ("'x'.encode('rot13')", []),
        ("'\"'.escape('json')", ['\\"']), ("('a' | 'b').join()", ["ab"]), ("none.join(',')", []),
        ("many.join(',')", FAILS),
        # conversion, edges
        ("'2026-13'.toDate()", []), ("'2026-01-31T10:00'.toDate()", ["2026-01-31"]), ("@2026-01-31.toDateTime()",
         ["2026-01-31"]), ("'10:30'.toTime()", ["10:30"]), ("'25:00'.toTime()", []), ("'1.5e3'.toDecimal()", []),
        ("'+12'.toInteger()", [12]), ("1.5.toInteger()", []), ("'4 days'.toQuantity()", ["4 days"]),
        ("'4 \\'mg\\''.toQuantity().toString()", ["4 'mg'"]), ("1.toBoolean()", [True]), ("2.toBoolean()", []),
        ("deep.toString()", []), ("'NO'.toBoolean()", [False]), ("@2020.toString()", ["2020"]),
    ],
)  # fmt: skip
def test_function(expression: str, answer: Any) -> None:
    assert ask(expression, DATA) == answer


def test_member_of_asks_the_caller() -> None:
    def member(url: str, system: str, code: str) -> bool | None:
        return (system, code) in {("", "a"), ("urn:s", "b")} if url == "urn:known" else None

    env = Environment(member=member)
    data = {
        "code": "a",
        "coding": {"system": "urn:s", "code": "b"},
        "concept": {"coding": [{"code": "z"}, {"code": "a"}]},
    }
    assert ask("code.memberOf('urn:known')", data, env) == [True]
    assert ask("coding.memberOf('urn:known')", data, env) == [True]
    assert ask("concept.memberOf('urn:known')", data, env) == [True]
    assert ask("'q'.memberOf('urn:known')", data, env) == [False]
    assert ask("code.memberOf('urn:unknown')", data, env) == []
    assert ask("code.memberOf('urn:known')", data) == []


def test_resolve_finds_only_what_the_translation_holds() -> None:
    env = Environment(references={"Patient/1": {"resourceType": "Patient", "id": "1", "active": True}})
    data = {"subject": {"reference": "Patient/1"}, "other": {"reference": "Patient/2"},
     "uri": "http://h/fhir/Patient/1",
            "inner": {"reference": "#c"}, "contained": [{"resourceType": "Organization", "id": "c"}]}  # fmt: skip
    assert ask("subject.resolve().active", data, env) == [True]
    assert ask("other.resolve()", data, env) == []
    assert ask("uri.resolve().id", data, env) == ["1"]
    assert ask("inner.resolve().id", data, env) == ["c"]
    assert ask("(subject | other).resolve().count()", data, env) == [1]


def test_our_own_functions_register_in_a_closed_list() -> None:
    lookup = Function(
        "lookup", "lookup(table, code)", Style.VALUE, lambda data, table, code: data[table].get(code),
        2, 2, takes=("String", "String"), gives="String", context=True, on="tables",
    )  # fmt: skip
    registry = REGISTRY.extended([lookup])
    env = Environment(data={"place": {"home": "HH"}})
    assert ask("%tables.lookup('place', p)", {"p": "home"}, env, functions=registry) == ["HH"]
    assert ask("%tables.lookup('place', p)", {"p": "x"}, env, functions=registry) == []
    assert ask("%tables.lookup('place', p)", {}, env, functions=registry) == []
    with pytest.raises(ExpressionError, match=r"did you mean %tables\.lookup"):
        compile_expression("%tables.lookpu('a', 'b')", functions=registry)
    with pytest.raises(ExpressionError, match="holds functions"):
        compile_expression("%tables", functions=registry)
    with pytest.raises(ExpressionError, match="no function lookup"):
        compile_expression("'a'.lookup('a', 'b')", functions=registry)
    with pytest.raises(ValueError, match="declared twice"):
        registry.extended([lookup])
    with pytest.raises(ValueError, match="a name that"):
        Registry((Function("a-b", "a-b()", Style.INLINE),))


def test_the_page_of_functions_names_each_once() -> None:
    page = functions_page(REGISTRY)
    for function in REGISTRY:
        wanted = f"| `{function.name}()` |" if function.style is Style.REFUSED else f"| `{function.usage}` |"
        assert page.count(wanted) == 1
    assert "`'abc'.length()  →  3`" in page
    assert all(f"| {code} |" in page for code in CODES if code.startswith("FE"))
