"""fhir.resources asked beside our own validator."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.fhir.opinion import second_opinion
from bridge.model import Severity
from tests.unit.fhir.samples import GONE, bundle, changed, sample


def test_it_agrees_with_what_is_valid() -> None:
    assert second_opinion(bundle()) == ()
    assert [second_opinion(entry["resource"]) for entry in bundle()["entry"]] == [()] * 12


@pytest.mark.parametrize(
    ("kind", "changes", "path"),
    [
        ("Patient", {"birthDate": "yesterday"}, "Patient.birthDate"),
        ("Patient", {"name.0.given": ["a", {}]}, "Patient.name[0].given[1]"),
        ("Observation", {"code": GONE}, "Observation.code"),
        ("Patient", {"nickname": "x"}, "Patient"),
        ("Patient", {"name.0.middle": "x"}, "Patient.name[0]"),
    ],
)
def test_it_says_where(kind: str, changes: dict[str, Any], path: str) -> None:
    (finding,) = second_opinion(changed(sample(kind), changes))
    assert (finding.code, finding.severity, finding.path) == ("fhir-second-opinion", Severity.WARNING, path)


@pytest.mark.parametrize("resource", [{}, {"resourceType": "Patien"}, {"resourceType": 5}])
def test_what_it_has_no_model_of(resource: dict[str, Any]) -> None:
    assert [finding.path for finding in second_opinion(resource)] == ["resourceType"]


def test_what_only_r4_has_is_not_held_against_a_resource() -> None:
    meta = {"url": "https://agency.example/fhir/about", "valueMeta": {"source": "https://agency.example"}}
    assert second_opinion(changed(sample("Goal"), {"extension": [meta]})) == ()
