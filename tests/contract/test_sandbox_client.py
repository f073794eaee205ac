"""A FHIR client library that others publish and keep (fhirpy) works against every shape, as anybody would use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

from bridge import sandbox
from tests.unit.sandbox.running import Clinic
from tests.unit.sandbox.synthetic import note

TOKEN = "t-1"


@pytest.fixture(scope="module", params=sandbox.names())
def clinic(request: pytest.FixtureRequest) -> Iterator[Clinic]:
    with Clinic(sandbox.start(request.param, bearer=TOKEN)) as clinic:
        clinic.admin("POST", "load", json=[{**note(), "id": f"d{number}"} for number in range(7)])
        yield clinic


@pytest.fixture
def client(clinic: Clinic) -> SyncFHIRClient:
    return SyncFHIRClient(clinic.running.base_url, authorization=f"Bearer {TOKEN}")


def test_it_reads_and_is_told_what_is_not_there(client: SyncFHIRClient) -> None:
    patient = client.reference("Patient", "p1").to_resource()
    assert (patient.resource_type, patient["birthDate"]) == ("Patient", "2021-03-09")
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", "nobody").to_resource()


def test_it_searches_page_by_page(clinic: Clinic, client: SyncFHIRClient) -> None:
    size = clinic.running.ehr.shape.conduct.page.parameter
    documents = client.resources("DocumentReference").search(patient="p1", **{size: 3}).fetch_all()
    found = [one.id for one in documents if one.resource_type == "DocumentReference"]
    assert set(found) == {f"d{number}" for number in range(7)}


def test_it_creates_what_is_offered_and_is_told_of_what_is_not(clinic: Clinic, client: SyncFHIRClient) -> None:
    document = client.resource("DocumentReference", **{k: v for k, v in note().items() if k != "resourceType"})
    before = clinic.held("DocumentReference")
    if clinic.running.ehr.offers("DocumentReference", "create"):
        document.create()  # type: ignore[no-untyped-call]  # as the library has it
        assert clinic.held("DocumentReference") == before + 1
    else:
        with pytest.raises((OperationOutcome, ResourceNotFound)):
            document.create()  # type: ignore[no-untyped-call]  # as the library has it
        assert clinic.held("DocumentReference") == before


def test_without_a_token_it_is_refused(clinic: Clinic) -> None:
    with pytest.raises(AuthorizationError):
        SyncFHIRClient(clinic.running.base_url).reference("Patient", "p1").to_resource()
