"""What an extension excuses, what is contained, several parts at once, and what is said of what cannot be checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bridge.model import Part, Severity
from tests.unit.fhir.samples import GONE, US_CORE, bundle, changed, errors, sample, validator

UNKNOWN = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
ORGANIZATION = {"resourceType": "Organization", "id": "org", "name": "Northside"}


def contained(**more: Any) -> dict[str, Any]:
    """The Encounter with its provider contained."""
    changes = {"contained": [{**ORGANIZATION, **more}], "serviceProvider": {"reference": "#org"}}
    return changed(sample("Encounter"), changes)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("Patient", {"birthDate": GONE, "_birthDate": UNKNOWN}),
        ("Patient", {"_birthDate": {"id": "b1"}}),
        ("Patient", {"gender": GONE, "_gender": UNKNOWN}),  # required by US Core
        ("Encounter", {"status": GONE, "_status": UNKNOWN}),  # required by FHIR
        ("Patient", {"name.0.given": ["Marisol", None], "name.0._given": [None, UNKNOWN]}),
        ("Observation", {"valueQuantity": GONE, "valueString": "45", "_valueString": {"id": "v"}}),
        ("Observation", {"valueQuantity": GONE, "_valueString": UNKNOWN}),
        ("CarePlan", {"text._status": {"id": "s"}}),
    ],
)
def test_an_extension_stands_for_a_value(kind: str, changes: dict[str, Any]) -> None:
    assert errors(changed(sample(kind), changes)) == {}


def test_a_null_needs_its_own_extension() -> None:
    nulls = changed(sample("Patient"), {"name.0.given": [None, None], "name.0._given": [None, UNKNOWN]})
    assert errors(nulls) == {"fhir-type": {"Patient.name[0].given[0]"}}


def test_an_extension_on_a_primitive_is_checked_too() -> None:
    broken = changed(sample("Patient"), {"_birthDate": {"extension": [{"valueCode": "x"}]}})
    assert errors(broken) == {"fhir-required": {"Patient.birthDate.extension[0].url"}}
    assert errors(changed(sample("Patient"), {"_birthDate": {}})) == {"fhir-empty": {"Patient.birthDate"}}


def test_unknown_extensions_are_welcome_anywhere() -> None:
    own = {"url": "https://agency.example/fhir/waiting-list", "valuePeriod": {"start": "2026-01"}}
    assert errors(changed(sample("Goal"), {"extension": [own], "description.extension": [own]})) == {}


def test_a_contained_resource_is_referred_to_and_checked() -> None:
    assert errors(contained()) == {}
    assert errors(contained(active="yes"))["fhir-type"] == {"Encounter.contained[0].active"}
    assert errors(contained(id="other")) == {
        "ref-1": {"Encounter.serviceProvider.reference"},
        "dom-3": {"Encounter.contained[0]"},
    }


def test_a_contained_resource_of_a_type_not_allowed_there() -> None:
    assert errors(contained(resourceType="Location"))["ref-1"] == {"Encounter.serviceProvider.reference"}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"contained": [{"resourceType": "Basic"}]}, "dom-2"),
        ({"meta": {"versionId": "1"}}, "dom-4"),
        ({"meta": {"lastUpdated": "2026-03-02T16:31:00Z"}}, "dom-4"),
        ({"meta": {"security": [{"code": "R"}]}}, "dom-5"),
    ],
)
def test_what_a_contained_resource_may_not_have(more: dict[str, Any], code: str) -> None:
    assert errors(contained(**more))[code] == {"Encounter.contained[0]"}


def test_a_contained_resource_may_refer_to_the_one_around_it() -> None:
    location = {"resourceType": "Location", "id": "room", "partOf": {"reference": "#"}}
    around = {"resourceType": "Location", "name": "School", "contained": [location]}
    assert errors(around) == {}


def test_profiles_can_be_named_and_versions_do_not_matter() -> None:
    bare = changed(sample("Goal"), {"meta": GONE, "lifecycleStatus": "active", "subject.reference": "Group/1"})
    assert errors(bare) == {}
    assert errors(bare, US_CORE + "us-core-goal|6.1.0") == {"fhir-reference": {"Goal.subject.reference"}}


def test_a_profile_nobody_knows_is_said_and_the_rest_is_checked() -> None:
    odd = changed(sample("Goal"), {"meta.profile": ["https://example.org/own", US_CORE + "us-core-goal"]})
    assert errors(changed(odd, {"description": GONE})) == {
        "fhir-profile-unknown": {"Goal.meta.profile[0]"},
        "fhir-required": {"Goal.description"},
    }


def test_a_resource_without_a_definition_is_said_to_be_unchecked() -> None:
    findings = validator().check({"resourceType": "Basic", "nonsense": 1})
    assert [(finding.code, finding.severity) for finding in findings] == [("fhir-no-definition", Severity.WARNING)]


@pytest.mark.parametrize("resource", [None, [], "Patient", 5, {}, {"resourceType": ["Patient"]}, {"resourceType": {}}])
def test_what_is_no_resource(resource: Any) -> None:
    assert {finding.code for finding in validator().check(resource)} == {"fhir-resource-type"}


def test_what_is_no_json() -> None:
    circle: dict[str, Any] = {"resourceType": "Patient"}
    circle["extension"] = [circle]
    deep: dict[str, Any] = {"url": "x", "valueCode": "y"}
    for _ in range(20_000):
        deep = {"url": "x", "extension": [deep]}
    patient: dict[Any, Any] = {"resourceType": "Patient"}
    for more in ({1: 2}, {"id": "\ud800"}, {"extension": [circle]}, {"extension": [deep]}, {"active": object()}):
        assert {finding.code for finding in validator().check(patient | more)} == {"fhir-json"}
    while "extension" in deep:  # unwound by hand: Python's own way down would be too deep
        deep = deep.pop("extension")[0]


def test_decimals_need_not_be_floats() -> None:
    assert errors(changed(sample("Observation"), {"valueQuantity.value": Decimal("45.10")})) == {}


def test_parts_are_named_and_lead_to_each_other() -> None:
    plan, goal, concern = (sample(kind) for kind in ("CarePlan", "Goal", "Condition"))
    parts = [Part(resource["resourceType"].lower(), "c-101", "child", resource) for resource in (plan, goal, concern)]
    found = validator().check_all(parts, advise=False, outside=frozenset({"Patient", "RelatedPerson"}))
    assert [(finding.part, finding.code, finding.path) for finding in found] == [
        ("careplan", "fhir-reference-local", "CarePlan.careTeam[0].reference")
    ]
    assert validator().check_all(parts, advise=False) == ()


def test_two_parts_do_not_share_an_id() -> None:
    found = validator().check_all(
        [sample("Goal"), sample("Goal")], advise=False, outside=frozenset({"Patient", "RelatedPerson"})
    )
    assert [(finding.part, finding.code) for finding in found] == [("1", "fhir-duplicate-id")]


def test_misspelt_elements_are_told_by_the_right_name_and_never_by_their_own() -> None:
    (finding,) = validator().check(
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}, "statuss": 1}
    )
    assert finding.rule == "has only elements FHIR defines here; nearest: status"


def test_must_support_is_information_and_can_be_left_out() -> None:
    goal = changed(sample("Goal"), {"startDate": GONE, "target": GONE, "expressedBy": GONE})
    found = validator().check(goal)
    assert {(finding.code, finding.severity) for finding in found} == {("fhir-must-support", Severity.INFORMATION)}
    assert {finding.path for finding in found} == {"Goal.start[x]", "Goal.target", "Goal.expressedBy"}
    assert validator().check(goal, advise=False) == ()


def test_must_support_below_a_list_wants_one_complete_item() -> None:
    patient = sample("Patient")
    assert "Patient.telecom.use" not in {finding.path for finding in validator().check(patient)}
    without = changed(patient, {"telecom.0.use": GONE, "telecom.1": {"system": "email", "value": "a@b.example"}})
    assert "Patient.telecom.use" in {finding.path for finding in validator().check(without)}
    absent = changed(patient, {"telecom": GONE})
    assert "Patient.telecom.use" not in {finding.path for finding in validator().check(absent)}


def test_what_is_not_checked_is_listed_with_its_reason() -> None:
    listed = validator().uncovered()
    assert {"dom-6", "ppc-2", "ppc-3", "ppc-4", "ppc-5"} == {key for key in listed if not key.startswith("http")}
    assert {key.rsplit("/", 1)[-1] for key in listed if key.startswith("http")} == {
        "2.16.840.1.113762.1.4.1240.3",  # us-core-sex, VSAC
        "birthsex",  # partly VSAC
        "detailed-ethnicity",
        "detailed-race",
        "ucum-units",
        "us-core-observation-smokingstatus-max",  # any SNOMED CT code
    }
    assert all(listed.values())


def test_the_bundle_says_where() -> None:
    broken = changed(bundle(), {"entry.2.resource.status": "done"})
    assert errors(broken) == {"fhir-binding": {"Bundle.entry[2].resource.status"}}
