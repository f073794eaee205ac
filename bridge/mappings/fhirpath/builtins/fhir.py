"""FHIR's own functions that need no server (hl7.org/fhir/R4/fhirpath.html), and what needs the types of items."""

from __future__ import annotations

from bridge.mappings.fhirpath import navigation, typenames
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.registry import Example, Function, Style
from bridge.mappings.fhirpath.running import Run
from bridge.mappings.fhirpath.values import Items, bare, system


def children(run: Run, items: Items) -> Items:
    """Every child of every item."""
    found = navigation.children(items, run.model)
    run.spend(len(found))
    return found


def descendants(run: Run, items: Items) -> Items:
    """Children, their children and so on. Raises Fault FE04."""
    found = navigation.descendants(items, run.model)
    run.spend(len(found))
    return found


def extension(run: Run, items: Items, url: Items) -> Items:
    """The extensions of the items with this url. Raises Fault FE01, FE02."""
    if len(url) > 1:
        raise Fault("FE01", "extension() takes one url")
    value = system(url[0]) if url else None
    if value is not None and not isinstance(value, str):
        raise Fault("FE02", "the url of extension() is a string")
    return [] if value is None else navigation.extensions(items, value, run.model)


def resolve(run: Run, items: Items) -> Items:
    """The resources that references point to, as far as this translation holds them; others add nothing."""
    found: Items = []
    for item in items:
        value = bare(item)
        reference = value.get("reference") if isinstance(value, dict) else value
        if isinstance(reference, str):
            target = _contained(run.root, reference[1:]) if reference.startswith("#") else _named(run, reference)
            found.extend(navigation.rooted(target, run.model))
    return found


def _named(run: Run, reference: str) -> object:
    known = run.env.references
    return known.get(reference) or known.get("/".join(reference.split("/_history/")[0].split("/")[-2:]))


def _contained(root: object, name: str) -> object:
    contained = root.get("contained") if isinstance(root, dict) else None
    for resource in contained if isinstance(contained, list) else ():
        if isinstance(resource, dict) and resource.get("id") == name:
            return resource
    return None


def member_of(run: Run, items: Items, value_set: Items) -> bool | None:
    """Is a code, Coding or CodeableConcept in a value set; None where the value set is not known."""
    if len(items) != 1 or len(value_set) != 1 or run.env.member is None:
        return None
    url, value = system(value_set[0]), bare(items[0])
    if not isinstance(url, str):
        raise Fault("FE02", "memberOf() takes the canonical url of a value set")
    answers = [run.env.member(url, coding_system, code) for coding_system, code in _codings(value)]
    if any(answers):
        return True
    return None if None in answers or not answers else False


def _codings(value: object) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [("", value)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("coding"), list):
        return [pair for coding in value["coding"] for pair in _codings(coding)]
    code, coding_system = value.get("code"), value.get("system")
    return [(coding_system if isinstance(coding_system, str) else "", code)] if isinstance(code, str) else []


def has_value(items: Items) -> bool:
    """Is there exactly one item, with a primitive value."""
    return len(items) == 1 and navigation.has_value(items[0])


def get_value(items: Items) -> Items:
    """The primitive value of a single item, else nothing."""
    return [bare(items[0])] if has_value(items) else []


def types(items: Items) -> Items:
    """Namespace and name of each item's type."""
    return [typenames.type_info(item) for item in items]


_E = Example
FHIR: tuple[Function, ...] = (
    Function("children", "children()", Style.COLLECTION, children, run=True),
    Function("descendants", "descendants()", Style.COLLECTION, descendants, run=True,
             failures=("the record nests too deeply",)),
    Function("extension", "extension(url)", Style.COLLECTION, extension, 1, 1, run=True,
             failures=("the url is not one string",), examples=(_E("'x'.extension('urn:a')", ()),)),
    Function("resolve", "resolve()", Style.COLLECTION, resolve, run=True,
             examples=(_E("'Patient/1'.resolve()", ()),)),
    Function("memberOf", "memberOf(valueset)", Style.COLLECTION, member_of, 1, 1, gives="Boolean", single=True,
             run=True, failures=("the value set is not one string",),
             examples=(_E("'x'.memberOf('urn:unknown')", ()),)),
    Function("hasValue", "hasValue()", Style.COLLECTION, has_value, gives="Boolean", single=True,
             examples=(_E("'x'.hasValue()", (True,)), _E("{}.hasValue()", (False,)))),
    Function("getValue", "getValue()", Style.COLLECTION, get_value, examples=(_E("'x'.getValue()", ("x",)),)),
    Function("type", "type()", Style.COLLECTION, types, examples=(_E("'x'.type().name", ("String",)),)),
)  # fmt: skip
