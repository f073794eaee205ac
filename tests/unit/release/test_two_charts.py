"""R25: no value of a caregiver's field is in anything that goes to a child's chart, in records at random.

Every text, number and code of a field that a mapping labels as a fact about somebody other than the child, or as an
adult's health, is a mark of its own. Every class is agreed to, every setting on.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.documents.compose import Frame, compose
from bridge.documents.formats import FORMATS, PDF, render
from bridge.ehr.references import person_of
from bridge.errors import RecordError
from bridge.mappings.cases import Case, read_cases
from bridge.mappings.classes import CLASSES
from bridge.mappings.identity import person_id
from bridge.mappings.labels import Label
from bridge.mappings.load import load, read_all, read_packs
from bridge.mappings.translate import AgencyContext, Translator
from bridge.model import Part, type_json
from bridge.release.origin import with_origin
from bridge.release.preview import preview
from bridge.release.withhold import Conditions, released
from tests.unit.release.making import permit

CHILD, CAREGIVER = "c-1", "g-1"
AGENCY = AgencyContext("harbor", "Harbor", "outcomes", "America/New_York")
MAPPINGS = load(read_packs(["ma-soc", "konote"]))
TRANSLATOR = Translator(MAPPINGS)
EVERYTHING = permit(*CLASSES, part2=True)
OPEN = Conditions(screening_done=True)


def caregivers(kind: str) -> list[Label]:
    """The labels of a kind that say a field is about somebody other than the child, or an adult's health."""
    return [
        one
        for one in MAPPINGS.mappings[kind].labels
        if one.about not in ("", "child") or (one.name == "caregiver-health" and one.when is None)
    ]


KINDS = sorted(kind for kind in MAPPINGS.mappings if "child" in MAPPINGS.kinds[kind].people and caregivers(kind))


def test_the_kinds_that_speak_of_caregivers_are_these() -> None:
    """A kind or label that comes later is in the test by itself."""
    assert KINDS == ["ma-soc/care-plan", "ma-soc/contact", "ma-soc/screening"]
    assert not any("child" in kind.people for name, kind in MAPPINGS.kinds.items() if name.startswith("konote/"))


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────
class Marks:
    """Values that stand nowhere else."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.made: list[str] = []

    def text(self) -> str:
        self.made.append(f"qz7mark{next(self._numbers)}x")
        return self.made[-1]


BASE: Mapping[str, type_json] = {
    "ma-soc/contact": {
        "id": "k-1", "status": "signed", "child": CHILD, "caregiver": CAREGIVER, "started": "2026-03-01T10:00:00-05:00",
        "mode": "in-person", "place": "home", "outcome": "reached", "purposes": ["follow-up"],
        "supports": ["emotional"],
        "attendees": [{"role": "caregiver"}], "staff": [{"role": "family-partner", "name": "Rosa Vega"}],
    },
    "ma-soc/care-plan": {
        "id": "p-1", "version": 1, "status": "signed", "plan_status": "active", "child": CHILD, "caregiver": CAREGIVER,
        "started": "2026-02-01", "signed_on": "2026-02-02",
        "goals": [{"id": "1", "state": "active", "words": "Sleep", "said_by": "caregiver"}],
        "authors": [{"role": "family-partner", "name": "Rosa Vega"}], "team": [{"role": "family-partner"}],
    },
    "ma-soc/screening": {
        "id": "s-1", "status": "signed", "caregiver": CAREGIVER, "administered": "2026-02-01", "instrument": "phq-9",
        "staff": [{"role": "family-partner", "name": "Rosa Vega"}],
    },
}  # fmt: skip
WORDS = ("narrative", "next_steps", "summary", "strengths", "needs", "others_involved", "child_welfare", "place_name")


@st.composite
def records(draw: st.DrawFn) -> tuple[str, type_json, list[str]]:
    """A kind, a record of it with some of a caregiver's fields marked, and the marks."""
    kind, marks = draw(st.sampled_from(KINDS)), Marks()
    record: type_json = json.loads(json.dumps(BASE[kind]))
    schema = MAPPINGS.kinds[kind].schema.document["properties"]
    for name in draw(st.sets(st.sampled_from(WORDS))) & schema.keys():
        record[name] = draw(st.sampled_from(["Todo bien.", "We read together.", "She said: <no> & yes."]))
    own = sorted({label.path[0] for label in caregivers(kind)})
    for name in draw(st.sets(st.sampled_from(own), min_size=1)):
        record[name] = filled(draw, schema[name], marks)
    if kind == "ma-soc/screening":
        record.setdefault("caregiver_result", {"outcome": "positive"})
    if draw(st.booleans()) and "caregiver_screening" in schema:
        record["caregiver_screening"] = ["done", "discussed", "referred"]
    return kind, record, marks.made


def filled(draw: st.DrawFn, schema: type_json, marks: Marks) -> Any:
    """A value of a caregiver's field: marks for its texts, a number that stands nowhere else for its score."""
    if schema.get("$ref", "").endswith("/result"):
        score = draw(st.integers(70_000, 79_999))
        marks.made.append(str(score))
        return {"score": score}
    if schema.get("type") == "object":
        return {name: filled(draw, one, marks) for name, one in schema["properties"].items()}
    if schema.get("type") == "integer":
        return draw(st.integers(schema.get("minimum", 0), schema.get("maximum", 10)))
    return marks.text()


# ── everything that goes to the child's chart ─────────────────────────────────────────────────────────────────────
def everything(parts: tuple[Part, ...], person: str) -> Iterator[str]:
    """Parts, documents of every format, discrete resources and the preview: all that is made for one person's chart."""
    left = released(parts, person, EVERYTHING, OPEN).parts
    for part in left:
        yield json.dumps(part.resource, ensure_ascii=False)
    for note in (part for part in left if part.type == "Composition"):
        told = compose([note, *(part for part in left if part.type != "Composition")], Frame("DB-X", "Harbor", "UTC"))
        yield from (render(told, mime).decode() for mime in FORMATS if mime != PDF)  # which is typeset from the same
    yield repr(preview(parts, person, EVERYTHING, OPEN))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_r25_nothing_of_a_caregivers_fields_goes_to_the_childs_chart(made: tuple[str, type_json, list[str]]) -> None:
    kind, record, marks = made
    translation = TRANSLATOR.translate(kind, record, AGENCY)
    assert not translation.holds, [hold.rule for hold in translation.holds]
    parts = with_origin(translation.parts, "harbor", "Harbor", kind, record["id"], 1_772_000_000_000_000)
    child = "\n".join(everything(parts, CHILD))
    assert [mark for mark in marks if mark in child] == []
    for part in parts:
        written = json.dumps(part.resource)
        if any(mark in written for mark in marks):
            assert part.about == CAREGIVER
    own = "\n".join(everything(parts, CAREGIVER))
    assert [mark for mark in marks if mark not in own] == [], "the test would be blind to it"


@pytest.mark.parametrize("case", read_cases(read_all(["ma-soc", "konote"])), ids=lambda case: case.name)
def test_r25_a_part_has_whom_it_is_about_as_its_subject_and_nobody_else(case: Case) -> None:
    """In every case of every pack: the subject is that one person, and nobody else is named as a Patient."""
    try:
        parts = TRANSLATOR.translate(case.kind, case.record, case.agency, case.rows).parts
    except RecordError:
        parts = ()  # refused at the door
    for part in parts:
        own = f"Patient/{person_id(case.agency.id, part.about)}"
        named = set(re.findall(r'"(Patient/[^"]+)"', json.dumps(part.resource)))
        assert named <= {own}
        assert person_of(part.resource) in (own, "")
