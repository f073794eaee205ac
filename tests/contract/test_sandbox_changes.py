"""What changes in a sandbox EHR behind a client's back, how many requests it answers, and what its file may say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest

from bridge import sandbox
from bridge.sandbox.ehr import Ehr, Settings
from tests.unit.sandbox.running import Clinic, coded, identity
from tests.unit.sandbox.synthetic import PRACTICE, body, note


@pytest.fixture(scope="module", params=["open", "epic"])
def running(request: pytest.FixtureRequest) -> Iterator[Clinic]:
    with Clinic(sandbox.start(request.param)) as clinic:
        yield clinic


@pytest.fixture
def clinic(running: Clinic) -> Clinic:
    running.reset()
    return running


def test_in_a_read_only_window_everything_but_writes_is_answered(clinic: Clinic) -> None:
    clinic.order("read-only", seconds=60, match={"interaction": "create"})
    assert [clinic.create(note()).status_code for _ in range(2)] == [503, 503]
    assert clinic.held("DocumentReference") == 0
    assert clinic.fhir("GET", "Patient/p1").status_code == 200
    assert clinic.audit()["failed"] == 2
    clinic.admin("POST", "reset")
    clinic.admin("POST", "load", json=PRACTICE)
    assert clinic.create(note()).status_code == 201


def test_a_delivery_filed_again_is_there_twice_and_says_which_it_copies(clinic: Clinic) -> None:
    clinic.order("duplicated")
    made = identity(clinic.create(note()))
    held = clinic.admin("GET", "resources?type=DocumentReference")["resources"]
    assert [(item["loaded"], item["copy_of"]) for item in held] == [(False, ""), (True, made)]
    assert held[0]["resource"]["content"] == held[1]["resource"]["content"]
    assert clinic.admin("GET", "duplicates?by=title")["duplicates"] == 1
    assert clinic.audit()["faults"] == {"duplicated": 1}
    clinic.create(note())
    told = [tuple(asked["marks"]) for asked in clinic.admin("GET", "audit")["requests"]]
    assert told == [(blake2b(b"urn:agency.example|contact/1/note", digest_size=8).hexdigest(),), ()]


def test_a_merged_patient_is_found_under_its_identifier_and_no_longer_written_to(clinic: Clinic) -> None:
    before = clinic.create(note())
    clinic.order("merge")
    refused = clinic.create(note())
    epic = clinic.running.ehr.shape.shape == "epic"
    assert refused.status_code == (301 if epic else 422)
    assert clinic.held("DocumentReference") == 1
    identifier = next(one for one in PRACTICE if one["id"] == "p1")["identifier"][0]
    found = clinic.fhir("GET", f"Patient?identifier={identifier['system']}|{identifier['value']}").json()
    (survivor,) = (entry["resource"] for entry in found["entry"])
    assert survivor["link"] == [{"other": {"reference": "Patient/p1"}, "type": "replaces"}]
    old = clinic.fhir("GET", "Patient/p1")
    if epic:
        assert (old.status_code, coded(old)) == (301, ["4107"])
        assert old.headers["location"] == f"{clinic.running.base_url}/Patient/{survivor['id']}"
    else:
        assert (old.json()["active"], old.json()["link"][0]["type"]) == (False, "replaced-by")
    moved = clinic.fhir("GET", f"DocumentReference/{identity(before)}").json()
    assert moved["subject"]["reference"] == f"Patient/{survivor['id']}"
    assert clinic.create(note(subject={"reference": f"Patient/{survivor['id']}"})).status_code == 201


def test_the_pages_of_a_search_can_end_before_they_are_read() -> None:
    with Clinic(sandbox.start("epic")) as clinic:
        for number in range(5):
            clinic.create(note(status="current", description=str(number)))
        first = clinic.fhir("GET", "DocumentReference?patient=p1&_count=2").json()
        link = next(item["url"] for item in first["link"] if item["relation"] == "next")
        assert clinic.http.get(link).status_code == 200
        clinic.order("pages-expire")
        expired = clinic.http.get(link)
        assert (expired.status_code, coded(expired)) == (400, ["4113"])


def test_oracle_repeats_an_id_over_two_pages() -> None:
    with Clinic(sandbox.start("oracle")) as clinic:
        clinic.admin("POST", "load", json=[{**note(), "id": f"d{number}"} for number in range(5)])
        url, ids = f"{clinic.running.base_url}/DocumentReference?patient=p1&_count=2", []
        while url:
            page = clinic.http.get(url).json()
            ids.append([entry["resource"]["id"] for entry in page["entry"]])
            url = next((item["url"] for item in page["link"] if item["relation"] == "next"), "")
        assert ids == [["d0", "d1"], ["d1", "d2", "d3"], ["d3", "d4"]]


def test_ecw_answers_so_many_requests_a_minute_and_then_none_until_the_next() -> None:
    with Clinic(sandbox.start("ecw", site={"requests_a_minute": 3})) as clinic:
        now = [600.0]
        (ceiling,) = clinic.running.ehr.paces
        ceiling.clock = lambda: now[0]
        asked = [clinic.fhir("GET", path) for path in ("metadata", "Patient/p1", "Patient/p1", "metadata", "Task/1")]
        assert [answer.status_code for answer in asked] == [200, 200, 200, 429, 429]
        assert "retry-after" not in asked[-1].headers
        assert asked[-1].content == b""
        now[0] = 659.9
        assert clinic.fhir("GET", "Patient/p1").status_code == 429
        now[0] = 660.0
        assert clinic.fhir("GET", "Patient/p1").status_code == 200
        assert clinic.audit()["failed"] == 3
    assert Ehr("ecw", Settings()).paces[0].most == 250


def test_epic_stops_document_searches_for_the_day() -> None:
    with Clinic(sandbox.start("epic", site={"document_queries_a_day": 1})) as clinic:
        search = "DocumentReference?patient=p1"
        assert clinic.fhir("GET", search).status_code == 200
        beyond = clinic.fhir("GET", search)
        assert (beyond.status_code, coded(beyond)) == (403, ["4135"])
        assert clinic.create(note()).status_code == 201


def test_the_audit_says_what_was_asked_for_and_is_not_offered() -> None:
    with Clinic(sandbox.start("athena")) as clinic:
        for _ in range(2):
            clinic.create(body("DocumentReference"))
        clinic.fhir("GET", "Medication/1")
        counts = clinic.audit()
    assert counts["unsupported_asked"] == {"create DocumentReference": 2, "read Medication": 1}
    assert counts["unsupported"] == 3


def test_a_file_of_its_own_may_name_the_clients_that_sign_in(tmp_path: Path) -> None:
    spec = {"shape": "ours", "title": "Ours", "extends": "standard", "fact": "ours", "resources": {
        "Patient": {"interactions": ["read"]}}, "clients": {"us": "http://127.0.0.1:9/jwks.json"}}  # fmt: skip
    path = tmp_path / "SPEC.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    with Clinic(sandbox.start(str(path))) as clinic:
        told = clinic.fhir("GET", ".well-known/smart-configuration").json()
        assert told["token_endpoint"].endswith("/oauth2/token")
        assert clinic.fhir("GET", "Patient/p1").status_code == 401
        assert clinic.admin("GET", "logins")["key_sets"] == {"us": {"fetched": 0, "failed": 0}}


def test_a_pace_without_its_site_value_is_no_shape(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("{shape: x, title: X, extends: standard, fact: ours, paces: [{site: none, each: minute}]}")
    with pytest.raises(sandbox.ShapeError, match="paces: no site values none"):
        sandbox.start(str(path))
