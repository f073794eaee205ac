"""The FHIR test server does what the other live tests count on."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.unit.fhir.samples import changed, sample

pytestmark = pytest.mark.live

FHIR = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json", "Cache-Control": "no-cache"}


@pytest.fixture(scope="module")
def http(hapi: str) -> Iterator[httpx.Client]:
    """A client of the server's base URL."""
    with httpx.Client(base_url=hapi, headers=FHIR, timeout=60) as client:
        yield client


def test_it_is_r4_and_on_loopback(http: httpx.Client) -> None:
    assert http.base_url.host == "127.0.0.1"
    assert http.get("/metadata").json()["fhirVersion"] == "4.0.1"


def test_what_is_created_stands_and_is_found(http: httpx.Client) -> None:
    patient = changed(sample("Patient"), {"identifier.0.value": "child/c-hapi/Patient"})
    created = http.post("/Patient", json=patient)
    assert created.status_code == 201
    stands = http.get(f"/Patient/{created.json()['id']}").json()
    assert {**stands, "id": patient["id"], "meta": {**stands["meta"], **patient["meta"]}} == {
        **patient,
        "meta": {**stands["meta"], **patient["meta"]},
    }
    found = http.get("/Patient", params={"identifier": f"{patient['identifier'][0]['system']}|child/c-hapi/Patient"})
    assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [stands["id"]]


def test_a_stale_version_and_a_dangling_reference_are_refused(http: httpx.Client) -> None:
    created = http.post("/Patient", json=changed(sample("Patient"), {"identifier.0.value": "child/c-hapi-2/Patient"}))
    patient = created.json()
    fresh = http.put(f"/Patient/{patient['id']}", json={**patient, "active": False}, headers={"If-Match": 'W/"1"'})
    stale = http.put(f"/Patient/{patient['id']}", json={**patient, "active": True}, headers={"If-Match": 'W/"1"'})
    dangling = http.post("/Goal", json=sample("Goal"))
    assert [fresh.status_code, stale.status_code, dangling.status_code] == [200, 409, 400]
