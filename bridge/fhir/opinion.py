"""A second opinion on a resource: fhir.resources' typed models, asked whenever a mapping is checked.

Its `R4B` subpackage (4.3.0) is the closest it has to R4; for the resources written here the two differ in
`Extension.value[x]` only (seen with 8.3.0, 2026-11-21). It knows no profiles, bindings, reference targets or
invariants, and is 30 times slower: it is asked beside `validate`, never instead. Nothing is ever dumped through it, for
it changes decimals and milliseconds.
"""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import ValidationError

from bridge.fhir.findings import path_of
from bridge.model import Finding, Severity, type_json

CODE = "fhir-second-opinion"
ONLY_IN_R4 = {"valueMeta"}  # R4B took it from Extension.value[x]

# What it lets through of its own on odd input (a contained resource of no known type: KeyError with that text).
BROKEN = (KeyError, TypeError, ValueError, AttributeError, AssertionError, RecursionError)


def second_opinion(resource: type_json) -> tuple[Finding, ...]:
    """What fhir.resources finds wrong, by place and kind of error; its messages quote values and are not passed on.

    Takes 0.3 s at the first call, when the models are loaded. Never raises for what a resource holds.
    """
    from fhir.resources.R4B import get_fhir_model_class  # heavy, and not needed on the line

    kind = resource.get("resourceType")
    try:
        orjson.dumps(resource, default=str)  # circular or too deep to be walked
        model = get_fhir_model_class(kind if isinstance(kind, str) else "")
    except (TypeError, ValueError, KeyError):
        return (_finding("resourceType", "names a resource that fhir.resources knows"),)
    try:
        model.model_validate(resource)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        told = (_tell(str(kind), detail["type"], detail["loc"]) for detail in details)
        return tuple(dict.fromkeys(finding for finding in told if finding is not None))
    except BROKEN:
        return (_finding(str(kind), "can be read by fhir.resources"),)
    return ()


def _tell(kind: str, error: str, place: tuple[Any, ...]) -> Finding | None:
    if error == "extra_forbidden":  # the last step is a name of the document, not of the model
        return (
            None if place[-1] in ONLY_IN_R4 else _finding(path_of(kind, place[:-1]), "has only elements FHIR defines")
        )
    return _finding(path_of(kind, place), f"passes fhir.resources ({error})")


def _finding(path: str, rule: str) -> Finding:
    return Finding(CODE, Severity.WARNING, path, rule)
