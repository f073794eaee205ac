"""What an EHR requires of a resource, checked before sending: a named finding, not a 422 afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.ehr.facts import VendorFacts
from bridge.model import Finding, Severity, type_json


def missing(resource: type_json, vendor: VendorFacts, part: str) -> Iterator[Finding]:
    """An error for each path the vendor requires and the resource lacks, and for each code it does not take."""
    kind = resource.get("resourceType", "")
    for path in vendor.requires.value.get(kind, ()):
        if not any(True for _ in at(resource, path)):
            rule = f"{vendor.title} requires this element ({_said(vendor, 'requires')})"
            yield Finding("ehr-required", Severity.ERROR, f"{kind}.{path}", rule, part)
    for path, codes in vendor.only.value.get(kind, {}).items():
        found = {code for value in at(resource, path) for code in _codes(value)}
        if found and not found & set(codes):
            rule = f"{vendor.title} takes only {', '.join(codes)} here ({_said(vendor, 'only')})"
            yield Finding("ehr-code", Severity.ERROR, f"{kind}.{path}", rule, part)


def at(value: Any, path: str) -> Iterator[Any]:
    """Every value at a dotted path, through lists; nothing where a step is absent or empty."""
    head, _, rest = path.partition(".")
    for item in value if isinstance(value, list) else [value]:
        found = item.get(head) if isinstance(item, dict) else None
        if not found and found != 0:
            continue
        if rest:
            yield from at(found, rest)
        else:
            yield from found if isinstance(found, list) else [found]


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (str(coding["code"]) for coding in (value, *value.get("coding", [])) if "code" in coding)


def _said(vendor: VendorFacts, fact: str) -> str:
    return f"seen {getattr(vendor, fact).source.seen}"
