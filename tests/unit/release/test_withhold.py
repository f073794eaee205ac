"""What leaves: no consent opens some classes, only the site opens one, a flag or a program closes some again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.mappings.classes import CLASSES, GRANTABLE, SUPPRESSED
from bridge.model import Decision, type_json
from bridge.release.preview import preview
from bridge.release.withhold import Conditions, flagged, opened, released
from tests.unit.release.making import DENIED, PERSON, note, part, permit, words

EVERYTHING = permit(*CLASSES, part2=True)
NOTHING = Conditions()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_leaves_only_as_far_as_it_may(name: str) -> None:
    made = note((name, "The words."), role="client")
    left = released([made], PERSON, EVERYTHING, NOTHING).parts
    assert bool(left) is (name in GRANTABLE)
    assert released([made], PERSON, permit(), NOTHING).parts == () or name == "ordinary"
    assert released([made], PERSON, DENIED, NOTHING).parts == ()


@pytest.mark.parametrize("name", ["counselling-notes", "legal", "supervision", "third-party"])
def test_some_classes_never_leave_whatever_was_agreed(name: str) -> None:
    for conditions in (NOTHING, Conditions(part2=True), Conditions(screening_done=True)):
        assert name not in opened(EVERYTHING, conditions)
        made = part("observation", "Observation", f"narrative {name}")
        assert released([made], PERSON, EVERYTHING, conditions).parts == ()


def test_r25_a_caregivers_health_never_leaves_in_a_childs_part() -> None:
    said = [note(("ordinary", "Facts."), ("caregiver-health", "Her own."))]
    (left,) = released(said, PERSON, EVERYTHING, NOTHING).parts
    assert words(left) == ["Facts."]
    assert released([part("o", "Observation", "caregiver-health")], PERSON, EVERYTHING, NOTHING).parts == ()
    own = [note(("caregiver-health", "Her own."), about="g-1", role="caregiver")]
    assert words(released(own, "g-1", EVERYTHING, NOTHING).parts[0]) == ["Her own."]
    assert released(own, PERSON, EVERYTHING, NOTHING).parts == ()


def test_only_the_practice_opens_that_a_caregiver_was_screened() -> None:
    made = note(("ordinary", "Facts."), ("screening-done", "A screening was done."))
    assert len(words(released([made], PERSON, EVERYTHING, NOTHING).parts[0])) == 1
    assert len(words(released([made], PERSON, permit(), Conditions(screening_done=True)).parts[0])) == 2


def test_a_person_leaves_without_address_and_phone() -> None:
    """A part that says who somebody is: never by a person update."""
    ways: type_json = {"telecom": [{"value": "617-555-0143"}], "address": [{"text": "12 Elm Street"}], "contact": [{}]}
    made = [part("patient", "Patient", **ways), part("related", "RelatedPerson", **ways)]
    for one in released(made, PERSON, EVERYTHING, NOTHING).parts:
        assert not ways.keys() & one.resource.keys()


def test_a_flag_closes_places_and_stands_with_the_person() -> None:
    made = note(("ordinary", "Facts."), ("violence-location", "Casa Abierta"))
    assert len(words(released([made], PERSON, EVERYTHING, NOTHING).parts[0])) == 2
    assert len(words(released([made], PERSON, EVERYTHING, Conditions(flagged=True)).parts[0])) == 1
    assert flagged({"meta": {"security": [{"code": SUPPRESSED}]}})
    assert not flagged({"meta": {"security": [{"code": "ordinary"}]}})
    assert not flagged({})


@pytest.mark.parametrize("decision", [permit("substance-use"), permit("narrative", part2=True), permit()])
def test_a_part_2_programs_facts_need_a_written_consent_that_names_them(decision: Decision) -> None:
    made = [note(("ordinary", "Facts.")), part("encounter", "Encounter")]
    assert released(made, PERSON, decision, Conditions(part2=True)).parts == ()
    assert len(released(made, PERSON, permit("substance-use", part2=True), Conditions(part2=True)).parts) == 2


def test_where_a_record_came_from_does_not_tell_what_stayed() -> None:
    targets = [{"reference": "Observation/o-c-1"}, {"reference": "Encounter/e-c-1"}]
    made = [part("o", "Observation", "narrative"), part("e", "Encounter"), part("p", "Provenance", target=targets)]
    left = released(made, PERSON, permit(), NOTHING).parts
    assert [one.resource.get("target") for one in left] == [None, targets[1:]]
    alone = [made[0], part("p", "Provenance", target=targets[:1])]
    assert released(alone, PERSON, permit(), NOTHING).parts == ()


# ── the preview says the same ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("decision", [EVERYTHING, permit(), permit("narrative"), permit("substance-use"), DENIED])
@pytest.mark.parametrize(
    "conditions", [NOTHING, Conditions(part2=True), Conditions(screening_done=True), Conditions(flagged=True)]
)
def test_the_preview_shows_exactly_what_leaves_and_a_rule_for_each(decision: Decision, conditions: Conditions) -> None:
    made = [
        note(*((name, name) for name in sorted(CLASSES))),
        *(part(f"o-{name}", "Observation", name) for name in sorted(CLASSES)),
        part("theirs", "Observation", about="g-1", role="caregiver"),
        part("patient", "Patient"),
    ]
    shown = preview(made, PERSON, decision, conditions)
    left = {one.name: one for one in released(made, PERSON, decision, conditions).parts if one.type != "Patient"}
    told = {one.part for one in shown if one.leaves}
    assert told == set(left)
    said = [one.classes[0] for one in shown if one.leaves and one.section]
    ready = left.get("note")
    assert len(said) == (len(words(ready)) if ready is not None else 0)
    assert all(one.rule and (one.leaves or not one.consents) for one in shown)
    assert all(one.consents == (7,) for one in shown if one.leaves)
    assert not any(name in str(shown) for name in (SUPPRESSED, "Patient/"))


def test_the_preview_says_what_a_portal_keeps_back() -> None:
    shown = preview(
        [note(("ordinary", "Facts."), ("narrative", "Words."))], PERSON, permit("narrative"), NOTHING, facts=True
    )
    assert [one.leaves for one in shown] == [True, False]
    assert "portal" in shown[1].rule


@pytest.mark.parametrize(
    ("name", "decision", "conditions", "rule"),
    [
        ("narrative", permit(), NOTHING, "the consent does not cover narrative"),
        ("narrative", permit("narrative"), NOTHING, "the consent covers narrative"),
        ("ordinary", permit(), NOTHING, "a consent is in force"),
        ("ordinary", DENIED, NOTHING, "no consent of this person for this practice is recorded"),
        ("legal", EVERYTHING, NOTHING, "no consent opens legal"),
        ("screening-done", EVERYTHING, NOTHING, "the practice has not asked to hear of caregivers' screenings"),
        ("violence-location", EVERYTHING, Conditions(flagged=True), "a safety flag keeps it"),
        ("caregiver-health", EVERYTHING, NOTHING, "a safety flag, or a child's chart, keeps it"),
    ],
)
def test_each_rule_in_words(name: str, decision: Decision, conditions: Conditions, rule: str) -> None:
    (shown,) = preview([part("o", "Observation", name)], PERSON, decision, conditions)
    assert shown.rule == rule


# ── nothing points at what stays ──────────────────────────────────────────────────────────────────────────────────
STAYS = {"reference": "Goal/goal-c-1"}
PLACES: dict[str, type_json] = {
    "a list": {"addresses": [STAYS]},
    "an activity": {"activity": [{"reference": STAYS}]},
    "an extension": {"extension": [{"url": "urn:x", "valueReference": STAYS}]},
    "an extension within one": {
        "extension": [{"url": "urn:x", "extension": [{"url": "urn:y", "valueReference": STAYS}]}]
    },
    "a contained resource": {
        "contained": [{"resourceType": "Task", "id": "t", "status": "requested", "intent": "order", "focus": STAYS}]
    },
    "one version": {"addresses": [{"reference": "Goal/goal-c-1/_history/2"}]},
    "an address": {"addresses": [{"reference": "https://agency.example/fhir/Goal/goal-c-1"}]},
    "shown by name": {"addresses": [{**STAYS, "display": "What she wants"}]},
}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_points_at_what_stays_wherever_it_did(place: str) -> None:
    parts = [part("plan", "CarePlan", **PLACES[place]), part("goal", "Goal", "narrative")]
    (left,) = released(parts, PERSON, permit("ordinary"), NOTHING).parts
    assert "oal" not in str(left.resource)
    assert "urn:x" not in str(left.resource)
    if place != "a contained resource":
        assert not {"addresses", "activity", "extension"} & left.resource.keys()


def test_a_section_over_what_stays_goes_with_its_class_and_its_notice() -> None:
    """Else the notice of substance use would tell of what is not there."""
    made = note(("ordinary", "Facts."), ("substance-use", "x"))
    sections = [made.resource["section"][0], {"title": "Substance use", "entry": [{"reference": "Goal/goal-c-1"}]}]
    made = replace(made, resource={**made.resource, "section": sections})
    (left,) = released([made, part("goal", "Goal", "legal")], PERSON, EVERYTHING, NOTHING).parts
    assert len(left.resource["section"]) == len(left.sections) == 1
    assert "substance-use" not in left.labels.union(*left.sections)


def test_nobody_within_a_resource_can_be_reached_by_it() -> None:
    inside = {"resourceType": "RelatedPerson", "id": "r", "telecom": [{"value": "617"}], "address": [{"text": "Elm"}]}
    made = part("plan", "CarePlan", contained=[inside])
    (left,) = released([made], PERSON, permit("ordinary"), NOTHING).parts
    assert left.resource["contained"] == [{"resourceType": "RelatedPerson", "id": "r"}]
