"""What an expression is said to read is all it reads: changing anything else never changes its answer.

Labels stand on this: a path that is left out would let a labelled field leave without its label.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bridge.mappings.fhirpath import ExpressionError, Read, reads
from bridge.mappings.fhirpath.parser import parse
from bridge.mappings.fpml import compile_template, covers, leaves
from tests.unit.mappings.generated import SCHEMA, expressions, records, templates
from tests.unit.mappings.oracle import ours_expression, ours_template

_SLICE = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
_FIELDS = sorted(SCHEMA["properties"])
_INNER = sorted(SCHEMA["properties"]["goals"]["items"]["properties"])


def _changed(record: dict[str, Any], other: dict[str, Any], found: frozenset[Read]) -> dict[str, Any]:
    """The record with everything that is not read taken from another one."""
    result = {}
    for field in _FIELDS:
        source = record if any(covers(field, read) for read in found) or _noticed(field, found) else other
        if field in source:
            result[field] = source[field]
    return _goals(result, other, found)


def _noticed(field: str, found: frozenset[Read]) -> bool:
    return any(read.path in (field, "") for read in found)


def _goals(result: dict[str, Any], other: dict[str, Any], found: frozenset[Read]) -> dict[str, Any]:
    hidden = [name for name in _INNER if not any(covers(f"goals.{name}", read) for read in found)]
    if hidden and isinstance(result.get("goals"), list):
        words = {"title": "changed", "status": "changed", "progress": 99, "tags": ["changed"]}
        goals = [
            {key: words[key] if key in hidden else value for key, value in goal.items()} for goal in result["goals"]
        ]
        return {**result, "goals": goals}
    return result


@seed(20261122)
@_SLICE
@given(expressions(), records(), records())
def test_of_expressions(text: str, record: dict[str, Any], other: dict[str, Any]) -> None:
    found = reads(parse(text))
    assert ours_expression(text, _changed(record, other, found), None) == ours_expression(text, record, None)


@seed(20261122)
@_SLICE
@given(templates(), records(), records(), st.booleans())
def test_of_templates(template: Any, record: dict[str, Any], other: dict[str, Any], typed: bool) -> None:
    schema = SCHEMA if typed else None
    try:
        parsed = compile_template(template, schema=schema).template
    except ExpressionError:
        return
    found = frozenset[Read]().union(*(leaf.sources for leaf in leaves(parsed, schema=schema)))
    assert ours_template(template, _changed(record, other, found), schema) == ours_template(template, record, schema)
