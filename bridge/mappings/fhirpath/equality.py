"""Equals, equivalent, membership and sets (FHIRPath N1, "Equality", "Collections").

Two items are equal exactly when their keys are, so collections of any length are compared and made distinct in one
pass. Where equality is uncertain (different precision, units that do not compare) the keys differ: set operations keep
both items.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bridge.mappings.fhirpath.limits import DEPTH_OF_DATA
from bridge.mappings.fhirpath.moments import Moment, equal_moments
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import (
    Quantity,
    equal_quantities,
    equivalent_quantities,
    quantity_key,
)
from bridge.mappings.fhirpath.values import Items, bare, is_number, quantity_of, system, temporal


def equals(left: Items, right: Items) -> bool | None:
    """`=` of two collections: None when either is empty or an item's equality is uncertain."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    uncertain = False
    for first, second in zip(left, right, strict=True):
        same = equal_items(first, second)
        if same is False:
            return False
        uncertain = uncertain or same is None
    return None if uncertain else True


def equal_items(first: object, second: object) -> bool | None:
    """`=` of two single items."""
    left, right = _paired(system(first), system(second))
    if isinstance(left, Moment) and isinstance(right, Moment):
        return equal_moments(left, right)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return equal_quantities(left, right)
    if left.__class__ is str and right.__class__ is str:
        return left == right
    return key_of(left) == key_of(right)


def equivalent(left: Items, right: Items) -> bool:
    """`~` of two collections: in any order; {} ~ {} is true."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equivalent_items(left[0], right[0])
    rest = list(right)
    for first in left:
        for place, second in enumerate(rest):
            if equivalent_items(first, second):
                del rest[place]
                break
        else:
            return False
    return True


def equivalent_items(first: object, second: object, depth: int = 0) -> bool:
    """`~` of two single items: text without case and runs of white space, numbers at the lesser precision."""
    left, right = _paired(system(first), system(second))
    if left.__class__ is str and right.__class__ is str:
        return _folded(left) == _folded(right)
    if isinstance(left, Decimal | int) and isinstance(right, Decimal | int) and is_number(left) and is_number(right):
        digits = min(_places(left), _places(right))
        return round(Decimal(left), digits) == round(Decimal(right), digits)
    if isinstance(left, Moment) and isinstance(right, Moment):
        return equal_moments(left, right) is True
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return equivalent_quantities(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return _equivalent_objects(left, right, depth)
    return key_of(left) == key_of(right)


def _equivalent_objects(left: dict[str, object], right: dict[str, object], depth: int) -> bool:
    if depth > DEPTH_OF_DATA:
        raise _too_deep()
    if left.keys() != right.keys():
        return False
    for name, value in left.items():
        firsts, seconds = (v if isinstance(v, list) else [v] for v in (value, right[name]))
        if len(firsts) != len(seconds):
            return False
        rest = list(seconds)
        for first in firsts:
            found = next((n for n, s in enumerate(rest) if equivalent_items(first, s, depth + 1)), None)
            if found is None:
                return False
            del rest[found]
    return True


def key_of(item: object, depth: int = 0) -> object:
    """Something hashable that two items share exactly when they are equal."""
    value = system(item)
    kind = value.__class__
    if kind is str:
        return value
    if kind is bool:
        return ("Boolean", value)
    if kind is int or kind is Decimal:
        return ("Number", value)
    if isinstance(value, Moment):
        clock = "Time" if value.kind == "Time" else "Date"
        return (clock, value.span()[0], value.precision, bool(value.offset))
    if isinstance(value, Quantity):
        return ("Quantity", *quantity_key(value))
    if depth > DEPTH_OF_DATA:
        raise _too_deep()
    if isinstance(value, dict):
        pairs = ((name, key_of(part, depth + 1)) for name, part in value.items() if part is not None)
        return ("Object", frozenset(pairs))
    if isinstance(value, list):
        return ("List", *(key_of(part, depth + 1) for part in value))
    return ("Nothing", id(bare(item)) if value is not None else None)


def distinct(items: Iterable[object]) -> Items:
    """The items without repetition, in their order."""
    found: dict[object, object] = {}
    for item in items:
        found.setdefault(key_of(item), item)
    return list(found.values())


def contains(items: Items, item: object) -> bool:
    """Is the item among them, by `=`."""
    if system(item).__class__ is str and not any(isinstance(system(other), Moment) for other in items):
        return any(system(other) == item for other in items) if item.__class__ is str else _has(items, item)
    return _has(items, item)


def _has(items: Items, item: object) -> bool:
    return any(equal_items(other, item) is True for other in items)


def _paired(left: object, right: object) -> tuple[object, object]:
    """Both as the type of the other where N1 converts without being asked; a record's text that is a date counts."""
    if left.__class__ is right.__class__:
        return left, right
    if isinstance(left, Moment):
        return left, temporal(right)
    if isinstance(right, Moment):
        return temporal(left), right
    if isinstance(left, Quantity):
        return left, _as_quantity(right)
    if isinstance(right, Quantity):
        return _as_quantity(left), right
    return left, right


def _as_quantity(value: object) -> object:
    if isinstance(value, dict):
        return quantity_of(value) or value
    return Quantity(Decimal(value), "1") if is_number(value) else value  # type: ignore[arg-type]


def _folded(text: object) -> str:
    return " ".join(str(text).casefold().split())


def _places(value: Decimal | int) -> int:
    exponent = Decimal(value).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _too_deep() -> Fault:
    return Fault("FE04", f"a value that is compared nests at most {DEPTH_OF_DATA} deep")
