"""What rendered templates call beside the expressions' own runtime."""

from __future__ import annotations

from bridge.mappings.fhirpath.builtins.conversions import to_string
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.values import Items, system


class _Null:
    """Stands for an empty value that is kept as null."""

    __slots__ = ()


NULL = _Null()


def spelled(item: object) -> str | None:
    """An item as it reads inside a text. Raises Fault FE02 for an object."""
    if item is None:
        return None
    value = system(item)
    text = None if value is None else to_string(value)
    if text is None and value is not None:
        raise Fault("FE02", "an object cannot stand inside a text", "choose one of its fields")
    return text


def flatten(found: Items, value: object) -> None:
    """Add a value to a list, the items of a list one by one."""
    if isinstance(value, list):
        found.extend(value)
    else:
        found.append(None if value is NULL else value)


def merge(found: dict[str, object], value: object) -> None:
    """Write an object into another. Raises Fault FE02 for anything else."""
    if isinstance(value, dict):
        found.update(value)
    elif value is not None and value is not NULL:
        raise Fault("FE02", "what is merged into an object is an object", "give it a key of its own")


def items_of(value: object) -> Items:
    """The value of a name as items."""
    if value is None or value is NULL or value in ({}, []):
        return []
    return [item for item in value if item is not None] if isinstance(value, list) else [value]


TEMPLATE_RUNTIME: dict[str, object] = {
    "NULL": NULL,
    "spelled": spelled,
    "flatten": flatten,
    "merge": merge,
    "items_of": items_of,
}
