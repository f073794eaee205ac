"""Broken expressions, templates and records, and what must hold for every one of them."""

from __future__ import annotations

import ast
import json
import random
import re
import time
from typing import Any

from bridge.mappings.fhirpath import (
    CODES,
    REGISTRY,
    Environment,
    EvaluationError,
    ExpressionError,
    Limits,
    Style,
    compile_expression,
)
from bridge.mappings.fhirpath.compiling.assemble import Compiled
from bridge.mappings.fhirpath.problems import Position
from bridge.mappings.fhirpath.runtime import RUNTIME
from bridge.mappings.fpml import compile_template, leaves
from bridge.mappings.fpml.runtime import TEMPLATE_RUNTIME
from tests.unit.mappings.generated import SCHEMA

SEEDS = (
    "place", "staff.name & ' (' & staff.role & ')'", "goals.where(status = 'met').title.first()", "counts[0] + 1",
    "iif(done, 'a', goals.title | topics)", "goals.select(title & tags.join(','))", "started > @2026-01-01 and done",
    "counts.aggregate($this + $total, 0)", "goals.repeat(tags).distinct().count()",
     "%context.goals.exists(progress > 2)",
    "topics.where($this.matches('^[a-z]+$')).select($index)", "born + 3 months", "place in ('home' | 'office')",
    "(score * 2).round(1).toString().substring(0, 2)", "goals.descendants().ofType(String)", "4 'mg' > 1 'g'",
    "staff.level is Integer implies (staff.level as Integer) > -1", "'a'.replace('', 'bb').encode('base64')",
    "goals.all(tags.subsetOf(%context.topics))", "`place`.upper() ~ 'HOME' // note", "extension('x').value.unit",
)  # fmt: skip
_TOKENS = (
    "(", ")", "[", "]", "{", "}", ".", ",", "'", "`", "%", "$this", "$total", "@2020", "@T10", "+", "-", "*", "/", "|",
    "&", "=", "!=", "~", "<", ">=", " and ", " or ", " in ", " is ", " as ", " div ", "where(", "select(", "repeat(",
     "0",
    "99999999999999999999", "1.5", "true", "{}", " days", "'\\u0041'", "\\", "\n", "é", "\x00", "\ud800", "__class__",
    "__import__('os')", "q", "r", ".format(", "lambda", ";", '"', "%resource", "iif(", "trace('x')", "now()", "//",
     "/*",
)  # fmt: skip
_TREES: tuple[Any, ...] = (
    {"resourceType": "Encounter", "a": "{{ place }}", "b": {"c": "{[ topics ]}", "d": ["{{ staff.name }}", [1, None]]}},
    {"{% assign %}": [{"x": "{{ place }}"}, {"y": {"z": "{{ %x }}"}}], "a": "p/{{ %x }}/{{+ %y.z +}}"},
    {"{% if done %}": {"a": "{{ duration }}"}, "{% else %}": {"b": 1}, "c": "{{ score }}"},
    {
        "l": {
            "{% for i, g in goals %}": {
                "n": "{{ %i }}",
                "t": "{{ %g.title }}",
                "u": {"{% for t in %g.tags %}": "{{ %t }}"},
            }
        }
    },
    {"{% merge %}": [{"a": 1}, {"{% if done %}": {"b": "{{ place }}"}}, "{{ staff }}"], "z": "{{ born }}"},
)
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", "x" * 5000, "{{ place }}", "2020-13-45", [], {}, [None], [[1], [2]],
     {"a": None},
    {"value": "x"}, {"resourceType": 5}, {"value": 1, "unit": 2}, "\ud800", float("inf"),
)  # fmt: skip
_OPERATORS = (
    "+", "-", "*", "/", "&", "|", "=", "!=", "~", "!~", "<", ">", "<=", ">=", "and", "or", "xor", "implies", "div",
     "mod",
    "in", "contains",
)  # fmt: skip
_FUNCTIONS = tuple(function for function in REGISTRY if function.style is not Style.REFUSED)
_LIMITS = Limits(work=20_000, rounds=50)
_SLOW = 5.0


def compose(chance: random.Random, depth: int = 3) -> str:
    """A well-formed expression of any operators and functions over anything."""
    kind = chance.randrange(6) if depth else 0
    if kind == 0:
        return chance.choice((*SEEDS, "$this", "$index", "{}", "1", "'a'", "@2020-02", "2 days", "goals", "counts"))
    first = compose(chance, depth - 1)
    if kind in (1, 2):
        return f"({first}) {chance.choice(_OPERATORS)} ({compose(chance, depth - 1)})"
    if kind == 3:
        return f"({first})[{compose(chance, depth - 1)}]"
    function = chance.choice(_FUNCTIONS)
    arguments = ", ".join(compose(chance, depth - 1) for _ in range(chance.randint(function.least, function.most)))
    return f"({first}).{function.name}({arguments})"


def mutate_text(chance: random.Random, text: str) -> str:
    """The text with a few pieces added, removed, doubled or exchanged."""
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        place = chance.randrange(len(text) + 1)
        kind = chance.randrange(5)
        end = min(len(text), place + chance.randint(1, 8))
        if kind == 0:
            text = text[:place] + chance.choice(_TOKENS) + text[place:]
        elif kind == 1:
            text = text[:place] + text[end:]
        elif kind == 2:
            text = text[:end] + text[place:end] * chance.randint(1, 3) + text[end:]
        elif kind == 3:
            text = text[:place] + chance.choice(SEEDS)
        else:
            text = text[:place] + chance.choice(_TOKENS) + text[end:]
    return text


def mutate_tree(chance: random.Random, tree: Any) -> Any:
    """The template with some nodes and keys broken."""
    if isinstance(tree, dict):
        found: dict[Any, Any] = {}
        for key, value in tree.items():
            name = mutate_text(chance, key) if chance.random() < 0.12 else key
            found[name if chance.random() > 0.01 else chance.choice([None, 5, True])] = mutate_tree(chance, value)
        return found
    if isinstance(tree, list):
        return [mutate_tree(chance, item) for item in tree for _ in range(chance.choice([1, 1, 1, 2]))]
    if chance.random() < 0.08:
        return chance.choice([*_VALUES, chance.choice(_TREES)])
    if isinstance(tree, str) and chance.random() < 0.4:
        return "{{ " + compose(chance, 2) + " }}" if chance.random() < 0.5 else mutate_text(chance, tree)
    return tree


def mutate_record(chance: random.Random, record: Any) -> Any:
    """The record with some values of another type, missing or doubled."""
    if chance.random() < 0.06:
        return chance.choice(_VALUES)
    if isinstance(record, dict):
        return {key: mutate_record(chance, value) for key, value in record.items() if chance.random() > 0.04}
    return [mutate_record(chance, item) for item in record] if isinstance(record, list) else record


RECORD: dict[str, Any] = {
    "place": "home", "summary": "a", "duration": 5, "score": 2.25, "done": True, "born": "2020-02-29",
    "started": "2026-03-02T10:00:00-05:00", "staff": {"name": "n", "role": "r", "level": 2}, "topics": ["a", "b"],
    "counts": [1, 2, 3], "goals": [{"title": "t", "status": "met", "progress": 3, "tags": ["a"]}, {"title": "u"}],
}  # fmt: skip


def check(chance: random.Random) -> str:
    """One broken case; returns how it ended. Raises AssertionError where something must not happen."""
    kind = chance.choice(("expression", "template"))
    schema = chance.choice((SCHEMA, None))
    record = mutate_record(chance, RECORD) if chance.random() < 0.6 else RECORD
    before = json.dumps(record)
    begun = time.monotonic()
    try:
        if kind == "expression":
            text = compose(chance) if chance.random() < 0.5 else mutate_text(chance, chance.choice(SEEDS))
            expression = compile_expression(text, schema=schema)
            _check_source(expression.compiled)
            expression.evaluate(record, Environment(limits=_LIMITS))
        else:
            template = compile_template(mutate_tree(chance, chance.choice(_TREES)), schema=schema)
            _check_source(template.compiled)
            leaves(template.template, schema=schema)
            json.dumps(template.render(record, Environment(limits=_LIMITS)))
        ended = f"{kind} ok"
    except (ExpressionError, EvaluationError) as error:
        _check_error(error.code, error.position)
        ended = f"{kind} {error.code}"
    assert time.monotonic() - begun < _SLOW
    assert json.dumps(record) == before, "a record is never changed"
    return ended


def _check_error(code: str, position: Position) -> None:
    assert code in CODES
    assert position.line >= 1
    assert position.column >= 1


_OURS = re.compile(r"[a-zA-Z]\d+|[qrvo]|run")
_FIELDS = frozenset({"get", "append", "extend", "upper", "lower", "strip", "startswith", "endswith", "update", "spend"})
_SLOTS = frozenset({"__class__", "model", "data", "left"})


def _check_source(compiled: Compiled) -> None:
    """Nothing in compiled code is named by a mapping or record."""
    for node in ast.walk(ast.parse(compiled.source)):
        if isinstance(node, ast.Name):
            assert _OURS.fullmatch(node.id) or node.id in RUNTIME or node.id in TEMPLATE_RUNTIME, node.id
        elif isinstance(node, ast.Attribute):
            assert node.attr in _FIELDS | _SLOTS, node.attr
        else:
            assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda)
