from __future__ import annotations

import pytest

from bridge.mappings.cases import run_case, value_at
from bridge.mappings.translate import Translator
from tests.unit.mappings.cases.one import FILE, differences, only
from tests.unit.mappings.small import loaded


def test_a_case_that_holds_has_no_differences() -> None:
    assert differences(FILE) == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("about: K1", "about: K2", "visit: about: expected 'K2', found 'K1'"),
        ("[ordinary]", "[narrative]", "visit: labels: expected ['narrative'], found ['ordinary']"),
        ("class.code: HH", "class.code: FLD", "visit: class.code: expected 'FLD', found 'HH'"),
        ("class.code: HH", "class: { code: FLD, display: home, system: 'urn:place' }",
         "visit: class.code: expected 'FLD', found 'HH'"),
        ("class.code: HH", "class: { code: HH, system: 'urn:place' }",
         "visit: class.display: expected nothing, found 'home'"),
        ("class.code: HH", "class.cod: HH", "visit: class.cod: expected 'HH', found nothing"
         " (there is nothing at this path; the nearest is class.code)"),
        ("class.code: HH", "class.long.way.down: HH", "visit: class.long.way.down: expected 'HH', found nothing"
         " (there is nothing at this path; the nearest is class)"),
        ("class.code: HH", '"identifier[*].valu": [x]', "visit: identifier[*].valu: expected ['x'], found nothing"
         " (there is nothing at this path; the nearest is identifier[*].value)"),
        ("class.code: HH", "class.code: 1", "visit: class.code: expected 1, found 'HH'"),
        ("is: {", "has_not: [status], is: {", "visit: status: expected nothing, found 'finished'"),
        ("        visit: {", "        visti: {",
         "visti: expected this part, found nothing (the nearest part that comes about is visit)"),
        ("        visit: {", "        visti: {", "visit: expected nothing, found this part"),
        ("    expect:", "    expect:\n      holds: [x]", "holds: expected 'x', found nothing"),
        ("    expect:", "    record: { place: 7 }\n    expect:", "rejected: expected nothing, found 'place'"),
        ("    expect:", "    expect:\n      rejected: [place]", "rejected: expected 'place', found nothing"),
        ("    expect:", "    record: { place: barn }\n    expect:", "holds: expected nothing, found"
         " 'table:oak:tiny/place:barn' (this record holds a code that has no row in the table place)"),
        ("    expect:", "    record: { place: barn }\n    expect:\n      holds: ['table:oak:tiny/place:bran']",
         "holds: expected 'table:oak:tiny/place:bran', found nothing (nearest: table:oak:tiny/place:barn)"),
    ],
)  # fmt: skip
def test_a_case_that_does_not_hold_says_where(old: str, new: str, difference: str) -> None:
    assert difference in differences(FILE.replace(old, new, 1))


def test_a_whole_resource_is_compared_path_by_path() -> None:
    (made,) = Translator(loaded()).translate(only().kind, only().record, only().agency).parts
    whole = {**made.resource, "status": "planned", "priority": {"text": "soon"}}
    whole["identifier"] = [{**whole["identifier"][0], "value": "other"}, {"value": "second"}]
    del whole["class"]
    text = FILE.replace("is: {", f"whole: {whole}, is: {{", 1)

    assert differences(text) == [
        "visit: identifier[0].value: expected 'other', found 'tiny/visit/V1/visit'",
        "visit: identifier[1]: expected {'value': 'second'}, found nothing",
        "visit: status: expected 'planned', found 'finished'",
        "visit: priority: expected {'text': 'soon'}, found nothing",
        "visit: class: expected nothing, found {'system': 'urn:place', 'code': 'HH', 'display': 'home'}",
    ]


def test_of_a_long_text_the_piece_is_shown_where_it_parts() -> None:
    mapping = """
mapping: visit
reads: tiny/visit
emits:
  visit:
    about: child
    resourceType: Encounter
    status: "{{ words }}"
labels: [ { path: words, class: narrative } ]
"""
    said = "She slept through the night and asked for the blue blanket when she woke up in the morning, twice."
    text = FILE.replace("place: home", f"words: '{said}'").replace("class.code: HH", f"status: '{said[:80]}!'")

    (*_, found) = run_case(only(text), Translator(loaded(mapping)))

    assert found.rule == (
        "expected …'et when she woke up in t!', found …'et when she woke up in the morning, twice.' (from character 81)"
    )


def test_a_difference_stands_against_the_line_it_is_written_on() -> None:
    text = FILE.replace("        visit: {", "        visit:\n          {").replace(
        "class.code: HH", "\n            class.code: FLD"
    )
    case = only(text)

    (found,) = run_case(case, Translator(loaded()))

    assert case.place(*found.at).split(":")[:2] == ["tiny/visit.cases.yaml", "11"]


def test_a_case_lays_its_record_over_the_base_and_may_add_rows() -> None:
    text = FILE.replace(
        "    expect:",
        "    record: { place: barn }\n"
        "    rows: { tiny/place: { barn: { system: 'urn:x', target: HH, display: B, source: s } } }\n"
        "    expect:",
    )

    assert differences(text) == []


def test_paths_lead_through_lists() -> None:
    value = {"a": [{"b": 1}, {"c": 2}, {"b": [3, 4]}]}

    assert value_at(value, "a[0].b") == 1
    assert value_at(value, "a[*].b") == [1, [3, 4]]
    assert value_at(value, "a[2].b[1]") == 4
    assert value_at(value, "a[9].b") is None
    assert value_at(value, "a.b") is None
