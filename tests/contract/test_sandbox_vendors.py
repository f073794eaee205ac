"""Each shape refuses, ignores and answers what its vendor does; a plain client meets it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bridge import sandbox
from tests.unit.sandbox.running import Clinic, coded, identity
from tests.unit.sandbox.synthetic import LOINC, QUESTIONNAIRE, Json, attached, body, concept, note


def clinic_of(shape: str, **settings: Any) -> Iterator[Clinic]:
    with Clinic(sandbox.start(shape, **settings)) as clinic:
        yield clinic


@pytest.fixture(scope="module")
def epic_running() -> Iterator[Clinic]:
    yield from clinic_of("epic", site={"questionnaires": [QUESTIONNAIRE]})


@pytest.fixture
def epic(epic_running: Clinic) -> Clinic:
    epic_running.reset()
    return epic_running


@pytest.fixture(scope="module")
def oracle_running() -> Iterator[Clinic]:
    yield from clinic_of("oracle")


@pytest.fixture
def oracle(oracle_running: Clinic) -> Clinic:
    oracle_running.reset()
    return oracle_running


@pytest.fixture(scope="module")
def ecw() -> Iterator[Clinic]:
    yield from clinic_of("ecw", site={"writeback": ["DocumentReference", "Communication"]})


class TestEpic:
    def test_create_answers_empty_with_a_relative_location_and_no_etag(self, epic: Clinic) -> None:
        response = epic.create(note())
        assert (response.status_code, response.content) == (201, b"")
        assert response.headers["location"] == f"DocumentReference/{identity(response)}"
        assert "etag" not in response.headers
        read = epic.fhir("GET", response.headers["location"])
        assert read.json()["content"][0]["attachment"]["title"] == "Home visit [r-1]"

    def test_prefer_representation_answers_what_was_filed(self, epic: Clinic) -> None:
        response = epic.create(note(category=None), prefer="return=representation")
        assert response.json()["category"][0]["coding"][0]["code"] == "clinical-note"

    @pytest.mark.parametrize(
        ("resource", "code"),
        [
            (note(type=None), "59108"),
            (note(subject=None), "59108"),
            (attached(data=None), "59108"),
            (note(status="superseded"), "59111"),
            (attached(contentType="application/pdf"), "59111"),
            (note(subject={"reference": "Patient/nobody"}), "59144"),
            (note(context={"encounter": [{"reference": "Encounter/none"}]}), "59144"),
            (note(context={"encounter": [{"reference": "Encounter/e2"}]}), "59159"),
            (body("Observation", code=concept(LOINC, "71354-5")), "59188"),
            (body("QuestionnaireResponse", questionnaire="https://elsewhere.example/Q"), "59144"),
        ],
    )
    def test_refusals_carry_the_numeric_code(self, epic: Clinic, resource: Json, code: str) -> None:
        response = epic.create(resource)
        assert (response.status_code, coded(response)[0]) == (400, code)
        assert epic.audit()["refused"] == 1
        assert epic.admin("GET", "counts")["received"] == {}

    def test_a_confirmed_condition_is_a_422(self, epic: Clinic) -> None:
        response = epic.create(body("Condition", verificationStatus=concept("urn:v", "confirmed")))
        assert (response.status_code, coded(response)) == (422, ["59012"])
        assert response.json()["issue"][0]["expression"] == ["verificationstatus/coding/code"]

    def test_a_reading_twice_is_refused_and_a_note_twice_is_not(self, epic: Clinic) -> None:
        assert epic.create(body("Observation")).status_code == 201
        again = epic.create(body("Observation"))
        assert (again.status_code, coded(again)) == (400, ["59189"])
        assert [epic.create(note()).status_code for _ in range(2)] == [201, 201]

    def test_if_none_exist_is_ignored(self, epic: Clinic) -> None:
        asked = {"if_none_exist": "identifier=urn:agency.example|contact/1/note"}
        assert [epic.create(note(), **asked).status_code for _ in range(2)] == [201, 201]
        assert epic.admin("GET", "duplicates")["duplicates"] == 1

    def test_only_the_first_attachment_is_kept(self, epic: Clinic) -> None:
        twice = note(content=[*note()["content"], *attached(title="Second")["content"]])
        filed = epic.fhir("GET", epic.create(twice).headers["location"]).json()
        assert [item["attachment"]["title"] for item in filed["content"]] == ["Home visit [r-1]"]

    def test_updates_are_checked_only_when_asked(self, epic: Clinic) -> None:
        address = epic.create(note()).headers["location"]
        held = epic.fhir("GET", address).json()
        stale = epic.fhir("PUT", address, json=held, headers={"if-match": 'W/"9"'})
        assert stale.status_code == 412
        assert epic.fhir("PUT", address, json={**held, "status": "entered-in-error"}).status_code == 200
        assert epic.fhir("GET", address).json()["status"] == "entered-in-error"

    def test_searches_say_what_they_ignored_and_that_nothing_was_found(self, epic: Clinic) -> None:
        response = epic.fhir("GET", "Goal", params={"patient": "p1", "zzz": "1"})
        bundle = response.json()
        notes = [entry["resource"]["issue"][0] for entry in bundle["entry"]]
        assert (response.status_code, bundle["total"]) == (200, 0)
        assert [issue["details"]["coding"][0]["code"] for issue in notes] == ["4122", "4101"]
        assert epic.audit()["ignored_parameters"] == 1

    @pytest.mark.parametrize(("query", "code"), [("", "4111"), ("patient=p1", "4111")])
    def test_a_care_plan_search_needs_its_category(self, epic: Clinic, query: str, code: str) -> None:
        assert coded(epic.fhir("GET", f"CarePlan?{query}")) == [code]
        assert epic.fhir("GET", "CarePlan?patient=p1&category=assess-plan").status_code == 200

    def test_a_posted_search_reads_the_body_alone(self, epic: Clinic) -> None:
        found = epic.fhir(
            "POST", "Patient/_search?identifier=urn:mrn.example|1", data={"identifier": "urn:mrn.example|2"}
        )
        assert [entry["resource"]["id"] for entry in found.json()["entry"]] == ["p2"]

    @pytest.mark.parametrize(
        ("site", "resource", "code"),
        [
            ({"encounter_required": True}, note(), "59108"),
            ({"note_types": ["11506-3"]}, note(), "40000"),
            ({"note_mime": ["text/html"]}, note(), "59111"),
            ({"questionnaires": []}, body("QuestionnaireResponse"), "59144"),
        ],
    )
    def test_a_site_decides(self, site: Json, resource: Json, code: str) -> None:
        with Clinic(sandbox.start("epic", site=site)) as clinic:
            assert coded(clinic.create(resource)) == [code]

    def test_a_site_may_keep_bare_notes(self) -> None:
        with Clinic(sandbox.start("epic", site={"bare_notes": True})) as clinic:
            filed = clinic.fhir("GET", clinic.create(note()).headers["location"]).json()
            assert "identifier" not in filed
            assert set(filed["content"][0]["attachment"]) == {"contentType", "data"}

    def test_a_site_may_have_the_duplicate_guard(self) -> None:
        with Clinic(sandbox.start("epic", site={"duplicate_guard": True})) as clinic:
            assert clinic.create(body("Condition")).status_code == 201
            assert coded(clinic.create(body("Condition"))) == ["59141"]


class TestOracle:
    def test_create_answers_empty_with_location_and_etag(self, oracle: Clinic) -> None:
        response = oracle.create(note())
        assert (response.status_code, response.content) == (201, b"")
        assert response.headers["location"] == f"{oracle.running.base_url}/DocumentReference/{identity(response)}"
        assert response.headers["etag"].startswith('W/"')

    def test_unsupported_fields_are_ignored(self, oracle: Clinic) -> None:
        filed = oracle.fhir("GET", f"DocumentReference/{identity(oracle.create(note()))}").json()
        assert not {"identifier", "category", "date"} & set(filed)
        assert filed["context"]["period"]["end"] == "2026-11-02T15:00:00Z"
        visit = oracle.fhir("GET", f"Encounter/{identity(oracle.create(body('Encounter')))}").json()
        assert visit["class"]["display"] == "ambulatory"  # inferred, not what was sent

    @pytest.mark.parametrize(
        ("resource", "place"),
        [
            (note(docStatus=None), "/f:DocumentReference/f:docStatus"),
            (note(docStatus="preliminary"), "/f:DocumentReference/f:docStatus"),
            (note(status="superseded"), "/f:DocumentReference/f:status"),
            (note(context=None), "/f:DocumentReference/f:context/f:period/f:end"),
            (
                note(context={"period": {"end": "2026-11-02"}}),
                "/f:DocumentReference/f:context/f:period/f:end",
            ),
            (attached(creation="2026-11-02"), "/f:DocumentReference/f:content/f:attachment/f:creation"),
            (attached(contentType="text/plain"), "/f:DocumentReference/f:content/f:attachment/f:contentType"),
            (attached(contentType="image/png"), "/f:DocumentReference/f:content/f:attachment/f:contentType"),
            (attached(data="not base64!"), "/f:DocumentReference/f:content/f:attachment/f:data"),
            (note(content=note()["content"] * 2), "/f:DocumentReference/f:content"),
            (note(author=[{"reference": "Organization/o1"}]), "/f:DocumentReference/f:author"),
            (note(author=[{"display": "A family partner"}]), "/f:DocumentReference/f:author"),
            (
                note(type={"coding": [*concept(LOINC, "34904-3")["coding"], {"system": "urn:own", "code": "1"}]}),
                "/f:DocumentReference/f:type/f:coding",
            ),
            (note(subject={"reference": "Patient/nobody"}), "/f:DocumentReference/f:subject"),
            (note(modifierExtension=[{"url": "urn:x"}]), "/f:DocumentReference/f:modifierExtension"),
            (note(implicitRules="urn:x"), "/f:DocumentReference/f:implicitRules"),
            (body("Encounter", status="cancelled"), "/f:Encounter/f:status"),
            (body("Encounter", identifier=[{"value": "1"}]), "/f:Encounter/f:identifier/f:type"),
            (
                body("Condition", category=[concept("urn:c", "health-concern")]),
                "/f:Condition/f:category/f:coding/f:code",
            ),
            (body("Condition", category=[concept("urn:c", "encounter-diagnosis")]), "/f:Condition/f:encounter"),
            (body("Observation", category=[concept("urn:c", "survey")]), "/f:Observation/f:category/f:coding/f:code"),
            (body("Communication", status="in-progress"), "/f:Communication/f:status"),
            (body("Communication", payload=[{"contentString": "x"}]), "/f:Communication/f:payload/f:contentAttachment"),
            (body("Provenance", target=body("Provenance")["target"] * 2), "/f:Provenance/f:target"),
        ],
    )
    def test_business_rules_are_422_at_the_place(self, oracle: Clinic, resource: Json, place: str) -> None:
        response = oracle.create(resource)
        places = [location for issue in response.json()["issue"] for location in issue["location"]]
        assert response.status_code == 422
        assert places[0].startswith(place)
        assert oracle.admin("GET", "counts")["received"] == {}

    def test_the_system_may_leave_author_out_and_pdf_needs_no_charset(self, oracle: Clinic) -> None:
        assert oracle.create(attached(contentType="application/pdf")).status_code == 201
        assert oracle.create(attached(contentType='text/html; charset="UTF-8"')).status_code == 201

    def test_updates_need_the_current_version(self, oracle: Clinic) -> None:
        created = oracle.create(attached(contentType="text/html;charset=utf-8"))
        address, version = f"DocumentReference/{identity(created)}", created.headers["etag"]
        held = oracle.fhir("GET", address).json()
        retracted = {**held, "docStatus": "entered-in-error", "status": "entered-in-error"}
        assert oracle.fhir("PUT", address, json=retracted).status_code == 400
        assert oracle.fhir("PUT", address, json=retracted, headers={"if-match": 'W/"1"'}).status_code == 409
        done = oracle.fhir("PUT", address, json=retracted, headers={"if-match": version})
        assert (done.status_code, done.content, done.headers["etag"] != version) == (200, b"", True)
        assert oracle.fhir("PUT", address, json=held, headers={"if-match": version}).status_code == 409
        assert oracle.admin("GET", "counts")["updates"]["DocumentReference"] == 1

    def test_update_takes_no_plain_text_and_no_earlier_creation(self, oracle: Clinic) -> None:
        created = oracle.create(attached(contentType="text/html;charset=utf-8"))
        address, headers = f"DocumentReference/{identity(created)}", {"if-match": created.headers["etag"]}
        for changed in (
            attached(contentType="text/plain;charset=utf-8"),
            attached(contentType="text/html;charset=utf-8", creation="2026-11-01T00:00:00Z"),
        ):
            response = oracle.fhir("PUT", address, json={**changed, "id": identity(created)}, headers=headers)
            assert response.status_code == 422

    def test_searches_need_a_patient_or_an_id(self, oracle: Clinic) -> None:
        response = oracle.fhir("GET", "DocumentReference?date=ge2026-01-01")
        assert (response.status_code, response.text) == (400, "no supported search parameters provided")
        by_identifier = oracle.fhir("GET", "DocumentReference?identifier=urn:agency.example|contact/1/note")
        assert by_identifier.status_code == 400
        assert oracle.fhir("GET", "DocumentReference?patient=p1").json()["total"] == 0

    def test_other_formats_get_406_without_a_body(self, oracle: Clinic) -> None:
        response = oracle.fhir("GET", "Patient/p1", headers={"accept": "application/fhir+xml"})
        assert (response.status_code, response.content) == (406, b"")


class TestEclinicalworks:
    def test_documented_writes_need_the_practice_to_have_them(self) -> None:
        with Clinic(sandbox.start("ecw")) as clinic:
            assert clinic.create(note()).status_code == 405
            assert clinic.audit()["unsupported"] == 1

    @pytest.mark.parametrize(
        ("resource", "number", "key"),
        [
            (note(type=None), 113, "UNSUPPORTED_TYPE_CODE"),
            (attached(contentType="text/rtf"), 114, "UNSUPPORTED_MIME_TYPE_IN_ATTACHMENT"),
            (note(subject=None), 100, "INVALID_PATIENT"),
            (note(subject={"reference": "Patient/nobody"}), 207, "PATIENT_NOT_FOUND"),
            (note(context={"encounter": [{"reference": "Encounter/e2"}]}), 123, "INVALID_ENCOUNTER"),
            (body("Communication"), 161, "INVALID_COMMUNICATION_PAYLOAD"),
        ],
    )
    def test_refusals_are_a_number_and_a_key(self, ecw: Clinic, resource: Json, number: int, key: str) -> None:
        response = ecw.create(resource)
        assert (response.status_code, response.json()) == (400, {"status": number, "key": key})

    def test_a_contracted_create_answers_success(self, ecw: Clinic) -> None:
        response = ecw.create(note())
        assert (response.status_code, response.json()) == (201, {"status": 1, "key": "SUCCESS"})
        assert ecw.fhir("GET", f"DocumentReference/{identity(response)}").status_code == 200

    def test_the_statement_does_not_tell_of_them(self, ecw: Clinic) -> None:
        statement = ecw.fhir("GET", "metadata").json()["rest"][0]["resource"]
        writes = [item["type"] for item in statement if {"code": "create"} in item["interaction"]]
        assert writes == ["QuestionnaireResponse"]


def test_nextgen_has_no_versions_and_its_own_page_size() -> None:
    with Clinic(sandbox.start("nextgen")) as clinic:
        read = clinic.fhir("GET", "Patient/p1")
        assert "etag" not in read.headers
        assert "versionId" not in read.json()["meta"]
        found = clinic.fhir("GET", "Patient?_maxresults=1").json()
        assert (found["total"], len(found["entry"])) == (2, 1)
        assert clinic.fhir("GET", "Patient?_count=1").status_code == 400


def test_athena_answers_unrouted_paths_as_its_gateway_does() -> None:
    with Clinic(sandbox.start("athena")) as clinic:
        response = clinic.create(note())
        assert (response.status_code, response.text) == (404, "Service not registered with API gateway.")
        assert clinic.create(body("QuestionnaireResponse")).status_code == 201
        assert clinic.create(body("QuestionnaireResponse", questionnaire=None)).status_code == 422


def test_open_honours_if_none_exist_and_creates_by_update() -> None:
    with Clinic(sandbox.start("open")) as clinic:
        asked = {"if_none_exist": "identifier=urn:agency.example|contact/1/note"}
        first, second = clinic.create(note(), **asked), clinic.create(note(), **asked)
        assert (first.status_code, second.status_code) == (201, 200)
        assert identity(first) == identity(second)
        clinic.create(note())
        assert clinic.create(note(), **asked).status_code == 412
        put = clinic.fhir("PUT", "Task/t-1", json={**body("Task"), "id": "t-1"})
        assert (put.status_code, identity(put)) == (201, "t-1")
        assert put.headers["location"].endswith("/Task/t-1/_history/1")


@pytest.mark.parametrize("shape", sandbox.names())
def test_no_answer_repeats_what_was_sent(shape: str) -> None:
    canary = "Zyzzyva-Quixotic"
    with Clinic(sandbox.start(shape)) as clinic:
        answers = [
            clinic.create(note(status=canary, docStatus=canary, subject={"reference": f"Patient/{canary}"})),
            clinic.create(attached(contentType=canary, data=canary)),
            clinic.fhir(
                "POST",
                "DocumentReference",
                content=f'{{"{canary}'.encode(),
                headers={"content-type": "application/fhir+json"},
            ),
            clinic.fhir("POST", "DocumentReference", content=canary.encode(), headers={"content-type": "text/plain"}),
            clinic.fhir("GET", f"Patient/{canary}"),
            clinic.fhir("GET", "DocumentReference", params={"date": canary, "patient": "p1"}),
            clinic.fhir("PUT", "Patient/p1", json={"resourceType": "Patient", "id": canary}),
        ]
        assert all(response.is_client_error for response in answers[:5])
        bodies = [response.text for response in answers if response.status_code != 200]
        assert not any(canary in text for text in bodies)
        assert canary not in str(clinic.admin("GET", "audit"))
