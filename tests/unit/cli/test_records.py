"""`bridge accept`: what is good is kept, what is not is told, and the exit code says which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.api.opened import contact
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches

CANARY = "Zzyzx-Quetzal"
KIND = ("--agency", "harbor", "--kind", "ma-soc/contact")


def test_a_file_is_taken_and_its_fates_are_counted(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "contacts.ndjson"
    path.write_text("\n".join(json.dumps(contact(f"k-{n}")) for n in range(3)))
    told = command("accept", path, *KIND)
    assert (told.code, told.out, told.err) == (0, "3 new\n", "")
    told = command("accept", path, *KIND, "--json")
    assert told.code == 0
    assert told.json["fates"]["resend"] == 3
    assert told.json["rejected"] == []


def test_what_is_wrong_is_told_by_its_line_and_what_is_good_beside_it_is_kept(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "contacts.ndjson"
    lines = [json.dumps(contact("k-1")), f"{{{CANARY}", json.dumps(contact("k-2", status=CANARY))]
    path.write_text("\n".join(lines))
    told = command("accept", path, *KIND)
    assert told.code == 1
    assert CANARY not in told.out + told.err
    assert matches("accept", told.out + told.err, tmp_path)
    told = command("accept", path, *KIND, "--json")
    assert [item["index"] for item in told.json["rejected"]] == [1, 2]
    assert CANARY not in told.out


def test_an_empty_list_is_nothing_to_take(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    path.write_text("[]")
    assert command("accept", path, *KIND).out == "nothing to take\n"


def test_a_query_over_a_folder_makes_the_records(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "calls.json").write_text(json.dumps([contact("k-1"), contact("k-2")]))
    query = tmp_path / "calls.sql"
    query.write_text("SELECT json FROM read_json_objects(getvariable('folder') || '/calls.json', format = 'array')")
    assert command("accept", tmp_path / "export", *KIND, "--query", query).out == "2 new\n"


def test_the_agency_must_be_known(command: Command, tmp_path: Path) -> None:
    told = command("accept", tmp_path / "x.json", "--kind", "ma-soc/contact")
    assert (told.code, matches("accept-no-agency", told.err, tmp_path)) == (2, True)
    told = command("accept", tmp_path / "x.json", "--agency", "harbour")
    assert (told.code, matches("accept-wrong-agency", told.err, tmp_path)) == (2, True)


def test_a_file_that_is_not_there_is_a_finding(command: Command, tmp_path: Path) -> None:
    told = command("accept", tmp_path / "x.json", *KIND)
    assert (told.code, matches("accept-no-file", told.out + told.err, tmp_path)) == (1, True)
