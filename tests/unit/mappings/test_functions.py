from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.mappings.fhirpath import ExpressionError, Function
from bridge.mappings.functions import FUNCTIONS, Functions
from bridge.mappings.identity import person_id, related_id, stable_id
from bridge.mappings.tables import Table, row_of, table_of
from bridge.mappings.template import Expression, scope_of
from bridge.model import HoldReason, Owner
from tests.unit.mappings.small import AGENCY

BARN = row_of({"code": "barn", "system": "urn:place", "target": "FLD", "display": "field", "text": "Barn"})
HOME = row_of({"code": "home", "system": "urn:place", "target": "HH", "display": "home"})


def functions(**more: Any) -> Functions:
    people = {"child": ("K1", "K2"), "mother": ("M1",)}
    tables = {"place": Table("tiny/place", {"home": HOME})}
    return Functions(AGENCY, "tiny/visit", "V1", people, tables, **{"rows": {}, **more})


def test_every_function_is_declared_and_made() -> None:
    made = {name for name in vars(Functions) if not name.startswith("_") and callable(getattr(Functions, name))}

    assert made - {"hold", "member"} == FUNCTIONS.keys()


def test_r13_a_code_without_a_row_is_held_and_not_guessed() -> None:
    ours = functions()

    assert ours.lookup(["place"], ["home", "barn", "cave"]) == ["HH"]
    assert ours.coding(["place"], ["barn"]) == []
    assert [(hold.reason, hold.owner, hold.waits_for) for hold in ours.holds.values()] == [
        (HoldReason.TABLE, Owner.AGENCY, "table:oak:tiny/place:barn"),
        (HoldReason.TABLE, Owner.AGENCY, "table:oak:tiny/place:cave"),
    ]
    assert all("barn" not in hold.rule + hold.next_step for hold in ours.holds.values())


def test_r13_a_row_that_somebody_added_counts_before_the_table_s() -> None:
    ours = functions(rows={"tiny/place": table_of("tiny/place", [BARN, replace(BARN, code="home")])})

    assert ours.lookup(["place"], ["barn", "home"]) == ["FLD", "FLD"]
    assert ours.words(["place"], ["barn"]) == ["Barn"]
    assert ours.concept(["place"], ["barn"]) == [BARN.concept()]
    assert not ours.holds


def test_persons_are_pointed_at_as_patients_or_as_what_they_are_to_one() -> None:
    ours = functions(about="K2", role="child")

    assert ours.person(["child"]) == [{"reference": f"Patient/{person_id('oak', 'K2')}"}]
    assert ours.person(["mother"]) == [{"reference": f"Patient/{person_id('oak', 'M1')}"}]
    related = [{"reference": f"RelatedPerson/{related_id('oak', 'M1', 'K2')}"}]
    assert ours.person(["mother"], ["RelatedPerson"]) == related
    assert ours.person(["father"]) == []


def test_sibling_parts_are_pointed_at_by_name_and_key() -> None:
    ours = functions(siblings={("goal", "1"): ("Goal", "id-1"), ("goal", "2"): ("Goal", "id-2")})

    assert ours.part(["goal"]) == [{"reference": "Goal/id-1"}, {"reference": "Goal/id-2"}]
    assert ours.part(["goal"], [2]) == [{"reference": "Goal/id-2"}]
    assert ours.part(["visit"]) == []


def test_a_narrative_is_escaped_tagged_and_broken_into_lines() -> None:
    (made,) = functions().narrative(['¿Qué <b> & "c"?\r\ndos\x0btres', "otra"], ["es-PR"])

    assert made == {
        "status": "additional",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="es-PR" lang="es-PR">'
        '<p>¿Qué &lt;b&gt; &amp; "c"?<br/>dos<br/>tres</p><p>otra</p></div>',
    }
    assert functions().narrative([], ["es"]) == []


def test_a_text_is_translated_where_there_is_one() -> None:
    assert functions().translation(["es"], ["Qué pasó"]) == [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/translation",
            "extension": [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Qué pasó"}],
        }
    ]
    assert functions().translation(["es"], []) == []
    assert functions().translation([], ["Qué pasó"]) == []


def test_times_are_the_agency_s_unless_a_zone_is_named() -> None:
    ours = functions()

    assert ours.instant(["2026-01-05 10:00"]) == ["2026-01-05T10:00:00-05:00"]
    assert ours.instant(["2026-01-05 10:00"], ["America/Chicago"]) == ["2026-01-05T10:00:00-06:00"]
    assert ours.wall_time(["2026-01-05T15:00:00Z"]) == ["2026-01-05 10:00"]
    assert ours.instant(["2026-03-08 02:30", "soon"]) == []
    assert [hold.reason for hold in ours.holds.values()] == [HoldReason.CONTENT, HoldReason.CONTENT]
    assert all("soon" not in hold.rule for hold in ours.holds.values())


def test_a_language_is_a_concept() -> None:
    assert functions().language(["es"]) == [{"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}]


def test_ids_are_the_same_on_every_run_and_never_shared() -> None:
    assert stable_id("oak", "tiny/visit", "V1", "visit") == "ae489300-b138-5d80-a730-82f67b6674f4"
    ids = {
        stable_id("oak", "tiny/visit", "V1", "visit"),
        stable_id("elm", "tiny/visit", "V1", "visit"),
        stable_id("oak", "tiny/visit", "V1|visit", ""),
        stable_id("oak", "tiny/visit", "V1", "note"),
        person_id("oak", "V1"),
        related_id("oak", "1|2", "3"),
        related_id("oak", "2", "3|1"),
    }
    assert len(ids) == 7
    assert all(len(one) == 36 and one == one.lower() for one in ids)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_every_example_of_our_functions_is_true(function: Function) -> None:
    ours = functions(about="K1", role="child", siblings={("visit", ""): ("Encounter", "E1")})

    assert function.examples
    for example in function.examples:
        assert Expression(example.expression).values(scope_of({}, {}, ours)) == list(example.result or ())


def test_our_functions_stand_alone() -> None:
    with pytest.raises(ExpressionError, match="stands alone"):
        Expression("words.narrative(words)")
