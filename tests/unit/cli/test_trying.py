"""`bridge try`: what is shown of a record, and how the command ends."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.cli import main
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.mappings.small import pack

CONTACT: dict[str, Any] = {
    "id": "V-1",
    "status": "signed",
    "child": "K-1",
    "caregiver": "M-1",
    "started": "2026-01-05 10:00",
    "ended": "2026-01-05 10:40",
    "mode": "in-person",
    "place": "home",
    "outcome": "reached",
    "purposes": ["engagement"],
    "supports": ["emotional"],
    "attendees": [{"role": "caregiver"}],
    "staff": [{"role": "family-partner", "name": "Rosa Quill"}],
    "narrative": "Hablamos del sueño.",
    "language": "es",
    "self_disclosure": "CANARY",
}


def records(folder: Path, *found: dict[str, Any]) -> Path:
    path = folder / "records.ndjson"
    path.write_text("".join(json.dumps(record) + "\n" for record in found), encoding="utf-8")
    return path


def test_a_record_is_shown_as_its_document_and_parts(command: Command, tmp_path: Path) -> None:
    told = command("try", "ma-soc/contact", records(tmp_path, CONTACT))
    assert told.err == ""
    assert matches("try", told.out, tmp_path)
    assert told.code == 0
    assert "CANARY" not in told.out
    assert "Hablamos del sueño." in told.out


def test_what_waits_and_what_is_refused(command: Command, tmp_path: Path) -> None:
    path = records(
        tmp_path, {**CONTACT, "place": "barn"}, {**CONTACT, "status": "CANARY"}, {**CONTACT, "status": "void"}
    )
    told = command("try", "contact", path)
    assert (told.code, matches("try-held", told.out, tmp_path), matches("try-refused", told.err, tmp_path)) == (
        1,
        True,
        True,
    )
    assert "CANARY" not in told.out + told.err


def test_the_answer_in_json(command: Command, tmp_path: Path) -> None:
    told = command("try", "ma-soc/contact", records(tmp_path, CONTACT, {**CONTACT, "place": "barn"}), "--json")
    assert told.code == 1
    answer = told.json
    assert list(answer) == ["kind", "mapping", "hash", "agency", "counts", "records"]
    assert answer["counts"] == {"unreadable": 0, "rejected": 0, "void": 0, "held": 1, "made": 1}
    made, held = answer["records"]
    assert list(made) == ["where", "state", "final", "never", "problems", "parts", "holds", "findings", "documents"]
    assert (made["where"], made["never"], made["final"]) == ("records.ndjson:1", 1, True)
    note = next(part for part in made["parts"] if part["name"] == "note")
    assert (note["labels"], note["sections"]) == (["ordinary"], [["ordinary"], ["narrative"]])
    assert held["holds"][0]["waits_for"].endswith(":ma-soc/contact-place:barn")


def test_the_agency_decides_name_and_zone(command: Command, tmp_path: Path) -> None:
    path = records(tmp_path, CONTACT)
    answers = [command("try", "ma-soc/contact", path, "--agency", one, "--json").json for one in ("harbor", "cedar")]
    assert [answer["agency"] for answer in answers] == ["harbor", "cedar"]
    assert answers[0]["records"][0]["parts"] != answers[1]["records"][0]["parts"]
    assert command("try", "ma-soc/contact", path, "--agency", "harbur").code == 2


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    path = records(tmp_path, CONTACT)
    for arguments in (["ma-soc/contact"], ["contact", "--pack", "ma-soc"]):
        assert main(["try", *arguments, str(path), "--resources"]) == 0
        assert "    resourceType: Encounter\n" in capsys.readouterr().out
    assert main(["try", "contact", str(path)]) == 2
    assert "no mapping has this name; there are none [try-mapping]" in capsys.readouterr().err
    assert main(["try", "ma-soc/contct", str(path)]) == 2
    assert "did you mean `ma-soc/contact`?" in capsys.readouterr().err


def tiny(folder: Path) -> Path:
    for path, text in pack().items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder / "tiny" / "visit.yaml"


def test_a_mapping_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mapping = tiny(tmp_path)
    path = records(tmp_path, {"id": "V1", "child": "K1", "place": "home", "secret": "CANARY"})
    for file in (mapping, mapping.with_name("visit.kind.yaml")):
        assert main(["try", str(file), str(path)]) == 1  # an Encounter without a type is no US Core Encounter
        told = capsys.readouterr()
        assert "visit: Encounter about the child K1; ordinary" in told.out
        assert "1 fields never collected" in told.out
        assert "CANARY" not in told.out
    mapping.write_text(mapping.read_text().replace("place) }}", "plaze) }}"))
    assert main(["try", str(mapping), str(path)]) == 2
    assert "tiny/visit.yaml:10" in capsys.readouterr().err
    mapping.write_text("just text")
    assert main(["try", str(mapping), str(path)]) == 2
    assert main(["try", str(mapping.with_name("none.yaml")), str(path)]) == 2


@pytest.mark.parametrize("lines", [False, True])
def test_standard_input(lines: bool, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{json.dumps(CONTACT)}\n{json.dumps(CONTACT)}\n" if lines else json.dumps([CONTACT, CONTACT], indent=1)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    answer = command("try", "ma-soc/contact", "-", "--json")
    assert (answer.code, answer.json["counts"]["made"]) == (0, 2)
    assert command("try", "ma-soc/contact", "-", "--watch").code == 2


def test_a_file_that_is_none_is_a_finding(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;child\n1;2\n")
    told = command("try", "ma-soc/contact", tmp_path / "a.csv", tmp_path / "none.json")
    assert told.code == 1
    assert "cells must be separated by commas" in told.err
    assert "there must be a file of this name" in told.err


def test_watching_tries_again_when_a_file_changes_and_survives_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mapping = tiny(tmp_path)
    whole = mapping.read_text()
    path = records(tmp_path, {"id": "V1", "child": "K1", "place": "home"})
    table = tmp_path / "tiny" / "tables" / "place.csv"
    changes: list[Callable[[], object]] = [
        lambda: mapping.write_text(whole.replace("place) }}", "plaze) }}")),
        lambda: None,
        lambda: mapping.write_text(whole),
        lambda: table.write_text(table.read_text().replace("home,urn", "barn,urn")),
        lambda: records(tmp_path, {"id": "V1", "child": "K1", "place": "barn"}),
    ]

    def sleep(_seconds: float) -> None:
        if not changes:
            raise KeyboardInterrupt
        change = changes.pop(0)
        change()

    monkeypatch.setattr(time, "sleep", sleep)
    assert main(["try", str(mapping), str(path), "--watch"]) == 1
    told = capsys.readouterr()
    runs = [line.rsplit(": ", 1)[1] for line in told.out.splitlines() if line.startswith("tiny/visit by")]
    assert runs == ["1 made", "1 made", "1 held", "1 made"]
    assert told.err.count("tiny/visit.yaml:10") == 1
