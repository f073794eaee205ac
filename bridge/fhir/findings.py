"""Errors of the schema run told as Findings: from the place and the rule only, never from the value.

An error's own message quotes the instance, so it is not read at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from jsonschema_rs import ValidationError, ValidationErrorKind

from bridge.fhir.definitions import Definitions
from bridge.fhir.invariants import RULES
from bridge.fhir.primitives import Schema
from bridge.model import Finding, Severity

# Codes, never reused. Invariants go by their own key (per-1, us-core-6).
UNKNOWN = "fhir-unknown-element"  # an element FHIR does not define here
TYPE = "fhir-type"  # another JSON type than the element's
FORMAT = "fhir-format"  # a primitive that is not written as its type asks
EMPTY = "fhir-empty"  # an empty string, list or object
REQUIRED = "fhir-required"  # a required element is absent
CARDINALITY = "fhir-cardinality"  # too few or too many
CHOICE = "fhir-choice"  # more than one of a choice
BINDING = "fhir-binding"  # a code outside its required value set
REFERENCE = "fhir-reference"  # a reference that is malformed or to a type not allowed here
SLICE = "fhir-slice"  # a profile's required slice is absent, or there are too many
FIXED = "fhir-fixed"  # a value or pattern that a profile fixes
LIMIT = "fhir-limit"  # longer, less or more than a profile allows
NOT_ALLOWED = "fhir-not-allowed"  # an element the profile excludes
INVALID = "fhir-invalid"  # anything else the schema refuses

NOT_EMPTY = "is not empty: an element without content is left out"
JSON_TYPES = {"object": "an object", "array": "a list", "string": "a string", "number": "a number",
              "integer": "a whole number", "boolean": "true or false"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """What is needed to tell an error: the resource it is in and what that contains.

    An error's path begins with the root it was found under (the type or a profile), which is left out.
    """

    definitions: Definitions
    schema: Mapping[str, Schema]  # the document's $defs
    resource: Mapping[str, Any] = field(repr=False)
    contained: Mapping[str, str]  # id → resource type

    @property
    def type(self) -> str:
        return str(self.resource["resourceType"])


def tell(errors: Iterable[ValidationError], context: Context) -> tuple[Finding, ...]:
    """The findings of one schema run, each place and code once; what an extension excuses is left out."""
    found: dict[tuple[str, str], Finding] = {}
    for error in errors:
        if not _excused(error, context):
            finding = _finding(error, context)
            found.setdefault((finding.path, finding.code), finding)
    wrong_type = {path for path, code in found if code == TYPE}
    return tuple(finding for (path, code), finding in found.items() if code == TYPE or path not in wrong_type)


def path_of(type_name: str, steps: Sequence[str | int]) -> str:
    """`Patient.name[0].given[1]`; the extensions of a primitive stand under its own name."""
    return type_name + "".join(f"[{step}]" if isinstance(step, int) else f".{step.removeprefix('_')}" for step in steps)


def _excused(error: ValidationError, context: Context) -> bool:
    """An extension stands for the value (`_name`), or the reference is to something contained here."""
    keyword, value, steps = error.kind.name, error.instance, error.instance_path[1:]
    if value is None and len(steps) > 1 and isinstance(steps[-1], int):
        beside = _at(context.resource, [*steps[:-2], f"_{steps[-2]}"])
        index = steps[-1]
        return isinstance(beside, list) and index < len(beside) and isinstance(beside[index], dict)
    if isinstance(error.kind, ValidationErrorKind.Required) and isinstance(value, dict):
        return f"_{error.kind.property}" in value
    name, detail = _definition(error)
    if name == "required" and isinstance(value, dict):
        return any(f"_{option}" in value for option in _required_names(context.schema[f"{name}:{detail}"]))
    if name == "target" and keyword == "anyOf" and isinstance(value, str) and value.startswith("#"):
        kind = context.type if value == "#" else context.contained.get(value[1:])
        return kind is not None and (not detail or kind in detail.split("+"))
    return False


def _finding(error: ValidationError, context: Context) -> Finding:
    kind, detail = _definition(error)
    path = path_of(context.type, error.instance_path[1:])
    if kind == "rule":
        severity = context.definitions.invariants[detail].severity
        return Finding(detail.split("@")[0], Severity(severity), path, RULES[detail].text)
    if kind in TELL and not (kind == "type" and _is_object(detail, context)):
        code, rule = (TYPE, _json_type(error.kind)) if error.kind.name == "type" else TELL[kind](error, detail)
        path += f".{detail.rsplit('.', 1)[-1]}" if kind == "required" and code == REQUIRED else ""
    else:
        code, rule, path = _by_keyword(error, path, context)
    return Finding(code, Severity.ERROR, path, f"{rule} ({detail})" if kind == "profile" else rule)


def _definition(error: ValidationError) -> tuple[str, str]:
    """Kind and detail of the named definition the error is in."""
    steps = error.schema_path
    name = str(steps[1]) if len(steps) > 1 and steps[0] == "$defs" else ""
    kind, _, detail = name.partition(":")
    return kind, detail


def _is_object(name: str, context: Context) -> bool:
    found = context.definitions.types.get(name)
    return found is None or found.kind != "primitive"


def _json_type(kind: ValidationErrorKind) -> str:
    names = kind.types if isinstance(kind, ValidationErrorKind.Type) else []
    return f"is {' or '.join(JSON_TYPES.get(name, name) for name in names)}"


def _by_keyword(error: ValidationError, path: str, context: Context) -> tuple[str, str, str]:
    match error.kind:
        case ValidationErrorKind.AdditionalProperties(unexpected):
            return UNKNOWN, _unknown(unexpected, error, context), path
        case ValidationErrorKind.Required(name):
            return REQUIRED, "is required", f"{path}.{name}"
        case ValidationErrorKind.Type():
            return TYPE, _json_type(error.kind), path
        case ValidationErrorKind.MinItems(limit) if limit > 1:
            return CARDINALITY, f"has at least {limit} items", path
        case ValidationErrorKind.MinItems() | ValidationErrorKind.MinProperties():
            return EMPTY, NOT_EMPTY, path
        case ValidationErrorKind.MaxItems(limit):
            return CARDINALITY, f"has at most {limit} items", path
        case ValidationErrorKind.FalseSchema():
            return NOT_ALLOWED, "is not allowed here", path
        case _:
            return INVALID, "holds to its definition", path


def _unknown(unexpected: Sequence[str], error: ValidationError, context: Context) -> str:
    """Names the defined elements that are nearest, never the unknown one: that can be somebody's words too."""
    defined = context.schema[str(error.schema_path[1])].get("properties", {})
    near = {match for name in unexpected for match in get_close_matches(name, defined, 1)}
    return "has only elements FHIR defines here" + (f"; nearest: {', '.join(sorted(near))}" if near else "")


# ── named definitions: code and rule ──────────────────────────────────────────────────────────────────────────────
def _primitive(error: ValidationError, detail: str) -> tuple[str, str]:
    return (EMPTY, NOT_EMPTY) if error.instance == "" else (FORMAT, f"is written as a FHIR {detail}")


def _binding(error: ValidationError, detail: str) -> tuple[str, str]:
    kind, _, url = detail.partition(":")
    return BINDING, f"{'has' if kind == 'CodeableConcept' else 'is'} a code of {url}"


def _target(error: ValidationError, detail: str) -> tuple[str, str]:
    if isinstance(error.instance, str) and error.instance.startswith("#"):
        return "ref-1", RULES["ref-1"].text
    return REFERENCE, f"refers to {' or '.join(detail.split('+')) if detail else 'a resource'} as Type/id, URL or URN"


def _choice(error: ValidationError, detail: str) -> tuple[str, str]:
    return CHOICE, f"has at most one of {detail.rsplit('.', 1)[-1]}"


def _required_choice(error: ValidationError, detail: str) -> tuple[str, str]:
    if error.kind.name == "oneOf" and isinstance(error.kind, ValidationErrorKind.OneOfMultipleValid):
        return _choice(error, detail)
    return REQUIRED, "is required, in one of its types"


def _slice(error: ValidationError, detail: str) -> tuple[str, str]:
    profile, _, place = detail.partition(":")
    return SLICE, f"has its {place.rsplit(':', 1)[-1]} slice as often as {profile} asks"


def _closed(error: ValidationError, detail: str) -> tuple[str, str]:
    return NOT_ALLOWED, f"is one of the slices of {detail.partition(':')[0]}"


def _fixed(error: ValidationError, detail: str) -> tuple[str, str]:
    return FIXED, f"has the value that {detail.partition(':')[0]} fixes"


def _limit(error: ValidationError, detail: str) -> tuple[str, str]:
    return LIMIT, f"is within the limits {detail.partition(':')[0]} sets"


TELL: Mapping[str, Callable[[ValidationError, str], tuple[str, str]]] = {
    "type": _primitive,
    "binding": _binding,
    "target": _target,
    "target-type": _target,
    "choice": _choice,
    "required": _required_choice,
    "slice": _slice,
    "closed": _closed,
    "pattern": _fixed,
    "fixed": _fixed,
    "limit": _limit,
}


def _at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _required_names(schema: Any) -> set[str]:
    """Every property name that some `required` in the schema names."""
    if isinstance(schema, list):
        return {name for part in schema for name in _required_names(part)}
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("required", ())).union(*(_required_names(part) for part in schema.values()), set())
