"""A record that its mapping holds for a person: sent as it is once somebody said so, or kept by its agency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from bridge import sandbox
from bridge.moves import answering
from tests.flow.pilot import SYSTEM, Site, pilot

PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "identifier": [{"system": SYSTEM, "value": "M-1"}],
    "name": [{"family": "Ejemplo", "given": ["Luz"]}],
    "birthDate": "1991-04-09",
}


def note(id: str, **more: Any) -> dict[str, Any]:
    """A note about a group session."""
    return {
        "id": id,
        "client": "7",
        "happened": "2026-03-09T09:00:00+00:00",
        "interaction": "group",
        "status": "default",
        "author": "Rosa Quill",
        "confidential": False,
        "updated_at": "2026-03-10T09:00:00+00:00",
        **more,
    }


def test_a_group_note_goes_once_somebody_said_so_and_the_next_version_is_asked_about_anew(tmp_path: Path) -> None:
    with sandbox.start("open") as ehr:
        httpx.post(f"{ehr.admin_url}/load", json=[PATIENT]).raise_for_status()
        with pilot(tmp_path / "pilot", [Site("maple", ehr.base_url)], packs="konote") as bridge:
            bridge.links("maple", {"7": "M-1"})
            bridge.consents("7,maple,2026-01-01,,yes")
            for accepted in bridge.accept("konote/note", note("1"), note("2")):
                assert accepted.problem is None, accepted.problem
            bridge.settle()
            first, second = bridge.holds()
            assert {first["reason"], second["reason"]} == {"decision"}
            assert answering.release_record(bridge.line, first["id"], True, "ana", bridge.clock())
            assert answering.release_record(bridge.line, second["id"], False, "ana", bridge.clock())
            bridge.settle()
            assert [(entry["thread"], entry["state"]) for entry in bridge.entries()] == [
                ("harbor/konote/note/1", "delivered")
            ]
            assert [(record["state"], record["decided"]) for record in bridge.records()] == [
                ("translated", "send"),
                ("translated", "keep"),
            ]
            assert bridge.holds() == []
            bridge.accept("konote/note", note("1", author="Rosa Q.", updated_at="2026-03-11T09:00:00+00:00"))
            bridge.settle()
            assert [hold["reason"] for hold in bridge.holds()] == ["decision"]
            assert bridge.counts()["delivered"] == 1
