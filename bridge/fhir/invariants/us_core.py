"""Invariants of US Core 6.1.0, and of the vital signs it builds on."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.fhir.invariants import checks
from bridge.fhir.invariants.shapes import (
    Rule,
    Schema,
    coded,
    every,
    has,
    implies,
    some_choice,
    where,
)

UCUM_ONLY: Schema = {"properties": {"system": {"const": "http://unitsofmeasure.org"}}}
ANSWERED = where("status", "partial", "preliminary", "final", "amended", "corrected", "appended")
VALUED: Schema = {"anyOf": [has("component", "hasMember", "dataAbsentReason"), some_choice("value")]}


def _npi(pattern: str) -> Schema:
    return {"properties": {"value": {"pattern": pattern}}}


RULES: Mapping[str, Rule] = {
    "pd-1": Rule("a role has a telecom or an endpoint", has("telecom", "endpoint")),
    "provenance-1": Rule(
        "a Practitioner or Device acts on behalf of an organization",
        implies(
            {
                "required": ["who"],
                "properties": {
                    "who": {
                        "required": ["reference"],
                        "properties": {"reference": {"pattern": "(?:^|/)(?:Practitioner|Device)/"}},
                    }
                },
            },
            has("onBehalfOf"),
        ),
    ),
    "sdcqr-1": Rule("a response has a subject", has("subject")),
    "sdcqr-2": Rule("answered items of one level have different linkIds", {"calls": "sdcqr-2"}, checks.distinct_links),
    "us-core-1": Rule("a time of effect is exact to the day", {"if": {"type": "string"}, "then": {"minLength": 10}}),
    "us-core-2": Rule("an observation without components or members has a value or the reason for its absence", VALUED),
    "us-core-3": Rule("a quantity is in UCUM units", {"properties": {"valueQuantity": UCUM_ONLY}}),
    "us-core-4": Rule(
        "a coded result is SNOMED CT's",
        {
            "properties": {
                "valueCodeableConcept": every("coding", {"properties": {"system": {"const": "http://snomed.info/sct"}}})
            }
        },
    ),
    "us-core-5": Rule(
        "a vaccine is not coded by NDC",
        {
            "properties": {
                "vaccineCode": every(
                    "coding", {"properties": {"system": {"not": {"const": "http://hl7.org/fhir/sid/ndc"}}}}
                )
            }
        },
    ),
    "us-core-6@DocumentReference.content.attachment": Rule("a document has a url or data", has("url", "data")),
    "us-core-6@Patient.name": Rule(
        "a name has a family or given name, or an extension says why not",
        {
            "oneOf": [
                has("family", "given"),
                {
                    "required": ["extension"],
                    "properties": {
                        "extension": {
                            "contains": {
                                "properties": {
                                    "url": {"const": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}
                                }
                            }
                        }
                    },
                },
            ]
        },
    ),
    "us-core-7": Rule(
        "a completed or current procedure says when",
        implies(where("status", "completed", "in-progress"), some_choice("performed")),
    ),
    "us-core-8": Rule("a report with results says when they are from", implies(ANSWERED, some_choice("effective"))),
    "us-core-9": Rule("a report with results says when it was issued", implies(ANSWERED, has("issued"))),
    "us-core-10": Rule("a report with results says when they are from", implies(ANSWERED, some_choice("effective"))),
    "us-core-13": Rule(
        "a role names a practitioner, organization, service or location",
        has("practitioner", "organization", "healthcareService", "location"),
    ),
    "us-core-14": Rule("a related person has a name or a relationship", has("name", "relationship")),
    "us-core-15": Rule(
        "coverage has a member identifier or a subscriber id",
        {
            "anyOf": [
                has("subscriberId"),
                {
                    "required": ["identifier"],
                    "properties": {
                        "identifier": {"contains": coded("type", "http://terminology.hl7.org/CodeSystem/v2-0203", "MB")}
                    },
                },
            ]
        },
    ),
    "us-core-16": Rule("a national provider identifier has ten digits", _npi("^[0-9]{10}$")),
    "us-core-17": Rule(
        "a national provider identifier has the right check digit", {"calls": "us-core-17"}, checks.provider_number
    ),
    "us-core-18": Rule("a CLIA number is two digits, D and seven digits", _npi("^[0-9]{2}D[0-9]{7}$")),
    "us-core-19": Rule("a NAIC code has five digits", _npi("^[0-9]{5}$")),
    "us-core-20": Rule(
        "a completed dispense says when it was handed over",
        implies(where("status", "completed"), has("whenHandedOver")),
    ),
    "us-core-21": Rule(
        "an order names its requester",
        implies(
            where("intent", "order", "original-order", "reflex-order", "filler-order", "instance-order"),
            has("requester"),
        ),
    ),
    "vs-1": Rule("a time of effect is exact to the day", {"if": {"type": "string"}, "then": {"minLength": 8}}),
    "vs-2": Rule("a vital sign without components or members has a value or the reason for its absence", VALUED),
    "vs-3": Rule(
        "a component has a value or the reason for its absence",
        {"anyOf": [has("dataAbsentReason"), some_choice("value")]},
    ),
}
