"""What every canonical part carries, whatever its mapping says: id, business identifier, source, program, labels."""

from __future__ import annotations

from typing import Any

from bridge.mappings.classes import ORDINARY
from bridge.mappings.identity import person_id, stable_id

PROGRAM_SYSTEM = "urn:dyad-bridge:program"
LABEL_SYSTEM = "urn:dyad-bridge:label"

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
# US Core 6.1.0's profiles of the types we make, where a type has one (Observation has many: the template names it).
_PROFILES = {
    "CarePlan": "careplan",
    "CareTeam": "careteam",
    "Encounter": "encounter",
    "Goal": "goal",
    "Patient": "patient",
    "QuestionnaireResponse": "questionnaireresponse",
    "RelatedPerson": "relatedperson",
    "ServiceRequest": "servicerequest",
}
# FHIR R4: these have one identifier or none, all other types we make have a list.
_ONE_IDENTIFIER = frozenset({"Bundle", "Composition", "QuestionnaireResponse"})
_NO_IDENTIFIER = frozenset({"AuditEvent", "Binary", "Provenance"})


def agency_system(agency: str) -> str:
    """The identifier system of an agency's own ids."""
    return f"urn:dyad-bridge:{agency}"


def part_id(agency: str, kind: str, source_id: str, part: str, type_: str, about: str) -> str:
    """The id of a part: that of the person for a Patient, else its own."""
    return person_id(agency, about) if type_ == "Patient" else stable_id(agency, kind, source_id, part)


def finished(
    made: dict[str, Any], *, id_: str, agency: str, program: str, business_id: str, classes: frozenset[str]
) -> dict[str, Any]:
    """A rendered template as a canonical resource. What the template itself says of these elements stands."""
    type_ = made["resourceType"]
    system = agency_system(agency)
    meta: dict[str, Any] = {}
    if type_ in _PROFILES:
        meta["profile"] = [_US_CORE + _PROFILES[type_]]
    meta |= made.get("meta", {})
    meta |= {"source": system, "tag": [{"system": PROGRAM_SYSTEM, "code": program}]}
    if labels := sorted(classes - {ORDINARY}):
        meta["security"] = [{"system": LABEL_SYSTEM, "code": label} for label in labels]
    head: dict[str, Any] = {"resourceType": type_, "id": made.get("id", id_), "meta": meta}
    if type_ not in _NO_IDENTIFIER and "identifier" not in made:
        identifier = {"system": system, "value": business_id}
        head["identifier"] = identifier if type_ in _ONE_IDENTIFIER else [identifier]
    return head | {key: value for key, value in made.items() if key not in head}
