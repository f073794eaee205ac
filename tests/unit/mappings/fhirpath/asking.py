"""Evaluates an expression for a test, with and without a schema, and brings the answer to plain values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bridge.mappings.fhirpath import Environment, EvaluationError, ExpressionError, Moment, Quantity, compile_expression

FAILS = "fails"


def ask(text: str, data: Any = None, env: Environment | None = None, **options: Any) -> Any:
    """The items of an expression as a list, or FAILS where its types never fit (FP12) or this record's do not."""
    try:
        items = compile_expression(text, **options).evaluate({} if data is None else data, env or Environment())
    except EvaluationError:
        return FAILS
    except ExpressionError as error:
        if error.code != "FP12":
            raise
        return FAILS
    return [_plain(item) for item in items]


def _plain(item: object) -> object:
    if isinstance(item, Moment | Quantity):
        return str(item)
    if isinstance(item, Decimal):
        return int(item) if item == item.to_integral_value() else float(item)
    return item
