"""Statements, parts and contexts to test with. Nobody here is real."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson

from bridge.ehr import facts
from bridge.ehr.capability import Capability
from bridge.ehr.context import ShapeContext
from bridge.model import Part, Response, type_json

ALL = ("read", "search-type", "create", "update")
TYPES = (
    *("DocumentReference", "Encounter", "Condition", "Observation", "QuestionnaireResponse", "Goal", "CareTeam"),
    *("CarePlan", "ServiceRequest", "Task", "Communication", "Patient"),
)
PERSON = "0b4a2a1e-7c1f-5f0e-9a53-1f6f6a3c0001"
NOTE = "0b4a2a1e-7c1f-5f0e-9a53-1f6f6a3c0002"
ENCOUNTER = "0b4a2a1e-7c1f-5f0e-9a53-1f6f6a3c0003"
GOAL = "0b4a2a1e-7c1f-5f0e-9a53-1f6f6a3c0004"
REFERENCE = "DB-ABCDEFGHIJ23"


def statement(**types: tuple[tuple[str, ...], tuple[str, ...]]) -> type_json:
    """A CapabilityStatement with, per type, its interactions and search parameters."""
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "software": {"name": "Example", "version": "1"},
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {
                        "type": name,
                        "interaction": [{"code": code} for code in interactions],
                        "searchParam": [{"name": parameter, "type": "token"} for parameter in parameters],
                    }
                    for name, (interactions, parameters) in types.items()
                ],
            }
        ],
    }


def capability(vendor: str = "open", enable: frozenset[str] = frozenset(), **types: Any) -> Capability:
    """The capability of a server of this vendor with these types; without any, it takes documents and everything."""
    named = types or dict.fromkeys(TYPES, (ALL, ("identifier", "patient", "_count")))
    return Capability.from_statement(statement(**named), facts.vendor(vendor), enable)


def part(name: str, resource: type_json, about: str = "child-1") -> Part:
    """A canonical part about one child."""
    return Part(name, about, "child", resource)


def encounter(**more: Any) -> Part:
    """A home visit."""
    return part(
        "encounter",
        {
            "resourceType": "Encounter",
            "id": ENCOUNTER,
            "identifier": [{"system": "urn:dyad-bridge:roble", "value": "ma-soc/contact/c-1/encounter"}],
            "meta": {
                "source": "urn:dyad-bridge:roble",
                "tag": [{"system": "urn:dyad-bridge:program", "code": "ma-soc"}],
                "security": [{"system": "urn:dyad-bridge:label", "code": "violence-location"}],
                "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"],
            },
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
            "type": [{"text": "Joint home visit"}],
            "subject": {"reference": f"Patient/{PERSON}"},
            "period": {"start": "2026-03-04T15:30:00-05:00", "end": "2026-03-04T16:10:00-05:00"},
            "participant": [{"individual": {"display": "Family partner"}}],
            **more,
        },
    )


def note(*sections: type_json, **more: Any) -> Part:
    """The Composition of a contact."""
    return part(
        "note",
        {
            "resourceType": "Composition",
            "id": NOTE,
            "identifier": {"system": "urn:dyad-bridge:roble", "value": "ma-soc/contact/c-1/note"},
            "status": "final",
            "type": {"coding": [{"system": "http://loinc.org", "code": "34904-3", "display": "Progress note"}]},
            "subject": {"reference": f"Patient/{PERSON}"},
            "date": "2026-03-04T17:00:00-05:00",
            "author": [{"display": "Family partner"}, {"display": "Care coordinator"}],
            "title": "Contact note",
            "section": list(sections) or [section("What happened", "Synthetic words.")],
            **more,
        },
    )


def section(title: str, *texts: str, language: str = "") -> type_json:
    """A section with a narrative as the mappings make it."""
    spoken = f' xml:lang="{language}" lang="{language}"' if language else ""
    paragraphs = "".join(f"<p>{escape(text, quote=False).replace(chr(10), '<br/>')}</p>" for text in texts)
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"{spoken}>{paragraphs}</div>'
    return {"title": title, "text": {"status": "additional", "div": div}}


def context(vendor: str = "open", **more: Any) -> ShapeContext:
    """A delivery to the chart of the EHR's patient p-1."""
    return ShapeContext(
        **{
            "patient_id": "p-1",
            "reference": REFERENCE,
            "vendor": facts.vendor(vendor),
            "agency": "Roble Family Services",
            "zone": "America/New_York",
            **more,
        }
    )


def json(status: int, body: Any = None, **headers: str) -> Response:
    """A response with a JSON body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        status, {"content-type": "application/fhir+json", **named}, b"" if body is None else orjson.dumps(body)
    )


def outcome(code: str, *details: str, expression: str = "", severity: str = "error") -> type_json:
    """An OperationOutcome with one issue, and a diagnostics text that must go nowhere."""
    issue: type_json = {"severity": severity, "code": code, "diagnostics": "canary: Marisol Quispe, 2019-05-01"}
    if details:
        issue["details"] = {"text": "canary: Marisol Quispe", "coding": [{"code": code} for code in details]}
    if expression:
        issue["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def bundle(*resources: type_json, next: str = "") -> type_json:
    """A searchset."""
    links = [{"relation": "next", "url": next}] if next else []
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links,
        "entry": [{"resource": resource} for resource in resources],
    }
