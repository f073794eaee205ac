"""The pack's queries over a small invented export: what the real one happens not to hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import Problem
from bridge.jobs.files import Row, read, shipped_query
from bridge.mappings import load

CANARY = "Zzyzx-Quetzal"
TYPED = "2026-03-09T09:00:00+00:00"
TABLES: dict[str, list[dict[str, Any]]] = {
    "auth_app_user": [
        {"id": 4, "display_name": "Rosa Quill", "password": CANARY, "email": CANARY, "mfa_secret": CANARY}
    ],
    "programs_program": [
        {"id": 1, "name": "Garden", "is_confidential": False},
        {"id": 2, "name": "Harbour", "is_confidential": True},
    ],
    "clients_clientfile": [
        {
            "id": 7,
            "status": "active",
            "is_anonymised": False,
            "first_name": "Ondine",
            "middle_name": "",
            "last_name": "Varga",
            "birth_date": "1991-04-09",
            "preferred_language": "fr",
            "updated_at": TYPED,
            "phone": CANARY,
            "email": CANARY,
            "is_dv_safe": True,
            "consent_notes": CANARY,
        }
    ],
    "clients_serviceepisode": [
        {"id": 2, "client_file_id": 7, "program_id": 2, "status": "active", "enrolled_at": TYPED, "started_at": None}
    ],
    "communications_communication": [],
    "plans_metricdefinition": [
        {"id": 1, "name": "PHQ-9 (Depression)", "unit": "score", "category": "mental_health", "metric_type": "scale"},
        {"id": 2, "name": "Nights in Shelter", "unit": "nights", "category": "housing", "metric_type": "scale"},
        {"id": 3, "name": "Drinks", "unit": "", "category": "substance_use", "metric_type": "scale"},
        {"id": 4, "name": "I am welcome", "unit": "", "category": "client_experience", "metric_type": "scale"},
        {"id": 5, "name": "How is it?", "unit": "", "category": "general", "metric_type": "open_text"},
        {"id": 6, "name": "Job", "unit": "", "category": "employment", "metric_type": "achievement"},
    ],
    "plans_plansection": [
        {
            "id": 20,
            "client_file_id": 7,
            "name": "B",
            "status": "default",
            "program_id": 1,
            "sort_order": 2,
            "updated_at": TYPED,
        },
        {
            "id": 21,
            "client_file_id": 7,
            "name": "A",
            "status": "default",
            "program_id": 2,
            "sort_order": 1,
            "updated_at": TYPED,
        },
    ],
    "plans_plantarget": [
        {
            "id": 30,
            "plan_section_id": 20,
            "client_file_id": 7,
            "status": "default",
            "achievement_status": "",
            "target_date": None,
            "client_goal": "¡Dormir!  «ya»\n– sin más",
            "name": "Sleep",
            "description": "",
            "status_reason": CANARY,
            "sort_order": 0,
            "updated_at": "2026-03-10T09:00:00.250+00:00",
        }
    ],
    "plans_plantargetrevision": [
        {"plan_target_id": 30, "changed_by_id": None, "created_at": "2026-03-01T09:00:00+00:00"},
        {"plan_target_id": 30, "changed_by_id": 4, "created_at": "2026-03-10T09:00:00+00:00"},
    ],
    "notes_progressnote": [
        {
            "id": 50,
            "client_file_id": 7,
            "note_type": "full",
            "interaction_type": "session",
            "status": "default",
            "author_id": 4,
            "author_program_id": 2,
            "circle_id": 9,
            "begin_timestamp": "2026-03-08T14:00:00+00:00",
            "backdate": "2026-03-08T00:00:00+00:00",
            "duration_minutes": 50,
            "created_at": TYPED,
            "updated_at": TYPED,
            "notes_text": "",
            "summary": "We talked.",
            "participant_reflection": "",
            "participant_suggestion": CANARY,
        },
        {
            "id": 51,
            "client_file_id": 7,
            "interaction_type": "phone",
            "author_id": 99,
            "author_program_id": None,
            "begin_timestamp": None,
            "backdate": None,
            "created_at": TYPED,
            "updated_at": TYPED,
        },
    ],
    "notes_progressnotetarget": [
        {
            "id": 60,
            "progress_note_id": 50,
            "plan_target_id": 30,
            "progress_descriptor": "",
            "notes": "",
            "client_words": "sí",
        }
    ],
    "notes_metricvalue": [
        {"id": 70, "progress_note_target_id": 60, "metric_def_id": 1, "value": "9"},
        {"id": 71, "progress_note_target_id": 60, "metric_def_id": 1, "value": "about nine"},
        {"id": 72, "progress_note_target_id": 60, "metric_def_id": 2, "value": "3"},
        {"id": 73, "progress_note_target_id": 60, "metric_def_id": 3, "value": "2.50"},
        {"id": 74, "progress_note_target_id": 60, "metric_def_id": 4, "value": "4"},
        {"id": 75, "progress_note_target_id": 60, "metric_def_id": 5, "value": "Quieter."},
        {"id": 76, "progress_note_target_id": 60, "metric_def_id": 6, "value": "Placed — part-time"},
        {"id": 77, "progress_note_target_id": 60, "metric_def_id": 404, "value": "1"},
        {"id": 78, "progress_note_target_id": 60, "metric_def_id": 1, "value": ""},
    ],
}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name, lines in TABLES.items():
        (tmp_path / "data" / f"{name}.json").write_text(json.dumps(lines, ensure_ascii=False), encoding="utf-8")
    return tmp_path


def records(export: Path, name: str) -> list[dict[str, Any]]:
    """The records of one kind, which all must fit that kind without anything having to be removed."""
    kind = load.load(load.read_packs(["konote"])).kinds[f"konote/{name}"]
    found: list[Row | Problem] = list(read(export, query=shipped_query(kind.name)))
    rows = [row for row in found if isinstance(row, Row)]
    assert rows == found
    assert [kind.check(row.record) for row in rows] == [[]] * len(rows)
    assert [kind.strip(row.record) for row in rows] == [row.record for row in rows]
    return [row.record for row in rows]


@pytest.mark.parametrize("name", ["client", "note", "plan", "communication", "episode"])
def test_r24_the_queries_do_not_even_fetch_what_is_never_collected(export: Path, name: str) -> None:
    assert CANARY not in json.dumps(records(export, name))


def test_a_contact_happened_when_it_began_or_on_the_day_the_worker_set_and_never_when_it_was_typed(
    export: Path,
) -> None:
    begun, untold = records(export, "note")

    assert (begun["happened"], begun["duration_minutes"]) == ("2026-03-08T14:00:00+00:00", 50)
    assert untold["happened"] is None
    (episode,) = records(export, "episode")
    assert episode["started"] is None


def test_each_value_is_kept_by_what_it_is_and_by_what_it_would_tell(export: Path) -> None:
    (goal,) = records(export, "note")[0]["goals"]

    assert [one["number"] for one in goal["scores"]] == [9]
    assert goal["scores"][0]["metric"] == "phq-9-depression"
    assert [(one["metric"], one["number"]) for one in goal["home"]] == [("nights-in-shelter", 3)]
    assert [(one["metric"], one["number"]) for one in goal["substance"]] == [("drinks", 2.5)]
    assert [one["words"] for one in goal["answers"]] == ["Quieter."]
    assert [one["choice"] for one in goal["choices"]] == ["placed-part-time"]


def test_a_score_that_is_no_number_or_of_no_known_metric_is_counted_and_not_lost(export: Path) -> None:
    assert [note["unreadable_scores"] for note in records(export, "note")] == [2, 0]


def test_a_note_says_whose_it_is_and_what_it_is_part_of(export: Path) -> None:
    known, unknown = records(export, "note")

    assert (known["author"], known["confidential"], known["circle"]) == ("Rosa Quill", True, "9")
    assert (unknown["author"], unknown["confidential"], unknown["goals"]) == (None, False, [])


def test_r15_a_plan_keeps_the_client_s_words_and_the_order_of_its_sections(export: Path) -> None:
    (plan,) = records(export, "plan")

    assert [section["name"] for section in plan["sections"]] == ["A", "B"]
    (goal,) = plan["sections"][1]["goals"]
    assert goal["words"] == "¡Dormir!  «ya»\n– sin más"
    assert (goal["revised_by"], goal["revised_at"]) == ("Rosa Quill", "2026-03-10T09:00:00+00:00")
    assert (plan["confidential"], plan["updated_at"]) == (True, "2026-03-10T09:00:00.250+00:00")
