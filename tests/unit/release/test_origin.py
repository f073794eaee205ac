"""Who wrote it: R16, the family partner and the clinician alike, and the bridge that sent it for the agency."""

from __future__ import annotations

from bridge.fhir.definitions import load
from bridge.fhir.validate import Validator
from bridge.model import Severity
from bridge.release.origin import with_origin
from tests.unit.release.making import note, part

RECEIVED = 1_772_000_000_000_000
MADE = [note(("ordinary", "Facts.")), part("encounter", "Encounter"), part("theirs", "Observation", about="g-1")]


def test_r16_the_family_partner_is_an_author_beside_the_clinician() -> None:
    *_, origin = with_origin(MADE, "harbor", "Harbor", "ma-soc/contact", "k-1", RECEIVED)
    agents = origin.resource["agent"]
    said = [(one["type"]["coding"][0]["code"], one["who"]["display"], one["onBehalfOf"]["display"]) for one in agents]
    assert said == [
        ("author", "Rosa Vega, Family partner", "Harbor"),
        ("author", "Dana Lund, Clinician", "Harbor"),
        ("transmitter", "Dyad Bridge of Harbor", "Harbor"),
    ]
    family_partner, clinician, _ = agents
    assert {key: value for key, value in family_partner.items() if key != "who"} == {
        key: value for key, value in clinician.items() if key != "who"
    }


def test_it_is_about_one_person_and_the_same_each_time() -> None:
    once, again = (with_origin(MADE, "harbor", "Harbor", "ma-soc/contact", "k-1", RECEIVED)[-1] for _ in range(2))
    assert once == again
    assert once.about == "c-1"
    assert once.resource["target"] == [{"reference": "Encounter/encounter-c-1"}]
    assert once.resource["recorded"] == "2026-02-25T06:13:20Z"


def test_a_document_alone_names_its_authors_itself() -> None:
    assert len(with_origin(MADE[:1], "harbor", "Harbor", "ma-soc/contact", "k-1", RECEIVED)) == 1


def test_it_is_valid() -> None:
    *_, origin = with_origin(MADE, "harbor", "Harbor", "ma-soc/contact", "k-1", RECEIVED)
    found = Validator(load()).check(origin.resource)
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []
