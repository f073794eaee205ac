"""Where the published engines are wrong by the specification: the case, their answer, ours, and the rule.

Every entry is run (test_defects.py), so an entry that a new release heals is noticed. `applies` recognises further
generated cases of the same defect; entries without it explain what the generators do not make.

Oracles: fhirpathpy 2.2.4, fpml 1.0.0. Rules: FHIRPath N1 (hl7.org/fhirpath/N1), FPML (README of
beda-software/FHIRPathMappingLanguage), FHIR R4 JSON (hl7.org/fhir/R4/json.html).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.unit.mappings.oracle import ERROR


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect; `case` is an expression, or a template where it is not a string or `template` is set."""

    name: str
    case: Any
    record: Any
    theirs: Any
    ours: Any
    rule: str
    applies: str = ""
    template: bool = False


_GOALS = {"flag": [{"on": True, "n": 1}, {"on": False, "n": 2}], "list": [1, 2, 2], "n": 3}
DEFECTS: tuple[Defect, ...] = (
    # ── fhirpathpy: answers ───────────────────────────────────────────────────────────────────────────────────────
    Defect("where with a Boolean field keeps the false rows", "flag.where(on).n", _GOALS, [1, 2], [1],
           "N1 where: elements for which the criteria evaluates to false are not included"),
    Defect("sum over a field fails", "list.sum()", _GOALS, ERROR, [5], "aggregate functions take the items' values"),
    Defect("avg over a field fails", "list.avg()", _GOALS, ERROR, [5 / 3], "as sum"),
    Defect("min over a field fails", "list.min()", _GOALS, ERROR, [1], "as sum"),
    Defect("a sign before a path fails", "-n", _GOALS, ERROR, [-3], "N1 Math: unary minus takes a number", r"\(-"),
    Defect("two names in a row pass", "n n", _GOALS, [3], "error FP02", "N1 grammar: an operator stands between terms"),
    Defect("an open bracket passes", "(n", _GOALS, [3], "error FP02", "N1 grammar: parenthesizedTerm"),
    Defect("a closing bracket too many passes", "n)", _GOALS, [3], "error FP02", "N1 grammar"),
    Defect("a field named as a unit is dropped with its operator", "minutes + 1", {"minutes": 5}, [1], [6],
           "a path is never silently skipped; we read unit words as names where a name stands"),
    Defect("iif with one item that is no Boolean", "iif('x', 'a', 'b')", {}, ["b"], ["a"],
           "N1 Singleton Evaluation: a single item where a Boolean is expected is true", r"^\{% if (?!.*[=<>])"),
    Defect("a string as an operand of and", "t and true", {"t": "x"}, ERROR, [True],
           "N1 Singleton Evaluation: a single item where a Boolean is expected is true"),
    Defect("quantities of different units are not converted", "1 'cm' = 0.01 'm'", {}, [False], [True],
           "N1 Equality: the dimensions must be the same, but not necessarily the unit"),
    Defect("ordering quantities of different units fails", "1 'g' > 500 'mg'", {}, ERROR, [True], "N1 Comparison"),
    Defect("comparing a record's Quantity fails", "q > 4 'mg'", {"q": {"value": 5, "code": "mg"}}, ERROR, [True],
           "R4: a FHIR Quantity is a System.Quantity to operators"),
    Defect("a Decimal loses its places as text", "1.0.toString()", {}, ["1"], ["1.0"], "N1 toString: (+|-)?d+(.d+)?"),
    Defect("a Boolean as text is Python's", "true.toString()", {}, ["True"], ["true"], "N1 toString: true or false"),
    Defect("single() answers instead of failing", "list.single()", _GOALS,
           [{"$status": "error", "$error": "Expected single"}], "error FE01",
           "N1 single: with multiple items an error is signaled", r"single\(\)"),
    Defect("take of less than nothing takes", "list.take(-1)", _GOALS, [1, 2], [], "N1 take: num <= 0 is empty"),
    Defect("endsWith of the empty string", "''.endsWith('')", {}, [False], [True],
           "N1 endsWith: true when suffix is the empty string", r"endsWith\(''\)"),
    Defect("replace in the empty string", "''.replace('a', '')", {}, [], [""],
           "N1 replace: a single String gives a String", r"replace\("),
    Defect("encode of the empty string", "''.encode('base64')", {}, [], [""],
           "N1 encode: a single String gives a String", r"encode\("),
    Defect("encode of a field as hex fails", "t.encode('hex')", {"t": "ñ"}, ERROR, ["c3b1"],
           "N1 encode: hex of the bytes of the text", r"encode\("),
    Defect("decode of the empty string", "''.decode('base64')", {}, [], [""], "N1 decode", r"decode\("),
    Defect("decode of what was not encoded fails", "'Casa'.decode('hex')", {}, ERROR, [],
           "N1 decode: text that cannot be decoded gives nothing", r"decode\("),
    Defect("escape does not exist", "'<'.escape('html')", {}, ERROR, ["&lt;"], "N1 Additional String Functions"),
    Defect("round of a half goes down", "100.25.round(1)", {}, [100.2], [100.3],
           "N1 round: a traditional round (0.5 or higher goes up)", r"round\("),
    Defect("round of a negative fails", "(-2.5).round()", {}, ERROR, [-3], "N1 round takes every number", r"round\("),
    Defect("power with a fraction gives nothing", "4.power(0.5)", {}, [], [2], "N1 power"),
    Defect("power of a negative gives nothing", "(-8).power(2)", {}, [], [64], "N1 power", r"power\("),
    Defect("the remainder takes the divisor's sign", "(-7) mod 2", {}, [1], [-1],
           "N1 mod: the remainder of the truncated division", r" mod "),
    Defect("the logarithm of 0", "0.ln()", {}, [float("-inf")], [], "N1: what is no number is empty"),
    Defect("a computed 1 is no Boolean", "1.abs().convertsToBoolean()", {}, [False], [True],
           "N1 toBoolean: 1 is true, 1.0 is true", r"(convertsToBoolean|toBoolean)\("),
    Defect("a partial date counts odd months up", "@2020 - 21 months", {}, ["2018"], ["2019"],
           "N1: converted to the precision of the partial, removing any decimal value", r"@20\d\d [-+] \d+ (?!y)"),
    Defect("time arithmetic over midnight fails", "@T23:00 + 2 hours", {}, ERROR, ["01:00"], "a time of day is cyclic"),
    Defect("a record's string is no String", "t.is(String)", {"t": "x"}, [False], [True],
           "N1 Types: without a model an item has its System type", r"\bis\b"),
    Defect("as of a record's Integer", "n as Integer", _GOALS, [], [3], "N1 as", r"\bas\b"),
    Defect("children() fails on plain records", "children().count()", {"a": 1}, ERROR, [1],
           "N1 children: all immediate child nodes", r"children\(\)"),
    Defect("hasValue fails on plain records", "n.hasValue()", _GOALS, ERROR, [True], "R4 hasValue", r"hasValue"),
    Defect("~ minds the order", "(1 | 2) ~ (2 | 1)", {}, [False], [True], "N1 ~: comparison is not order dependent",
           r"~"),
    Defect("a computed item and an equal field are two", "goals.title | goals.select(title & '')",
           {"goals": [{"title": "x"}]}, ["x", "x"], ["x"], "N1 union: duplicates by equals are eliminated",
           r"\||union|distinct|isDistinct|combine|intersect|exclude|subsetOf|supersetOf|repeat"),
    Defect("a polymorphic element is not found without a model", "obs.value", {"obs": {"valueString": "x"}}, [], ["x"],
           "R4: choice elements are read without their type"),
    Defect("the clock can be read", "now() > @2020", {}, [True], "error FP06", "a mapping reaches no clock"),
    # ── fpml: templates ───────────────────────────────────────────────────────────────────────────────────────────
    Defect("text of a record is run as a template", {"k": "{{ t }}"}, {"t": "{{ secret }}", "secret": "s"},
           {"k": "s"}, {"k": "{{ secret }}"}, "data is never code: the result of an expression is its value"),
    Defect("null stays in lists", [1, None, 2], {}, [1, None, 2], [1, 2],
           "README: arrays of nulls are invalid; automatic null removal"),
    Defect("a literal null stays", {"k": None, "a": 1}, {}, {"k": None, "a": 1}, {"a": 1},
           "R4 JSON: properties are never null"),
    Defect("null in a copied object stays", {"k": "{{ o }}"}, {"o": {"a": 1, "b": None}}, {"k": {"a": 1, "b": None}},
           {"k": {"a": 1}}, "R4 JSON: properties are never null"),
    Defect("a Boolean in a text is Python's", "x{{ b }}", {"b": True}, "xTrue", "xtrue",
           "README: concatenation follows FHIRPath rules", template=True),
    Defect("an expression cannot hold the closing sign", "{{ 'a}}b' }}", {}, ERROR, "a}}b",
           "a string literal may hold any character", template=True),
    Defect("what follows a list is dropped", "{[ l ]} tail", {"l": [1]}, [1], "error FT06",
           "nothing is dropped quietly", template=True),
    Defect("an unknown block is copied", {"{% iff a %}": 1}, {}, {"{% iff a %}": 1}, "error FT01",
           "a misspelt block is an error"),
    Defect("if beside merge is copied", {"{% merge %}": [{"a": 1}], "{% if b %}": {"c": 2}}, {"b": True},
           {"{% if b %}": {"c": 2}, "a": 1}, {"a": 1, "c": 2}, "every block of an object is carried out",
           r"\{% merge %\}"),
    Defect("if with several items is false", {"{% if l %}": 1, "{% else %}": 2}, {"l": [1, 2]}, 2, "error FE01",
           "README: evaluated as the first argument of iif; N1: several items where one is expected is an error"),
    Defect("a Quantity leaks as a Python object", {"k": "{{ 1 day }}"}, {}, {"k": "1 day"},
           {"k": {"value": 1, "unit": "day"}}, "a resource holds JSON"),
)  # fmt: skip


def known(case: Any, ours: Any) -> Defect | None:
    """The defect that explains why theirs differs from ours on a generated case; None where none does."""
    text = case if isinstance(case, str) else json.dumps(case, ensure_ascii=False)
    for defect in DEFECTS:
        if defect.applies and re.search(defect.applies, text):
            return defect
    return None
