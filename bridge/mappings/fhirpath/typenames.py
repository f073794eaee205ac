"""is, as, ofType and type(): what type an item is of (FHIRPath N1, "Types"; R4 "Using FHIR types in expressions")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bridge.mappings.fhirpath.model import PRIMITIVES, SYSTEM_TYPES, TypeModel, is_kind_of
from bridge.mappings.fhirpath.moments import Moment
from bridge.mappings.fhirpath.quantities import Quantity
from bridge.mappings.fhirpath.values import Element, Items, is_number, kind_of, moment_of

_JSON_TEXT = frozenset({"string", "code", "id", "markdown", "uri", "url", "canonical", "uuid", "oid", "base64Binary"})
_JSON_WHOLE = frozenset({"integer", "positiveInt", "unsignedInt", "integer64"})


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as written: `model` is "System", "FHIR" or "" where it was left out."""

    model: str
    name: str


def type_name(text: str, model: TypeModel | None) -> TypeName | None:
    """The type a specifier names; None where no model has it.

    Without a TypeModel every capitalised name may be a resource type.
    """
    space, _, name = text.rpartition(".")
    if space not in ("", "System", "FHIR"):
        return None
    system = name in SYSTEM_TYPES and space != "FHIR"
    fhir = space != "System" and (
        model.is_type(name) or name in PRIMITIVES if model is not None else name in PRIMITIVES or name[:1].isupper()
    )
    return TypeName(space, name) if system or fhir or space == "System" else None


def is_of(item: object, wanted: TypeName, model: TypeModel | None) -> bool:
    """Is the item of the type, or of one that specialises it."""
    if isinstance(item, Element) and item.type:
        return wanted.model != "System" and is_kind_of(item.type, wanted.name, model)
    value = item.value if isinstance(item, Element) else item
    if wanted.model != "FHIR" and wanted.name in SYSTEM_TYPES:
        return _is_system(value, wanted.name)
    if wanted.model == "System":
        return False
    if isinstance(value, dict):
        kind = value.get("resourceType")
        if isinstance(kind, str):
            return is_kind_of(kind, wanted.name, model) or wanted.name in ("Resource", "DomainResource")
        return False
    return _is_untyped(value, wanted.name)


def _is_system(value: object, name: str) -> bool:
    if isinstance(value, dict):
        return name == "Quantity" and not isinstance(value.get("value"), bool | str | None)
    return name in ("Any", kind_of(value))


def _is_untyped(value: object, name: str) -> bool:
    """A JSON value that nothing gives a FHIR type: every primitive it could be in JSON."""
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, str):
        kind = moment_of(value, name if name == "time" else "")
        moment = kind.kind if kind is not None else ""
        temporal = {"date": "Date", "dateTime": "DateTime", "instant": "DateTime", "time": "Time"}.get(name)
        return name in _JSON_TEXT or (temporal is not None and moment == temporal)
    if isinstance(value, int):
        return name in _JSON_WHOLE or name == "decimal"
    return name == "decimal" and isinstance(value, float | Decimal)


def of_type(items: Items, wanted: TypeName, model: TypeModel | None) -> Items:
    """The items of the type."""
    return [item for item in items if is_of(item, wanted, model)]


def type_info(item: object) -> dict[str, object]:
    """What type() says of an item: namespace and name."""
    if isinstance(item, Element) and item.type:
        return {"namespace": "FHIR", "name": item.type}
    value = item.value if isinstance(item, Element) else item
    if isinstance(value, dict):
        kind = value.get("resourceType")
        return {"namespace": "FHIR", "name": kind} if isinstance(kind, str) else {"namespace": "", "name": "object"}
    if is_number(value) or isinstance(value, bool | str | float | Moment | Quantity):
        return {"namespace": "System", "name": kind_of(value)}
    return {"namespace": "", "name": "object"}
