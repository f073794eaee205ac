"""Invariants of FHIR R4's elements and datatypes."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.fhir.invariants import checks
from bridge.fhir.invariants.narrative import SIMPLE, is_narrative
from bridge.fhir.invariants.shapes import (
    Rule,
    Schema,
    both,
    every,
    excludes,
    has,
    implies,
    lacks,
    needs,
    no_choice,
    some_choice,
    where,
)

UCUM_ONLY: Schema = {"properties": {"system": {"const": "http://unitsofmeasure.org"}}}

RULES: Mapping[str, Rule] = {
    "ele-1": Rule("an element has a value or children", {}),
    "ext-1": Rule(
        "an extension has either a value or extensions, and one value only",
        {
            "anyOf": [
                {"minProperties": 2, "maxProperties": 2, "not": {"required": ["id"]}},
                {"minProperties": 3, "maxProperties": 3, "required": ["id"]},
                {"calls": "ext-1"},
            ]
        },
        checks.extension,
    ),
    "dom-2": Rule("a contained resource contains no other"),
    "dom-3": Rule("a contained resource is referred to from the one that contains it, or refers to it"),
    "dom-4": Rule("a contained resource has no version and no time of update"),
    "dom-5": Rule("a contained resource has no security label"),
    "ref-1": Rule("a reference starting with # names a resource contained here"),
    "age-1": Rule(
        "an age has a UCUM code and is above zero",
        both(needs("value", "code"), UCUM_ONLY, {"properties": {"value": {"exclusiveMinimum": 0}}}),
    ),
    "att-1": Rule("data is sent with its contentType", needs("data", "contentType")),
    "cnt-3": Rule(
        "a count is a whole number of the UCUM unit 1",
        both(needs("value", "code"), UCUM_ONLY, {"properties": {"code": {"const": "1"}, "value": {"calls": "cnt-3"}}}),
        checks.whole,
    ),
    "cpt-2": Rule("a contact point with a value says its system", needs("value", "system")),
    "dis-1": Rule("a distance has a UCUM code", both(needs("value", "code"), UCUM_ONLY)),
    "drq-1": Rule(
        "a filter names a path or a search parameter, not both", {"oneOf": [has("path"), has("searchParam")]}
    ),
    "drq-2": Rule(
        "a filter names a path or a search parameter, not both", {"oneOf": [has("path"), has("searchParam")]}
    ),
    "drt-1": Rule(
        "a duration with a code has a value and is UCUM's",
        implies(has("code"), both(UCUM_ONLY, has("value"), has("system"))),
    ),
    "exp-1": Rule("an expression or a reference to one is there", has("expression", "reference")),
    "mqty-1": Rule(
        "an amount of money has a currency code",
        both(needs("value", "code"), {"properties": {"system": {"const": "urn:iso:std:iso:4217"}}}),
    ),
    "per-1": Rule(
        "a period does not end before it starts",
        {"if": {"required": ["start", "end"]}, "then": {"calls": "per-1"}},
        checks.period,
    ),
    "qty-3": Rule("a quantity with a code says its system", needs("code", "system")),
    "rat-1": Rule(
        "a ratio has a numerator and a denominator, or neither and an extension",
        {
            "anyOf": [
                {"required": ["numerator", "denominator"]},
                both(lacks("numerator", "denominator"), has("extension")),
            ]
        },
    ),
    "rng-2": Rule(
        "a range's low is not above its high",
        {"if": {"required": ["low", "high"]}, "then": {"calls": "rng-2"}},
        checks.limits,
    ),
    "sqty-1": Rule("a simple quantity has no comparator", {}),  # the type itself has none
    "tim-1": Rule("a duration has its unit", needs("duration", "durationUnit")),
    "tim-2": Rule("a period has its unit", needs("period", "periodUnit")),
    "tim-4": Rule("a duration is not negative", {"properties": {"duration": {"minimum": 0}}}),
    "tim-5": Rule("a period is not negative", {"properties": {"period": {"minimum": 0}}}),
    "tim-6": Rule("periodMax comes with a period", needs("periodMax", "period")),
    "tim-7": Rule("durationMax comes with a duration", needs("durationMax", "duration")),
    "tim-8": Rule("countMax comes with a count", needs("countMax", "count")),
    "tim-9": Rule(
        "an offset comes with a when that is no meal",
        implies(has("offset"), {"required": ["when"], **every("when", {"not": {"enum": ["C", "CM", "CD", "CV"]}})}),
    ),
    "tim-10": Rule("a time of day excludes when", excludes("timeOfDay", "when")),
    "trd-1": Rule("a trigger has data or timing, not both", {"anyOf": [lacks("data"), no_choice("timing")]}),
    "trd-2": Rule("a condition of a trigger comes with data", needs("condition", "data")),
    "trd-3": Rule(
        "a trigger has what its type asks for",
        both(
            implies(where("type", "named-event"), has("name")),
            implies(where("type", "periodic"), some_choice("timing")),
            implies({"required": ["type"], "properties": {"type": {"pattern": "^data-"}}}, has("data")),
        ),
    ),
    "txt-1": Rule(
        "a narrative is well-formed XHTML of formatting tags only",
        {"anyOf": [SIMPLE, {"calls": "txt-1"}]},
        is_narrative,
    ),
    "txt-2": Rule("a narrative says something", {}),  # looked at together with txt-1
}
