"""Tables as FHIR ConceptMaps and back: nothing is lost, nothing is guessed, and what cannot be carried is told."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.fhir import definitions
from bridge.fhir.opinion import second_opinion
from bridge.fhir.validate import Validator
from bridge.mappings.conceptmap import PERIOD, SOURCE, export, take
from bridge.mappings.load import available_packs, load, read_packs
from bridge.mappings.tables import EQUIVALENCES, About, Row, Table, row_of, table_of

VALIDATOR = Validator(definitions.load())
PACKS = load(read_packs(available_packs())).tables

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip)
CODES = st.from_regex(r"[!-~]{1,6}( [!-~]{1,4})?", fullmatch=True)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@st.composite
def rows(draw: st.DrawFn) -> Row:
    equivalence = draw(st.sampled_from(sorted(EQUIVALENCES)))
    note = WORDS if equivalence in ("narrower", "inexact") else WORDS | st.just("")
    start, length = draw(st.none() | DAYS), draw(st.none() | st.integers(0, 400))
    until = None if length is None else (start or draw(DAYS)) + timedelta(length)
    matched = equivalence != "unmatched"
    return row_of(
        {
            "code": draw(CODES),
            "system": draw(st.sampled_from(["urn:a", "http://b.example/c"] + ([] if matched else [""]))),
            "target": draw(CODES) if matched else "",
            "display": draw(WORDS | st.just("")) if matched else draw(WORDS),
            "equivalence": equivalence,
            "source": draw(WORDS),
            "note": draw(note),
            "text": draw(WORDS | st.just("")),
            "from": str(start or ""),
            "until": str(until or ""),
        }
    )


ABOUTS = st.builds(
    About,
    version=st.sampled_from(["", "2026-01", "3"]),
    title=WORDS.map(str.strip) | st.just(""),
    url=st.sampled_from(["", "http://oak.example/ConceptMap/place"]),
    system=st.sampled_from(["", "urn:oak:place"]),
)


def right(resource: Any) -> None:
    """It is FHIR R4 by our validator and by fhir.resources."""
    assert (VALIDATOR.check(resource), second_opinion(resource)) == ((), ())


@given(st.lists(rows(), min_size=1, max_size=8), ABOUTS)
def test_a_table_is_the_same_after_a_round_trip(listed: list[Row], about: About) -> None:
    table = table_of("oak/place", listed, about)

    resource, problems = export(table)
    taken = take(json.loads(json.dumps(resource)), "oak/place", "place.json")

    assert (problems, taken.problems) == ([], ())
    right(resource)
    assert (taken.table.rows, taken.table.dated) == (table.rows, table.dated)
    assert taken.table.about == about


@pytest.mark.parametrize("name", sorted(PACKS))
def test_every_table_of_the_packs_is_a_concept_map(name: str) -> None:
    resource, problems = export(PACKS[name])

    assert problems == []
    right(resource)
    assert take(resource, name, "x.json").table == PACKS[name]


def test_each_cell_has_its_place() -> None:
    cells = {
        "code": "home", "system": "urn:x", "target": "HH", "display": "home health", "equivalence": "wider",
        "source": "here", "note": "why", "text": "At home", "from": "2026-01-01", "until": "2026-12-31",
    }  # fmt: skip

    resource, _ = export(
        table_of("oak/place", [row_of(cells)], About("2", "Places", "http://oak.example/p", "urn:oak"))
    )

    assert resource == {
        "resourceType": "ConceptMap", "url": "http://oak.example/p", "version": "2", "name": "TableOakPlace",
        "title": "Places", "status": "active",
        "group": [
            {
                "source": "urn:oak", "target": "urn:x",
                "element": [
                    {
                        "code": "home", "display": "At home",
                        "target": [
                            {
                                "extension": [{"url": SOURCE, "valueString": "here"}],
                                "modifierExtension": [
                                    {"url": PERIOD, "valuePeriod": {"start": "2026-01-01", "end": "2026-12-31"}}
                                ],
                                "code": "HH", "display": "home health", "equivalence": "wider", "comment": "why",
                            }
                        ],
                    }
                ],
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"equivalence": "inexact"}, "a ConceptMap says in a comment why a row is inexact, and this row has no note"),
        ({"code": "two  spaces"}, "a code in FHIR has single spaces inside and no other white space"),
        ({"target": "a\tb"}, "a code in FHIR has single spaces inside and no other white space"),
        ({"system": "urn:with space"}, "a code system is named by a uri"),
        ({"note": "a\x07b"}, "a text in FHIR has no control characters"),
    ],
)
def test_a_row_that_no_concept_map_can_carry_is_told_and_left_out(cells: dict[str, str], rule: str) -> None:
    whole = {"code": "home", "system": "urn:x", "target": "HH", "equivalence": "equal", "source": "here"}
    kept = row_of(whole | {"code": "kept"})

    resource, problems = export(table_of("oak/place", [row_of(whole | cells), kept]))

    assert [(one.code, one.rule) for one in problems] == [("table-export", rule)]
    right(resource)
    assert list(take(resource, "oak/place", "x").table.rows) == ["kept"]


# ── what others wrote ─────────────────────────────────────────────────────────────────────────────────────────────
def theirs(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A ConceptMap of somebody's, with one group."""
    group = {"source": "urn:s", "target": "urn:t", "element": list(elements), **more}
    return {"resourceType": "ConceptMap", "url": "http://x.example/map", "version": "7", "group": [group]}


def element(code: str, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"code": code, "target": list(targets), **more}


def target(code: str = "T", equivalence: str = "equal", **more: Any) -> dict[str, Any]:
    return {"code": code, "equivalence": equivalence, **more}


def test_a_row_without_a_source_of_its_own_is_from_the_concept_map() -> None:
    (row,) = take(theirs(element("a", target())), "x", "f").table.every()

    assert (row.target, row.system, row.source) == ("T", "urn:t", "http://x.example/map 7")
    (row,) = take(theirs(element("a", target())), "x", "f", "the practice's letter").table.every()
    assert row.source == "the practice's letter"


@pytest.mark.parametrize(
    ("relationship", "equivalence"),
    [
        ("equivalent", "equivalent"),
        ("related-to", "relatedto"),
        ("source-is-narrower-than-target", "wider"),
        ("source-is-broader-than-target", "narrower"),
    ],
)
def test_r5_is_read_where_it_says_the_same(relationship: str, equivalence: str) -> None:
    found = take(
        theirs(element("a", {"code": "T", "relationship": relationship}), {"code": "b", "noMap": True}), "x", "f"
    )

    assert {row.code: row.equivalence for row in found.table.every()} == {"a": equivalence, "b": "unmatched"}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        ([], "f: this is no ConceptMap in JSON [conceptmap-type]"),
        ({"resourceType": "ValueSet"}, "f: this is no ConceptMap in JSON [conceptmap-type]"),
        (
            theirs(element("a", target("T"), target("U"))),
            "f: group[0].element[0].target[0]: the code a has several targets, at group[0].element[0].target[0], "
            "group[0].element[0].target[1] [conceptmap-several]",
        ),
        (
            theirs(element("a", target("T", "disjoint"))),
            "f: group[0].element[0].target[0].equivalence: says of the target what no table says: a row's target means "
            "something of what the code means [conceptmap-equivalence]",
        ),
        (
            theirs(element("a", {"code": "T", "relationship": "not-related-to"})),
            "f: group[0].element[0].target[0].relationship: says of the target what no table says: a row's target "
            "means something of what the code means [conceptmap-equivalence]",
        ),
        (
            theirs(element("a", target("T", "nearly"))),
            "f: group[0].element[0].target[0]: this row has an equivalence that is none of equal, equivalent, inexact, "
            "narrower, relatedto, specializes, subsumes, unmatched, wider [conceptmap-row]",
        ),
        (
            theirs(element("a", target(dependsOn=[{"property": "urn:p", "value": "v"}]))),
            "f: group[0].element[0].target[0]: holds only together with something else (dependsOn), which no table "
            "says [conceptmap-depends]",
        ),
        (
            theirs(element("a", target(modifierExtension=[{"url": "urn:other", "valueBoolean": True}]))),
            "f: group[0].element[0].target[0]: a modifier extension that is not known here may change the meaning "
            "[conceptmap-modifier]",
        ),
        (
            theirs({"code": "a"}),
            "f: group[0].element[0]: says nothing of this code: neither a target nor that there is none "
            "[conceptmap-empty]",
        ),
        (
            theirs({"code": 7, "target": [target()]}),
            "f: group[0].element[0].target[0]: what becomes code is a text [conceptmap-shape]",
        ),
        (
            theirs(unmapped={"mode": "fixed", "code": "Z"}),
            "f: group[0].unmapped: no table says what codes mean that it does not list: they are held "
            "[conceptmap-unmapped]",
        ),
        (
            theirs(element("a", target())) | {"url": None},
            "f: group[0].element[0].target[0]: nothing says where this was taken from [conceptmap-source]",
        ),
    ],
)  # fmt: skip
def test_what_no_table_says_is_told_with_its_place_and_left_out(resource: Any, problem: str) -> None:
    found = take(resource, "x", "f")

    assert [str(one).split("\n")[0] for one in found.problems] == [problem]
    assert found.table.rows == {}


def test_several_groups_are_one_table_and_their_systems_are_told() -> None:
    one, two = theirs(element("a", target())), theirs(element("b", target("U")))
    two["group"][0] |= {"source": "urn:other", "target": "urn:u"}
    one["group"] += two["group"]

    found = take(one, "x", "f")

    assert {row.code: row.system for row in found.table.every()} == {"a": "urn:t", "b": "urn:u"}
    assert [one.code for one in found.problems] == ["conceptmap-sources"]
    assert found.table.about == About("7", "", "http://x.example/map", "")


def test_the_same_said_twice_is_said_once() -> None:
    found = take(theirs(element("a", target(), target())), "x", "f")

    assert (len(found.table.rows), found.problems) == (1, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["equal", "unmatched", "T"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["group", "element", "target", "code", "equivalence", "display", "modifierExtension", "extension",
                 "url", "unmapped", "source", "version", "valuePeriod", "relationship"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
def test_no_json_stops_the_reading(value: Any) -> None:
    resource = {**value, "resourceType": "ConceptMap"} if isinstance(value, dict) else value

    assert isinstance(take(resource, "x", "f").table, Table)
