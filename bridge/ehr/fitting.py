"""A discrete resource as a vendor's facts want its elements: the code it files by, list items whole or left out."""

from __future__ import annotations

from typing import Any

from bridge.ehr.context import finding
from bridge.ehr.facts import VendorFacts
from bridge.ehr.requirements import at
from bridge.model import Finding, Part, Severity, type_json


def fitted(resource: type_json, part: Part, vendor: VendorFacts, *, update: bool) -> tuple[type_json, list[Finding]]:
    """The resource with what this vendor adds to items of lists, without the items it would refuse, and with the codes
    by which it files a new one. What is left out is an information: the document still tells it.
    """
    found, findings = dict(resource), list[Finding]()
    for element, more in vendor.adds.value.get(part.type, {}).items():
        if element in found:
            found[element] = [{**more, **item} for item in _items(found[element])]
    for element, wanted in vendor.items.value.get(part.type, {}).items():
        whole = [item for item in _items(found.get(element)) if all(any(True for _ in at(item, one)) for one in wanted)]
        if len(whole) < len(_items(found.get(element))):
            path = f"{part.type}.{element}"
            rule = f"{vendor.title} takes an item here only with {', '.join(wanted)}: the others are left out"
            findings.append(finding("ehr-left-out", path, rule, part, Severity.INFORMATION))
            found = {key: value for key, value in found.items() if key != element} | ({element: whole} if whole else {})
    if not update:
        for element, words in vendor.filed_as.value.get(part.type, {}).items():
            if found.get(element) in words:
                found[element] = words[found[element]]
    return found, findings


def _items(value: Any) -> list[Any]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
