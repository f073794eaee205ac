"""A slice of bench/differential.py: generated pairs agree with the published engines, or the difference is listed."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.unit.mappings.defects import known
from tests.unit.mappings.generated import SCHEMA, expressions, records, templates
from tests.unit.mappings.oracle import (
    ERROR,
    ours_expression,
    ours_template,
    same,
    theirs_expression,
    theirs_template,
)

_SLICE = settings(
    max_examples=250, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck)
)


def _agree(typed: Any, untyped: Any) -> bool:
    refused = str(typed).startswith(ERROR) and str(untyped).startswith(ERROR)
    return bool(typed == untyped) or refused or str(typed).startswith(f"{ERROR} FP12")


@seed(20261122)
@_SLICE
@given(expressions(), records())
def test_expressions(text: str, record: dict[str, Any]) -> None:
    typed = ours_expression(text, record, SCHEMA)
    assert _agree(typed, ours_expression(text, record, None))
    assert same(typed, theirs_expression(text, record)) or known(text, typed)


@seed(20261122)
@_SLICE
@given(templates(), records())
def test_templates(template: Any, record: dict[str, Any]) -> None:
    typed = ours_template(template, record, SCHEMA)
    assert _agree(typed, ours_template(template, record, None))
    assert same(typed, theirs_template(template, record)) or known(template, typed)
