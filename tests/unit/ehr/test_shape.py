"""Shaping: what this EHR takes, whose chart it is, and nothing that is ours alone."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.documentreference import DocumentReference
from fhir.resources.R4B.encounter import Encounter

from bridge.documents.formats import CCDA, FORMATS, PDF
from bridge.ehr import facts
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.note import choices
from bridge.ehr.references import PART_SYSTEM
from bridge.ehr.requirements import at, missing
from bridge.ehr.shape import choose_mime, digest, discrete, document
from bridge.model import Severity, type_json
from bridge.settings import Coding
from tests.unit.ehr.making import ENCOUNTER, GOAL, NOTE, PERSON, REFERENCE, context, encounter, note, part, section

CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"


def body(resource: type_json) -> str:
    return base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()


def errors(findings: Any) -> list[tuple[str, str]]:
    return [(found.code, found.path) for found in findings if found.severity is Severity.ERROR]


# ── the document ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_document_for_a_complete_server() -> None:
    shaped = document([encounter(), note()], context())
    resource = shaped.resource
    assert shaped.sendable
    assert resource["status"] == "current"
    assert resource["docStatus"] == "final"
    assert resource["type"]["coding"][0]["code"] == "34904-3"
    assert resource["category"][0]["coding"][0]["code"] == "clinical-note"
    assert resource["subject"] == {"reference": "Patient/p-1"}
    assert resource["date"] == "2026-03-04T17:00:00-05:00"
    assert resource["description"] == "Contact note"
    assert resource["identifier"] == [
        {"system": "urn:dyad-bridge:roble", "value": "ma-soc/contact/c-1/note"},
        {"system": SYSTEM, "value": REFERENCE},
    ]
    assert resource["context"]["period"] == {"start": "2026-03-04T15:30:00-05:00", "end": "2026-03-04T16:10:00-05:00"}
    (content,) = resource["content"]
    attachment = content["attachment"]
    assert attachment["contentType"] == "text/plain;charset=utf-8"
    assert attachment["language"] == "en"
    assert attachment["title"] == f"Contact note [{REFERENCE}]"
    assert REFERENCE in body(resource)
    DocumentReference.model_validate(resource)


def test_the_author_is_the_agency_and_never_a_clinicians_resource() -> None:
    """R16, design: the default author is never a clinician; who wrote it stands in the document."""
    resource = document([note()], context()).resource
    assert resource["author"] == [{"display": "Roble Family Services"}]
    named = document([note()], context(author="Roble community team")).resource
    assert named["author"] == [{"display": "Roble community team"}]
    assert "Written by: Family partner, Care coordinator" in body(resource)


def test_a_contact_is_never_attached_to_the_practices_own_visit() -> None:
    """R12."""
    for name in facts.known():
        resource = document([encounter(), note()], context(name, mime="text/plain")).resource
        assert "encounter" not in resource.get("context", {})


def test_what_is_ours_alone_stays_at_home() -> None:
    shaped = document([encounter(), note()], context("generic")).resource
    assert "id" not in shaped
    assert shaped["meta"] == {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"]}
    assert "violence-location" not in str(shaped)
    assert PERSON not in str(shaped)


def test_oracles_rules() -> None:
    """Source and date: vendors/oracle.yaml."""
    shaped = document([note(date="2026-03-04")], context("oracle"))
    resource = shaped.resource
    assert shaped.sendable
    assert resource["content"][0]["attachment"]["contentType"] == "application/xhtml+xml;charset=utf-8"
    assert resource["context"]["period"] == {"start": "2026-03-04T12:00:00-05:00", "end": "2026-03-04T12:00:00-05:00"}
    assert resource["date"] == resource["content"][0]["attachment"]["creation"] == "2026-03-04T12:00:00-05:00"
    assert {"meta", "author", "custodian"} & set(resource) == set()
    assert len(resource["content"]) == 1
    said = {found.code: found.severity for found in shaped.findings}
    assert said == {"ehr-noon": Severity.INFORMATION, "ehr-end": Severity.INFORMATION}


def test_text_at_oracle_would_be_a_document_nobody_can_correct() -> None:
    assert choose_mime("text/plain", facts.vendor("oracle")) == "application/xhtml+xml"
    assert choose_mime("text/html", facts.vendor("oracle")) == "text/html"


def test_a_sites_format_comes_first_where_the_vendor_takes_it() -> None:
    assert choose_mime("application/xhtml+xml", facts.vendor("generic")) == "application/xhtml+xml"
    assert choose_mime("application/xhtml+xml", facts.vendor("epic")) == "text/plain"
    assert choose_mime("text/rtf", facts.vendor("generic")) == "text/plain"
    assert choose_mime("text/plain", facts.vendor("ecw")) == "text/plain"


def test_every_format_a_vendor_takes_is_sent_where_a_site_asks_for_it() -> None:
    for name in facts.known():
        vendor = facts.vendor(name)
        for mime in {*vendor.document.mimes.value, *vendor.document.update_mimes.value} & set(FORMATS):
            resource = document([encounter(), note()], context(name, mime=mime)).resource
            sent = resource["content"][0]["attachment"]["contentType"]
            if mime in vendor.document.update_mimes.value:
                assert sent == (mime if mime == PDF or not vendor.document.charset.value else f"{mime};charset=utf-8")
            DocumentReference.model_validate(resource)


def test_a_pdf_is_one_and_carries_its_reference() -> None:
    resource = document([encounter(), note()], context(mime=PDF)).resource
    attachment = resource["content"][0]["attachment"]
    assert attachment["contentType"] == PDF
    assert attachment["title"] == f"Contact note [{REFERENCE}]"
    made = base64.b64decode(attachment["data"])
    assert made.startswith(b"%PDF-")
    assert "format" not in resource["content"][0]
    again = document([encounter(), note()], context(mime=PDF)).resource
    assert digest(again) == digest(resource)


def test_a_ccda_says_its_format_and_whose_chart_it_is() -> None:
    resource = document([encounter(), note()], context("generic", mime="text/xml")).resource
    assert resource["content"][0]["format"]["code"] == "urn:hl7-org:sdwg:ccda-structuredBody:2.1"
    assert 'extension="p-1"' in body(resource)
    DocumentReference.model_validate(resource)


def test_words_that_no_page_can_show_go_as_another_format_in_full() -> None:
    words = "\U000130e7 is how she signs"
    shaped = document([note(section("Said", words))], context(mime=PDF))
    assert shaped.sendable
    assert shaped.resource["content"][0]["attachment"]["contentType"] == "text/plain;charset=utf-8"
    assert words in body(shaped.resource)
    assert ("ehr-glyph", Severity.INFORMATION) in {(found.code, found.severity) for found in shaped.findings}
    assert "signs" not in str(shaped.findings)


def test_where_nothing_but_pdf_is_taken_such_words_are_an_error_before_sending() -> None:
    vendor = facts.vendor("generic")
    only = vendor.document.mimes.model_copy(update={"value": (PDF,)})
    narrow = vendor.document.model_copy(update={"mimes": only, "update_mimes": only})
    where = context(mime=PDF)
    shaped = document(
        [note(section("Said", "\U000130e7"))],
        replace(where, vendor=vendor.model_copy(update={"document": narrow})),
    )
    assert errors(shaped.findings) == [("ehr-glyph", "DocumentReference.content.attachment.contentType")]


def test_nobody_gets_a_pdf_or_ccda_who_did_not_ask() -> None:
    for name in facts.known():
        vendor = facts.vendor(name)
        assert not {PDF, *CCDA} & set(choices("text/plain", vendor))
        assert not {PDF, *CCDA} & set(choices("application/msword", vendor))


def test_a_correction_is_marked_as_one() -> None:
    assert document([note(status="amended")], context()).resource["docStatus"] == "amended"
    assert document([note()], context(update=True)).resource["docStatus"] == "amended"
    assert document([note()], context("epic", update=True)).resource["docStatus"] == "final"


def test_a_site_chooses_the_type_of_its_notes() -> None:
    types = {"ma-soc/contact": Coding("http://loinc.org", "11506-3", "Progress note")}
    chosen = document([note()], context(kind="ma-soc/contact", types=types)).resource["type"]
    assert chosen == {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]}
    other = document([note()], context(kind="ma-soc/care-plan", types=types)).resource["type"]
    assert other["coding"][0]["code"] == "34904-3"


def test_a_missing_element_is_a_finding_before_it_is_a_422() -> None:
    shaped = document([note(type={}, date="")], context("oracle"))
    assert not shaped.sendable
    assert errors(shaped.findings) == [
        ("ehr-required", "DocumentReference.type"),
        ("ehr-required", "DocumentReference.context.period.end"),
    ]
    assert all("seen 2024-05" in found.rule for found in shaped.findings if found.code == "ehr-required")


def test_a_type_without_loinc_is_a_warning() -> None:
    local = {"coding": [{"system": "urn:local", "code": "x"}]}
    shaped = document([note(type=local)], context())
    assert [(found.code, found.severity) for found in shaped.findings] == [("ehr-type", Severity.WARNING)]


def test_a_document_too_large_is_a_finding() -> None:
    shaped = document([note(section("Words", "x" * 6_000_000))], context())
    assert errors(shaped.findings) == [("ehr-size", "DocumentReference.content.attachment.data")]


def test_a_bare_month_is_no_day() -> None:
    resource = document([note(date="2026-03")], context()).resource
    assert "date" not in resource
    assert resource["context"]["period"] == {"start": "2026-03"}
    assert not document([note(date="2026-03")], context("oracle")).sendable


def test_the_clinical_time_is_that_of_the_one_contact() -> None:
    """R20: two contacts in one document have no common time that could be invented."""
    two = [encounter(), encounter(period={"start": "2026-03-05T10:00:00-05:00"}), note(date="2026-03-06")]
    assert document(two, context()).resource["context"]["period"] == {"start": "2026-03-06"}
    event = note(event=[{"period": {"start": "2026-03-01", "end": "2026-03-02"}}])
    assert document([event], context()).resource["context"]["period"] == {"start": "2026-03-01", "end": "2026-03-02"}


def test_a_document_needs_its_composition() -> None:
    with pytest.raises(ValueError, match="Composition"):
        document([encounter()], context())


def test_the_same_parts_make_the_same_resource() -> None:
    one, other = (document([encounter(), note()], context()).resource for _ in range(2))
    assert digest(one) == digest(other)
    assert digest(one) != digest(document([encounter(), note(title="Other")], context()).resource)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


# ── discrete parts ────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_discrete_part_is_about_the_practices_patient() -> None:
    shaped = discrete(encounter(), context())
    resource = shaped.resource
    assert shaped.sendable
    assert resource["subject"] == {"reference": "Patient/p-1"}
    assert resource["identifier"] == [
        {"system": "urn:dyad-bridge:roble", "value": "ma-soc/contact/c-1/encounter"},
        {"system": SYSTEM, "value": REFERENCE},
    ]
    assert "id" not in resource
    assert "security" not in resource["meta"]
    assert resource["meta"]["tag"][0]["code"] == "ma-soc"
    Encounter.model_validate(resource)


def test_the_part_itself_is_not_changed() -> None:
    source = encounter()
    before = digest(source.resource)
    discrete(source, context("oracle"))
    document([source, note()], context("oracle"))
    assert digest(source.resource) == before


def test_a_vendor_sees_only_the_meta_it_takes() -> None:
    assert set(discrete(encounter(), context("oracle")).resource["meta"]) == {"security"}
    assert set(discrete(encounter(), context("generic")).resource["meta"]) == {"profile"}
    foreign = encounter(
        meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    )
    assert discrete(foreign, context("generic")).resource["meta"]["security"][0]["code"] == "R"


def test_what_a_vendor_refuses_or_infers_is_not_sent() -> None:
    assert "class" not in discrete(encounter(), context("oracle")).resource
    assert "class" in discrete(encounter(), context()).resource


def test_references_to_what_stands_are_the_charts_own() -> None:
    goal = part(
        "plan",
        {
            "resourceType": "CarePlan",
            "id": "cp",
            "subject": {"reference": f"Patient/{PERSON}"},
            "encounter": {"reference": f"Encounter/{ENCOUNTER}"},
            "goal": [{"reference": f"Goal/{GOAL}"}, {"reference": "Goal/unknown", "display": "A goal"}],
            "contained": [{"resourceType": "CareTeam", "id": "t"}],
            "careTeam": [{"reference": "#t"}],
        },
    )
    standing = {f"Encounter/{ENCOUNTER}": "Encounter/e-77"}
    sibling = part("goal", {"resourceType": "Goal", "id": GOAL, "identifier": [{"system": "urn:s", "value": "g"}]})
    resource = discrete(goal, context(standing=standing), [goal, sibling]).resource
    assert resource["encounter"] == {"reference": "Encounter/e-77"}
    assert resource["goal"] == [
        {"type": "Goal", "identifier": {"system": "urn:s", "value": "g"}},
        {"type": "Goal", "identifier": {"system": PART_SYSTEM, "value": "unknown"}, "display": "A goal"},
    ]
    assert resource["careTeam"] == [{"reference": "#t"}]


def test_another_person_is_named_and_never_linked() -> None:
    """R25: the caregiver's own Patient is not the child's chart, whatever element names them."""
    other = "0b4a2a1e-7c1f-5f0e-9a53-1f6f6a3c0099"
    observation = part(
        "score",
        {
            "resourceType": "Observation",
            "subject": {"reference": f"Patient/{PERSON}"},
            "performer": [{"reference": f"Patient/{other}", "display": "Mother"}, {"reference": f"Patient/{PERSON}"}],
            "focus": [{"reference": f"RelatedPerson/{other}"}],
            "hasMember": [{"reference": "http://elsewhere.example/Observation/1"}],
        },
    )
    resource = discrete(observation, context()).resource
    assert resource["performer"] == [
        {"display": "Mother", "type": "Patient", "identifier": {"system": PART_SYSTEM, "value": other}},
        {"reference": "Patient/p-1"},
    ]
    assert resource["focus"][0]["type"] == "RelatedPerson"
    assert resource["hasMember"] == [{"reference": "http://elsewhere.example/Observation/1"}]


def test_one_identifier_is_the_delivery_reference() -> None:
    response = part(
        "screening",
        {
            "resourceType": "QuestionnaireResponse",
            "identifier": {"system": "urn:s", "value": "q"},
            "questionnaire": "urn:q",
            "status": "completed",
            "subject": {"reference": f"Patient/{PERSON}"},
        },
    )
    resource = discrete(response, context()).resource
    assert resource["identifier"] == {"system": SYSTEM, "value": REFERENCE}


@pytest.mark.parametrize(
    ("kind", "element"), [("Task", "for"), ("RelatedPerson", "patient"), ("Communication", "subject")]
)
def test_the_patient_stands_where_the_type_puts_it(kind: str, element: str) -> None:
    made = part("x", {"resourceType": kind, element: {"reference": f"Patient/{PERSON}"}})
    assert discrete(made, context()).resource[element] == {"reference": "Patient/p-1"}


def test_a_part_without_a_patient_does_not_leave() -> None:
    shaped = discrete(part("x", {"resourceType": "Task", "status": "requested", "intent": "order"}), context())
    assert ("ehr-subject", "Task.subject") in errors(shaped.findings)
    assert ("ehr-required", "Task.for") in errors(shaped.findings)


def test_codes_a_vendor_does_not_take_are_findings() -> None:
    survey = part(
        "score",
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": CATEGORIES, "code": "survey"}]}],
            "code": {"text": "Total"},
            "effectiveDateTime": "2026-03-04",
            "subject": {"reference": f"Patient/{PERSON}"},
        },
    )
    shaped = discrete(survey, context("oracle"))
    assert errors(shaped.findings) == [("ehr-code", "Observation.category")]
    assert "vital-signs" in shaped.findings[0].rule
    assert discrete(survey, context("generic")).sendable


def test_findings_name_places_and_never_values() -> None:
    shaped = discrete(encounter(type=[], subject={"display": "Marisol Quispe"}), context("oracle"))
    assert shaped.findings
    assert "Marisol" not in repr(shaped.findings)
    assert NOTE not in repr(shaped.findings)


def test_paths_lead_through_lists() -> None:
    resource = {"resourceType": "X", "a": [{"b": 1}, {"b": [2, 3]}, {"c": 4}], "d": {}, "e": False}
    assert list(at(resource, "a.b")) == [1, 2, 3]
    assert list(at(resource, "d")) == []
    assert list(at(resource, "e")) == [False]
    assert list(missing({}, facts.vendor("generic"), "x")) == []
