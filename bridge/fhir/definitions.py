"""The FHIR definitions the bridge validates against, read from compact files.

The files are made from FHIR packages by `bridge.fhir.generate` (the ones shipped in `data/`) and
`bridge.fhir.packages.add_package` (a site's own, in its project folder). They hold names, cardinalities, types,
required bindings with their codes, reference targets and invariants; no prose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from bridge.errors import DefinitionError, Problem

FORMAT = 1  # of the compact files; a file of another format is refused with the command that makes it again
NAMES = {"SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity"}  # profiles that stand for types in the standard
SHIPPED = ("r4.json", "us-core.json")


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    `targets` are what a Reference here may point to (empty: any resource), `binding` the required value set, `rules`
    the invariants placed here, `like` the path whose content this one repeats.
    """

    types: tuple[str, ...] = ()
    min: int = 0
    many: bool = False
    targets: tuple[str, ...] = ()
    binding: str = ""
    rules: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True, slots=True)
class Type:
    """A resource, datatype or primitive. `elements` is keyed by the path without the type's own name."""

    name: str
    kind: str  # resource | complex | primitive
    rules: tuple[str, ...] = ()
    elements: Mapping[str, Element] = field(default_factory=dict)
    regex: str = ""  # primitives only


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a profile narrows at one element id. None and empty mean: as the base type has it."""

    min: int | None = None
    max: int | None = None
    types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    binding: str = ""
    rules: tuple[str, ...] = ()
    profile: str = ""  # what the value itself must hold to: an extension's definition, a profile of a datatype
    limits: Mapping[str, Any] = field(default_factory=dict)  # maxLength, minimum, maximum, as in JSON Schema
    fixed: Any = None
    pattern: Any = None
    slicing: tuple[tuple[str, str], ...] = ()  # (discriminator kind, path)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile or extension definition; `elements` is keyed by element id, in the definition's order."""

    url: str
    id: str
    type: str
    elements: Mapping[str, Constraint]
    must_support: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The codes of a value set by system; `open` are systems whose codes are not at hand, so any code is taken."""

    codes: Mapping[str, tuple[str, ...]]
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """A constraint of the standard: its severity and FHIRPath expression."""

    severity: str
    expression: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything the validator knows. `digest` changes whenever any file of it changes."""

    types: Mapping[str, Type]
    resources: frozenset[str]  # every resource name of R4, also those without a definition here
    profiles: Mapping[str, Profile]
    value_sets: Mapping[str, ValueSet]
    invariants: Mapping[str, Invariant]
    packages: tuple[str, ...]  # name#version, in the order read
    digest: str

    def element(self, type_name: str, path: str) -> Element | None:
        """The element at a dotted path, followed through datatypes and repeated content; None where there is none."""
        return find_element(self.types, type_name, path)


def find_element(types: Mapping[str, Type], type_name: str, path: str) -> Element | None:
    """The element at `path` below `type_name`; a choice may be named `value[x]` or `valueQuantity`."""
    owner, at, found = types.get(type_name), "", None
    for name in path.split("."):
        if owner is None:
            return None
        at, found = (f"{at}.{name}" if at else name), None
        found = owner.elements.get(at) or _choice(owner, at)
        if found is None:
            return None
        if found.like:
            at = found.like
        elif found.types[:1] not in (("BackboneElement",), ("Element",)):
            owner, at = types.get(found.types[0]) if len(found.types) == 1 else None, ""
    return found


def _choice(owner: Type, path: str) -> Element | None:
    for at, element in owner.elements.items():
        if at.endswith("[x]") and path.startswith(at[:-3]):
            for kind in element.types:
                if path.rsplit(".", 1)[-1] in choice_names(at, (kind,)):
                    return Element(types=(kind,), targets=element.targets, binding=element.binding)
    return None


def choice_names(path: str, types: Iterable[str]) -> tuple[str, ...]:
    """The JSON names of a choice: `value[x]` of string and Quantity → valueString, valueQuantity."""
    stem = path.rsplit(".", 1)[-1].removesuffix("[x]")
    return tuple(stem + NAMES.get(kind, kind[0].upper() + kind[1:]) for kind in types)


def load(*directories: Path) -> Definitions:
    """The shipped definitions, then every compact file in `directories`, later ones replacing profiles of the same url.

    Reads files; raises `DefinitionError` naming the file that cannot be used.
    """
    shipped = Path(__file__).parent / "data"
    files = [shipped / name for name in SHIPPED]
    for directory in directories:
        files.extend(sorted(directory.glob("*.json")))
    return merge([_read(path) for path in files])


def merge(documents: Iterable[dict[str, Any]]) -> Definitions:
    """One `Definitions` of several compact documents; of two profiles with one url the later stands."""
    types: dict[str, Type] = {}
    profiles: dict[str, Profile] = {}
    value_sets: dict[str, ValueSet] = {}
    invariants: dict[str, Invariant] = {}
    resources: set[str] = set()
    packages: list[str] = []
    digest = sha256()
    for document in documents:
        digest.update(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
        packages.append(document["package"])
        resources.update(document.get("resources", ()))
        for name, raw in document.get("types", {}).items():
            types[name] = _type(name, raw)
        for url, raw in document.get("profiles", {}).items():
            profiles[url] = _profile(url, raw)
        for url, raw in document.get("value_sets", {}).items():
            codes = {system: tuple(listed) for system, listed in raw.get("codes", {}).items()}
            found = ValueSet(codes, tuple(raw.get("open", ())))
            if url not in value_sets or "" not in found.open:  # one without its codes does not replace one with them
                value_sets[url] = found
        for key, (severity, expression) in document.get("invariants", {}).items():
            invariants[key] = Invariant(severity, expression)
    return Definitions(
        types, frozenset(resources), profiles, value_sets, invariants, tuple(packages), digest.hexdigest()
    )


def _read(path: Path) -> dict[str, Any]:
    again = "make it again with `bridge definitions add PACKAGE.tgz`"
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        problem = Problem("definitions-unreadable", "a definitions file is JSON", str(path), next_step=again)
        raise DefinitionError(problem) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DefinitionError(
            Problem("definitions-format", f"a definitions file has format {FORMAT}", str(path), next_step=again)
        )
    return document


def _type(name: str, raw: dict[str, Any]) -> Type:
    elements = {path: Element(**_frozen(body)) for path, body in raw.get("elements", {}).items()}
    return Type(name, raw["kind"], tuple(raw.get("rules", ())), elements, raw.get("regex", ""))


def _profile(url: str, raw: dict[str, Any]) -> Profile:
    elements = {path: Constraint(**_frozen(body)) for path, body in raw["elements"].items()}
    return Profile(url, raw["id"], raw["type"], elements, tuple(raw.get("must_support", ())))


def _frozen(body: dict[str, Any]) -> dict[str, Any]:
    plain = ("fixed", "pattern")
    return {
        name: tuple(tuple(item) if isinstance(item, list) else item for item in value)
        if isinstance(value, list) and name not in plain
        else value
        for name, value in body.items()
    }
