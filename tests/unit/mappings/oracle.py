"""The published engines (fhirpathpy, fpml) asked the same question as ours, answers brought to one form."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhirpathpy import compile as compile_theirs
from fpml import resolve_template

from bridge.mappings.fhirpath import EvaluationError, ExpressionError, Moment, Quantity, compile_expression
from bridge.mappings.fpml import compile_template

ERROR = "error"
_compiled = lru_cache(maxsize=4096)(compile_theirs)


def plain(value: Any) -> Any:
    """JSON with every number a float or int of the same value, and dates as text."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, int | float | Decimal):
        number = float(value)
        return int(number) if math.isfinite(number) and number == int(number) else number
    return str(value) if isinstance(value, Moment | Quantity) else getattr(value, "asStr", str(value))


def ours_expression(text: str, record: Any, schema: dict[str, Any] | None) -> Any:
    """Our items, or ERROR with its code."""
    try:
        return plain(compile_expression(text, schema=schema).evaluate(record))
    except (ExpressionError, EvaluationError) as error:
        return f"{ERROR} {error.code}"


def theirs_expression(text: str, record: Any) -> Any:
    """fhirpathpy's items, or ERROR."""
    try:
        return plain(_compiled(text)(json.loads(json.dumps(record)), {}))
    except Exception:  # noqa: BLE001 (whatever the oracle raises is its answer)
        return ERROR


def ours_template(tree: Any, record: Any, schema: dict[str, Any] | None) -> Any:
    """Our resource, or ERROR with its code."""
    try:
        return plain(compile_template(tree, schema=schema).render(record))
    except (ExpressionError, EvaluationError) as error:
        return f"{ERROR} {error.code}"


def theirs_template(tree: Any, record: Any) -> Any:
    """fpml's resource, or ERROR."""
    try:
        data = json.loads(json.dumps(record))
        return plain(resolve_template(data, tree, evaluate=lambda r, text, context: _compiled(text)(r, context)))
    except Exception:  # noqa: BLE001 (whatever the oracle raises is its answer)
        return ERROR


def same(ours: Any, theirs: Any) -> bool:
    """Do the answers agree: the same JSON, or both refuse."""
    if isinstance(ours, str) and ours.startswith(ERROR):
        return bool(theirs == ERROR)
    return json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True)
