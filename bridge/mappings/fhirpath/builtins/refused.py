"""Functions that FHIRPath has and a mapping does not: each says why, and what to do instead."""

from __future__ import annotations

from bridge.mappings.fhirpath.registry import Function, Style

_CLOCK = "a mapping reaches no clock: the same record must always give the same resource"
_FIELD = "read a date of the record, or let the caller pass one as a variable"
_PROFILE = "it needs profiles or a terminology server, and a mapping reaches no server"
_CHECK = "output is validated against its profiles after the mapping"

REFUSED: tuple[Function, ...] = tuple(
    Function(name, f"{name}(…)", Style.REFUSED, reason=reason, next_step=step)
    for name, reason, step in (
        ("now", _CLOCK, _FIELD),
        ("today", _CLOCK, _FIELD),
        ("timeOfDay", _CLOCK, _FIELD),
        ("trace", "it writes what a record says into a log", "take it out"),
        ("conformsTo", _PROFILE, _CHECK),
        ("elementDefinition", _PROFILE, _CHECK),
        ("slice", _PROFILE, "choose items with where()"),
        ("checkModifiers", _PROFILE, _CHECK),
        ("htmlChecks", _PROFILE, _CHECK),
        ("subsumes", _PROFILE, "list the codes in a table, and look them up"),
        ("subsumedBy", _PROFILE, "list the codes in a table, and look them up"),
        ("defineVariable", "a template has {% assign %} for this", "write {% assign %} above"),
    )
)
