"""Every invariant of the shipped definitions is compiled or named as unchecked, and every compiled one bites."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from bridge.fhir.definitions import load
from bridge.fhir.invariants import RULES, UNCHECKED
from bridge.fhir.validate import Calls
from tests.unit.fhir.probes import PROBES

UCUM = "http://unitsofmeasure.org"
NPI = "http://terminology.hl7.org/CodeSystem/v2-0203"
DAR = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


def concept(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


ERROR = concept("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "entered-in-error")
PROBLEM = [concept("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")]

# key: (what holds to it, what does not)
CASES: dict[str, tuple[dict[str, Any] | str, dict[str, Any] | str]] = {
    "age-1": ({"value": 3, "code": "a", "system": UCUM}, {"value": 0, "code": "a", "system": UCUM}),
    "ait-1": ({"verificationStatus": ERROR}, {"code": {"text": "milk"}}),
    "ait-2": ({"verificationStatus": ERROR}, {"verificationStatus": ERROR, "clinicalStatus": {"text": "x"}}),
    "bdl-1": ({"type": "searchset", "total": 1}, {"type": "batch", "total": 1}),
    "bdl-2": ({"type": "searchset", "entry": [{"search": {}}]}, {"type": "batch", "entry": [{"search": {}}]}),
    "bdl-3": ({"type": "batch", "entry": [{"request": {}}]}, {"type": "searchset", "entry": [{"request": {}}]}),
    "bdl-4": ({"type": "batch-response", "entry": [{"response": {}}]}, {"type": "batch-response", "entry": [{}]}),
    "bdl-5": ({"resource": {}}, {"fullUrl": "urn:uuid:1"}),
    "bdl-7": (
        {"type": "batch", "entry": [{"fullUrl": "a"}, {"fullUrl": "b"}]},
        {"type": "batch", "entry": [{"fullUrl": "a"}, {"fullUrl": "a"}]},
    ),
    "bdl-8": ({"fullUrl": "http://a/Patient/1"}, {"fullUrl": "http://a/Patient/1/_history/2"}),
    "bdl-9": (
        {"type": "document", "identifier": {"system": "a", "value": "b"}},
        {"type": "document", "identifier": {"value": "b"}},
    ),
    "bdl-10": ({"type": "document", "timestamp": "x"}, {"type": "document"}),
    "bdl-11": (
        {"type": "document", "entry": [{"resource": {"resourceType": "Composition"}}]},
        {"type": "document", "entry": [{"resource": {"resourceType": "Patient"}}]},
    ),
    "bdl-12": ({"type": "message", "entry": [{"resource": {"resourceType": "MessageHeader"}}]}, {"type": "message"}),
    "cmd-0": ({"name": "Places"}, {"name": "our places"}),
    "cmd-1": ({"equivalence": "narrower", "comment": "x"}, {"equivalence": "narrower"}),
    "cmd-2": ({"mode": "fixed", "code": "x"}, {"mode": "fixed"}),
    "cmd-3": ({"mode": "other-map", "url": "x"}, {"mode": "other-map"}),
    "cmp-2": ({"emptyReason": {}}, {"emptyReason": {}, "entry": []}),
    "cnt-3": ({"value": 3, "code": "1", "system": UCUM}, {"value": 3.5, "code": "1", "system": UCUM}),
    "con-1": ({"summary": {}}, {"type": {}}),
    "con-2": ({"detail": []}, {"id": "x"}),
    "con-3": ({"category": PROBLEM, "clinicalStatus": {}}, {"category": PROBLEM}),
    "cpb-0": ({"name": "Places"}, {"name": "our places"}),
    "cpb-1": ({"rest": []}, {"kind": "instance"}),
    "cpb-2": ({"software": {}}, {"kind": "instance"}),
    "cpb-3": (
        {"kind": "instance", "messaging": [{"endpoint": []}]},
        {"kind": "capability", "messaging": [{"endpoint": []}]},
    ),
    "cpb-7": (
        {"document": [{"profile": "a", "mode": "producer"}, {"profile": "a", "mode": "consumer"}]},
        {"document": [{"profile": "a", "mode": "producer"}, {"profile": "a", "mode": "producer"}]},
    ),
    "cpb-9": ({"resource": [{"type": "Goal"}]}, {"resource": [{"type": "Goal"}, {"type": "Goal"}]}),
    "cpb-12": ({"searchParam": [{"name": "a"}]}, {"searchParam": [{"name": "a"}, {"name": "a"}]}),
    "cpb-14": ({"kind": "instance", "implementation": {}}, {"kind": "instance"}),
    "cpb-15": ({"kind": "capability", "software": {}}, {"kind": "capability", "software": {}, "implementation": {}}),
    "cpb-16": ({"kind": "requirements"}, {"kind": "requirements", "software": {}}),
    "dis-1": ({"value": 1, "code": "m", "system": UCUM}, {"value": 1, "code": "m", "system": "x"}),
    "drq-1": ({"path": "a"}, {"path": "a", "searchParam": "b"}),
    "drq-2": ({"searchParam": "a"}, {"id": "a"}),
    "drt-1": ({"value": 1, "code": "min", "system": UCUM}, {"code": "min", "system": UCUM}),
    "exp-1": ({"expression": "a"}, {"language": "text/fhirpath"}),
    "imm-1": ({"reference": "x"}, {"publicationDate": "2026"}),
    "lst-2": ({"mode": "changes", "entry": [{"deleted": True}]}, {"mode": "working", "entry": [{"deleted": True}]}),
    "lst-3": ({"mode": "working", "entry": [{"date": "2026"}]}, {"mode": "changes", "entry": [{"date": "2026"}]}),
    "mdd-1": (
        {"whenPrepared": "2026-01-01", "whenHandedOver": "2026-01-01T10:00:00Z"},
        {"whenPrepared": "2026-01-02", "whenHandedOver": "2026-01-01T10:00:00Z"},
    ),
    "mqty-1": ({"value": 1, "code": "USD", "system": "urn:iso:std:iso:4217"}, {"value": 1}),
    "obs-3": ({"text": "x"}, {"type": {}}),
    "org-1": ({"name": "x"}, {"active": True}),
    "org-3": ({"use": "work"}, {"use": "home"}),
    "prr-1": ({"orderDetail": [], "code": {}}, {"orderDetail": []}),
    "rat-1": ({"numerator": {}, "denominator": {}}, {"numerator": {}}),
    "rng-2": (
        {"low": {"value": 1, "unit": "a"}, "high": {"value": 2, "unit": "a"}},
        {"low": {"value": 3, "unit": "a"}, "high": {"value": 2, "unit": "a"}},
    ),
    "sdcqr-1": ({"subject": {}}, {"status": "completed"}),
    "sev-1": ({"name": "x"}, {"name": "x", "query": "y"}),
    "tim-1": ({"duration": 1, "durationUnit": "h"}, {"duration": 1}),
    "tim-2": ({"period": 1, "periodUnit": "h"}, {"period": 1}),
    "tim-4": ({"duration": 1}, {"duration": -1}),
    "tim-5": ({"period": 1}, {"period": -1}),
    "tim-6": ({"period": 1, "periodMax": 2}, {"periodMax": 2}),
    "tim-7": ({"duration": 1, "durationMax": 2}, {"durationMax": 2}),
    "tim-8": ({"count": 1, "countMax": 2}, {"countMax": 2}),
    "tim-9": ({"offset": 10, "when": ["HS"]}, {"offset": 10, "when": ["C"]}),
    "tim-10": ({"timeOfDay": ["10:00:00"]}, {"timeOfDay": ["10:00:00"], "when": ["HS"]}),
    "trd-1": ({"data": []}, {"data": [], "timingDate": "2026"}),
    "trd-2": ({"condition": {}, "data": []}, {"condition": {}}),
    "trd-3": ({"type": "periodic", "timingDate": "2026"}, {"type": "data-added"}),
    "us-core-4": (
        {"valueCodeableConcept": concept("http://snomed.info/sct", "1")},
        {"valueCodeableConcept": concept("http://loinc.org", "1")},
    ),
    "us-core-5": (
        {"vaccineCode": concept("http://hl7.org/fhir/sid/cvx", "1")},
        {"vaccineCode": concept("http://hl7.org/fhir/sid/ndc", "1")},
    ),
    "us-core-6@Patient.name": ({"extension": [DAR]}, {"family": "x", "extension": [DAR]}),
    "us-core-7": ({"status": "completed", "performedDateTime": "2026"}, {"status": "completed"}),
    "us-core-8": ({"status": "final", "effectivePeriod": {}}, {"status": "final"}),
    "us-core-9": ({"status": "final", "issued": "x"}, {"status": "final"}),
    "us-core-10": ({"status": "registered"}, {"status": "amended"}),
    "us-core-13": ({"location": []}, {"active": True}),
    "us-core-14": ({"relationship": []}, {"active": True}),
    "us-core-15": ({"identifier": [{"type": concept(NPI, "MB")}]}, {"identifier": [{"type": concept(NPI, "MR")}]}),
    "us-core-18": ({"value": "11D1234567"}, {"value": "11X1234567"}),
    "us-core-19": ({"value": "12345"}, {"value": "1234"}),
    "us-core-20": ({"status": "completed", "whenHandedOver": "x"}, {"status": "completed"}),
    "us-core-21": ({"intent": "order", "requester": {}}, {"intent": "order"}),
    "vs-1": ("2026-01-02", "2026-01"),
    "vs-2": ({"hasMember": []}, {"status": "final"}),
    "vs-3": ({"valueInteger": 1}, {"code": {}}),
    "vsd-0": ({"name": "Places"}, {"name": "our places"}),
    "vsd-1": ({"system": "x"}, {"version": "1"}),
    "vsd-2": ({"system": "x", "concept": []}, {"concept": []}),
    "vsd-3": ({"concept": []}, {"concept": [], "filter": []}),
    "vsd-6": ({"display": "x"}, {"version": "1"}),
    "vsd-9": ({"abstract": True}, {"abstract": False}),
    "vsd-10": ({"code": "x", "system": "y"}, {"code": "x"}),
}  # fmt: skip

# Sha-256 of every compiled key with its FHIRPath expression: a definition that changed under a rule shows here.
EXPRESSIONS = "027e3da6e75b53a9daec4588b1b11005e67b07c185d0b4af09e3414919987c6d"


def holds(key: str, value: Any) -> bool:
    """What the compiled rule says of the value."""
    schema = RULES[key].schema
    return Draft202012Validator(schema or {}, keywords={"calls": Calls}).is_valid(value)


def test_every_shipped_invariant_is_compiled_or_named_as_unchecked() -> None:
    shipped = set(load().invariants)
    assert shipped == RULES.keys() | UNCHECKED.keys()
    assert not RULES.keys() & UNCHECKED.keys()


def test_rules_are_for_these_expressions() -> None:
    invariants = load().invariants
    text = "\n".join(f"{key}: {invariants[key].expression}" for key in sorted(RULES))
    assert sha256(text.encode()).hexdigest() == EXPRESSIONS


def test_every_rule_has_a_case_or_a_probe() -> None:
    probed = {probe.code for probe in PROBES}
    elsewhere = {"dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "ele-1", "sqty-1", "txt-2"}  # tests of validate, probes
    assert {key for key in RULES if key.split("@")[0] not in probed} - CASES.keys() == elsewhere - probed


@pytest.mark.parametrize("key", CASES)
def test_rule_tells_the_two_apart(key: str) -> None:
    good, bad = CASES[key]
    assert holds(key, good)
    assert not holds(key, bad)


@pytest.mark.parametrize("key", RULES)
def test_rules_take_any_json(key: str) -> None:
    check = RULES[key].check
    for value in (None, 1, "x", [], [None], {}, {"start": 1, "end": []}, {"low": [], "high": 1}, {"item": {"item": 1}}):
        assert holds(key, value) in (True, False)
        assert check is None or check(value) in (True, False)
