"""`bridge mappings`, `definitions add` and `sandbox`."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches


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


def test_the_schemas_of_the_files_are_written_for_an_editor(command: Command, tmp_path: Path) -> None:
    told = command("mappings", "schemas", tmp_path / "schemas")
    assert (told.code, told.err) == (0, "")
    assert matches("schemas", told.out, tmp_path)
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "schemas").iterdir()}
    assert set(written) == {
        "bridge.schema.json",
        "cases.schema.json",
        "kind.schema.json",
        "mapping.schema.json",
        "table-row.schema.json",
        "table.schema.json",
    }
    assert {one["$schema"] for one in written.values()} == {"http://json-schema.org/draft-07/schema#"}


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
