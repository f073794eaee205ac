"""StructureDefinitions made compact: what validation needs of them, and nothing that is prose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.fhir.definitions import Element, Invariant, Type, choice_names, find_element
from bridge.fhir.valuesets import Expander

STANDARD = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = STANDARD + "structuredefinition-fhir-type"
MAX_VALUE_SET = STANDARD + "elementdefinition-maxValueSet"
REGEX = STANDARD + "regex"
EVERYWHERE = {"ele-1", "ext-1"}  # repeated at each element of a snapshot; they belong to Element and Extension
ABSTRACT = {"Resource", "DomainResource", "Element", "BackboneElement"}
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Skipped:
    """One definition of a package that cannot be used, and why."""

    name: str
    reason: str


class Compactor:
    """Compacts the definitions of one package against the base types and invariants already known."""

    def __init__(
        self,
        package: str,
        resources: Mapping[str, list[Raw]],
        types: Mapping[str, Type],
        invariants: Mapping[str, Invariant],
        targets: Mapping[str, str],
    ) -> None:
        """`types`, `invariants` and `targets` (profile url → resource type) are what is known beside the package."""
        self.package = package
        self.skipped: list[Skipped] = []
        self._structures = {str(item["url"]): item for item in resources["StructureDefinition"] if "url" in item}
        self._targets_by_url = {**targets, **{url: str(item.get("type")) for url, item in self._structures.items()}}
        self._ambiguous = _ambiguous(self._structures.values())
        self._expander = Expander(resources["CodeSystem"], resources["ValueSet"])
        self._types = types
        self._known = invariants
        self._invariants: dict[str, tuple[str, str]] = {}
        self._bound: dict[str, None] = {}

    def document(self, **parts: Raw) -> Raw:
        """The parts with the value sets they bind to and the invariants they place."""
        sets = {url: self._expander.expand(url) for url in sorted(self._bound)}
        return {
            **parts,
            "value_sets": {url: codes for url, codes in sets.items() if codes is not None},
            "invariants": dict(sorted(self._invariants.items())),
        }

    # ── base types ──────────────────────────────────────────────────────────────────────────────────────────────
    def resource_names(self) -> list[str]:
        """Every concrete resource the package defines."""
        found = (item for item in self._structures.values() if item.get("kind") == "resource")
        return sorted({item["type"] for item in found if not item.get("abstract")})

    def types(self, wanted: Iterable[str]) -> Raw:
        """The wanted types and every datatype reached from them."""
        done: Raw = {}
        waiting = sorted(wanted, reverse=True)
        while waiting:
            name = waiting.pop()
            if name in done or name in ABSTRACT:
                continue
            done[name] = self._type(self._structures[STANDARD + name])
            for element in done[name].get("elements", {}).values():
                waiting.extend(element.get("types", ()))
        return dict(sorted(done.items()))

    def _type(self, structure: Raw) -> Raw:
        elements = structure["snapshot"]["element"]
        root, kind = elements[0]["path"], structure["kind"].removesuffix("-type")
        if kind == "primitive":
            return {"kind": kind, "regex": _regex(elements)}
        compact: Raw = {"kind": "complex" if kind == "complex" else "resource"}
        if rules := self._rules(elements[0]):
            compact["rules"] = rules
        compact["elements"] = {e["path"][len(root) + 1 :]: self._element(e, root) for e in elements[1:]}
        if structure.get("derivation") == "constraint":  # SimpleQuantity: Quantity without a comparator
            compact["elements"] = {p: b for p, b in compact["elements"].items() if b.pop("absent", None) is None}
        return compact

    def _element(self, element: Raw, root: str) -> Raw:
        compact: Raw = {}
        if element.get("max") == "0":
            return {"absent": True}
        if "contentReference" in element:
            compact["like"] = element["contentReference"].split("#")[1].removeprefix(root + ".")
        else:
            compact["types"] = list(dict.fromkeys(_code(kind) for kind in element["type"]))
            if element.get("base", {}).get("path") == "Resource.id":  # 4.0.1 says string; §2.27.0.1 says what it means
                compact["types"] = ["id"]
        if element["min"]:
            compact["min"] = element["min"]
        if element["max"] != "1":
            compact["many"] = True
        if targets := self._targets(element):
            compact["targets"] = targets
        if binding := self._binding(element):
            compact["binding"] = binding
        if rules := self._rules(element):
            compact["rules"] = rules
        return compact

    # ── profiles ────────────────────────────────────────────────────────────────────────────────────────────────
    def profiles(self) -> Raw:
        """Profiles and extension definitions by url, narrowed to what differs from their base type."""
        done: Raw = {}
        for url, structure in sorted(self._structures.items()):
            if structure.get("derivation") != "constraint" or structure.get("kind") == "logical":
                continue
            reason = self._unusable(structure)
            if reason:
                self.skipped.append(Skipped(str(structure.get("id") or url), reason))
                continue
            done[url] = self._profile(structure)
        return done

    def _unusable(self, structure: Raw) -> str:
        if structure.get("type") not in self._types:
            return f"the bridge has no definition of {structure.get('type')}"
        if not structure.get("snapshot", {}).get("element"):
            return "it has no snapshot"
        return ""

    def _profile(self, structure: Raw) -> Raw:
        kind, elements = structure["type"], structure["snapshot"]["element"]
        narrowed: Raw = {}
        must: dict[str, None] = {}
        for element in elements:
            path = element["path"][len(kind) + 1 :]
            base = find_element(self._types, kind, path) if path else Element(types=(kind,), many=True)
            if base and base.like:  # said at the path whose content it repeats
                base = replace(base, rules=self._types[kind].elements[base.like].rules)
            body = self._constraint(element, base or Element(), kind)
            whole = narrowed.get(element["id"].rsplit(":", 1)[0], {}) if ":" in element["id"] else {}
            if whole.get("rules") == body.get("rules"):
                body.pop("rules", None)  # said once, for every item
            if body:
                narrowed[element["id"]] = body
            if path and element.get("mustSupport") and ":" not in element["id"] and not element["min"]:
                must[path] = None
        compact: Raw = {"id": structure["id"], "type": kind, "elements": narrowed}
        if must:
            compact["must_support"] = list(must)
        return compact

    def _constraint(self, element: Raw, base: Element, kind: str) -> Raw:
        compact: Raw = {}
        most = None if element["max"] == "*" or element["path"] == kind else int(element["max"])
        sliced = ":" in element["id"].rsplit(".", 1)[-1]
        if element["min"] > (0 if sliced else base.min):
            compact["min"] = element["min"]
        if most is not None and (most != 1 or base.many):
            compact["max"] = most
        codes = tuple(dict.fromkeys(_code(item) for item in element.get("type", ())))
        if len(base.types) > 1 and codes and set(choice_names("", codes)) != set(choice_names("", base.types)):
            compact["types"] = list(codes)
        targets = self._targets(element)
        if targets and set(targets) != set(base.targets):
            compact["targets"] = targets
        if binding := self._binding(element, base.binding):
            compact["binding"] = binding
        stated = {*base.rules, *self._type_rules(codes), *self._type_rules(base.types)}
        if own := [key for key in self._rules(element) if key not in stated]:
            compact["rules"] = own
        profiled = [item["profile"][0].split("|")[0] for item in element.get("type", ()) if item.get("profile")]
        if len(profiled) == 1 and len(element["type"]) == 1 and codes != ("SimpleQuantity",):
            compact["profile"] = profiled[0]
        for name, value in element.items():
            if name.startswith(("fixed", "pattern")) and name not in ("fixed", "pattern"):
                compact["fixed" if name.startswith("fixed") else "pattern"] = value
        if limits := self._limits(element):
            compact["limits"] = limits
        return compact | self._slicing(element)

    def _limits(self, element: Raw) -> Raw:
        limits: Raw = {}
        for name, value in element.items():
            if name == "maxLength":
                limits[name] = value
            elif name.startswith(("minValue", "maxValue")) and isinstance(value, int | float):
                limits["minimum" if name.startswith("min") else "maximum"] = value
            elif name.startswith(("minValue", "maxValue")):
                self.skipped.append(Skipped(element["id"], f"{name} is not checked"))
        return limits

    def _slicing(self, element: Raw) -> Raw:
        slicing = element.get("slicing")
        if slicing is None:
            return {}
        compact: Raw = {}
        if not element["path"].endswith((".extension", ".modifierExtension")):  # those are sliced by url, always
            compact["slicing"] = [[item["type"], item["path"]] for item in slicing.get("discriminator", ())]
        if slicing.get("rules") == "closed":
            compact["closed"] = True
        return compact

    # ── what both share ─────────────────────────────────────────────────────────────────────────────────────────
    def _type_rules(self, codes: Iterable[str]) -> tuple[str, ...]:
        return tuple(key for code in codes if code in self._types for key in self._types[code].rules)

    def _targets(self, element: Raw) -> list[str]:
        """Resource types a Reference may point to; a profile's url stands for its type; empty: any."""
        names: dict[str, None] = {}
        for kind in element.get("type", ()):
            for url in kind.get("targetProfile", ()) if kind["code"] == "Reference" else ():
                name = self._targets_by_url.get(url.split("|")[0], "Resource")
                if name == "Resource":
                    return []
                names[name] = None
        return list(names)

    def _binding(self, element: Raw, base: str = "") -> str:
        """The value set an element must take its code from, where that is not the base's own."""
        binding = element.get("binding", {})
        url = binding.get("valueSet", "") if binding.get("strength") == "required" else ""
        for extension in binding.get("extension", ()):
            if extension["url"] == MAX_VALUE_SET and not url:
                url = extension.get("valueCanonical", "")
        url = str(url).split("|")[0]
        if url in ("", base):
            return ""
        self._bound[url] = None
        return url

    def _rules(self, element: Raw) -> list[str]:
        keys = []
        for constraint in element.get("constraint", ()):
            key, expression = constraint["key"], constraint.get("expression", "")
            if key in EVERYWHERE and element["path"] not in ("Element", "Extension"):
                continue
            keys.append(self._invariant(key, constraint.get("severity", "error"), expression, element["path"]))
        return keys

    def _invariant(self, key: str, severity: str, expression: str, path: str) -> str:
        """The name the invariant goes by: its key, or with its place where that key already means something else."""
        names = (key, f"{key}@{path}", f"{key}@{path}@{self.package}")
        for name in names:
            known = self._known.get(name)
            if known and known.expression == expression:
                return name
        for name in names[1 if key in self._ambiguous else 0 :]:
            if name not in self._known and self._invariants.get(name, ("", expression))[1] == expression:
                break
        self._invariants[name] = (severity, expression)
        return name


def _ambiguous(structures: Iterable[Raw]) -> set[str]:
    """Keys that the package gives to more than one invariant (us-core-6 is two)."""
    meanings: dict[str, set[str]] = {}
    for structure in structures:
        for element in structure.get("snapshot", {}).get("element", ()):
            for constraint in element.get("constraint", ()):
                meanings.setdefault(constraint["key"], set()).add(constraint.get("expression", ""))
    return {key for key, expressions in meanings.items() if len(expressions) > 1}


def _code(kind: Raw) -> str:
    """The FHIR type of an element: `id` and `url` carry it in an extension, SimpleQuantity in a profile."""
    for extension in kind.get("extension", ()):
        if extension["url"] == FHIR_TYPE:
            return str(extension.get("valueUrl") or extension.get("valueUri"))
    if STANDARD + "SimpleQuantity" in kind.get("profile", ()):
        return "SimpleQuantity"
    return str(kind["code"]).removeprefix("http://hl7.org/fhirpath/System.").replace("String", "string")


def _regex(elements: list[Raw]) -> str:
    for element in elements:
        for kind in element.get("type", ()):
            for extension in kind.get("extension", ()):
                if extension["url"] == REGEX:
                    return str(extension["valueString"])
    return ""
