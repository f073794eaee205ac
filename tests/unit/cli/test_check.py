"""`bridge check`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import bridge.mappings
from tests.unit.cli.conftest import Command, Told
from tests.unit.cli.golden import matches

CASE = """\
kind: ma-soc/child
record: { id: c-1, name: { family: Ejemplo, given: [Luz] } }
cases:
  - name: a child is a patient
    expect: { parts: { patient: { about: c-1, is: { "name[0].family": Otro } } } }
"""
CASES = """\
# Our own children.
kind: ma-soc/child
record: { id: c-1, name: { family: Ejemplo, given: [Luz] } }
cases:
  - name: a child is a patient   # as in the pack
    expect:
      parts:
        patient:
          about: c-1
          is:
            # the family's name comes first
            "name[0].family": Otro
            "name[0].famly": Ejemplo
            gender: unknown
          has_not: [active, telecom]
  - name: without a row
    record: { gender: azul }
    expect: { parts: { patient: { about: c-1 } } }   # not so
  - name: without a name
    record: { name: null }
    expect:
      holds: [x]
  - name: as it should be
    expect: { parts: { patient: {} } }
"""


def own(command: Command, text: str, file: str = "cases/own.cases.yaml") -> Path:
    path = command.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_project_that_is_well(command: Command) -> None:
    told = command("check")
    assert (told.code, told.err) == (0, "")
    assert told.out.endswith(": all is well\n")
    found = command("check", "--json").json
    assert (found["ok"], found["problems"], found["without_cases"]) == (True, [], [])
    assert found["cases"] > 50


def test_the_answer_for_programs_is_whole_and_the_same_every_time(command: Command) -> None:
    own(command, CASE)
    told = command("check", "ma-soc/child", "--json")
    assert command("check", "ma-soc/child", "--json").out == told.out
    assert set(told.json) == {
        "ok", "packs", "kinds", "tables", "rows", "cases", "hash", "problems", "warnings", "differences",
        "without_cases", "coverage", "updated",
    }  # fmt: skip
    assert told.json["differences"] == [
        {
            "case": "a child is a patient",
            "kind": "ma-soc/child",
            "where": told.json["problems"][0]["where"],
            "part": "patient",
            "path": "name[0].family",
            "expected": "Otro",
            "found": "Ejemplo",
        }
    ]
    (child,) = [one for one in told.json["coverage"]["mappings"] if one["name"] == "ma-soc/child"]
    assert child["lines"]["covered"] == child["lines"]["of"] == 11
    assert {"missed", "branches"} <= child.keys()


def test_a_case_that_comes_out_otherwise_is_told_by_its_line(command: Command, tmp_path: Path) -> None:
    own(command, CASE)
    told = command("check", "ma-soc/child")
    assert (told.code, matches("check-case", told.err, tmp_path)) == (1, True)


def test_only_some_kinds_are_checked_by_name_or_by_file(command: Command) -> None:
    path = own(command, CASE)

    def kinds(*only: str) -> tuple[int, list[str]]:
        found = command("check", *only, "--json").json
        return found["cases"], [one["name"] for one in found["coverage"]["mappings"]]

    assert kinds("ma-soc/dyad")[1] == ["ma-soc/dyad"]
    assert kinds(str(path)) == kinds("ma-soc/child") == kinds("ma-soc/child.kind.yaml")
    assert kinds("ma-soc/tables/race.csv")[1] == ["ma-soc/child"]
    assert command("check", "ma-soc/dyad").code == 0
    assert command("check", "ma-soc/child").code == 1


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
    own(command, text, file)
    told = command("check")
    assert (told.code, matches(name, told.err, tmp_path)) == (2, True)


def test_a_name_that_is_nothing_is_wrong_use(command: Command, tmp_path: Path) -> None:
    told = command("check", "ma-soc/chidl")
    assert (told.code, matches("check-unknown", told.err, tmp_path)) == (2, True)


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


def test_r13_a_row_whose_code_does_not_belong_where_it_stands_is_told(command: Command) -> None:
    row = "azul,urn:x,blue,Blue,equivalent,made up,\n"
    path = own(command, f"code,system,target,display,equivalence,source,note\n{row}", "tables/ma-soc/gender.csv")
    told = command("check", "ma-soc/child")
    assert told.code == 1
    assert f"project/tables/ma-soc/{path.name}:2:1: azul: in patient Patient.gender: " in told.err


LOOSE = (
    "mapping: child\nreads: ma-soc/child\nextends: ma-soc/child\nemits: { patient: { birtDate: '{{ birth_date }}' } }\n"
)


def test_what_lint_finds_is_a_finding_and_the_cases_are_run_where_they_can_be(command: Command) -> None:
    own(command, LOOSE, "mappings/child.yaml")
    told = command("check", "ma-soc/child")
    assert told.code == 1
    assert "project/child.yaml:4:" in told.err
    assert "did you mean birthDate?" in told.err
    assert "[case-differs]" not in told.err
    assert "child" in told.out


def test_a_warning_is_a_finding_where_that_is_asked_for(command: Command) -> None:
    own(command, "code,system,target,display,equivalence,source,note\n", "tables/ma-soc/unread.csv")
    plain, strict = command("check", "ma-soc/child"), command("check", "--strict")
    found = command("check", "--json").json
    assert plain.code == 0
    if found["warnings"]:
        assert (found["ok"], strict.code) == (True, 1)
        assert strict.err.startswith("✗ ")


# ── update ────────────────────────────────────────────────────────────────────────────────────────────────────────
def update(command: Command, *more: str) -> Told:
    return command("check", "ma-soc/child", "--update", *more)


def test_nothing_is_updated_unasked(command: Command) -> None:
    path = own(command, CASES)
    assert command("check", "ma-soc/child").code == 1
    assert path.read_text() == CASES


def test_failing_cases_are_written_anew_and_all_else_stays(command: Command, tmp_path: Path) -> None:
    path = own(command, CASES)
    told = update(command)
    assert (told.code, told.err) == (0, "")
    diff = told.out[: told.out.index("ma-soc/child ")]
    assert matches("check-update", diff, tmp_path)
    assert update(command, "--json").json["updated"] == []
    assert path.read_text().count("#") == CASES.count("#")


def test_the_line_ends_of_a_file_stay(command: Command) -> None:
    path = own(command, CASE)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert update(command).code == 0
    assert path.read_bytes() == CASE.replace("Otro", "Ejemplo").replace("\n", "\r\n").encode()


def test_nothing_is_updated_while_lint_has_errors(command: Command) -> None:
    path = own(command, CASES)
    own(command, "mapping: child\nreads: ma-soc/child\nemits: {}\nholdings: {}\n", "mappings/child.yaml")
    told = update(command)
    assert (told.code, path.read_text()) == (2, CASES)
    assert "no case was updated: what lint reports comes first\n" in told.out


def test_a_variation_updates_only_the_cases_of_its_own_folder(command: Command, tmp_path: Path) -> None:
    own(
        command,
        "mapping: child\nreads: ma-soc/child\nextends: ma-soc/child\nemits: { patient: { gender: unknown } }\n",
        "mappings/child.yaml",
    )
    told = update(command)
    assert (told.code, matches("check-update-pack", told.err, tmp_path)) == (1, True)
    assert not (command.folder / "cases").exists()


def test_the_author_of_a_pack_works_on_its_own_folder(command: Command, tmp_path: Path) -> None:
    pack = command.folder = tmp_path / "ma-soc"
    shutil.copytree(Path(bridge.mappings.__file__).parent / "packs" / "ma-soc", pack)
    cases = pack / "child.cases.yaml"
    before = cases.read_text()
    cases.write_text(before.replace("gender: male\n            birth", "gender: other\n            birth"))
    assert command("check", "ma-soc/child").code == 1
    told = update(command)
    assert (told.code, told.err) == (0, "")
    assert f"+++ {cases}\n" in told.out
    assert cases.read_text() == before
