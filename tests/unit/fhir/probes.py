"""Resources that are wrong in one way each, with the code and place that must be found.

`hl7` says why HL7's validator is not expected to refuse a probe (it is asked in `tests/live/test_hl7_validator.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.unit.fhir.samples import GONE, US_CORE, Resource, changed, sample

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
CORE_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category"
ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@dataclass(frozen=True)
class Probe:
    """`kind`'s sample with `changes` made is wrong: `code` at `path`."""

    name: str
    kind: str
    changes: dict[str, Any]
    code: str
    path: str
    hl7: str = ""

    def resource(self) -> Resource:
        """The broken resource."""
        base = MORE[self.kind] if self.kind in MORE else sample(self.kind)
        return changed(base, self.changes)


def concept(system: str, code: str) -> Resource:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


SUBJECT = {"reference": "Patient/1"}
MORE: dict[str, Resource] = {
    "QuestionnaireResponse": {
        "resourceType": "QuestionnaireResponse",
        "meta": {"profile": [US_CORE + "us-core-questionnaireresponse"]},
        "questionnaire": "http://example.org/Questionnaire/parenting",
        "status": "completed",
        "subject": SUBJECT,
        "authored": "2026-02-20T10:00:00-05:00",
        "item": [{"linkId": "1", "text": "Sleep", "answer": [{"valueInteger": 2}]}, {"linkId": "2", "text": "Play"}],
    },
    "Consent": {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL")],
        "patient": SUBJECT,
        "policyRule": concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
    },
    "Provenance": {
        "resourceType": "Provenance",
        "meta": {"profile": [US_CORE + "us-core-provenance"]},
        "target": [{"reference": "Encounter/1"}],
        "recorded": "2026-03-02T16:31:00.000-05:00",
        "agent": [
            {
                "type": concept("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "author"),
                "who": {"reference": "PractitionerRole/1"},
                "onBehalfOf": {"reference": "Organization/1"},
            }
        ],
    },
    "Organization": {
        "resourceType": "Organization",
        "meta": {"profile": [US_CORE + "us-core-organization"]},
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
        "active": True,
        "name": "Northside Community Services",
        "address": [{"use": "work", "line": ["1 Example Street"], "city": "Springfield"}],
        "telecom": [{"system": "phone", "value": "+1 555 0102"}],
    },
    "Bundle": {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:5b1f1b62-3e22-4ba4-9a3c-2c6f1c2f4b11",
                "resource": {"resourceType": "Basic", "code": {"text": "note"}},
                "request": {"method": "POST", "url": "Basic"},
            }
        ],
    },
    "Parameters": {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "b"}]},
    "Communication": {
        "resourceType": "Communication",
        "status": "completed",
        "subject": SUBJECT,
        "payload": [{"contentString": "We could not reach the family."}],
        "sent": "2026-03-02T16:31:00-05:00",
    },
    "List": {"resourceType": "List", "status": "current", "mode": "snapshot", "entry": [{"item": SUBJECT}]},
    "PractitionerRole": {
        "resourceType": "PractitionerRole",
        "meta": {"profile": [US_CORE + "us-core-practitionerrole"]},
        "practitioner": {"reference": "Practitioner/1"},
        "organization": {"reference": "Organization/1"},
        "telecom": [{"system": "phone", "value": "+1 555 0103"}],
    },
}

PROBES = (
    # ── structure ──
    Probe("unknown element", "Patient", {"nickname": "x"}, "fhir-unknown-element", "Patient"),
    Probe("misspelt element", "Encounter", {"stauts": "finished"}, "fhir-unknown-element", "Encounter"),
    Probe("unknown inside", "Patient", {"name.0.middle": "x"}, "fhir-unknown-element", "Patient.name[0]"),
    Probe("unknown backbone", "Encounter", {"participant.0.x": 1}, "fhir-unknown-element", "Encounter.participant[0]"),
    Probe("unknown type", "Patient", {"resourceType": "Patien"}, "fhir-resource-type", "resourceType"),
    Probe("no type", "Patient", {"resourceType": GONE}, "fhir-resource-type", "resourceType"),
    Probe("required absent", "Encounter", {"status": GONE}, "fhir-required", "Encounter.status"),
    Probe("required inside", "CarePlan", {"activity.0.detail.status": GONE}, "fhir-required",
          "CarePlan.activity[0].detail.status"),
    Probe("extension without url", "Patient", {"extension.0.url": GONE}, "fhir-required", "Patient.extension[0].url"),
    Probe("empty object", "Encounter", {"serviceProvider": {}}, "fhir-empty", "Encounter.serviceProvider"),
    Probe("empty list", "Patient", {"name": []}, "fhir-empty", "Patient.name"),
    Probe("empty string", "Goal", {"description.text": ""}, "fhir-empty", "Goal.description.text"),
    Probe("blank string", "Goal", {"description.text": "   "}, "fhir-format", "Goal.description.text",
          hl7="a blank string is a warning there"),
    Probe("null", "Encounter", {"status": None}, "fhir-binding", "Encounter.status"),
    Probe("null in a list", "Patient", {"name.0.given": ["Marisol", None]}, "fhir-type", "Patient.name[0].given[1]"),
    Probe("object for a list", "Patient", {"name": {"family": "x"}}, "fhir-type", "Patient.name"),
    Probe("list for an object", "Encounter", {"subject": [SUBJECT]}, "fhir-type", "Encounter.subject"),
    Probe("string for an object", "Encounter", {"subject": "Patient/1"}, "fhir-type", "Encounter.subject"),
    Probe("control character", "Goal", {"description.text": "a\u0001b"}, "fhir-format", "Goal.description.text",
          hl7="control characters are not looked at there"),
    # ── primitives ──
    Probe("boolean as text", "Patient", {"active": "true"}, "fhir-type", "Patient.active"),
    Probe("number as text", "Observation", {"valueQuantity.value": "45"}, "fhir-type",
          "Observation.valueQuantity.value"),
    Probe("integer with a fraction", "QuestionnaireResponse", {"item.0.answer.0.valueInteger": 2.5}, "fhir-type",
          "QuestionnaireResponse.item[0].answer[0].valueInteger"),
    Probe("integer written 2.0", "QuestionnaireResponse", {"item.0.answer.0.valueInteger": 2.0}, "fhir-format",
          "QuestionnaireResponse.item[0].answer[0].valueInteger"),
    Probe("integer too large", "QuestionnaireResponse", {"item.0.answer.0.valueInteger": 2**31}, "fhir-format",
          "QuestionnaireResponse.item[0].answer[0].valueInteger"),
    Probe("date with a time", "Patient", {"birthDate": "2021-03-09T00:00:00Z"}, "fhir-format", "Patient.birthDate"),
    Probe("American date", "Patient", {"birthDate": "03/09/2021"}, "fhir-format", "Patient.birthDate"),
    Probe("30 February", "Patient", {"birthDate": "2021-02-30"}, "fhir-format", "Patient.birthDate"),
    Probe("29 February 2023", "Goal", {"startDate": "2023-02-29"}, "fhir-format", "Goal.startDate"),
    Probe("month 13", "Condition", {"onsetDateTime": "2025-13"}, "fhir-format", "Condition.onsetDateTime"),
    Probe("time without zone", "Encounter", {"period.start": "2026-03-02T15:00:00"}, "fhir-format",
          "Encounter.period.start"),
    Probe("time without seconds", "Encounter", {"period.start": "2026-03-02T15:00-05:00"}, "fhir-format",
          "Encounter.period.start"),
    Probe("24 o'clock", "Task", {"authoredOn": "2026-03-02T24:00:00Z"}, "fhir-format", "Task.authoredOn"),
    Probe("zone out of range", "Task", {"authoredOn": "2026-03-02T10:00:00+15:00"}, "fhir-format", "Task.authoredOn"),
    Probe("instant without a time", "DocumentReference", {"date": "2026-03-02"}, "fhir-format",
          "DocumentReference.date"),
    Probe("id too long", "Patient", {"id": "a" * 65}, "fhir-format", "Patient.id"),
    Probe("id with an underscore", "Patient", {"id": "a_b"}, "fhir-format", "Patient.id"),
    Probe("uri with a space", "Patient", {"identifier.0.system": "urn:dyad bridge"}, "fhir-format",
          "Patient.identifier[0].system"),
    Probe("code with two spaces", "Observation", {"valueQuantity.code": "a  b"}, "fhir-format",
          "Observation.valueQuantity.code"),
    Probe("not base64", "DocumentReference", {"content.0.attachment.data": "abc$"}, "fhir-format",
          "DocumentReference.content[0].attachment.data"),
    Probe("not a media type", "DocumentReference", {"content.0.attachment.contentType": "plain text"}, "fhir-binding",
          "DocumentReference.content[0].attachment.contentType", hl7="media types are not looked at there"),
    Probe("not a language", "DocumentReference", {"content.0.attachment.language": "español"}, "fhir-binding",
          "DocumentReference.content[0].attachment.language"),
    # ── choices, bindings, references ──
    Probe("two of a choice", "Observation", {"valueString": "45"}, "fhir-choice", "Observation"),
    Probe("two dates of onset", "Condition", {"onsetString": "autumn"}, "fhir-choice", "Condition"),
    Probe("a type the choice lacks", "Observation", {"valueDecimal": 4}, "fhir-unknown-element", "Observation"),
    Probe("two answers in one", "QuestionnaireResponse", {"item.0.answer.0.valueString": "x"}, "fhir-choice",
          "QuestionnaireResponse.item[0].answer[0]"),
    Probe("code outside its set", "Encounter", {"status": "done"}, "fhir-binding", "Encounter.status"),
    Probe("code in capitals", "Patient", {"gender": "Female"}, "fhir-binding", "Patient.gender"),
    Probe("concept outside its set", "Condition", {"clinicalStatus.coding.0.code": "open"}, "fhir-binding",
          "Condition.clinicalStatus.coding"),
    Probe("concept of another system", "Condition", {"clinicalStatus.coding.0.system": "http://loinc.org"},
          "fhir-binding", "Condition.clinicalStatus.coding"),
    Probe("concept without a coding", "Condition", {"clinicalStatus": {"text": "active"}}, "fhir-binding",
          "Condition.clinicalStatus"),
    Probe("reference to another type", "Encounter", {"subject.reference": "Practitioner/1"}, "fhir-reference",
          "Encounter.subject.reference", hl7="references are not resolved there"),
    Probe("URL of another type", "Encounter", {"subject.reference": "https://ehr.example/fhir/Device/1"},
          "fhir-reference", "Encounter.subject.reference", hl7="references are not resolved there"),
    Probe("reference without a type", "Encounter", {"subject.reference": "123"}, "fhir-reference",
          "Encounter.subject.reference", hl7="references are not resolved there"),
    Probe("type that contradicts", "Encounter", {"subject.type": "Device"}, "fhir-reference",
          "Encounter.subject.type"),
    Probe("nothing contained", "Encounter", {"serviceProvider.reference": "#org"}, "ref-1",
          "Encounter.serviceProvider.reference"),
    # ── invariants ──
    Probe("period backwards", "Encounter", {"period.end": "2026-03-02T14:59:59-05:00"}, "per-1", "Encounter.period"),
    Probe("period backwards over zones", "Encounter",
          {"period": {"start": "2026-03-02T15:00:00-05:00", "end": "2026-03-02T16:00:00Z"}}, "per-1",
          "Encounter.period"),
    Probe("data without contentType", "DocumentReference", {"content.0.attachment.contentType": GONE}, "att-1",
          "DocumentReference.content[0].attachment"),
    Probe("telecom without system", "Patient", {"telecom.0.system": GONE}, "cpt-2", "Patient.telecom[0]"),
    Probe("unit code without system", "Observation", {"valueQuantity.system": GONE}, "qty-3",
          "Observation.valueQuantity"),
    Probe("extension with both", "Patient", {"extension.0.valueString": "x"}, "ext-1", "Patient.extension[0]"),
    Probe("extension with neither", "Patient", {"extension.0.extension": GONE}, "ext-1", "Patient.extension[0]"),
    Probe("extension with two values", "Patient",
          {"extension.1": {"url": "http://example.org/a", "valueString": "x", "valueCode": "y"}}, "ext-1",
          "Patient.extension[1]"),
    Probe("contact without anybody", "Patient", {"contact.0.name": GONE}, "pat-1", "Patient.contact[0]"),
    Probe("section without anything", "Composition", {"section.0.text": GONE}, "cmp-1", "Composition.section[0]"),
    Probe("script in a narrative", "CarePlan", {"text.div": DIV.format("<script>x</script>hello")}, "txt-1",
          "CarePlan.text.div"),
    Probe("narrative that is not closed", "CarePlan", {"text.div": DIV.format("<p>hello")}, "txt-1",
          "CarePlan.text.div"),
    Probe("narrative without words", "CarePlan", {"text.div": DIV.format("  ")}, "txt-1", "CarePlan.text.div"),
    Probe("narrative without namespace", "CarePlan", {"text.div": "<div>hello</div>"}, "txt-1", "CarePlan.text.div"),
    Probe("event in a narrative", "CarePlan", {"text.div": DIV.format('<p onclick="x()">hello</p>')}, "txt-1",
          "CarePlan.text.div"),
    Probe("activity with both", "CarePlan", {"activity.0.reference": {"reference": "Task/1"}}, "cpl-3",
          "CarePlan.activity[0]"),
    Probe("abated and active", "Condition", {"abatementDateTime": "2026-01-01"}, "con-4", "Condition"),
    Probe("in error with a status", "Condition", {"verificationStatus.coding.0.code": "entered-in-error"}, "con-5",
          "Condition"),
    Probe("value and its absence", "Observation", {"dataAbsentReason": {"text": "refused"}}, "obs-6", "Observation"),
    Probe("component repeats the code", "Observation",
          {"code": concept("http://loinc.org", "1-8"),
           "component": [{"code": concept("http://loinc.org", "1-8"), "valueInteger": 1}]}, "obs-7", "Observation"),
    Probe("target without a measure", "Goal", {"target.0.detailString": "less fear"}, "gol-1", "Goal.target[0]"),
    Probe("modified before authored", "Task", {"lastModified": "2026-03-01T09:00:00-05:00"}, "inv-1", "Task"),
    Probe("on behalf of, by a relative", "CareTeam",
          {"participant.2.onBehalfOf": {"reference": "Organization/1"}}, "ctm-1",
          "CareTeam.participant[2].member.reference", hl7="references are not resolved there"),
    Probe("answers and items", "QuestionnaireResponse", {"item.0.item": [{"linkId": "1.1"}]}, "qrs-1",
          "QuestionnaireResponse.item[0]"),
    Probe("consent without a policy", "Consent", {"policyRule": GONE}, "ppc-1", "Consent"),
    Probe("empty reason in a full list", "List", {"emptyReason": {"text": "nothing"}}, "lst-1", "List"),
    Probe("organization at home", "Organization", {"address.0.use": "home"}, "org-2", "Organization.address[0].use"),
    Probe("transaction without a request", "Bundle", {"entry.0.request": GONE}, "bdl-3", "Bundle.entry[0]"),
    Probe("total in a transaction", "Bundle", {"total": 1}, "bdl-1", "Bundle.type"),
    Probe("parameter without anything", "Parameters", {"parameter.0.valueString": GONE}, "inv-1",
          "Parameters.parameter[0]"),
    # ── US Core ──
    Probe("no category", "CarePlan", {"category": GONE}, "fhir-required", "CarePlan.category"),
    Probe("no assess-plan", "CarePlan", {"category.0.coding.0.code": "other"}, "fhir-slice", "CarePlan.category"),
    Probe("assess-plan twice", "CarePlan",
          {"category.1": concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan")},
          "fhir-slice", "CarePlan.category"),
    Probe("no identifier", "Patient", {"identifier": GONE}, "fhir-required", "Patient.identifier"),
    Probe("no gender", "Patient", {"gender": GONE}, "fhir-required", "Patient.gender"),
    Probe("identifier without system", "Patient", {"identifier.0.system": GONE}, "fhir-required",
          "Patient.identifier[0].system"),
    Probe("name without names", "Patient", {"name.0": {"text": "Marisol"}}, "us-core-6", "Patient.name[0]"),
    Probe("ethnicity without text", "Patient", {"extension.0.extension.1": GONE}, "fhir-slice",
          "Patient.extension[0].extension"),
    Probe("ethnicity outside its set", "Patient", {"extension.0.extension.0.valueCoding.code": "9999-9"},
          "fhir-binding", "Patient.extension[0].extension[0].valueCoding"),
    Probe("ethnicity as text", "Patient", {"extension.0.extension.0": {"url": "ombCategory", "valueString": "x"}},
          "fhir-not-allowed", "Patient.extension[0].extension[0].valueString"),
    Probe("encounter without a type", "Encounter", {"type": GONE}, "fhir-required", "Encounter.type"),
    Probe("goal of an organization", "Goal", {"subject.reference": "Organization/1"}, "fhir-reference",
          "Goal.subject.reference", hl7="references are not resolved there"),
    Probe("member without a role", "CareTeam", {"participant.0.role": GONE}, "fhir-required",
          "CareTeam.participant[0].role"),
    Probe("team without members", "CareTeam", {"participant": GONE}, "fhir-required", "CareTeam.participant"),
    Probe("not a problem or concern", "Condition",
          {"category.0": concept(CORE_CATEGORY, "sdoh")}, "fhir-slice", "Condition.category"),
    Probe("screening that is no survey", "Observation", {"category.0.coding.0.code": "exam"}, "fhir-slice",
          "Observation.category"),
    Probe("score without a result", "Observation", {"valueQuantity": GONE}, "us-core-2", "Observation"),
    Probe("score in another unit system", "Observation", {"valueQuantity.system": "http://example.org/units"},
          "us-core-3", "Observation.valueQuantity.system"),
    Probe("month of a screening", "Observation", {"effectiveDateTime": "2026-02"}, "us-core-1",
          "Observation.effectiveDateTime", hl7="its own reading of the expression lets a month pass"),
    Probe("document without content", "DocumentReference",
          {"content.0.attachment": {"contentType": "text/plain"}}, "us-core-6",
          "DocumentReference.content[0].attachment"),
    Probe("document of no LOINC type", "DocumentReference", {"type": concept("http://example.org/types", "note")},
          "fhir-binding", "DocumentReference.type.coding"),
    Probe("response without a subject", "QuestionnaireResponse", {"subject": GONE}, "fhir-required",
          "QuestionnaireResponse.subject"),
    Probe("one linkId twice", "QuestionnaireResponse",
          {"item.1": {"linkId": "1", "answer": [{"valueInteger": 1}]}}, "sdcqr-2", "QuestionnaireResponse",
          hl7="its reading of the expression lets it pass"),
    Probe("practitioner for nobody", "Provenance",
          {"agent.0.who.reference": "Practitioner/1", "agent.0.onBehalfOf": GONE}, "provenance-1",
          "Provenance.agent[0]", hl7="references are not resolved there"),
    Probe("wrong check digit", "Organization", {"identifier.0.value": "1234567890"}, "us-core-17",
          "Organization.identifier[0]"),
    Probe("short provider identifier", "Organization", {"identifier.0.value": "123"}, "us-core-16",
          "Organization.identifier[0].value"),
    Probe("role that cannot be reached", "PractitionerRole", {"telecom": GONE}, "pd-1", "PractitionerRole"),
    Probe("profile of another type", "Goal", {"meta.profile": [US_CORE + "us-core-patient"]}, "fhir-profile-type",
          "Goal.meta.profile[0]"),
)  # fmt: skip
