"""A practice's referral is read in each of its forms, and refused without a value."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import Problem
from bridge.intake.referral import Referral, open_referral, told
from bridge.jobs.open import validator
from bridge.model import type_json
from tests.unit.referring import sent


def read(resource: Any) -> Referral | Problem:
    return open_referral(resource, lambda one: validator().check(one, profiles=(), advise=False))


FORMS = {
    "contained": sent.contained(),
    "transaction": sent.bundle(),
    "collection": sent.bundle("collection"),
    "batch": sent.bundle("batch"),
    "task": sent.task(),
    "named": sent.request(subject="Patient/1") | {"subject": {"identifier": {"system": sent.SYSTEM, "value": "m-1"}}},
}


@pytest.mark.parametrize("form", FORMS)
def test_r26_every_form_says_the_same(form: str) -> None:
    found = read(FORMS[form])
    assert isinstance(found, Referral)
    assert found.number == (sent.NUMBER["system"], "REF-77")
    assert found.patient == ((sent.SYSTEM, "m-1"),)
    assert (found.status, found.version, found.void) == ("active", "", False)
    said = dict(told(found.raw))
    assert said["Because"] == "Sleepless nights"
    assert said["Note"] == "La mamá pide ayuda."
    assert said["By"] == "Dr. Lee Chen"


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        (sent.contained(status="revoked"), "revoked"),
        (sent.contained(status="entered-in-error"), "entered-in-error"),
        (sent.task(status="cancelled"), "revoked"),
    ],
)
def test_what_the_practice_took_back_is_void(resource: type_json, status: str) -> None:
    found = read(resource)
    assert isinstance(found, Referral)
    assert (found.status, found.void) == (status, True)


def test_a_later_version_says_so_by_its_own_time() -> None:
    found = read(sent.contained(meta={"lastUpdated": "2026-02-20T10:00:00Z"}))
    assert isinstance(found, Referral)
    assert found.version == "1771581600000000"


SECRET = "Q7secret"


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (None, "form"),
        ([], "form"),
        ({"resourceType": SECRET}, "form"),
        (sent.patient(), "form"),
        (sent.contained(status=SECRET), "fhir"),
        (sent.contained(subject={"reference": "#nobody"}), "fhir"),
        (sent.contained(**{SECRET: 1}), "fhir"),
        (sent.contained(status="draft"), "status"),
        (sent.request("Patient/1"), "patient"),
        (sent.contained(identifier=[]), "fhir"),
        ({key: value for key, value in sent.contained().items() if key != "identifier"}, "number"),
        ({"resourceType": "Bundle", "type": "searchset"}, "bundle"),
        ({"resourceType": "Bundle", "type": "collection"}, "request"),
        ({"resourceType": "Bundle", "type": "collection", "entry": 2 * sent.bundle("collection")["entry"][1:]}, "fhir"),
        (sent.task(focus={"reference": "#p"}), "fhir"),
        (sent.bundle("collection") | {"entry": 2 * sent.bundle("collection")["entry"][:1]}, "fhir"),
    ],
)
def test_what_is_none_is_refused_with_a_place_and_a_rule(resource: Any, code: str) -> None:
    found = read(resource)
    assert isinstance(found, Problem), resource
    assert found.code == f"referral-{code}", found
    assert found.rule
    assert found.field
    assert found.next_step
    assert SECRET not in str(found.as_dict())
    assert "Ejemplo" not in str(found.as_dict())
