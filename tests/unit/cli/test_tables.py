"""`bridge tables`: listed, and as ConceptMaps out and in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches

MAP: dict[str, Any] = {
    "resourceType": "ConceptMap",
    "url": "http://oak.example/ConceptMap/rooms",
    "version": "7",
    "title": "Rooms",
    "status": "active",
    "group": [
        {
            "source": "urn:oak:room",
            "target": "urn:place",
            "element": [
                {"code": "k", "display": "Kitchen", "target": [{"code": "K", "equivalence": "equal"}]},
                {"code": "y", "target": [{"code": "Y", "equivalence": "equal"}, {"code": "G", "equivalence": "wider"}]},
            ],
        }
    ],
}


def test_tables_are_listed_with_their_version(command: Command) -> None:
    told = command("tables", "list")
    assert told.code == 0
    assert "ma-soc/contact-place              11 rows  " in told.out
    (place,) = [
        one for one in command("tables", "list", "--json").json["tables"] if one["table"] == "ma-soc/contact-place"
    ]
    assert (place["rows"], len(place["version"]), place["used_by"]) == (11, 12, ["ma-soc/contact"])


def test_a_table_goes_out_and_comes_in_the_same(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "maps" / "place.json"
    assert command("tables", "export", "ma-soc/contact-place", "--into", out).code == 0
    resource = json.loads(out.read_text(encoding="utf-8"))
    assert resource == command("tables", "export", "ma-soc/contact-place").json
    before = command("tables", "list", "--json").json
    told = command("tables", "import", out, "ma-soc/contact-place")
    assert (told.code, told.out.split(" in ")[0]) == (0, "11 rows")
    assert command("tables", "list", "--json").json == before
    assert not (command.folder / "tables" / "ma-soc" / "contact-place.yaml").exists()
    assert list(command.folder.rglob("*.part")) == []


def test_what_a_table_cannot_say_is_told_and_left_out(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "rooms.json"
    file.write_text(json.dumps(MAP))
    told = command("tables", "import", file, "rooms")
    assert (told.code, matches("tables-import", told.out + told.err, tmp_path)) == (1, True)
    beside = yaml.safe_load((command.folder / "tables" / "rooms.yaml").read_text())
    assert beside == {"version": "7", "title": "Rooms", "url": MAP["url"], "system": "urn:oak:room"}
    (rooms,) = [one for one in command("tables", "list", "--json").json["tables"] if one["table"] == "project/rooms"]
    assert (rooms["rows"], rooms["url"], rooms["version"][:2]) == (1, MAP["url"], "7+")
    again = command("tables", "import", file, "rooms", "--replace", "--json")
    assert (again.code, again.json["rows"], len(again.json["problems"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("name", "content", "table"),
    [
        ("tables-json", "{", "rooms"),
        ("tables-type", "[]", "rooms"),
        ("tables-name", json.dumps(MAP), "../rooms"),
        ("tables-exists", json.dumps(MAP), "taken"),
    ],
)
def test_what_is_no_concept_map_or_no_place_for_one(
    command: Command, tmp_path: Path, name: str, content: str, table: str
) -> None:
    file = tmp_path / "rooms.json"
    file.write_text(content)
    (command.folder / "tables").mkdir(exist_ok=True)
    (command.folder / "tables" / "taken.csv").write_text("code\n")
    told = command("tables", "import", file, table)
    assert (told.code, matches(name, told.out + told.err, tmp_path)) == (1 if name == "tables-type" else 2, True)
    assert [path.name for path in (command.folder / "tables").iterdir()] == ["taken.csv"]


def test_a_table_that_is_not_here_is_named(command: Command, tmp_path: Path) -> None:
    told = command("tables", "export", "ma-soc/contact-plaec")
    assert (told.code, matches("tables-unknown", told.err, tmp_path)) == (2, True)
    told = command("tables", "import", tmp_path / "none.json", "rooms")
    assert (told.code, matches("tables-none", told.err, tmp_path)) == (2, True)


def test_a_row_that_no_concept_map_can_carry_is_told(command: Command, tmp_path: Path) -> None:
    (command.folder / "tables").mkdir(exist_ok=True)
    text = "code,system,target,display,equivalence,source,note\nk,urn:a,K,,narrower,here,\nl,urn:a,L,,equal,here,\n"
    (command.folder / "tables" / "rooms.csv").write_text(text)
    told = command("tables", "export", "project/rooms")
    assert (told.code, matches("tables-export", told.err, tmp_path)) == (1, True)
    assert [one["code"] for one in told.json["group"][0]["element"]] == ["l"]
