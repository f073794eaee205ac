"""A draft of every file of a real system's export (fictional people)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import ConfigError
from bridge.mappings.draft import draft
from bridge.mappings.draft.columns import STAYING
from bridge.mappings.records import tidy, values_at
from tests.absent import absent
from tests.unit.mappings.draft.drawn import loaded

EXPORT = Path(__file__).resolve().parents[5] / "shared" / "data" / "konote" / "export-2026-11-21" / "data"
MINED = ("clients_clientfile", "notes_progressnote", "communications_communication", "plans_plantarget")

pytestmark = pytest.mark.outside


def records(name: str) -> list[dict[str, Any]]:
    if not EXPORT.is_dir():
        absent("the KoNote export is kept beside the project (../shared/data/konote) and is not here")
    return [row for row in json.loads((EXPORT / f"{name}.json").read_text()) if isinstance(row, dict)]


@pytest.mark.parametrize("name", MINED)
def test_a_file_of_the_export(name: str) -> None:
    rows = records(name)
    made = draft(rows, f"konote/{name.replace('_', '-')}", f"{name}.json")
    assert (made.problems, made.refused, made.records) == ((), 0, len(rows))
    text = "\n".join(made.files.values())
    for column in made.columns:
        if column.sort in STAYING or column.stays == "never":
            for row in rows:
                for value in values_at(tidy(row), column.path):
                    spoken = isinstance(value, str) and len(value) > 8
                    assert not spoken or value not in text, column.dotted
    assert loaded(made).mappings


def test_every_file_loads_or_is_refused_in_words() -> None:
    records(MINED[0])
    drafts, refusals = 0, set()
    for path in sorted(EXPORT.glob("*.json")):
        if path.stat().st_size > 2_000_000:
            continue
        try:
            rows = [row for row in json.loads(path.read_text()) if isinstance(row, dict)]
            made = draft(rows, f"konote/{path.stem.replace('_', '-')}", path.name)
        except ConfigError as error:
            refusals |= {problem.code for problem in error.problems}
            continue
        drafts += 1
        assert (made.problems, made.refused) == ((), 0), path.name
    assert (drafts > 20, refusals) == (True, {"draft-empty"})


def test_names_and_notes_are_found_for_what_they_are() -> None:
    client = {one.dotted: one for one in draft(records("clients_clientfile"), "konote/client", "c.json").columns}
    for name in ("first_name", "preferred_name", "last_name", "birth_date", "phone", "email", "is_dv_safe"):
        assert client[name].stays == "agency_only", name
    assert client["preferred_contact_method"].values == ("none", "sms", "email", "both")
    note = {one.dotted: one for one in draft(records("notes_progressnote"), "konote/note", "n.json").columns}
    assert {name for name, one in note.items() if one.sort == "words"} >= {
        "notes_text",
        "summary",
        "participant_reflection",
        "participant_suggestion",
    }
    users = {one.dotted: one for one in draft(records("auth_app_user"), "konote/user", "u.json").columns}
    assert users["password"].stays == "never"
