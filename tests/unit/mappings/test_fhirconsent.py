"""R26: a consent as FHIR says what the form says, and what is read is never taken for more than it says."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from fhir.resources.R4B.consent import Consent as Typed

from bridge.consent import decide
from bridge.errors import Problem
from bridge.fhir import definitions
from bridge.fhir.validate import Validator
from bridge.mappings.fhirconsent import from_fhir, to_fhir
from bridge.mappings.kinds import Permission
from bridge.model import Authority, Consent, Purpose, Terms, type_json

NOW = 1_780_000_000_000_000
DAY = 86_400_000_000
FORM = Consent(
    7, "harbor", "c-1", "elm", NOW - 10 * DAY, NOW + 90 * DAY, frozenset({"ordinary", "narrative"}), grantor="g-1",
    authority=Authority.GUARDIAN, language="es", document="file-12",
)  # fmt: skip
VALIDATOR = Validator(definitions.load())


def varied(**changes: Any) -> Consent:
    from dataclasses import replace

    return replace(FORM, **changes)


FORMS = {
    "a guardian's": FORM,
    "without end": varied(until=None),
    "facts only": varied(classes=frozenset({"ordinary"})),
    "a refusal": varied(classes=frozenset()),
    "an adult's own": varied(grantor="", authority=Authority.SELF),
    "unsaid": varied(grantor="", authority=Authority.UNSTATED, language="", document=""),
    "for treatment": varied(purpose=Purpose.TREATMENT),
    "taken back": varied(revoked=NOW - DAY),
}


def read(resource: type_json) -> Permission | Problem:
    return from_fhir(resource, "harbor", "America/New_York", NOW, "x.json item 1")


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_is_fhir(name: str) -> None:
    made = to_fhir(FORMS[name], NOW)
    assert [found for found in VALIDATOR.check(made) if found.severity == "error"] == []
    assert Typed.model_validate(made).get_resource_type() == "Consent"


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_is_read_as_the_same(name: str) -> None:
    form = FORMS[name]
    said = read(to_fhir(form, NOW))
    terms = Terms(form.classes, form.grantor, form.authority, form.purpose, form.language, form.document)
    until = form.revoked or form.until
    assert said == Permission("c-1", "elm", form.start, until, form.revoked, terms)


def test_one_that_was_suspended_is_read_as_taken_back() -> None:
    said = read(to_fhir(varied(suspended=NOW - DAY), NOW))
    assert isinstance(said, Permission)
    assert said.revoked == NOW - DAY


def spoilt() -> dict[str, type_json]:
    """Consents each of which says less, or something else, than its permit alone."""
    good = to_fhir(FORM, NOW)

    def but(path: str, value: Any) -> type_json:
        made = deepcopy(good)
        *way, last = path.split(".")
        at: Any = made
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value
        return made

    return {
        "resourceType": but("resourceType", "Contract"),
        "status": but("status", "draft"),
        "Consent": but("modifierExtension", [{"url": "x", "valueBoolean": True}]),
        "scope": but("scope.coding", [{"system": "x", "code": "research"}]),
        "provision": but("provision.provision", [{"type": "deny"}]),
        "provision.data": but("provision.data", [{"meaning": "instance"}]),
        "provision.dataPeriod": but("provision.dataPeriod", {"start": "2026"}),
        "provision.class": but("provision.class", [{"code": "Encounter"}]),
        "provision.action": but("provision.action", [{"coding": [{"system": "x", "code": "collect"}]}]),
        "provision.actor": but("provision.actor", []),
        "provision.actor.role": but("provision.actor.0.role", {"text": "anybody"}),
        "provision.actor.reference": but("provision.actor.0.reference", {"display": "Elm"}),
        "provision.securityLabel": but("provision.securityLabel", [{"system": "x", "code": "R"}]),
        "never": but("provision.securityLabel.0.code", "supervision"),
        "provision.purpose": but("provision.purpose.0.code", "HRESCH"),
        "provision.type": but("provision.type", "maybe"),
        "patient": but("patient", {"display": "Luz"}),
        "performer": but("performer", [good["performer"][0], good["performer"][0]]),
        "category": but("category.1.coding.0.code", "aunt"),
        "provision.period": {**but("provision.period", {}), "dateTime": ""},
        "shape": but("provision", ["x"]),
        "year": but("provision.period.start", "2026"),
    }


@pytest.mark.parametrize("name", spoilt())
def test_r26_what_cannot_be_read_is_refused_and_never_widened(name: str) -> None:
    found = read(spoilt()[name])
    assert isinstance(found, Problem)
    assert found.code == "consent-unreadable"
    assert "Luz" not in str(found)


def test_no_label_is_facts_alone_and_no_purpose_is_the_lines_own() -> None:
    plain = to_fhir(FORM, NOW)
    del plain["provision"]["securityLabel"], plain["provision"]["purpose"]
    said = read(plain)
    assert isinstance(said, Permission)
    assert (said.terms.classes, said.terms.purpose) == (frozenset({"ordinary"}), Purpose.CARE_COORDINATION)
    assert decide([], "elm", NOW).reason == "none"
