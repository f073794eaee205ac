"""Synthetic resources of every type the sandboxes hold, and what a practice has before anybody writes to it."""

from __future__ import annotations

import base64
import copy
from typing import Any

Json = dict[str, Any]

FHIR = {"content-type": "application/fhir+json"}
QUESTIONNAIRE = "https://practice.example/Questionnaire/screen"
PATIENT = {"reference": "Patient/p1"}
DOCTOR = {"reference": "Practitioner/d1"}
LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem"


def concept(system: str, code: str) -> Json:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


NOTE: Json = {
    "resourceType": "DocumentReference",
    "status": "current",
    "docStatus": "final",
    "identifier": [{"system": "urn:agency.example", "value": "contact/1/note"}],
    "type": concept(LOINC, "34904-3"),
    "category": [concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note")],
    "subject": PATIENT,
    "date": "2026-11-02T15:00:00Z",
    "content": [
        {
            "attachment": {
                "contentType": "text/plain;charset=utf-8",
                "data": base64.b64encode(b"Visita en casa.").decode(),
                "title": "Home visit [r-1]",
                "creation": "2026-11-02T15:00:00Z",
            }
        }
    ],
    "context": {"period": {"start": "2026-11-02T14:00:00Z", "end": "2026-11-02T15:00:00Z"}},
}

BODIES: dict[str, Json] = {
    "Patient": {
        "identifier": [{"system": "urn:mrn.example", "value": "777"}],
        "name": [{"use": "official", "family": "Muñoz", "given": ["Lía"]}],
        "birthDate": "2021-03-09",
        "gender": "female",
    },
    "Encounter": {
        "identifier": [{"type": {"text": "FIN"}, "system": "urn:fin.example", "value": "9"}],
        "status": "finished",
        "class": {"system": f"{CATEGORY}/v3-ActCode", "code": "AMB"},
        "type": [concept(f"{CATEGORY}/v2-0004", "O")],
        "subject": PATIENT,
        "serviceProvider": {"reference": "Organization/o1"},
        "period": {"start": "2026-11-02T14:00:00Z", "end": "2026-11-02T15:00:00Z"},
    },
    "CarePlan": {
        "status": "active",
        "intent": "plan",
        "subject": PATIENT,
        "category": [concept("urn:c", "assess-plan")],
    },
    "CareTeam": {"status": "active", "subject": PATIENT},
    "Goal": {"lifecycleStatus": "active", "description": {"text": "Sleep through the night"}, "subject": PATIENT},
    "Condition": {
        "clinicalStatus": concept(f"{CATEGORY}/condition-clinical", "active"),
        "verificationStatus": concept(f"{CATEGORY}/condition-ver-status", "provisional"),
        "category": [concept(f"{CATEGORY}/condition-category", "problem-list-item")],
        "code": concept("http://snomed.info/sct", "209832007"),
        "subject": PATIENT,
        "onsetDateTime": "2026-10-01",
    },
    "Observation": {
        "status": "final",
        "category": [concept(f"{CATEGORY}/observation-category", "vital-signs")],
        "code": concept(LOINC, "29463-7"),
        "subject": PATIENT,
        "encounter": {"reference": "Encounter/e1"},
        "effectiveDateTime": "2026-11-02T14:30:00Z",
        "performer": [DOCTOR],
        "valueQuantity": {"value": 14.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    },
    "QuestionnaireResponse": {
        "status": "in-progress",
        "questionnaire": QUESTIONNAIRE,
        "subject": PATIENT,
        "authored": "2026-11-02T14:30:00Z",
        "item": [{"linkId": "1", "answer": [{"valueString": "yes"}]}],
    },
    "DocumentReference": NOTE,
    "Communication": {
        "status": "completed",
        "category": [concept(f"{CATEGORY}/communication-category", "notification")],
        "subject": PATIENT,
        "encounter": {"reference": "Encounter/e1"},
        "recipient": [DOCTOR],
        "sender": DOCTOR,
        "payload": [{"contentAttachment": {"contentType": "text/plain", "data": "aG9sYQ=="}}],
    },
    "Task": {"status": "requested", "intent": "order", "for": PATIENT},
    "ServiceRequest": {"status": "active", "intent": "order", "subject": PATIENT, "code": concept("urn:c", "referral")},
    "Provenance": {
        "target": [{"reference": "Encounter/e1"}],
        "recorded": "2026-11-02T15:00:00Z",
        "agent": [{"who": {"reference": "Organization/o1"}}],
    },
    "Consent": {
        "status": "active",
        "scope": concept("urn:c", "s"),
        "category": [concept("urn:c", "c")],
        "patient": PATIENT,
    },
    "RelatedPerson": {"patient": PATIENT, "active": True, "name": [{"family": "Muñoz"}]},
    "Practitioner": {"name": [{"family": "Okafor"}]},
    "Organization": {"name": "Elm Street Pediatrics"},
    "Binary": {"contentType": "text/plain", "data": "aG9sYQ=="},
}

PRACTICE: list[Json] = [
    {
        "resourceType": "Patient",
        "id": "p1",
        **BODIES["Patient"],
        "identifier": [{"system": "urn:mrn.example", "value": "1"}],
    },
    {"resourceType": "Patient", "id": "p2", "identifier": [{"system": "urn:mrn.example", "value": "2"}]},
    {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Okafor"}]},
    {"resourceType": "Organization", "id": "o1", "name": "Elm Street Pediatrics"},
    {"resourceType": "Encounter", "id": "e1", **BODIES["Encounter"]},
    {"resourceType": "Encounter", "id": "e2", **BODIES["Encounter"], "subject": {"reference": "Patient/p2"}},
]


def body(kind: str, **changed: Any) -> Json:
    """A resource of the type that every shape offering it takes; a keyword replaces an element, None removes it."""
    made = copy.deepcopy({"resourceType": kind, **BODIES[kind]})
    for name, value in changed.items():
        made.pop(name, None)
        if value is not None:
            made[name] = value
    return made


def note(**changed: Any) -> Json:
    """A note of a home visit."""
    return body("DocumentReference", **changed)


def attached(**changed: Any) -> Json:
    """A note whose attachment has other elements; None removes one."""
    made = note()
    attachment = made["content"][0]["attachment"] | changed
    made["content"][0]["attachment"] = {name: value for name, value in attachment.items() if value is not None}
    return made
