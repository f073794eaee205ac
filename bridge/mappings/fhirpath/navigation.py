"""Steps down the tree of a record or resource (FHIRPath N1, "Path selection"; R4 "Polymorphism in FHIR")."""

from __future__ import annotations

from bridge.mappings.fhirpath.limits import DEPTH_OF_DATA
from bridge.mappings.fhirpath.model import CHOICE_ELEMENTS, CHOICES, ElementType, TypeModel
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.quantities import Quantity
from bridge.mappings.fhirpath.values import Element, Items, bare


def step(items: Items, name: str, model: TypeModel | None) -> Items:
    """Every child called `name` of every item, `value` also as valueString and the like; missing ones add nothing."""
    found: Items = []
    beside = "_" + name
    for item in items:
        data = item.value if item.__class__ is Element else item
        if data.__class__ is dict:
            fields: dict[str, object] = data
            value = fields.get(name)
            if model is not None or value is None or beside in fields or name == "value":
                _from_object(item, fields, name, model, found)
            elif value.__class__ is list:
                _extend(value, None, "", None, found)
            else:
                found.append(value)
        elif item.__class__ is Element:
            _from_primitive(item, name, model, found)
        elif isinstance(item, Quantity) and name in ("value", "unit", "code"):
            found.append(item.value if name == "value" else item.unit)
    return found


def head(items: Items, name: str, model: TypeModel | None) -> Items:
    """As `step` for the first name of a path, which may be the type of the item itself (Patient.name)."""
    if not name[:1].isupper():
        return step(items, name, model)
    found: Items = []
    for item in items:
        data = bare(item)
        if isinstance(data, dict) and data.get("resourceType") == name:
            found.append(item)
        elif model is None or not model.is_type(name):
            found.extend(step([item], name, model))
    return found


def rooted(data: object, model: TypeModel | None) -> Items:
    """The input of an expression as items: a list is several."""
    values = data if isinstance(data, list) else [data]
    return [_rooted(value, model) for value in values if value is not None]


def _rooted(value: object, model: TypeModel | None) -> object:
    if model is not None and isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return Element(value, value["resourceType"])
    return value


def _from_object(item: object, fields: dict[str, object], name: str, model: TypeModel | None, found: Items) -> None:
    if model is not None and item.__class__ is Element:
        known = model.element(item.type, name)
        if known is not None:
            _typed(fields, name, known, model, found)
            return
    value = fields.get(name)
    if name == "value" or (value is None and name in CHOICE_ELEMENTS):
        _choice(fields, name, model, found)
    if value is not None or "_" + name in fields:
        _extend(value, fields.get("_" + name), "", model, found)


def _typed(fields: dict[str, object], name: str, known: ElementType, model: TypeModel, found: Items) -> None:
    for kind in known.types:
        key = f"{name}{kind[:1].upper()}{kind[1:]}" if known.choice else name
        if key in fields or f"_{key}" in fields:
            _extend(fields.get(key), fields.get(f"_{key}"), kind, model, found)


def _choice(fields: dict[str, object], name: str, model: TypeModel | None, found: Items) -> None:
    length = len(name)
    for key, value in fields.items():
        if key.startswith(name) and key[length:] in CHOICES:
            _extend(value, fields.get(f"_{key}"), CHOICES[key[length:]], model, found)


def _extend(value: object, beside: object, kind: str, model: TypeModel | None, found: Items) -> None:
    if model is None and beside is None and not kind and value.__class__ is list:
        for one in value:
            if one.__class__ is list:
                _extend(one, None, "", None, found)
            elif one is not None:
                found.append(one)
        return
    values = value if isinstance(value, list) else [value]
    besides = beside if isinstance(beside, list) else [beside]
    if len(besides) < len(values):
        besides = [*besides, *[None] * (len(values) - len(besides))]
    elif len(values) < len(besides):
        values = [*values, *[None] * (len(besides) - len(values))]
    for one, extra in zip(values, besides, strict=True):
        if isinstance(one, list):
            _extend(one, None, kind, model, found)
        elif one is not None or isinstance(extra, dict):
            found.append(_wrapped(one, extra, kind, model))


def _wrapped(value: object, extra: object, kind: str, model: TypeModel | None) -> object:
    beside = extra if isinstance(extra, dict) else None
    if model is not None and isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return Element(value, value["resourceType"])
    return Element(value, kind, beside) if kind or beside is not None else value


def _from_primitive(item: Element, name: str, model: TypeModel | None, found: Items) -> None:
    if item.beside is not None and name in ("extension", "id"):
        _extend(item.beside.get(name), None, "Extension" if name == "extension" else "id", model, found)


def extensions(items: Items, url: str, model: TypeModel | None) -> Items:
    """The extensions of the items with this url."""
    found = step(items, "extension", model)
    return [item for item in found if isinstance(data := bare(item), dict) and data.get("url") == url]


def children(items: Items, model: TypeModel | None) -> Items:
    """Every child of every item, in the order of the JSON."""
    found: Items = []
    for item in items:
        data = bare(item)
        if isinstance(data, dict):
            for name in data:
                if not name.startswith("_") and not (name == "resourceType" and isinstance(item, Element)):
                    found.extend(_child(item, data, name, model))
        if isinstance(item, Element) and item.beside is not None:
            found.extend(step([item], "extension", model))
    return found


def _child(item: object, data: dict[str, object], name: str, model: TypeModel | None) -> Items:
    if model is not None and isinstance(item, Element) and model.element(item.type, name) is None:
        for length in range(len(name) - 1, 0, -1):
            known = model.element(item.type, name[:length])
            if known is not None and known.choice:
                found: Items = []
                kind = CHOICES.get(name[length:], name[length:])
                _extend(data[name], data.get(f"_{name}"), kind, model, found)
                return found
    return step([item], name, model)


def descendants(items: Items, model: TypeModel | None) -> Items:
    """Children, their children and so on. Raises Fault FE04."""
    found: Items = []
    level = children(items, model)
    for _ in range(DEPTH_OF_DATA):
        if not level:
            return found
        found.extend(level)
        level = children(level, model)
    raise Fault("FE04", f"a record that is walked whole nests at most {DEPTH_OF_DATA} deep")


def has_value(item: object) -> bool:
    """Is there a primitive value, and not extensions alone (R4, hasValue)."""
    value = bare(item)
    return value is not None and not isinstance(value, dict)
