"""Paths over records and resources: types, choices, extensions, variables."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.mappings.fhirpath import Environment, compile_expression
from tests.unit.mappings.fhirpath.asking import FAILS, ask
from tests.unit.mappings.fhirpath.r4_model import R4Model

PATIENT: dict[str, Any] = {
    "resourceType": "Patient", "active": True, "birthDate": "1974-12-25", "gender": "male",
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "name": [{"family": "C", "given": ["Peter", "James"], "_given": [None, {"extension": [{"url": "urn:g"}]}]},
             {"given": ["Jim"]}],
    "extension": [{"url": "urn:age", "valueAge": {"value": 5, "unit": "a", "code": "a"}}],
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Org"}],
    "managingOrganization": {"reference": "#o"},
}  # fmt: skip
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation", "valueQuantity": {"value": 185.0, "unit": "lbs", "code": "[lb_av]"},
    "component": [{"valueString": "x"}, {"valueInteger": 5}, {"valueDateTime": "2026-01-01"}],
    "effectiveDateTime": "2026-01-02",
}  # fmt: skip


@pytest.mark.parametrize("typed", [False, True], ids=["plain", "model"])
@pytest.mark.parametrize(
    ("expression", "data", "answer"),
    [
        ("Patient.name.given", PATIENT, ["Peter", "James", "Jim"]), ("name.given", PATIENT, ["Peter", "James", "Jim"]),
        ("Observation.name", PATIENT, []), ("Patient.birthDate.extension('urn:time').value", PATIENT,
         ["1974-12-25T14:35:45-05:00"]), ("birthDate.extension.url", PATIENT, ["urn:time"]),
        ("name.given.where(extension('urn:g').exists())", PATIENT, ["James"]), ("birthDate < @1980", PATIENT, [True]),
        ("extension('urn:age').value.unit", PATIENT, ["a"]), ("extension('urn:age').value is Age", PATIENT, [True]),
        ("extension('urn:age').value is Quantity", PATIENT, [True]), ("gender.extension('urn:g')", PATIENT, []),
        ("managingOrganization.resolve().name", PATIENT, ["Org"]),
        ("contained.ofType(Organization).id", PATIENT, ["o"]),
        ("contained.ofType(Patient)", PATIENT, []), ("Patient.is(Patient)", PATIENT, [True]),
        ("Patient is DomainResource", PATIENT, [True]), ("type().name", PATIENT, ["Patient"]),
        ("value.unit", OBSERVATION, ["lbs"]), ("value > 100 '[lb_av]'", OBSERVATION, [True]),
        ("value is Quantity", OBSERVATION, [True]), ("value.ofType(Quantity).value", OBSERVATION, [185]),
        ("(value as Quantity).unit", OBSERVATION, ["lbs"]), ("value as CodeableConcept", OBSERVATION, []),
        ("component.value.ofType(string)", OBSERVATION, ["x"]), ("component.value.ofType(integer)", OBSERVATION, [5]),
        ("component.value.ofType(dateTime)", OBSERVATION, ["2026-01-01"]),
        ("component.value.count()", OBSERVATION, [3]),
        ("component.where(value is string).value", OBSERVATION, ["x"]), ("effective > @2026", OBSERVATION, []),
        ("effective > @2026-01-01", OBSERVATION, [True]),
        ("%resource.effective = %context.effective", OBSERVATION, [True]),
        ("name.given.select($this.hasValue())", {"resourceType": "Patient", "name": [{"_given": [{"id": "1"}]}]},
         [False]),
    ],
)  # fmt: skip
def test_paths(expression: str, data: dict[str, Any], answer: Any, typed: bool) -> None:
    assert ask(expression, data, model=R4Model() if typed else None) == answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("gender.is(code)", [True]), ("gender.is(string)", [True]), ("gender.is(id)", [False]),
        ("active.is(boolean)", [True]), ("active.is(Boolean)", [False]), ("active.type().namespace", ["FHIR"]),
        ("name.type().name.distinct()", ["HumanName"]), ("contact.name", []), ("gender.as(code)", ["male"]),
        ("birthDate.is(date)", [True]), ("birthDate + 1 month", ["1975-01-25"]),
    ],
)  # fmt: skip
def test_a_model_gives_types(expression: str, answer: Any) -> None:
    assert ask(expression, PATIENT, model=R4Model()) == answer


@pytest.mark.parametrize(
    ("expression", "data", "answer"),
    [
        ("contact", {"contactDate": "2026"}, []),
        ("value", {"value": 1, "valueString": "x"}, ["x", 1]),
        ("value", {"valueX": 1}, []),
        ("a.b", {"a": [{"b": 1}, {"b": None}, {}, {"b": [2, None, [3]]}]}, [1, 2, 3]),
        ("a", {"a": None}, []),
        ("`a b`.`c-d`", {"a b": {"c-d": 1}}, [1]),
        ("a.b.c", {"a": "text"}, []),
        ("day + month", {"day": 1, "month": 2}, [3]),
        ("contains.is + in", {"contains": {"is": 1}, "in": 2}, [3]),
        ("$this.a", [{"a": 1}, {"a": 2}], [1, 2]),
        ("$this", None, []),
        ("Thing.a", {"Thing": {"a": 1}}, [1]),
    ],
)
def test_plain_records(expression: str, data: Any, answer: Any) -> None:
    assert [*compile_expression(expression).evaluate(data)] == answer


def test_variables() -> None:
    env = Environment(variables={"one": 1, "many": [1, None, 2], "nothing": None, "who": {"name": "n"}, "a-b": "x"})
    assert ask("%one + 1", {}, env) == [2]
    assert ask("%many", {}, env) == [1, 2]
    assert ask("%nothing", {}, env) == []
    assert ask("%who.name", {}, env) == ["n"]
    assert ask("%`a-b`", {}, env) == ["x"]
    assert ask("%'a-b'", {}, env) == ["x"]
    assert ask("%other", {}, env) == FAILS
    assert ask("%sct & %loinc & %ucum", {}) == ["http://snomed.info/scthttp://loinc.orghttp://unitsofmeasure.org"]
    assert ask("%`vs-x` & %`ext-y`", {}) == ["http://hl7.org/fhir/ValueSet/xhttp://hl7.org/fhir/StructureDefinition/y"]
    schema = {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}}
    assert ask("%who.name.upper()", {}, env, variables={"who": schema}) == ["N"]
    assert ask("%many", {}, env, variables={"many": {"type": "array", "items": {"type": "integer"}}}) == [1, 2]
    assert ask("%many", {}, env, variables={"many": {"type": "integer"}}) == FAILS
    assert compile_expression("%who.nmae", variables={"who": schema}).issues[0].code == "FP13"
