"""`bridge draft`: what is written where, what is refused, and that nobody's words are printed."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from bridge.cli import main
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.mappings.draft.drawn import HEADER, contacts, told


def source(folder: Path, text: str | None = None, name: str = "Contact Log.csv") -> Path:
    path = folder / name
    path.write_bytes((told(contacts()) if text is None else text).encode())
    return path


def test_a_draft_into_a_project(command: Command, tmp_path: Path) -> None:
    path = source(tmp_path)
    answer = command("draft", path)
    assert (answer.code, answer.err) == (0, "")
    assert matches("draft", answer.out, tmp_path)
    for place in ("mappings/contact-log.kind.yaml", "mappings/contact-log.yaml", "cases/contact-log.cases.yaml"):
        assert (command.folder / place).is_file()
    assert (command.folder / "tables" / "contact-log-place.csv").is_file()
    assert "CANARY" not in answer.out
    tried = command("try", command.folder / "mappings" / "contact-log.yaml", path, "--json")
    assert (tried.code, tried.json["counts"]["made"]) == (0, 30)
    listed = command("mappings", "--json").json
    assert "project/contact-log" in [kind["kind"] for kind in listed["kinds"]]


def test_nothing_is_written_over_unless_it_is_said(command: Command, tmp_path: Path) -> None:
    path = source(tmp_path)
    command("draft", path)
    kind = command.folder / "mappings" / "contact-log.kind.yaml"
    (command.folder / "mappings" / "contact-log.yaml").unlink()
    kind.write_text("mine")
    answer = command("draft", path)
    assert answer.code == 2
    assert "is there already and is not written over [draft-exists]" in answer.err
    assert kind.read_text() == "mine"
    assert not (command.folder / "mappings" / "contact-log.yaml").exists()
    assert command("draft", path, "--force").code == 0
    assert kind.read_text() != "mine"


def test_into_a_folder_without_any_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = source(tmp_path)
    assert main(["draft", str(path)]) == 2
    assert "there is no project here to write into [draft-where]" in capsys.readouterr().err
    assert main(["draft", str(path), "--into", "visits", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["kind"] == "visits/contact-log"
    assert answer["files"][0] == "visits/contact-log.kind.yaml"
    assert len([one for one in answer["fields"] if one["stays"]]) == 4
    assert {one["file"] for one in answer["unsure"]} == {one for one in answer["files"] if not one.endswith(".sql")}


def test_a_workbook(command: Command, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    for row in contacts():
        sheet.append([int(row[name]) if name == "minutes" and row[name] else row[name] for name in HEADER])
    book.save(tmp_path / "log.xlsx")
    answer = command("draft", tmp_path / "log.xlsx", "--kind", "visits/log", "--json")
    assert (answer.code, answer.json["records"], answer.json["refused"]) == (0, 40, 0)
    assert "minutes: { type: integer }" in (command.folder / "mappings" / "log.kind.yaml").read_text()


def test_a_query(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    rows = [{**row, "visit_date": "{1}/{2}/{0}".format(*row["visit_date"][:10].split("-"))} for row in contacts()]
    first = command("draft", source(folder, told(rows), "log.csv"))
    assert first.code == 0
    query = command.folder / "queries" / "log.sql"
    assert "no `when`" in (command.folder / "mappings" / "log.kind.yaml").read_text()
    again = command("draft", folder, "--query", query, "--force", "--json")
    assert (again.code, again.json["kind"], again.json["refused"]) == (0, "project/log", 0)
    assert "when: visit_date" in (command.folder / "mappings" / "log.kind.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file-empty"),
        ("a,b\n", "draft-empty"),
        ("id;child\n1;2\n", "file-header"),
        ("id,id\n1,2\n", "file-header"),
        ("id,\n1,2\n", "file-header"),
        ("C-1,2026-01-05,Luz\nC-2,2026-01-06,Ana\n", "draft-names"),
    ],
)
def test_what_cannot_be_drafted_from(command: Command, tmp_path: Path, text: str, code: str) -> None:
    answer = command("draft", source(tmp_path, text))
    assert answer.code == 2
    assert f"[{code}]" in answer.err
    assert not (command.folder / "mappings").exists()
    assert "Luz" not in answer.err


def test_rows_that_are_none_are_told_and_the_others_drafted_from(command: Command, tmp_path: Path) -> None:
    answer = command("draft", source(tmp_path, "\ufeff" + told(contacts()) + "CANARY,too few\n"), "--json")
    assert (answer.code, answer.json["records"]) == (1, 40)
    assert [problem["code"] for problem in answer.json["problems"]] == ["file-row"]
    assert "CANARY" not in answer.out + answer.err


@pytest.mark.parametrize("kind", ["contact", "Visits/Log", "a/b/c", "../x/y"])
def test_a_kind_of_another_form_is_refused(command: Command, tmp_path: Path, kind: str) -> None:
    assert command("draft", source(tmp_path), "--kind", kind).code == 2
