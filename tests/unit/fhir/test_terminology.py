"""Value sets and ConceptMaps of packages: what can be listed is, what cannot is known by name, nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import DefinitionError
from bridge.fhir import terminology
from bridge.fhir.terminology import at_hand, compact, picked, shipped

CODES = {
    "resourceType": "CodeSystem",
    "url": "urn:a",
    "content": "complete",
    "concept": [{"code": "1", "concept": [{"code": "1.1"}]}, {"code": "2"}],
}


def value_set(name: str, **include: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": f"urn:set:{name}", "compose": {"include": [include]}}


def made(*resources: dict[str, Any]) -> dict[str, Any]:
    of = {kind: [one for one in resources if one["resourceType"] == kind] for kind in ("CodeSystem", "ValueSet")}
    maps = [one for one in resources if one["resourceType"] == "ConceptMap"]
    return compact("oak#1", {**of, "ConceptMap": maps})


def test_a_whole_code_system_is_written_once_and_a_part_of_it_by_its_codes() -> None:
    under = {"property": "concept", "op": "is-a", "value": "1"}
    document = made(
        CODES,
        value_set("all", system="urn:a"),
        value_set("some", system="urn:a", filter=[under]),
        value_set("listed", system="urn:b", concept=[{"code": "x"}]),
    )

    assert document["systems"] == {"urn:a": ["1", "1.1", "2"]}
    assert document["value_sets"]["urn:set:all"] == {"all": ["urn:a"]}
    known = terminology.terminology([document]).value_sets
    assert {url: {system: set(codes) for system, codes in members.items()} for url, members in known.items()} == {
        "urn:set:all": {"urn:a": {"1", "1.1", "2"}},
        "urn:set:some": {"urn:a": {"1", "1.1"}},
        "urn:set:listed": {"urn:b": {"x"}},
    }


def test_a_value_set_without_its_codes_is_named_with_what_it_is_drawn_from() -> None:
    wide = {"property": "concept", "op": "is-a", "value": "1"}
    document = made(value_set("far", system="http://loinc.org", filter=[wide]), value_set("odd", valueSet=["urn:none"]))

    assert (document["value_sets"], document["open"]) == ({}, {"urn:set:far": ["http://loinc.org"], "urn:set:odd": []})


def test_of_two_documents_the_later_stands_and_codes_stand_before_a_name() -> None:
    open_set: dict[str, Any] = {"open": {"urn:set:x": ["http://loinc.org"]}}
    listed: dict[str, Any] = {"value_sets": {"urn:set:x": {"codes": {"urn:b": ["1"]}}}}

    for documents in ([open_set, listed], [listed, open_set]):
        known = terminology.terminology(documents)
        assert (known.open, set(known.value_sets)) == ({}, {"urn:set:x"})


def test_a_concept_map_keeps_its_identity_and_groups_alone() -> None:
    target = {"code": "T", "equivalence": "equal", "display": "t", "comment": "why", "id": "x"}
    whole = {
        "resourceType": "ConceptMap", "url": "urn:map", "version": "1", "description": "prose", "publisher": "oak",
        "group": [
            {
                "source": "urn:a", "target": "urn:b", "unmapped": {"mode": "fixed", "code": "Z"},
                "element": [{"code": "1", "target": [target]}, {"code": "2"}],
            }
        ],
    }  # fmt: skip

    assert made(whole)["concept_maps"]["urn:map"] == {
        "resourceType": "ConceptMap", "url": "urn:map", "version": "1",
        "group": [
            {
                "source": "urn:a", "target": "urn:b", "unmapped": {"mode": "fixed"},
                "element": [
                    {"code": "1", "target": [{key: target[key] for key in target if key != "id"}]},
                    {"code": "2"},
                ],
            }
        ],
    }  # fmt: skip


def test_what_is_picked_has_the_code_systems_it_needs() -> None:
    document = made(
        CODES, value_set("all", system="urn:a"), value_set("listed", system="urn:b", concept=[{"code": "x"}])
    )

    assert picked(document, {"urn:set:listed"})["systems"] == {}
    assert picked(document, {"urn:set:all"})["systems"] == document["systems"]
    assert picked(document, {"urn:set:none"}) == {}


def test_what_ships_can_be_asked() -> None:
    known = shipped()

    assert known.value_sets["http://hl7.org/fhir/ValueSet/goal-status"]["http://hl7.org/fhir/goal-status"] >= {"active"}
    assert (
        "AMB"
        in known.value_sets["http://terminology.hl7.org/ValueSet/v3-ActEncounterCode"][
            "http://terminology.hl7.org/CodeSystem/v3-ActCode"
        ]
    )
    assert known.open["http://hl7.org/fhir/us/core/ValueSet/us-core-survey-codes"] == ("http://loinc.org",)
    assert (len(known.value_sets), len(known.concept_maps)) > (150, 40)
    assert terminology.SHIPPED.stat().st_size < 150_000


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 9}'])
def test_a_file_that_cannot_be_used_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "oak.json"
    path.write_text(text)

    with pytest.raises(DefinitionError, match=r"oak\.json"):
        terminology.read(path)


def test_a_package_may_draw_on_what_ships_but_not_on_a_hierarchy_that_does_not() -> None:
    status, act = "http://hl7.org/fhir/goal-status", "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    below = {"property": "concept", "op": "is-a", "value": "_ActEncounterCode"}
    sets = [
        value_set("status", system=status),
        value_set("gender", valueSet=["http://hl7.org/fhir/ValueSet/administrative-gender"]),
        value_set("below", system=act, filter=[below]),
    ]

    document = compact("oak#1", {"CodeSystem": [], "ValueSet": sets, "ConceptMap": []}, at_hand())

    known = terminology.terminology([document])
    assert "active" in known.value_sets["urn:set:status"][status]
    assert known.value_sets["urn:set:gender"]["http://hl7.org/fhir/administrative-gender"] >= {"female", "male"}
    assert known.open == {"urn:set:below": (act,)}
