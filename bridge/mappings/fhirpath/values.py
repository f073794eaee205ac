"""The items of a collection, and what they are to operators.

An item is a bool, int, float, Decimal, str or dict as JSON has it; a Moment or Quantity; or an Element around one of
these where navigation knew more than the JSON value says: its FHIR type, or the extensions of a primitive. Lists and
None are never items.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from bridge.mappings.fhirpath.moments import Moment, parse_moment, parse_time
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import CALENDAR_UNITS, Quantity

UCUM = "http://unitsofmeasure.org"
TEMPORAL_TYPES = frozenset({"date", "dateTime", "instant", "time"})
QUANTITY_TYPES = frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity"})


class Element:
    """A value with its FHIR type ("" where only extensions are known) and what stands beside it as `_name`.

    `value` is None where a primitive has extensions only.
    """

    __slots__ = ("beside", "type", "value")

    def __init__(self, value: object, type_name: str, beside: dict[str, object] | None = None) -> None:
        self.value = value
        self.type = type_name
        self.beside = beside


Items: TypeAlias = "list[object]"


def bare(item: object) -> object:
    """The item without its Element."""
    return item.value if item.__class__ is Element else item


def system(item: object) -> object:
    """The item as operators see it: bool, int, Decimal, str, Moment, Quantity or dict; None where it has no value."""
    if item.__class__ is Element:
        return _of_element(item)
    if item.__class__ is float:
        return decimal(item)
    return item


def _of_element(element: Element) -> object:
    value = element.value
    if isinstance(value, str) and element.type in TEMPORAL_TYPES:
        return moment_of(value, element.type) or value
    if isinstance(value, dict) and element.type in QUANTITY_TYPES:
        return quantity_of(value) or value
    if isinstance(value, float):
        return decimal(value)
    if element.type == "decimal" and isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


def decimal(value: float) -> Decimal:
    """The decimal number as it was written. Raises Fault FE02 for infinity and not-a-number."""
    found = Decimal(repr(value))
    if not found.is_finite():
        raise Fault("FE02", "a number of a record is finite")
    return found


def moment_of(text: str, kind: str = "") -> Moment | None:
    """The Moment a string of a record stands for; `kind` "time" reads it as a time of day."""
    return parse_time(text) if kind == "time" else parse_moment(text)


def quantity_of(data: dict[str, object]) -> Quantity | None:
    """A FHIR Quantity as a Quantity, by its code where the system is UCUM or missing, else by its unit; or None."""
    value = data.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = decimal(value) if isinstance(value, float) else Decimal(value)
    code, unit = data.get("code"), data.get("unit")
    if isinstance(code, str) and data.get("system") in (UCUM, None):
        return Quantity(number, code)
    return Quantity(number, unit if isinstance(unit, str) else "1")


def temporal(item: object) -> object:
    """A string that is a date, date-time or time as a Moment; everything else as it is."""
    if item.__class__ is str:
        return parse_moment(item) or parse_time(item) or item
    return item


def is_number(value: object) -> bool:
    """An Integer or Decimal, and no Boolean."""
    kind = value.__class__
    return kind is int or kind is Decimal


def kind_of(value: object) -> str:
    """The System type of a system value, "object" for a dict."""
    match value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case Decimal() | float():
            return "Decimal"
        case str():
            return "String"
        case Moment(kind=kind):
            return kind
        case Quantity():
            return "Quantity"
    return "object"


def as_json(item: object, depth: int = 0) -> object:
    """The item as it goes into a resource: fresh JSON without null, {} and [], None when nothing is left.

    Moments become strings, Decimals the nearest JSON number, a Quantity a FHIR Quantity. Raises Fault FE04 or FE08.
    """
    kind = item.__class__
    if kind is str or kind is int or kind is bool or kind is float or item is None:
        return item
    if depth > _DEPTH:
        raise Fault("FE04", f"a value nests at most {_DEPTH} deep")
    if kind is dict:
        pairs = ((key, as_json(value, depth + 1)) for key, value in item.items())  # type: ignore[attr-defined]
        return {key: value for key, value in pairs if value is not None} or None
    if kind is list:
        values = (as_json(value, depth + 1) for value in item)  # type: ignore[attr-defined]
        return [value for value in values if value is not None] or None
    if kind is Element:
        return as_json(item.value, depth)  # type: ignore[attr-defined]
    return _computed(item)


_DEPTH = 100


def _computed(item: object) -> object:
    match item:
        case Decimal():
            return int(item) if item == item.to_integral_value() and "." not in f"{item:f}" else float(item)
        case Moment():
            return str(item)
        case Quantity():
            unit = {"value": _computed(item.value), "unit": item.unit}
            if item.unit in CALENDAR_UNITS:
                return unit
            return {**unit, "system": UCUM, "code": item.unit}
    raise Fault("FE08", "a value of a mapping is text, a number, true or false, a list or an object")
