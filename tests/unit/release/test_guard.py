"""The guard on free text: what it finds, what it leaves alone, and that it never says what it found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.model import HoldReason, Owner
from bridge.moves import guarding
from bridge.release import guard
from bridge.release.guard import Found, Known, Text, findings, name_words, texts
from bridge.settings import GuardSettings
from bridge.store.kin import Near
from tests.unit.release.making import note, part

ALL = GuardSettings(caregivers=True, phrases=("Casa Segura", "Judge Ríos"))


def found(words: str, known: Known | None = None, wants: GuardSettings = ALL) -> set[str]:
    return {one.detector for one in findings([Text("note", 1, words)], known or Known(), wants)}


@pytest.mark.parametrize(
    ("words", "detector"),
    [
        ("Call 617-555-0143 tomorrow.", "phones"),
        ("Llamar al (617) 555-0143.", "phones"),
        ("617.555.0143", "phones"),
        ("her cell is 6175550143", "phones"),
        ("only 555-0143 is known", "phones"),
        ("+1 617 555 0143", "phones"),
        ("+52 55 1234 5678", "phones"),
        ("They moved to 12 Elm Street.", "addresses"),
        ("at 1450 North Main St, second floor", "addresses"),
        ("se mudaron a la Calle Ocho 1120", "addresses"),
        ("123 rue Principale", "addresses"),
        ("the new place, Apt. 4B", "addresses"),
        ("P.O. Box 77", "addresses"),
        ("Springfield, MA 01101", "addresses"),
        ("M5V 2T6", "addresses"),
        ("write to ana.lopez@example.org", "email"),
        ("see https://example.org/x", "links"),
        ("on www.example-shelter.org", "links"),
        ("it is at refuge.org now", "links"),
        ("We met at casa  segura.".replace("  ", " "), "phrases"),
        ("JUDGE RIOS asked for it", "phrases"),
    ],
)
def test_it_finds(words: str, detector: str) -> None:
    assert found(words) == {detector}


@pytest.mark.parametrize(
    "words",
    [
        "We sat on the floor and read the book about the bear together.",
        "From: 2026-03-01 10:00\nTo: 2026-03-01 11:05",
        "Next visit 03/14/2026 at 4:30 p.m., or 14.03.2026.",
        "Score: 12 of 30; the form for 24 months; 1,250 mg.",
        "He is 5 and she is 7-8; call in 2-3 weeks, 10-12 times.",
        "La mamá dijo: «¡Mi niño ya duerme toda la noche!» Seguimos con calma.",
        "The way home is long. Drive carefully. A place for 3 at the court.",
        "2 Dr. Smith visits, 4 St. Mary's groups.",
        "e.g. this one, i.e. that one... etc. And so on.No space here.",
        "Unit of measure, suite of services, 3 units of help.",
        "Referral REF-2026-000123, plan 20260301.",
    ],
)
def test_it_leaves_alone(words: str) -> None:
    assert found(words) == set()


def test_names_are_whole_words_with_a_capital_whatever_their_accents() -> None:
    known = Known(
        own=name_words(["Luz", "Ejemplo", "Rosa Vega, Family partner"]),
        others=name_words(["Tomás", "Ejemplo", "Rosa", "Al"]),
        caregivers=name_words(["Marisol", "Ejemplo"]),
    )
    assert found("Tomas was there.", known) == {"names"}
    assert found("TOMÁS was there.", known) == {"names"}
    assert found("Marisol came.", known) == {"caregivers"}
    assert found("Marisol came.", known, GuardSettings()) == set()
    for words in ("Luz Ejemplo slept.", "Rosa Vega called.", "Tomasito", "the tomas of it", "Al was there."):
        assert found(words, known) == set(), "the person's own and the authors' names, parts of words, short ones"


@pytest.mark.parametrize("detector", ["phones", "addresses", "email", "links", "names"])
def test_each_detector_can_be_switched_off(detector: str) -> None:
    words = "617-555-0143, 12 Elm Street, a@b.org, https://c.org, Tomás"
    off = GuardSettings()
    object.__setattr__(off, detector, False)
    known = Known(others=name_words(["Tomás"]))
    assert found(words, known, GuardSettings()) - found(words, known, off) == {detector}


def test_it_reads_every_section_and_what_people_wrote_elsewhere() -> None:
    made = [
        note(("ordinary", "Facts."), ("narrative", "One<br/>two")),
        part("goal", "Goal", description={"text": "Sleep"}, note=[{"text": "Calm"}], code={"coding": [], "text": "x"}),
        part("message", "Communication", payload=[{"contentString": "See you"}], sender={"display": "Rosa"}),
        part("encounter", "Encounter", status="finished"),
        part("origin", "Provenance", agent=[{"who": {"text": "x"}}]),
    ]
    said = {(one.part, one.section): one.words for one in texts(made)}
    assert said == {
        ("note", 1): "Section\nFacts.",
        ("note", 2): "Section\nOne\ntwo",
        ("goal", 0): "Sleep\nCalm\nx",
        ("message", 0): "See you",
    }


def test_it_reads_titles_sections_within_sections_and_what_stands_beside_a_code_in_other_words() -> None:
    outer = note(("narrative", "Outer."))
    within = {"title": "Tomás", "text": {"div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Inner.</p></div>'}}
    section = {**outer.resource["section"][0], "section": [within]}
    outer = replace(outer, resource={**outer.resource, "title": "With Tomás", "section": [section]})
    coding = [{"system": "urn:x", "code": "1", "display": "Other"}]
    coded = part("need", "Condition", code={"coding": coding, "text": "Tomás hits her"})
    plain = part("plain", "Condition", code={"coding": coding, "text": "Other"})
    target = part("goal", "Goal", target=[{"detailString": "Tomás"}])
    assert {(one.part, one.section): one.words for one in texts([outer, coded, plain, target])} == {
        ("note", 0): "With Tomás",
        ("note", 1): "Section\nOuter.\nTomás\nInner.",
        ("need", 0): "Tomás hits her",
        ("goal", 0): "Tomás",
    }


def test_a_hold_says_where_and_never_what() -> None:
    seen = (Found("names", "note", 2), Found("phones", "note", 2), Found("phones", "note", 3))
    held = guard.hold("DB-X", "abc", seen)
    assert (held.reason, held.owner) == (HoldReason.DECISION, Owner.AGENCY)
    assert held.rule == (
        "before it leaves, somebody at the agency looks at it: it may hold the name of somebody else of the family "
        "(in section 2 of note); a phone number (in section 2 of note, section 3 of note)"
    )
    assert guard.digest_of(held.waits_for) == "abc"
    assert guard.digest_of("decision:7") == ""


def test_nothing_of_a_text_is_in_what_prints() -> None:
    known = Known(others=name_words(["Tomás"]))
    assert "tomas" not in repr(known)
    assert "617" not in repr(Text("note", 1, "617-555-0143"))
    assert "617" not in repr(findings([Text("note", 1, "617-555-0143 Tomás")], known, ALL))


@pytest.mark.parametrize(
    ("more", "excused"),
    [
        ({"author": [{"display": "Tomás"}]}, True),
        ({"attester": [{"mode": "legal", "party": {"display": "Tomás"}}]}, True),
        ({"participant": [{"individual": {"display": "Tomás"}}]}, True),
        ({"participant": [{"member": {"display": "Tomás", "reference": "Practitioner/p-1"}}]}, True),
        ({"participant": [{"individual": {"display": "Tomás", "reference": "RelatedPerson/b-1"}}]}, False),
        ({"participant": [{"individual": {"display": "Tomás", "type": "Patient"}}]}, False),
        ({"participant": [{"type": [{"coding": [{"code": "x", "display": "Tomás"}]}]}]}, False),
        ({"subject": {"display": "Tomás"}}, False),
        ({"recipient": [{"display": "Tomás"}]}, False),
        ({"expressedBy": {"display": "Tomás"}}, False),
        ({"source": {"display": "Tomás"}}, False),
        ({"extension": [{"url": "urn:x", "valueReference": {"display": "Tomás"}}]}, False),
    ],
)
def test_only_who_acted_for_the_agency_is_excused(more: dict[str, Any], excused: bool) -> None:
    """A name that is shown anywhere else in the record is somebody's whom a person should look at."""
    assert ("Tomás" in set(guard.named_in([part("one", "Encounter", **more)]))) is excused


def test_a_caregivers_name_is_let_be_where_the_settings_let_it_be() -> None:
    around = Near(own=("Luz",), caregivers=("Rosa",), others=("Rosa", "Tomás"))
    off, on = GuardSettings(), GuardSettings(caregivers=True)
    assert found("Rosa came.", guarding.known(around, [], off), off) == set()
    assert found("Rosa came.", guarding.known(around, [], on), on) == {"caregivers", "names"}
    assert found("Tomás came.", guarding.known(around, [], off), off) == {"names"}
