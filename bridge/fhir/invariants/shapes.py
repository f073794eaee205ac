"""The few shapes FHIR's invariants have, as JSON Schema: what must be there, what excludes what, what follows.

An `_name` beside an absent value counts as the element being there, for FHIR lets an extension stand for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an invariant asks, in our words, and how it is checked.

    `schema` is checked with the type's schema. `check` is Python for what a schema cannot say; the schema calls it by
    the keyword `calls`. With neither, the validator sees to it where it looks into contained resources.
    """

    text: str
    schema: Schema | None = None
    check: Check | None = None


def has(*names: str) -> Schema:
    """At least one of these elements is there, with a value or with an extension in its place."""
    return {"anyOf": [{"required": [name]} for name in names] + [{"required": ["_" + name]} for name in names]}


def lacks(*names: str) -> Schema:
    """None of these elements is there."""
    return {"not": has(*names)}


def needs(first: str, *others: str) -> Schema:
    """Where the first element has a value, one of the others is there."""
    return {"dependentSchemas": {first: has(*others)}}


def excludes(first: str, second: str) -> Schema:
    """At most one of the two elements is there."""
    return {"not": {"required": [first, second]}}


def where(name: str, *values: str) -> Schema:
    """The code element has one of these values."""
    return {"required": [name], "properties": {name: {"enum": list(values)}}}


def coded(name: str, system: str, *codes: str) -> Schema:
    """The CodeableConcept element has a coding with one of these codes of the system."""
    coding = {
        "required": ["system", "code"],
        "properties": {"system": {"const": system}, "code": {"enum": list(codes)}},
    }
    concept = {"required": ["coding"], "properties": {"coding": {"contains": coding}}}
    return {"required": [name], "properties": {name: concept}}


def implies(condition: Schema, then: Schema) -> Schema:
    """Where the condition holds, so does the other."""
    return {"if": condition, "then": then}


def both(*schemas: Schema) -> Schema:
    """Every one of the schemas holds."""
    return {"allOf": list(schemas)}


def every(name: str, schema: Schema) -> Schema:
    """Each item of the list element holds to the schema."""
    return {"properties": {name: {"items": schema}}}


def some_choice(stem: str) -> Schema:
    """Some `stem[x]` is there, with a value or with an extension in its place."""
    return {"anyOf": [{"not": no_choice(stem)}, {"not": no_choice("_" + stem)}]}


def no_choice(stem: str) -> Schema:
    """No `stem[x]` has a value."""
    return {"propertyNames": {"not": {"pattern": f"^{stem}"}}}
