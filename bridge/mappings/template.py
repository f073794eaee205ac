"""The engine: templates and expressions against a record. Nothing else knows which engine it is.

It stands on the published `fpml` with expressions parsed once. Two things are put right on the way: `fpml` reads what
an expression gave as a template again, so a record's own `{{ … }}` would be run (here braces of a record are never seen
by it), and `fhirpathpy` makes decimals of every number (they leave as they came).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import fpml
from fhirpathpy import apply_parsed_path

from bridge.mappings.expressions import parse
from bridge.mappings.functions import FUNCTIONS, Functions

ENGINE = f"fpml {version('fpml')}, fhirpathpy {version('fhirpathpy')}"

# Stands for `{` in all that a record says while it is being mapped. U+FDD0 is no character and may not be interchanged.
_BRACE = "\ufdd0"
_apply: Callable[..., Any] = apply_parsed_path
_WRAPPED = re.compile(r"\{\{\s*([\s\S]+?)\s*\}\}|\{\[\s*([\s\S]+?)\s*\]\}")


class EngineError(Exception):
    """Rendering failed at `path`. Carries no value: what the engines say in their own messages stays behind."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class Scope:
    """What the expressions of one part see: the record, named values, our functions. Made by `scope_of`."""

    record: dict[str, Any] = field(repr=False)
    variables: dict[str, Any] = field(repr=False)
    functions: Functions
    table: dict[str, Any] = field(repr=False)

    def with_variables(self, **more: Any) -> Scope:
        """The same with more names. What they stand for came from an expression of this scope."""
        return Scope(self.record, {**self.variables, **more}, self.functions, self.table)


def scope_of(record: dict[str, Any], variables: Mapping[str, Any], functions: Functions) -> Scope:
    """A scope for one record. Raises EngineError where the record holds the one character that may not be there."""
    return Scope(
        record=_hidden(record),
        variables={"tables": "tables", **_hidden(dict(variables))},
        functions=functions,
        table={name: _registered(functions, name) for name in FUNCTIONS},
    )


class Template:
    """A template (FPML) ready to be rendered any number of times."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def render(self, scope: Scope) -> Any:
        """What the template makes of the scope, None where nothing is left. Raises EngineError."""
        try:
            made = fpml.resolve_template(scope.record, self._value, scope.variables, evaluate=_evaluator(scope))
        except fpml.FPMLValidationError as error:
            raise EngineError(error.error_path) from None
        return _shown(made)


class Expression:
    """One FHIRPath expression, written bare or in `{{ }}` or `{[ ]}`."""

    def __init__(self, text: str) -> None:
        self.text = unwrapped(text)

    def evaluate(self, scope: Scope) -> list[Any]:
        """All results, as values that may be named in a scope. Raises EngineError."""
        try:
            return _evaluator(scope)(scope.record, self.text, dict(scope.variables))
        except EngineError:
            raise
        except Exception:  # noqa: BLE001  # fhirpathpy raises bare exceptions, and says values in them
            raise EngineError(self.text) from None

    def values(self, scope: Scope) -> list[Any]:
        """All results, as the record says them. Raises EngineError."""
        return [_shown(one) for one in self.evaluate(scope)]

    def holds(self, scope: Scope) -> bool:
        """Whether the one result is true. Raises EngineError."""
        return self.evaluate(scope) == [True]


def unwrapped(text: str) -> str:
    """The expression inside `{{ }}` or `{[ ]}`, or the text itself."""
    found = _WRAPPED.fullmatch(text.strip())
    return (found[1] or found[2]) if found else text.strip()


def _evaluator(scope: Scope) -> Callable[[Any, str, dict[str, Any]], list[Any]]:
    options = {"userInvocationTable": scope.table}

    def evaluate(record: Any, expression: str, variables: dict[str, Any]) -> list[Any]:
        found = _apply(record, parse(expression), variables, None, options)
        return found if isinstance(found, list) else [found]

    return evaluate


def _registered(functions: Functions, name: str) -> dict[str, Any]:
    """One of our functions as fhirpathpy calls it; what it gives is hidden like the record."""
    made = getattr(functions, name)
    signature = FUNCTIONS[name]

    def call(_: Any, *arguments: Any) -> Any:
        plain = [[_plain(one) for one in (given if isinstance(given, list) else [given])] for given in arguments]
        return _hidden(made(*plain))

    counts = range(signature.fewest, signature.most + 1)
    return {"fn": call, "arity": {count: ["Any"] * count for count in counts}}


def _plain(value: Any) -> Any:
    return _shown(getattr(value, "data", value))


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        if _BRACE in value:
            raise EngineError("")
        return value.replace("{", _BRACE)
    if isinstance(value, dict):
        return {key: _hidden(inner) for key, inner in value.items()}
    return [_hidden(inner) for inner in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(_BRACE, "{")
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value
