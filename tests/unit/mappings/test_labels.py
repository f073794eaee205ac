"""What leaves can be withheld only by its label: so labels are never lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Part
from tests.unit.mappings.small import translated, with_part

RECORD: dict[str, Any] = {
    "mother": "M1",
    "words": "Hola",
    "mood": "low",
    "flag": True,
    "steps": [{"id": "1", "text": "Call", "done": True}],
}
PART = """
one:
  about: child
  resourceType: Basic
"""


def part(lines: str, **changed: Any) -> Part:
    body = PART + "\n".join(f"  {line}" for line in lines.splitlines())
    (made,) = translated({**RECORD, **changed}, with_part(body)).parts
    return made


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("x: plain", {"ordinary"}),
        ('x: "{{ place }}"', {"ordinary"}),
        ('x: "{{ words }}"', {"narrative"}),
        ('x: { y: [ { z: "a {{ words }}" } ] }', {"narrative"}),
        ('x: "{{ words.length() }}"', {"narrative"}),
        ("x: \"{{ iif(words = 'Hola', 'yes', 'no') }}\"", {"narrative"}),
        ('x: "{{ words.exists() }}"', {"narrative"}),
        ("when: words.exists()\nx: plain", {"narrative"}),
        ('"{% if words.exists() %}": { x: plain }', {"narrative"}),
        ('"{% if words.empty() %}": { x: plain }\n"{% else %}": { x: plain }', {"narrative"}),
        ('"{% assign %}": [ { said: "{{ words }}" } ]\nx: "{{ %said }}"', {"narrative"}),
        ('"{% assign %}": [ { said: "<{{ words }}>" } ]\nx: "{{ %said }}"', {"narrative"}),
        ('"{% merge %}": [ { x: "{{ words }}" } ]', {"narrative"}),
        ('x: { "{% for step in steps %}": { y: "{{ %step.text }}" } }', {"narrative"}),
        ('x: { "{% for step in steps %}": { y: "{{ %step.id }}" } }', {"ordinary"}),
        ('x: "{[ steps ]}"', {"narrative"}),
        ('x: "{{ steps.count() }}"', {"ordinary"}),
        ('x: "{{ steps.where(text.exists()).id }}"', {"narrative"}),
        ('x: "{{ %context.words }}"', {"narrative"}),
    ],
)
def test_an_element_takes_the_labels_of_all_that_went_into_it(line: str, labels: set[str]) -> None:
    made = part(line)

    assert made.labels == labels
    security = [one["code"] for one in made.resource["meta"].get("security", [])]
    assert security == sorted(labels - {"ordinary"})


def test_an_element_that_did_not_come_about_brings_no_label() -> None:
    assert part('x: plain\ny: "{{ words }}"', words=None).labels == {"ordinary"}


def test_a_caregiver_s_fact_stands_in_a_part_about_the_caregiver() -> None:
    (made,) = translated(RECORD, with_part('one: { about: mother, resourceType: Basic, x: "{{ mood }}" }')).parts

    assert (made.about, made.role, made.labels) == ("M1", "mother", frozenset({"caregiver-health"}))


def test_sections_keep_their_labels_apart_and_the_frame_its_own() -> None:
    note = """
    note:
      about: child
      resourceType: Composition
      title: "{{ 'On ' & place }}"
      section:
        - { title: Facts, text: "{{ narrative(place) }}" }
        - "{% if words.exists() %}": { title: Words, text: "{{ narrative(words) }}" }
        - "{% for step in steps %}": { title: Step, text: "{{ narrative(%step.text) }}" }
    """
    steps = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]

    (made,) = translated({**RECORD, "steps": steps}, with_part(note)).parts
    (silent,) = translated({**RECORD, "steps": steps, "words": None}, with_part(note)).parts

    assert made.labels == {"ordinary"}
    assert [set(one) for one in made.sections] == [{"ordinary"}, {"narrative"}, {"narrative"}, {"narrative"}]
    assert [section["title"] for section in made.resource["section"]] == ["Facts", "Words", "Step", "Step"]
    assert "security" not in made.resource["meta"]
    assert len(silent.sections) == len(silent.resource["section"]) == 3


def test_a_label_may_hold_for_some_records_only() -> None:
    labelled = with_part(
        PART + '  x: "{{ place }}"', labels="  - { path: place, class: violence-location, when: \"place = 'home'\" }\n"
    )

    assert translated(RECORD, labelled).parts[0].labels == {"violence-location"}
    assert translated({**RECORD, "place": "school"}, labelled).parts[0].labels == {"ordinary"}


RESOLVED = """
goal:
  about: child
  resourceType: Goal
  lifecycleStatus: active
  description: { text: "{{ words }}" }
mood:
  about: mother
  resourceType: Basic
  x: "{{ mood }}"
plan:
  about: child
  resourceType: Basic
  first: "{{ part('goal').resolve().lifecycleStatus }}"
  own: "{{ part('goal').resolve().description.text }}"
note:
  about: child
  resourceType: Composition
  title: Note
  section:
    - { title: Goal, text: "{{ narrative(part('goal').resolve().lifecycleStatus) }}" }
"""


def test_what_was_made_of_the_record_before_is_found_and_brings_its_labels() -> None:
    """Nobody knows what of it is read, so all its classes come along."""
    made = {part.name: part for part in translated(RECORD, with_part(RESOLVED)).parts}

    assert (made["plan"].resource["first"], made["plan"].resource["own"]) == ("active", RECORD["words"])
    assert made["plan"].labels == {"narrative"}
    assert made["note"].sections == (frozenset({"narrative"}),)
    assert made["goal"].labels == {"narrative"}


def test_r25_what_was_made_about_another_person_is_not_found() -> None:
    mood = next(part for part in translated(RECORD, with_part(RESOLVED)).parts if part.name == "mood")
    asked = f"'Basic/{mood.resource['id']}'.resolve().x"
    stolen = RESOLVED.replace("part('goal').resolve().description.text", asked)
    own = 'again:\n  about: mother\n  resourceType: Basic\n  x: "{{ ' + asked + ' }}"\n'
    made = {part.name: part for part in translated(RECORD, with_part(stolen + own)).parts}

    assert made["again"].resource["x"] == mood.resource["x"]
    assert "own" not in made["plan"].resource
    assert "caregiver-health" not in made["plan"].labels
