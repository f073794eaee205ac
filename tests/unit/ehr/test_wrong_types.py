"""Every place of an answer that is read holds what it must not: a value comes back, or an error of ours."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.ehr import facts, look, match, send
from bridge.ehr.answers import classify
from bridge.ehr.capability import Capability
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.merge import VERIFICATION, conflicts, is_in_error
from bridge.ehr.recognise import latest
from bridge.ehr.references import chart_of
from bridge.ehr.search import next_page, page
from bridge.errors import BridgeError, Problem
from bridge.fhir import discovery, grant
from bridge.model import Action, Interaction, Response, type_json
from tests.unit.ehr.making import ALL, REFERENCE, capability, statement

VENDORS = [facts.vendor(name) for name in ("generic", "ecw")]
BASE = "https://ehr.example/fhir"
WRONG: list[Any] = [
    None, True, 0, -1, 10**30, 1e300, "", "x", "\u0000", "a\r\nb: c", "../..", [], [None], [7], {}, {"id": []},
]  # fmt: skip
DOCUMENT: type_json = {
    "resourceType": "DocumentReference",
    "id": "d-1",
    "meta": {"versionId": "2", "lastUpdated": "2026-03-01T10:00:00Z"},
    "identifier": [{"system": SYSTEM, "value": REFERENCE}],
    "status": "current",
    "subject": {"reference": "Patient/p-1"},
    "description": "a note",
    "content": [{"attachment": {"title": "a note", "data": "QQ==", "contentType": "text/plain"}}],
}
PATIENT = {
    "resourceType": "Patient",
    "id": "p-1",
    "active": True,
    "identifier": [{"system": "urn:x", "value": "m-1"}],
    "birthDate": "2021-03-04",
    "deceasedBoolean": False,
    "link": [{"type": "replaced-by", "other": {"reference": "Patient/p-2"}}],
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "invalid",
            "details": {"coding": [{"code": "59108"}]},
            "expression": ["Patient.id"],
        }
    ],
}
CONDITION: type_json = {
    "resourceType": "Condition",
    "id": "d-1",
    "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "confirmed"}]},
    "subject": {"reference": "Patient/p-1"},
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 3,
    "link": [{"relation": "next", "url": f"{BASE}/DocumentReference?page=2"}],
    "entry": [{"resource": DOCUMENT}, {"resource": OUTCOME}],
}
STATEMENT = statement(DocumentReference=(ALL, ("identifier", "patient")), Patient=(ALL, ("identifier",)))
CONFIGURATION = {
    "issuer": BASE,
    "token_endpoint": f"{BASE}/token",
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS384"],
    "scopes_supported": ["system/*.read"],
    "grant_types_supported": ["client_credentials"],
    "capabilities": ["client-confidential-asymmetric"],
}
TOKEN = {"access_token": "a", "token_type": "bearer", "expires_in": 300, "scope": "system/*.read", "error": "x"}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in it, the whole too."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def spoilt(whole: type_json) -> Iterator[Any]:
    """It with one place wrong at a time; of what has many places only in a few ways."""
    for path in places(whole):
        for wrong in WRONG if whole is not BUNDLE else WRONG[::5]:
            found = copy.deepcopy(whole)
            at: Any = found
            for key in path[:-1]:
                at = at[key]
            if path:
                at[path[-1]] = wrong
                yield found
            else:
                yield wrong


def body(value: Any) -> bytes:
    """As JSON."""
    return json.dumps(value).encode()


def read_every_way(response: Response) -> None:
    """Every reader of an answer reads it."""
    for vendor in VENDORS:
        for interaction in Interaction:
            classify(interaction, response, vendor, "DocumentReference/d-1", 1)
    for ours in (DOCUMENT, CONDITION):
        current = send.current(response, ours["resourceType"], "d-1")
        if current is not None:
            look.applied(current, ours)
            is_in_error(current.resource)
            chart_of(current.resource)
            conflicts(current.resource, {**ours, "status": "superseded"}, ours)
            for action in (Action.UPDATE, Action.RETRACT):
                built(action, current, ours)
    match.patient(response)
    match.candidates(response, "m-1")
    match.moved_to(response)
    match.carrying(response, "m-1")
    found = page(response, "DocumentReference")
    if found is not None:
        list(latest(found.resources))
        look.found([found], REFERENCE, capability(), 1)
        following = next_page(found, BASE)
        assert following is None or following.path.startswith("https://ehr.example/")


def built(action: Action, current: send.Current, ours: type_json) -> None:
    """A correction built on what was read, or not, by a ValueError."""
    try:
        send.request(action, ours, capability(), current, ours)
    except ValueError:
        return


@pytest.mark.parametrize(
    "whole", [DOCUMENT, CONDITION, PATIENT, OUTCOME, BUNDLE], ids=lambda whole: str(whole["resourceType"])
)
def test_no_reader_fails(whole: type_json) -> None:
    for value in spoilt(whole):
        read_every_way(Response(200, {}, body(value)))


def test_a_refusal_with_wrong_issues_is_still_a_refusal() -> None:
    for value in spoilt(OUTCOME):
        answer = classify(Interaction.CREATE, Response(400, {}, body(value)), VENDORS[0])
        assert answer.stands is None


def test_a_wrong_statement_is_a_definition_error() -> None:
    for value in spoilt(STATEMENT):
        try:
            Capability.from_statement(value, VENDORS[0])
        except BridgeError:
            continue


def test_a_wrong_login_configuration_is_a_problem_or_leads_to_https() -> None:
    for value in spoilt(CONFIGURATION):
        found = discovery.read(BASE, 200, {}, body(value))
        assert isinstance(found, Problem) or found.token_endpoint.startswith("https://")


def test_a_wrong_token_is_none() -> None:
    for value in spoilt(TOKEN):
        try:
            found = grant.read_token(200, body(value), 0.0)
        except grant.NoLogin:
            continue
        assert re.fullmatch(r"[!-~]+", found.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_login_goes_elsewhere(status: int) -> None:
    found = discovery.read(BASE, status, {"location": "https://evil.example/"}, body(CONFIGURATION))
    assert isinstance(found, Problem)
    assert found.code == "discovery-redirect"
    with pytest.raises(grant.NoLogin) as raised:
        grant.read_token(status, body(TOKEN), 0.0)
    assert raised.value.problem.code == "login-redirect"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_chart_on_another_host_is_nobody_s(status: int) -> None:
    there = Response(status, {"location": "https://evil.example/fhir/Patient/p-2"}, host="ehr.example")
    assert classify(Interaction.READ, there, VENDORS[0], "Patient/p-1").code == "redirect"
    assert match.moved_to(there) == ""
    here = Response(status, {"location": "https://EHR.example/fhir/Patient/p-2"}, host="ehr.example")
    assert match.moved_to(here) == "p-2"
