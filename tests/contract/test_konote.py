"""The export of a real agency system, KoNote, through its kinds and mappings: what becomes FHIR, what is held, and why.

The figures are those of the export of 2026-11-21, counted from its files and not by our code.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.errors import Problem
from bridge.fhir import definitions
from bridge.fhir.validate import Validator
from bridge.intake.opening import open_record
from bridge.jobs.files import Row, read, shipped_query
from bridge.mappings import load
from bridge.mappings.translate import AgencyContext, Translator
from bridge.model import HoldReason, Item, Part, Severity, Translation
from tests.flow.konote.people import ABSENT, AGENCY, EXPORT, clients, consents, patients, revoked, rosters

pytestmark = [pytest.mark.outside, pytest.mark.skipif(not EXPORT.is_dir(), reason=ABSENT)]

KINDS = ("client", "note", "plan", "communication", "episode")
CONTEXT = AgencyContext(id=AGENCY, name="Harbour House", program="default", timezone="America/Toronto")
NOW = 1_795_305_600_000_000  # 2026-11-22


@dataclass(frozen=True, slots=True)
class Taken:
    """One record of the export, as the door keeps it and as its mapping translates it."""

    record: dict[str, Any]
    item: Item
    translation: Translation


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator(load.load(load.read_packs(["konote"])))


@pytest.fixture(scope="module")
def taken(translator: Translator) -> dict[str, list[Taken]]:
    """Every record of the export by kind. That none is refused at the door is asserted on the way."""
    found: dict[str, list[Taken]] = {name: [] for name in KINDS}
    for name in KINDS:
        kind = translator.mappings.kinds[f"konote/{name}"]
        for row in read(EXPORT, query=shipped_query(kind.name)):
            assert isinstance(row, Row), row
            item = open_record(row.record, kind, AGENCY, CONTEXT.program, CONTEXT.timezone, NOW)
            assert not isinstance(item, Problem), item
            found[name].append(Taken(row.record, item, translator.translate(kind.name, row.record, CONTEXT)))
    return found


def parts(taken: dict[str, list[Taken]], name: str) -> Iterator[Part]:
    return (part for one in taken[name] for part in one.translation.parts)


def table(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((EXPORT / "data" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_every_record_is_taken_and_translated_or_held(taken: dict[str, list[Taken]]) -> None:
    counts = {
        name: (
            len(found),
            sum(not one.translation.holds for one in found),
            sum(bool(one.translation.holds) for one in found),
        )
        for name, found in taken.items()
    }

    assert counts == {
        "client": (107, 107, 0),
        "note": (1006, 662, 344),  # 341 of groups, and 3 more without a clinical time
        "plan": (107, 107, 0),
        "communication": (46, 0, 46),
        "episode": (115, 114, 1),  # one ends before it begins
    }
    assert not any(one.translation.parts for found in taken.values() for one in found if one.translation.holds)


def test_each_hold_says_why_and_what_to_do(taken: dict[str, list[Taken]]) -> None:
    reasons = Counter(
        (name, hold.reason, hold.rule)
        for name, found in taken.items()
        for one in found
        for hold in one.translation.holds
    )

    group = "this note is about a group session and may tell about the others who were there"
    undated = "this note has no clinical time; when it was typed is not when it happened"
    logged = "this message has no clinical time; when it was logged is not when it happened"
    assert reasons == {
        ("note", HoldReason.DECISION, group): 341,
        ("note", HoldReason.RECORD, undated): 4,  # one of them also of a group
        ("communication", HoldReason.RECORD, logged): 46,
        ("episode", HoldReason.CONTENT, "this stay ends before it begins"): 1,
    }
    holds = [hold for found in taken.values() for one in found for hold in one.translation.holds]
    assert all(hold.next_step for hold in holds)


def test_a_record_s_hold_waits_for_that_record_alone(taken: dict[str, list[Taken]]) -> None:
    waiting = [{hold.waits_for for hold in one.translation.holds} for found in taken.values() for one in found]
    keys = [key for keys in waiting for key in keys]

    assert len(keys) == len(set(keys)) == 344 + 46 + 1


def test_what_becomes_of_the_translated_records(taken: dict[str, list[Taken]]) -> None:
    made = Counter((name, part.type) for name in KINDS for part in parts(taken, name))

    assert made == {
        ("client", "Patient"): 107,
        ("note", "Encounter"): 662,
        ("note", "Composition"): 662,
        ("note", "Observation"): measured(),
        ("plan", "Goal"): 322,
        ("plan", "CarePlan"): 107,
        ("plan", "Composition"): 107,
        ("episode", "EpisodeOfCare"): 114,
    }


def measured() -> int:
    """Metric values of the notes that go on, counted from the export: those about the program itself stay behind."""
    goes_on = {
        note["id"]
        for note in table("notes_progressnote")
        if note["interaction_type"] != "group" and note["backdate"] is not None
    }
    targets = {one["id"] for one in table("notes_progressnotetarget") if one["progress_note_id"] in goes_on}
    about_the_client = {one["id"] for one in table("plans_metricdefinition") if one["category"] != "client_experience"}
    return sum(
        value["progress_note_target_id"] in targets and value["metric_def_id"] in about_the_client
        for value in table("notes_metricvalue")
    )


def test_every_part_is_valid_and_complete_within_its_record(taken: dict[str, list[Taken]]) -> None:
    validator = Validator(definitions.load())
    wrong = Counter(
        (name, finding.part, finding.code, finding.path)
        for name in KINDS
        for one in taken[name]
        for finding in validator.check_all(one.translation.parts, outside=frozenset({"Patient"}))
        if finding.severity is not Severity.INFORMATION
    )

    assert wrong == {}


def test_r15_each_goal_stands_in_the_client_s_words_byte_for_byte(taken: dict[str, list[Taken]]) -> None:
    goals = {
        part.resource["identifier"][0]["value"]: part.resource for part in parts(taken, "plan") if part.type == "Goal"
    }
    said = {
        f"konote/plan/{target['client_file_id']}/goal-{target['id']}": target["client_goal"]
        for target in table("plans_plantarget")
    }

    assert goals.keys() == said.keys()
    assert len(goals) == 322
    in_their_words = {value: words for value, words in said.items() if words}
    assert len(in_their_words) == 107
    for value, words in in_their_words.items():
        assert goals[value]["description"]["text"].encode() == words.encode()
        assert goals[value]["expressedBy"] == goals[value]["subject"]
    assert all("expressedBy" not in goals[value] for value, words in said.items() if not words)


def test_no_clinical_time_comes_from_when_somebody_typed(taken: dict[str, list[Taken]]) -> None:
    for one in taken["note"]:
        for part in one.translation.parts:
            if part.type == "Encounter":
                start = part.resource["period"]["start"]
                assert start[:19] == one.record["happened"][:19]
    assert all(one.item.when is None for one in taken["communication"])


def test_gender_is_unknown_because_the_system_has_none(taken: dict[str, list[Taken]]) -> None:
    assert {part.resource["gender"] for part in parts(taken, "client")} == {"unknown"}


def test_r17_class_and_type_follow_how_the_contact_was_made(taken: dict[str, list[Taken]]) -> None:
    classes = Counter(
        (one.record["interaction"], part.resource["class"]["code"])
        for one in taken["note"]
        for part in one.translation.parts
        if part.type == "Encounter"
    )

    assert classes == {("session", "AMB"): 444, ("home_visit", "HH"): 114, ("phone", "VR"): 104}


def test_r20_two_notes_of_one_day_stay_two(taken: dict[str, list[Taken]]) -> None:
    days = Counter((one.item.subject, one.record["happened"][:10]) for one in taken["note"] if one.record["happened"])
    ids = {part.resource["id"] for part in parts(taken, "note")}

    assert max(days.values()) > 1
    assert len(ids) == sum(1 for _ in parts(taken, "note"))


def test_r24_secrets_and_safety_markers_are_in_nothing_that_is_kept(taken: dict[str, list[Taken]]) -> None:
    kept = b"\n".join(one.item.raw for found in taken.values() for one in found).decode()
    made = json.dumps([part.resource for name in KINDS for part in parts(taken, name)], ensure_ascii=False)
    secrets = {user["password"] for user in table("auth_app_user")}
    people = table("clients_clientfile")
    secrets |= {person[field] for person in people for field in ("phone", "email") if person[field]}
    secrets |= {person["consent_notes"] for person in people if person["consent_notes"]}

    for text in (kept, made):
        assert not re.search(r"argon2|password|is_dv_safe|dv_safe|@[a-z]+\.|consent", text, re.IGNORECASE)
        assert not [secret for secret in secrets if secret in text]
    suggestions = {note["participant_suggestion"] for note in table("notes_progressnote")} - {""}
    assert not [text for text in suggestions if text in kept or text in made]


def test_narrative_and_where_people_live_never_stand_in_an_ordinary_part(taken: dict[str, list[Taken]]) -> None:
    """R26's ground: release can only withhold what is labelled."""
    words = {
        str(value)
        for one in taken["note"]
        for value in (
            one.record["text"],
            one.record["summary"],
            one.record["reflection"],
            *(goal[field] for goal in one.record["goals"] for field in ("goal_name", "text", "client_words")),
        )
        if value
    }
    for part in parts(taken, "note"):
        if part.labels != {"ordinary"}:
            continue
        sections = part.resource.get("section", [])
        assert len(sections) == len(part.sections)
        ordinary = [section for section, labels in zip(sections, part.sections, strict=True) if labels == {"ordinary"}]
        plain = json.dumps({**part.resource, "section": ordinary}, ensure_ascii=False)
        assert not [said for said in words if json.dumps(said, ensure_ascii=False)[1:-1] in plain]
        assert "helter" not in plain


def test_the_people_beside_the_export_are_the_same_on_every_run() -> None:
    people = clients()

    assert len(people) == 107
    assert people == clients()
    assert Counter(person.agreed.value for person in people) == {
        "narrative": 53,
        "coded": 26,
        "nothing": 10,
        "other": 6,
        "expired": 4,
        "later": 4,
        "revoked": 4,
    }
    assert consents(people).splitlines()[0] == "agency,person,practice,from,until,narrative"
    assert len(consents(people).splitlines()) == 1 + 97
    assert len(rosters(people).splitlines()) == 1 + 107
    assert len(revoked(people)) == 4


def test_the_practices_know_their_patients_by_their_own_numbers_only() -> None:
    people = clients()
    loaded = [patient for practice in ("riverside", "northgate") for patient in patients(people, practice)]
    validator = Validator(definitions.load())

    assert len(loaded) == 107
    assert len({(one["identifier"][0]["system"], one["identifier"][0]["value"]) for one in loaded}) == 107
    assert all("id" not in one for one in loaded)
    wrong = [
        finding
        for one in loaded
        for finding in validator.check(one, ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"])
        if finding.severity is not Severity.INFORMATION
    ]
    assert wrong == []
