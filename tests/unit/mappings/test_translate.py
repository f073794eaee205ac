from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.errors import RecordError
from bridge.mappings.identity import person_id, stable_id
from bridge.mappings.load import load, read_packs
from bridge.mappings.tables import row_of, table_of
from bridge.mappings.translate import ENGINE_HASH, AgencyContext, Translator, mapping_key
from bridge.model import HoldReason, Owner
from tests.unit.mappings.small import AGENCY, MAPPING, loaded, pack, translated, with_part

CANARY = "Zyzzyva Ahumada"


def test_every_part_carries_id_identifier_source_program_and_profile() -> None:
    (part,) = translated({}).parts

    assert part.resource == {
        "resourceType": "Encounter",
        "id": stable_id("oak", "tiny/visit", "V1", "visit"),
        "meta": {
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"],
            "source": "urn:dyad-bridge:oak",
            "tag": [{"system": "urn:dyad-bridge:program", "code": "pilot"}],
        },
        "identifier": [{"system": "urn:dyad-bridge:oak", "value": "tiny/visit/V1/visit"}],
        "status": "finished",
        "class": {"system": "urn:place", "code": "HH", "display": "home"},
        "subject": {"reference": f"Patient/{person_id('oak', 'K1')}"},
    }
    assert (part.name, part.about, part.role, part.sections) == ("visit", "K1", "child", ())


def test_a_document_has_one_identifier_and_no_empty_section_and_a_person_the_person_s_id() -> None:
    mapping = with_part("""
    note: { about: child, resourceType: Composition, title: x, section: [ { title: y, text: z }, { title: w } ] }
    who: { about: child, resourceType: Patient, gender: unknown }
    """)

    note, who = translated({}, mapping).parts

    assert note.resource["identifier"] == {"system": "urn:dyad-bridge:oak", "value": "tiny/visit/V1/note"}
    assert note.resource["section"] == [{"title": "y", "text": "z"}]
    assert who.resource["id"] == person_id("oak", "K1")


def test_the_record_s_own_program_counts_before_the_agency_s() -> None:
    translator = Translator(load(read_packs(["ma-soc"])))
    child = {"id": "K1", "program": "launch", "name": {"family": "Santos"}}

    (part,) = translator.translate("ma-soc/child", child, AGENCY).parts

    assert part.resource["meta"]["tag"][0]["code"] == "launch"


def test_translation_remembers_what_it_came_about_with() -> None:
    made = translated({})

    assert (made.mapping_hash, made.engine_hash) == (loaded().hash, ENGINE_HASH)
    assert made == translated({})


def test_a_void_record_leaves_nothing_standing() -> None:
    made = translated({"status": "void", "place": "unheard-of"})

    assert (made.parts, made.holds, made.findings) == ((), (), ())


def test_r13_every_hold_is_collected_and_no_part_comes_with_them() -> None:
    mapping = with_part("""
    one: { about: child, resourceType: Basic, x: "{{ %tables.lookup('place', place) }}" }
    two: { about: mother, resourceType: Basic }
    three: { about: child, resourceType: Basic, x: "{{ instant(at) }}", y: "{{ %tables.lookup('place', steps.id) }}" }
    """)

    made = translated({"place": "barn", "at": "2026-03-08 02:30", "steps": [{"id": "cave"}, {"id": "barn"}]}, mapping)

    assert made.parts == ()
    assert sorted((hold.reason, hold.waits_for) for hold in made.holds) == [
        (HoldReason.CONTENT, "record:oak:tiny/visit:V1"),
        (HoldReason.CONTENT, "record:oak:tiny/visit:V1"),
        (HoldReason.TABLE, "table:oak:tiny/place:barn"),
        (HoldReason.TABLE, "table:oak:tiny/place:cave"),
    ]
    assert {hold.owner for hold in made.holds} == {Owner.AGENCY}


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ('x: { y: [ "{{ steps.text.combine(words).single() }}" ] }', "one.x.y.0"),
        ("when: steps.text.combine(words).single() = 'x'", "one.when"),
        ('each: steps.select(text.combine(%context.words).single())\n  key: "1"', "one.each"),
    ],
)
def test_a_mapping_that_fails_holds_for_the_engineer_without_a_value(line: str, where: str) -> None:
    mapping = with_part(f"one:\n  about: child\n  resourceType: Basic\n  {line}")

    made = translated({"words": CANARY, "steps": [{"text": CANARY}, {"text": CANARY}]}, mapping)

    (hold,) = made.holds
    assert (hold.reason, hold.owner, hold.waits_for) == (HoldReason.CONTENT, Owner.ENGINEER, mapping_key("tiny/visit"))
    assert hold.rule == f"the mapping tiny/visit failed on this record at {where}"
    assert CANARY not in str(made)


def test_one_part_for_each_entry_by_its_own_id() -> None:
    mapping = with_part("""
    plan: { about: child, resourceType: Basic, all: "{[ part('step') ]}", one: "{{ part('step', 'b') }}" }
    step: { about: child, each: "{[ steps ]}", when: "%item.done = true", resourceType: Goal, x: "{{ %item.text }}" }
    """)
    steps = [{"id": "a", "text": "A", "done": True}, {"id": "b", "text": "B", "done": True}, {"id": "c", "text": "C"}]

    plan, a, b = translated({"steps": steps}, mapping).parts

    assert (a.name, b.name) == ("step-a", "step-b")
    assert a.resource["id"] == stable_id("oak", "tiny/visit", "V1", "step-a")
    assert a.resource["identifier"][0]["value"] == "tiny/visit/V1/step-a"
    assert plan.resource["all"] == [{"reference": f"Goal/{one.resource['id']}"} for one in (a, b)]
    assert plan.resource["one"] == {"reference": f"Goal/{b.resource['id']}"}


def test_an_id_that_a_spreadsheet_made_a_fraction_is_the_same_id() -> None:
    translator = Translator(load(read_packs(["ma-soc"])))
    record = {"id": 7.0, "name": {"family": "Santos"}, "children": [{"child": 3.0, "relationship": "mother"}]}

    patient, related = translator.translate("ma-soc/caregiver", record, AGENCY).parts

    assert (patient.about, related.about, related.name) == ("7", "3", "related-3")


@pytest.mark.parametrize("steps", [[{"text": "A"}], [{"id": "a"}, {"id": "a"}]])
def test_an_entry_without_an_id_of_its_own_is_held(steps: list[dict[str, str]]) -> None:
    mapping = with_part('step: { about: child, each: steps, resourceType: Goal, x: "{{ %item.text }}" }')

    (hold,) = translated({"steps": steps}, mapping).holds

    assert hold.rule.startswith("an entry that becomes a Goal has no id of its own")


def test_a_part_is_about_one_person_the_record_names() -> None:
    mapping = with_part('one: { about: child, person: "{{ place }}", resourceType: Basic }')

    (hold,) = translated({"place": "home"}, mapping).holds

    assert hold.rule == "a fact of this record is about the child, and it does not say who that is"


def test_a_document_without_sections_does_not_come_about_and_asks_for_nobody() -> None:
    mapping = with_part("""
    note:
      about: mother
      resourceType: Composition
      section: [ { "{% if mood.exists() %}": { title: Mood, text: "{{ narrative(mood) }}" } } ]
    """)

    assert translated({}, mapping) == translated({"status": "open"}, mapping)
    assert (translated({}, mapping).parts, translated({}, mapping).holds) == ((), ())
    assert [part.about for part in translated({"mood": "low", "mother": "M1"}, mapping).parts] == ["M1"]
    assert len(translated({"mood": "low"}, mapping).holds) == 1


def test_what_is_never_collected_is_not_seen_even_if_it_was_kept() -> None:
    made = translated({"secret": CANARY, "steps": [{"secret": CANARY}]})

    assert len(made.parts) == 1


@pytest.mark.parametrize("record", [{"place": 7}, {"unheard_of": CANARY}, {"id": None}])
def test_a_record_of_another_shape_is_refused_without_its_values(record: dict[str, Any]) -> None:
    with pytest.raises(RecordError) as caught:
        translated(record)

    assert CANARY not in str(caught.value)


def test_a_kind_without_a_mapping_is_refused() -> None:
    with pytest.raises(RecordError, match="no mapping is in force"):
        Translator(load(pack())).translate("tiny/other", {}, AGENCY)


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "\uffff"])
def test_a_text_no_document_can_carry_is_held(text: str) -> None:
    (hold,) = translated({"steps": [{"text": text}]}).holds

    assert (hold.reason, hold.owner, hold.waits_for) == (
        HoldReason.CONTENT,
        Owner.AGENCY,
        "record:oak:tiny/visit:V1",
    )


def test_threads_share_one_translator() -> None:
    translator = Translator(load(pack(MAPPING)))

    def one(number: int) -> tuple[str, str]:
        record = {"id": f"V{number}", "child": f"K{number}", "place": "home"}
        (part,) = translator.translate("tiny/visit", record, AgencyContext(f"a{number}", "A", "p", "UTC")).parts
        return part.about, part.resource["subject"]["reference"]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(one, range(200)))

    assert made == [(f"K{n}", f"Patient/{person_id(f'a{n}', f'K{n}')}") for n in range(200)]


def test_parts_are_plain_json() -> None:
    for part in translated({"words": "ñ"}).parts:
        assert json.loads(json.dumps(part.resource)) == part.resource


# ── rows with periods ─────────────────────────────────────────────────────────────────────────────────────────────
DATED = """code,system,target,display,equivalence,source,note,text,from,until
home,urn:place,OLD,old,equivalent,here,,,2024-01-01,2025-12-31
home,urn:place,NEW,new,equivalent,here,,,2026-01-01,
"""


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2025-12-31", "OLD"),
        ("2026-01-01", "NEW"),
        ("2026-01-01T03:00:00Z", "OLD"),  # ten in the evening of New Year's Eve at the agency
        ("2026-01-01T05:00:00Z", "NEW"),
    ],
)
def test_the_row_in_force_on_the_record_s_own_day_is_used(at: str, code: str) -> None:
    translator = Translator(load(pack(table=DATED)))

    (part,) = translator.translate("tiny/visit", {"id": "V1", "child": "K1", "place": "home", "at": at}, AGENCY).parts

    assert part.resource["class"]["code"] == code


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        ({"at": "2023-05-05"}, "has rows in the table place, and none for the day of the record"),
        ({}, "means one thing or another by the day (table place), and no day"),
    ],
)
def test_no_row_for_the_day_holds_the_record_until_there_is_one(at: dict[str, str], rule: str) -> None:
    translator = Translator(load(pack(table=DATED)))
    record = {"id": "V1", "child": "K1", "place": "home", **at}

    (hold,) = translator.translate("tiny/visit", record, AGENCY).holds

    assert (hold.reason, hold.waits_for) == (HoldReason.TABLE, "table:oak:tiny/place:home")
    assert hold.rule.endswith(rule)
    cells = {"code": "home", "system": "urn:place", "target": "ADDED", "source": "here", "until": "2023-12-31"}
    added = row_of(cells if at else cells | {"until": ""})
    (part,) = translator.translate(
        "tiny/visit", record, AGENCY, {"tiny/place": table_of("tiny/place", [added])}
    ).parts  # fmt: skip
    assert part.resource["class"]["code"] == "ADDED"
