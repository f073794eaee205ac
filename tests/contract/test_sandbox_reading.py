"""Searching, paging, login and delayed visibility of the sandboxes, met with a plain client."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from bridge import sandbox
from tests.unit.sandbox.running import Clinic, coded, identity
from tests.unit.sandbox.synthetic import LOINC, body, concept, note


@pytest.fixture(scope="module")
def running() -> Iterator[Clinic]:
    with Clinic(sandbox.start("open")) as clinic:
        yield clinic


@pytest.fixture
def clinic(running: Clinic) -> Clinic:
    running.reset()
    return running


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [entry["resource"]["id"] for entry in response.json().get("entry", [])]


def walk(clinic: Clinic, response: httpx.Response) -> list[list[str]]:
    """Ids of every page, following the next links."""
    pages = [ids(response)]
    while following := [link["url"] for link in response.json()["link"] if link["relation"] == "next"]:
        response = clinic.http.get(following[0])
        pages.append(ids(response))
    return pages


@pytest.mark.parametrize(
    "query",
    [
        "identifier=urn:agency.example|contact/1/note",
        "identifier=contact/1/note",
        "identifier=urn:agency.example|",
        "patient=p1",
        "patient=Patient/p1",
        "subject=Patient/p1",
        "subject:Patient=p1",
        "patient=p2,p1",
        "patient=p1&type=http://loinc.org|34904-3",
        "type=34904-3&status=current",
        "category=clinical-note",
        "contenttype=text/plain;charset=utf-8",
        "date=2026-11-02",
        "date=ge2026-11-02&date=lt2026-11-03",
        "date=2026-11-02T15:00:00Z",
        "date=sa2026-11-01",
        "period=le2026-11",
        "status=superseded,current",
        "relatesto:missing=true",
        "_lastUpdated=ge2026-01-01",
    ],
)
def test_search_finds(clinic: Clinic, query: str) -> None:
    made = identity(clinic.create(note()))
    clinic.create(
        note(
            identifier=[{"system": "urn:other", "value": "2"}],
            type=concept(LOINC, "11506-3"),
            subject={"reference": "Patient/p2"},
            category=None,
            date="2026-10-31T10:00:00Z",
            status="superseded",
        )
    )
    assert made in ids(clinic.fhir("GET", f"DocumentReference?{query}"))


@pytest.mark.parametrize(
    "query",
    [
        "identifier=urn:other|contact/1/note",
        "patient=p2",
        "subject=Group/p1",
        "type=http://snomed.info/sct|34904-3",
        "date=2026-11-01",
        "date=gt2026-11-02",
        "date=eb2026-11-02",
        "period=ge2027",
        "status=superseded",
        "status:missing=true",
        "_id=other",
    ],
)
def test_search_does_not_find(clinic: Clinic, query: str) -> None:
    clinic.create(note())
    assert ids(clinic.fhir("GET", f"DocumentReference?{query}")) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("family=munoz", ["p1"]),
        ("family:exact=Muñoz", ["p1"]),
        ("family:exact=Mu", []),
        ("name:contains=ía", ["p1"]),
        ("birthdate=2021-03-09&given=lia", ["p1"]),
        ("birthdate=2021", ["p1"]),
        ("identifier=urn:mrn.example|2", ["p2"]),
        ("_id=p2,p1,none", ["p2", "p1"]),
    ],
)
def test_patients_are_found_by_who_they_are(clinic: Clinic, query: str, found: list[str]) -> None:
    assert ids(clinic.fhir("GET", f"Patient?{query}")) == found


@pytest.mark.parametrize("query", ["date=tomorrow", "type:above=1", "_count=many"])
def test_a_value_that_cannot_be_read_is_refused(clinic: Clinic, query: str) -> None:
    clinic.create(note())
    assert clinic.fhir("GET", f"DocumentReference?patient=p1&{query}").status_code == 400


def test_posted_searches_are_searches(clinic: Clinic) -> None:
    made = identity(clinic.create(note()))
    assert ids(clinic.fhir("POST", "DocumentReference/_search", data={"patient": "p1"})) == [made]
    assert ids(clinic.fhir("POST", "DocumentReference/_search?patient=p2", data={"status": "current"})) == []


def test_pages_follow_their_next_links(clinic: Clinic) -> None:
    made = [identity(clinic.create(body("Task"))) for _ in range(7)]
    first = clinic.fhir("GET", "Task?patient=p1&_count=3")
    assert first.json()["total"] == 7
    pages = walk(clinic, first)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [id for page in pages for id in page] == made
    assert ids(clinic.fhir("GET", "Task?patient=p1&_count=0")) == []


def test_a_page_is_of_the_search_it_came_from(clinic: Clinic) -> None:
    for _ in range(4):
        clinic.create(body("Task"))
    first = clinic.fhir("GET", "Task?patient=p1&_count=2")
    clinic.create(body("Task"))
    assert [len(page) for page in walk(clinic, first)] == [2, 2]


def test_pages_that_are_no_longer_held_are_refused() -> None:
    with Clinic(sandbox.start("epic")) as clinic:
        response = clinic.fhir("GET", "Task?sessionID=9-2-2")
        assert (response.status_code, coded(response)) == (400, ["4113"])


def test_oracle_does_not_count_with_ids() -> None:
    with Clinic(sandbox.start("oracle")) as clinic:
        assert len(ids(clinic.fhir("GET", "Patient?_id=p1,p2&_count=1"))) == 2


def test_every_version_can_be_read(clinic: Clinic) -> None:
    address = f"Task/{identity(clinic.create(body('Task')))}"
    held = clinic.fhir("GET", address).json()
    assert clinic.fhir("PUT", address, json={**held, "status": "accepted"}).headers["etag"] == 'W/"2"'
    assert clinic.fhir("GET", f"{address}/_history/1").json()["status"] == "requested"
    assert clinic.fhir("GET", address).json()["status"] == "accepted"
    assert clinic.fhir("GET", f"{address}/_history/3").status_code == 404


def test_a_search_sees_a_write_only_after_the_delay(clinic: Clinic) -> None:
    clinic.admin("PATCH", "settings", json={"visibility_delay": 0.4})
    before = time.monotonic()
    response = clinic.create(note())
    address, search = f"DocumentReference/{identity(response)}", "DocumentReference?patient=p1"
    assert clinic.fhir("GET", address).status_code == 200
    assert ids(clinic.fhir("GET", search)) == []
    while not ids(clinic.fhir("GET", search)) and time.monotonic() < before + 5:
        time.sleep(0.02)
    assert 0.4 <= time.monotonic() - before < 5
    held = clinic.fhir("GET", address).json()
    clinic.fhir("PUT", address, json={**held, "status": "superseded"})
    assert ids(clinic.fhir("GET", f"{search}&status=current")) == [identity(response)]


def test_a_bearer_token_is_required_where_there_is_one() -> None:
    with Clinic(sandbox.start("epic", bearer="t-1"), {"authorization": "Bearer t-1"}) as clinic:
        assert clinic.fhir("GET", "Patient/p1").status_code == 200
        for header in ("Bearer t-2", "t-1", ""):
            response = clinic.fhir("GET", "Patient/p1", headers={"authorization": header})
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
            assert clinic.fhir("GET", "metadata", headers={"authorization": header}).status_code == 200
        assert clinic.audit()["unauthorized"] == 3


def test_media_types_and_sizes_are_checked(clinic: Clinic) -> None:
    xml = {"content-type": "application/fhir+xml"}
    assert clinic.fhir("POST", "Task", content=b"<Task/>", headers=xml).status_code == 415
    assert clinic.fhir("GET", "Task", headers={"accept": "application/fhir+xml"}).status_code == 406
    assert clinic.fhir("POST", "Task", json=body("Goal")).status_code == 400
    assert clinic.fhir("POST", "Task", json=[]).status_code == 400
    large = b'{"resourceType": "Task", "description": "' + b"x" * (16 * 1024 * 1024) + b'"}'
    assert clinic.fhir("POST", "Task", content=large, headers={"content-type": "application/json"}).status_code == 413
    assert clinic.held("Task") == 0
