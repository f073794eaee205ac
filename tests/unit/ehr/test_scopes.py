"""The smallest set of scopes, from what is enabled and what is known of the vendor."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.ehr import facts
from bridge.ehr.scopes import asked, needed, written
from bridge.settings import Contact, Practice

DOCUMENTS = "system/DocumentReference.crus system/Patient.rs"


def practice(*enable: str) -> Practice:
    contact = Contact("Lee", "lee@elm.example")
    return Practice("elm", "Elm", "one", contact, date(2026, 9, 1), "UTC", enable=frozenset(enable))


@pytest.mark.parametrize(
    ("vendor", "enable", "v1", "v2"),
    [
        ("open", (), "system/DocumentReference.read system/DocumentReference.write system/Patient.read", DOCUMENTS),
        ("epic", ("Observation",), "", ""),
        ("ecw", (), "system/Patient.rs", "system/Patient.rs"),
        ("ecw", ("DocumentReference",), *(["system/DocumentReference.cs system/Patient.rs"] * 2)),
        ("oracle", (), *(["system/DocumentReference.read system/DocumentReference.write system/Patient.read"] * 2)),
    ],
)
def test_what_each_vendor_is_asked_for(vendor: str, enable: tuple[str, ...], v1: str, v2: str) -> None:
    assert asked([practice(*enable)], facts.vendor(vendor)) == (v1, v2)


def test_what_no_site_enabled_is_not_asked_for() -> None:
    plain = needed([practice()], facts.vendor("open"))
    assert set(plain) == {"Patient", "DocumentReference"}
    more = needed([practice("Encounter"), practice("Goal")], facts.vendor("open"))
    assert more == plain | {"Encounter": "crus", "Goal": "crus"}


def test_what_a_vendor_forbids_is_not_asked_for() -> None:
    assert "QuestionnaireResponse" in needed([practice("QuestionnaireResponse")], facts.vendor("oracle"))
    found = needed([practice("Task", "Encounter")], facts.vendor("epic"))
    assert found["Task"] == "rus"
    assert "c" not in found.get("Encounter", "")


@pytest.mark.parametrize("vendor", facts.known())
def test_letters_are_in_order_and_nothing_is_deleted(vendor: str) -> None:
    needs = needed([practice("Encounter", "Task", "Goal", "DocumentReference")], facts.vendor(vendor))
    assert all(letters == "".join(one for one in "crus" if one in letters) for letters in needs.values())
    assert written(needs, "v2") == " ".join(f"system/{type}.{needs[type]}" for type in sorted(needs))
