"""Definitions as they are read: types, paths through datatypes, profiles, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import DefinitionError
from bridge.fhir.definitions import choice_names, load, merge

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
NEEDED = """
Patient RelatedPerson Practitioner PractitionerRole Organization Encounter EpisodeOfCare CarePlan CareTeam Goal
Condition Observation QuestionnaireResponse DocumentReference Composition Communication ServiceRequest Task Consent
Provenance Binary Bundle OperationOutcome CapabilityStatement ConceptMap ValueSet Location HealthcareService Procedure
List Flag"""


def test_what_the_bridge_needs_is_there() -> None:
    loaded = load()
    assert set(NEEDED.split()) <= {name for name, kind in loaded.types.items() if kind.kind == "resource"}
    assert loaded.packages == ("hl7.fhir.r4.core#4.0.1", "hl7.fhir.us.core#6.1.0")
    assert len(loaded.resources) == 146
    assert len(loaded.profiles) == 59
    reached = {kind for found in loaded.types.values() for element in found.elements.values() for kind in element.types}
    assert reached - loaded.types.keys() == {"Resource", "BackboneElement", "Element"}


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("status", ("code",)),
        ("participant", ("BackboneElement",)),
        ("participant.individual.identifier.system", ("uri",)),
        ("hospitalization.dischargeDisposition.coding.code", ("code",)),
        ("period.start", ("dateTime",)),
    ],
)
def test_paths_lead_through_datatypes(path: str, types: tuple[str, ...]) -> None:
    found = load().element("Encounter", path)
    assert found is not None
    assert found.types == types


def test_paths_lead_through_choices_and_repeated_content() -> None:
    loaded = load()
    quantity = loaded.element("Observation", "valueQuantity.value")
    assert quantity is not None
    assert quantity.types == ("decimal",)
    deep = loaded.element("QuestionnaireResponse", "item.item.item.answer.valueString")
    assert deep is not None
    assert deep.types == ("string",)
    assert loaded.element("Observation", "valueDecimal") is None
    assert loaded.element("Observation", "value[x].value") is None
    assert loaded.element("Nothing", "at.all") is None


def test_choices_are_named_as_in_json() -> None:
    assert choice_names("a.value[x]", ["string", "SimpleQuantity", "dateTime"]) == (
        "valueString",
        "valueQuantity",
        "valueDateTime",
    )


def test_reference_targets_and_bindings_are_kept() -> None:
    subject = load().types["Encounter"].elements["subject"]
    assert subject.targets == ("Patient", "Group")
    status = load().types["Encounter"].elements["status"]
    assert load().value_sets[status.binding].codes["http://hl7.org/fhir/encounter-status"][0] == "planned"
    assert load().profiles[US_CORE + "us-core-encounter"].elements["Encounter.subject"].targets == ("Patient",)


def test_the_digest_is_that_of_the_content() -> None:
    one = {"package": "a#1", "format": 1}
    assert merge([one]).digest == merge([dict(reversed(one.items()))]).digest
    assert merge([one]).digest != merge([{**one, "package": "a#2"}]).digest


def test_a_value_set_without_its_codes_does_not_replace_one_with_them() -> None:
    full = {"package": "a#1", "value_sets": {"v": {"codes": {"s": ["1"]}}}}
    none = {"package": "b#1", "value_sets": {"v": {"codes": {}, "open": [""]}}}
    more = {"package": "c#1", "value_sets": {"v": {"codes": {"s": ["1", "2"]}}}}
    assert merge([full, none]).value_sets["v"].codes == {"s": ("1",)}
    assert merge([full, none, more]).value_sets["v"].codes == {"s": ("1", "2")}


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "definitions-unreadable"), ("[]", "definitions-format"), ('{"format": 0}', "definitions-format")],
)
def test_files_that_cannot_be_used(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.where.endswith("own.json")
    assert "bridge definitions add" in problem.next_step
