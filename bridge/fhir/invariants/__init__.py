"""The invariants of FHIR R4 and US Core 6.1.0, compiled by hand: JSON Schema where that can say it, else Python.

A rule goes by the invariant's key, or `key@place` where the standard gives one key to two things. What is not here is
in `UNCHECKED` with its reason, or comes from a site's own package and is listed by `Validator.uncovered`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.fhir.invariants import checks, datatypes, resources, us_core
from bridge.fhir.invariants.shapes import Check, Rule

RULES: Mapping[str, Rule] = {**datatypes.RULES, **resources.RULES, **us_core.RULES}

CALLS: Mapping[str, Check] = {"whole": checks.whole} | {
    key: rule.check for key, rule in RULES.items() if rule.check is not None
}
"""What the schema keyword `calls` may name."""

UNCHECKED: Mapping[str, str] = {
    "dom-6": "best practice, not conformance: what a person reads is the document, made from the parts",
    "ppc-2": "its expression compares with the system 'something' and can never fail",
    "ppc-3": "its expression compares with the system 'something' and can never fail",
    "ppc-4": "its expression compares with the system 'something' and can never fail",
    "ppc-5": "its expression compares with the system 'something' and can never fail",
}
