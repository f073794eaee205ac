"""`bridge check`, `mappings`, `definitions add` and `sandbox`."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches

CASE = """\
kind: ma-soc/child
record: { id: c-1, name: { family: Ejemplo, given: [Luz] } }
cases:
  - name: a child is a patient
    expect: { parts: { patient: { about: c-1, is: { "name[0].family": Otro } } } }
"""


def test_a_project_that_is_well(command: Command) -> None:
    told = command("check")
    assert (told.code, told.err) == (0, "")
    assert told.out.endswith("all is well\n")
    found = command("check", "--json").json
    assert (found["ok"], found["problems"], found["without_cases"]) == (True, [], [])
    assert found["cases"] > 50


def test_a_case_that_comes_out_otherwise_is_told_by_its_line(command: Command, tmp_path: Path) -> None:
    (command.folder / "cases").mkdir()
    (command.folder / "cases" / "child.cases.yaml").write_text(CASE)
    told = command("check")
    assert (told.code, matches("check-case", told.err, tmp_path)) == (1, True)
    found = command("check", "--json")
    assert (found.code, found.json["ok"], len(found.json["problems"])) == (1, False, 1)


def test_a_document_format_the_ehr_does_not_take_is_told_before_anything_is_sent(
    command: Command, tmp_path: Path
) -> None:
    path = command.folder / "bridge.yaml"
    lines = path.read_text().splitlines()
    at = [number for number, line in enumerate(lines) if "send_from" in line][1]  # of oak, whose EHR is Epic
    lines[at] += "\n    document: { mime: application/pdf }"
    path.write_text("\n".join(lines) + "\n")
    told = command("check")
    assert (told.code, matches("check-document", told.err, tmp_path)) == (1, True)
    started = command("work", "--until-idle")
    assert (started.code, matches("work-document", started.err, tmp_path)) == (2, True)


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        ("check-kind", "cases/own.cases.yaml", CASE.replace("ma-soc/child", "ma-soc/chidl")),
        ("check-table", "tables/ma-soc/contact-place.csv", "code,meaning\nhut,A hut\n"),
        ("check-mapping", "mappings/child.yaml", "mapping: child\nreads: ma-soc/child\nemits: {}\nholdings: {}\n"),
    ],
)
def test_what_cannot_be_used_is_wrong_configuration(
    command: Command, tmp_path: Path, name: str, file: str, text: str
) -> None:
    path = command.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    told = command("check")
    assert (told.code, matches(name, told.err, tmp_path)) == (2, True)


def test_every_mistake_in_the_settings_is_told_at_once(command: Command, tmp_path: Path) -> None:
    path = command.folder / "bridge.yaml"
    path.write_text(
        path.read_text()
        .replace("packs: [ma-soc]", "packs: [ma-sox]")
        .replace("timezone: America/Chicago", "timezone: Chicago", 1)
    )
    told = command("check", "--json")
    assert told.code == 2
    assert len(json.loads(told.out)["problems"]) == 2
    assert matches("check-settings", told.err, tmp_path)


def test_what_can_be_taken_in_is_listed(command: Command) -> None:
    told = command("mappings")
    assert told.code == 0
    assert "ma-soc/contact             A contact with a family\n" in told.out
    found = command("mappings", "--json").json
    (contact,) = [kind for kind in found["kinds"] if kind["kind"] == "ma-soc/contact"]
    assert contact["mapping"] == "ma-soc/contact"
    assert "encounter" in contact["parts"]
    assert "ma-soc/contact-place" in contact["tables"]
    assert contact["cases"] > 5


def package(path: Path, *resources: dict[str, Any]) -> Path:
    manifest = {"name": "example.site", "version": "1.0.0", "fhirVersions": ["4.0.1"]}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in [
            ("package.json", manifest),
            *((f"{one['resourceType']}-{one['id']}.json", one) for one in resources),
        ]:
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


DATE_TIME = [{"code": "dateTime"}]
PROFILE = {
    "resourceType": "StructureDefinition",
    "id": "site-communication",
    "url": "https://site.example/fhir/StructureDefinition/site-communication",
    "name": "SiteCommunication",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Communication",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Communication",
    "derivation": "constraint",
    "snapshot": {
        "element": [
            {"id": "Communication", "path": "Communication", "min": 0, "max": "*"},
            {"id": "Communication.sent", "path": "Communication.sent", "min": 1, "max": "1", "type": DATE_TIME},
        ]
    },
}  # fmt: skip


def test_a_sites_own_profiles_are_added_to_the_project(command: Command, tmp_path: Path) -> None:
    path = package(tmp_path / "site.tgz", PROFILE)
    told = command("definitions", "add", path)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("example.site#1.0.0: 1 profiles, 0 value sets in ")
    assert (command.folder / "definitions" / "example.site-1.0.0.json").is_file()
    assert command("definitions", "add", path, "--json").json["profiles"] == [PROFILE["url"]]
    assert command("check").code == 0


def test_what_is_no_package_is_wrong_use(command: Command, tmp_path: Path) -> None:
    (tmp_path / "site.tgz").write_text("no archive")
    told = command("definitions", "add", tmp_path / "site.tgz")
    assert (told.code, matches("definitions", told.err, tmp_path)) == (2, True)
