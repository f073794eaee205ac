"""Every interaction of every shape is done or refused as its data says; the statement says what the vendor's says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from bridge import sandbox
from bridge.sandbox.loading import load
from bridge.sandbox.shape import Resource
from tests.unit.sandbox.running import Clinic
from tests.unit.sandbox.synthetic import BODIES, QUESTIONNAIRE, body

INTERACTIONS = ("read", "vread", "search-type", "create", "update")
SITES: dict[str, dict[str, Any]] = {"epic": {"questionnaires": [QUESTIONNAIRE]}}
CAPTURED = Path(__file__).resolve().parents[3] / "shared/data/ehr/interactions.json"
CAPTURES = {"epic": "epic", "oracle": "cerner-secure", "ecw": "ecw", "nextgen": "nextgen-ent"}


class Offering(Clinic):
    """A clinic, and what its shape says it offers."""

    def __init__(self, running: sandbox.Running, shape: str) -> None:
        super().__init__(running)
        self.shape = load(shape)


@pytest.fixture(scope="module", params=sandbox.names())
def clinic(request: pytest.FixtureRequest) -> Iterator[Offering]:
    with Offering(sandbox.start(request.param, site=SITES.get(request.param)), request.param) as clinic:
        yield clinic


def row(clinic: Offering, kind: str) -> Resource | None:
    return clinic.shape.resources.get(kind)


def offered_search(clinic: Offering, kind: str) -> tuple[str, ...]:
    """Parameters stated for the type that find the resource these tests load."""
    offered = row(clinic, kind)
    stated = offered.search if offered else ("_id",)
    return ("_id",) if stated == "all" or "_id" in stated else tuple(name for name in stated if name == "target")


def ask(clinic: Offering, kind: str, interaction: str) -> httpx.Response:
    """One plain request for the interaction, of something that is there."""
    clinic.admin("POST", "load", json={**body(kind), "id": "x1"})
    held = next(item for item in clinic.admin("GET", f"resources?type={kind}")["resources"] if item["id"] == "x1")
    if interaction == "read":
        return clinic.fhir("GET", f"{kind}/x1")
    if interaction == "vread":
        return clinic.fhir("GET", f"{kind}/x1/_history/{held['version']}")
    if interaction == "search-type":
        if not offered_search(clinic, kind):  # a search is stated, no parameter is
            return clinic.fhir("GET", kind)
        offered = row(clinic, kind)
        wanted = {"patient": "p1", "category": "assess-plan", "target": "Encounter/e1"}
        needs = offered.needs[-1] if offered and offered.needs else offered_search(clinic, kind)[:1]
        return clinic.fhir("GET", kind, params={name: wanted.get(name, "x1") for name in needs})
    if interaction == "create":
        when = {"effectiveDateTime": "2026-11-09T08:00:00Z"} if kind == "Observation" else {}
        return clinic.create(body(kind, **when))
    version = {"if-match": f'W/"{held["version"]}"'}
    changed: dict[str, Any] = {}
    if kind == "DocumentReference":  # Oracle's update takes no plain text
        attachment = {**BODIES[kind]["content"][0]["attachment"], "contentType": "text/html;charset=utf-8"}
        changed = {"content": [{"attachment": attachment}]}
    return clinic.fhir("PUT", f"{kind}/x1", json={**body(kind, **changed), "id": "x1"}, headers=version)


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("kind", BODIES)
def test_interaction_is_as_the_data_says(clinic: Offering, kind: str, interaction: str) -> None:
    clinic.reset()
    offered = row(clinic, kind)
    before = clinic.held(kind) + 1
    response = ask(clinic, kind, interaction)
    counts = clinic.audit()
    if offered and interaction in offered.interactions:
        assert response.status_code == {"create": 201}.get(interaction, 200), response.text
        assert (counts["done"], counts["unsupported"], counts["refused"]) == (1, 0, 0)
        assert clinic.held(kind) == before + (interaction == "create")
    else:
        assert response.status_code in (404, 405)
        assert (counts["done"], counts["unsupported"]) == (0, 1)
        assert clinic.held(kind) == before


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_what_no_shape_offers_is_refused(clinic: Offering, method: str) -> None:
    clinic.reset()
    assert clinic.fhir(method, "Patient/p1").status_code in (404, 405)
    assert clinic.fhir("POST", "", json={"resourceType": "Bundle"}).status_code in (404, 405)
    assert clinic.fhir("GET", "Patient/p1/$everything").status_code in (404, 405)
    assert clinic.audit()["unsupported"] == 3


def test_statement_is_valid_and_tells_the_shape(clinic: Offering) -> None:
    response = clinic.fhir("GET", "metadata")
    statement = response.json()
    CapabilityStatement.model_validate(statement)
    assert (statement["fhirVersion"], statement["rest"][0]["mode"]) == ("4.0.1", "server")
    assert statement["implementation"]["url"] == clinic.running.base_url
    stated = {item["type"]: item for item in statement["rest"][0]["resource"]}
    for kind in BODIES:
        offered = row(clinic, kind)
        if offered and offered.interactions:
            assert [item["code"] for item in stated[kind]["interaction"]] == list(offered.interactions)
        else:
            assert kind not in stated
    assert clinic.fhir("GET", ".well-known/smart-configuration").json()["capabilities"] == []


@pytest.mark.outside
@pytest.mark.parametrize("shape", CAPTURES)
def test_tables_agree_with_the_captured_statements(shape: str) -> None:
    if not CAPTURED.exists():
        pytest.skip("the captured statements are not beside the project")
    captured = cast("dict[str, Any]", json.loads(CAPTURED.read_text()))[CAPTURES[shape]]["resources"]
    offered = load(shape).resources
    for kind in BODIES:
        theirs = captured.get(kind, {"interactions": [], "search": []})
        ours = offered.get(kind)
        stated = set(ours.interactions) if ours else set()
        assert stated == set(theirs["interactions"]) - {"patch"}, kind
        assert ours is None or set(ours.search) <= set(theirs["search"]), kind
