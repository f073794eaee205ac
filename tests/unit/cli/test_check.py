"""`bridge check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.mappings.small import MAPPING, pack

CASE = """\
kind: ma-soc/child
record: { id: c-1, name: { family: Ejemplo, given: [Luz] } }
cases:
  - name: a child is a patient
    expect: { parts: { patient: { about: c-1, is: { "name[0].family": Otro } } } }
"""
CASES = """\
# Our own visits.
kind: tiny/visit
record: { id: V1, child: K1, place: home }
cases:
  - name: at home   # as ever
    expect:
      parts:
        visit:
          about: K1
          is:
            # the code comes first
            class.code: FLD
            class.cod: HH
            status: finished
          has_not: [status, priority]
  - name: without a row
    record: { place: barn }
    expect: { parts: { visit: { about: K1 } } }   # not so
  - name: without a child
    record: { child: null }
    expect:
      holds: [x]
  - name: as it should be
    expect: { parts: { visit: {} } }
"""


VISIT = MAPPING.replace("    status: finished", "    status: finished\n    type: [ { text: Visit } ]")


@pytest.fixture
def tiny(command: Command, tmp_path: Path) -> Command:
    """The command over the folder of a small pack that is being worked on."""
    command.folder = tmp_path / "tiny"
    for path, text in {**pack(VISIT), "tiny/pack.yaml": "", "tiny/visit.cases.yaml": CASES}.items():
        own(command, text, path.removeprefix("tiny/"))
    return command


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
    found = command("check", str(path), "ma-soc/tables/attendee-role.csv", "--json").json
    assert [one["name"] for one in found["coverage"]["mappings"]] == ["ma-soc/child", "ma-soc/contact", "ma-soc/team"]
    assert [problem["where"].partition(":")[0] for problem in found["problems"]] == ["project/own.cases.yaml"]
    assert command("check", "ma-soc/dyad").code == 0


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


# ── update ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_nothing_is_updated_unasked(tiny: Command) -> None:
    assert tiny("check").code == 1
    assert (tiny.folder / "visit.cases.yaml").read_text() == CASES


def test_failing_cases_are_written_anew_and_all_else_stays(tiny: Command, tmp_path: Path) -> None:
    told = tiny("check", "--update")
    assert (told.code, "✗" in told.err) == (0, False)
    assert matches("check-update", told.out, tmp_path)
    assert tiny("check", "--update", "--json").json["updated"] == []
    assert (tiny.folder / "visit.cases.yaml").read_text().count("#") == CASES.count("#")


def test_the_line_ends_of_a_file_stay(tiny: Command) -> None:
    path = tiny.folder / "visit.cases.yaml"
    assert tiny("check", "--update").code == 0
    right = path.read_text()
    path.write_bytes(CASES.replace("\n", "\r\n").encode())
    assert tiny("check", "--update").code == 0
    assert path.read_bytes() == right.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(("wrong", "code"), [("staus: finished", 1), ('status: "{{ oops( }}"', 2)])
def test_nothing_is_updated_while_lint_has_errors(tiny: Command, wrong: str, code: int) -> None:
    own(tiny, VISIT.replace("status: finished", wrong), "visit.yaml")
    told = tiny("check", "--update")
    assert (told.code, (tiny.folder / "visit.cases.yaml").read_text()) == (code, CASES)
    assert "no case was updated: what lint reports comes first\n" in told.out
    assert ("no case was run" in told.out) == (code == 2)


def test_a_warning_is_a_finding_where_that_is_asked_for(tiny: Command, tmp_path: Path) -> None:
    own(tiny, CASES[: CASES.index("  - name")] + CASES[CASES.index("  - name: as it should") :], "visit.cases.yaml")
    plain, strict = tiny("check"), tiny("check", "--strict")
    assert (plain.code, strict.code) == (0, 1)
    assert matches("check-warnings", plain.err, tmp_path)
    assert strict.err == plain.err.replace("! ", "✗ ")
    found = tiny("check", "--json").json
    assert (found["ok"], len(found["warnings"])) == (True, plain.err.count("! "))
    found = tiny("check", "--json", "--strict").json
    assert (found["ok"], found["warnings"], len(found["problems"])) == (False, [], strict.err.count("✗ "))


def test_a_variation_updates_only_the_cases_of_its_own_folder(command: Command, tmp_path: Path) -> None:
    own(
        command,
        "mapping: child\nreads: ma-soc/child\nextends: ma-soc/child\nemits: { patient: { gender: unknown } }\n",
        "mappings/child.yaml",
    )
    told = command("check", "ma-soc/child", "--update")
    assert (told.code, matches("check-update-pack", told.err, tmp_path)) == (1, True)
    assert not (command.folder / "cases").exists()


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
