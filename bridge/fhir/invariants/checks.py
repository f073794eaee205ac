"""Invariants that need Python: order in time, distinct values, check digits. Each says whether the value holds to it.

They are called from inside the schema run with whatever the document holds there, so each takes any JSON and leaves
what is malformed to the schema: such a value passes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

FINAL_NPI = 24  # what the prefix 80840 of a card adds to the check sum (45 CFR 162.406; the standard's expression too)


def whole(value: Any) -> bool:
    """The number is written without a fraction: 1.0 is not a FHIR integer."""
    return isinstance(value, int)


def ordered(first: Any, second: Any) -> bool:
    """`first` is not later than `second`, as far as both precisions allow to tell."""
    if not isinstance(first, str) or not isinstance(second, str):
        return True
    if len(first) == len(second) and first[-6:] == second[-6:]:
        return first <= second  # one precision and one zone
    if "T" in first and "T" in second:
        try:
            return datetime.fromisoformat(first) <= datetime.fromisoformat(second)
        except (ValueError, TypeError):
            return True
    length = min(len(first), len(second), 10)
    return first[:length] <= second[:length]


def extension(value: Any) -> bool:
    """ext-1, where the number of properties alone does not tell."""
    if not isinstance(value, dict):
        return True
    names = {name.removeprefix("_") for name in value} - {"id", "url"}
    return len(names) == 1


def period(value: Any) -> bool:
    """per-1"""
    return not isinstance(value, dict) or ordered(value.get("start"), value.get("end"))


def task_times(value: Any) -> bool:
    """inv-1 of Task"""
    return not isinstance(value, dict) or ordered(value.get("authoredOn"), value.get("lastModified"))


def dispense_times(value: Any) -> bool:
    """mdd-1"""
    return not isinstance(value, dict) or ordered(value.get("whenPrepared"), value.get("whenHandedOver"))


def limits(value: Any) -> bool:
    """rng-2: where both limits have one unit, low is not above high."""
    low, high = (_part(value, "low"), _part(value, "high"))
    if any(low.get(name) != high.get(name) for name in ("system", "code", "unit")):
        return True
    first, second = low.get("value"), high.get("value")
    if not isinstance(first, int | float | Decimal) or not isinstance(second, int | float | Decimal):
        return True
    return first <= second


def unlike_components(value: Any) -> bool:
    """obs-7: no component repeats a code of the Observation that has a value itself."""
    own = set(_codings(_part(value, "code")))
    return not any(coding in own for part in _items(value, "component") for coding in _codings(_part(part, "code")))


def distinct_urls(value: Any) -> bool:
    """bdl-7: no full URL twice for one version."""
    pairs = [
        (entry["fullUrl"], _part(_part(entry, "resource"), "meta").get("versionId"))
        for entry in _items(value, "entry")
        if isinstance(entry.get("fullUrl"), str)
    ]
    return _distinct(repr(pair) for pair in pairs)


def distinct_types(value: Any) -> bool:
    """cpb-9"""
    return _distinct(item.get("type") for item in _items(value, "resource"))


def distinct_parameters(value: Any) -> bool:
    """cpb-12"""
    return _distinct(item.get("name") for item in _items(value, "searchParam"))


def distinct_documents(value: Any) -> bool:
    """cpb-7"""
    return _distinct(repr((item.get("profile"), item.get("mode"))) for item in _items(value, "document"))


def distinct_links(value: Any) -> bool:
    """sdcqr-2: among the answered items of one level no linkId comes twice."""
    items = list(_items(value, "item"))
    if not _distinct(item.get("linkId") for item in items if any(_answered(item))):
        return False
    below = [answer for item in items for answer in _items(item, "answer")]
    return all(distinct_links(inner) for inner in (*items, *below))


def provider_number(value: Any) -> bool:
    """us-core-17: the check digit of a US national provider identifier is right."""
    number = value.get("value") if isinstance(value, dict) else None
    if not isinstance(number, str) or not re.fullmatch("[0-9]{10}", number):
        return True  # us-core-16 says so
    doubled = (int(digit) * 2 for digit in number[0:9:2])
    total = sum(digit - 9 if digit > 9 else digit for digit in doubled) + sum(int(digit) for digit in number[1::2])
    return (total + FINAL_NPI) % 10 == 0


def _answered(item: dict[str, Any]) -> Iterator[bool]:
    for answer in _items(item, "answer"):
        yield any(name.startswith("value") for name in answer)


def _part(value: Any, name: str) -> dict[str, Any]:
    part = value.get(name) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}


def _items(value: Any, name: str) -> Iterator[dict[str, Any]]:
    listed = value.get(name) if isinstance(value, dict) else None
    return (item for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict))


def _codings(concept: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for coding in _items(concept, "coding"):
        if isinstance(coding.get("code"), str):
            yield str(coding.get("system")), coding["code"]


def _distinct(values: Iterable[Any]) -> bool:
    listed = [value for value in values if isinstance(value, str)]
    return len(set(listed)) == len(listed)
