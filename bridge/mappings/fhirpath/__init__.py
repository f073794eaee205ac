"""FHIRPath (N1 with FHIR R4's additions) compiled to Python.

`compile_expression(text, schema=…)` gives a CompiledExpression; `evaluate(record, Environment(…))` its items.
"""

from __future__ import annotations

from bridge.mappings.fhirpath.builtins import REGISTRY
from bridge.mappings.fhirpath.expression import CompiledExpression, compile_expression
from bridge.mappings.fhirpath.limits import Limits
from bridge.mappings.fhirpath.model import ElementType, TypeModel
from bridge.mappings.fhirpath.moments import Moment
from bridge.mappings.fhirpath.problems import CODES, EvaluationError, ExpressionError, Fault, Halt, Issue, Position
from bridge.mappings.fhirpath.quantities import Quantity
from bridge.mappings.fhirpath.reads import Read, Reading, reads
from bridge.mappings.fhirpath.registry import Example, Function, Registry, Style
from bridge.mappings.fhirpath.running import Environment
from bridge.mappings.fhirpath.shapes import Shape

__all__ = [
    "CODES",
    "REGISTRY",
    "CompiledExpression",
    "ElementType",
    "Environment",
    "EvaluationError",
    "Example",
    "ExpressionError",
    "Fault",
    "Function",
    "Halt",
    "Issue",
    "Limits",
    "Moment",
    "Position",
    "Quantity",
    "Read",
    "Reading",
    "Registry",
    "Shape",
    "Style",
    "TypeModel",
    "compile_expression",
    "reads",
]
