"""`bridge capabilities`: of a practice's EHR, and of a statement's file of any shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge import sandbox
from bridge.cli import main
from bridge.jobs.open import open_line
from bridge.settings import load
from bridge.store import statements
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.ehr.making import ALL, statement

NOW = 1_794_694_400_000_000
R4 = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


def of_file(folder: Path, capture: pytest.CaptureFixture[str], body: object, *more: str) -> tuple[int, str, str]:
    path = folder / "statement.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    code = main(["capabilities", "--statement", str(path), *more])
    told = capture.readouterr()
    return code, told.out, told.err


def test_a_statement_of_a_server_never_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = statement(DocumentReference=(("create", "read"), ("patient",)), Observation=(ALL, ("patient", "code")))
    code, out, err = of_file(tmp_path, capsys, said)
    assert (code, err) == (0, "")
    assert matches("capabilities", out, tmp_path)


def test_json_has_resources_interactions_and_routes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = statement(DocumentReference=(("create",), ()), Observation=(ALL, ()))
    code, out, _ = of_file(tmp_path, capsys, said, "--json", "--enable", "Observation", "--vendor", "open")
    answer: dict[str, Any] = json.loads(out)
    assert code == 0
    create = answer["resources"]["Observation"]["create"]
    assert create["allowed"] is True
    assert create["because"].startswith("statement: ")
    assert answer["resources"]["CarePlan"]["create"]["allowed"] is False
    screening = {way["route"]: way["enabled"] for way in answer["routes"]["screening"]}
    assert screening == {"document": True, "Observation": True, "QuestionnaireResponse": False}
    assert all(way["loses"] for way in answer["routes"]["contact"])


@pytest.mark.parametrize(
    "rest",
    [
        None,
        [],
        {},
        "server",
        [{"mode": "server"}],
        [{"mode": "client", "resource": [{"type": "DocumentReference", "interaction": [{"code": "create"}]}]}],
        [{"mode": "server", "resource": [{"type": "Patient", "supportedProfile": ["http://example.org/p"]}]}],
        [{"mode": "server", "resource": [{"interaction": [{"code": "create"}]}, 7, None, {"type": 4}]}],
    ],
    ids=range(8),
)
def test_a_statement_that_says_little_is_read_and_everything_is_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rest: object
) -> None:
    code, out, _ = of_file(tmp_path, capsys, R4 | {"rest": rest}, "--json")
    assert code == 0
    assert {ways[0]["route"] for ways in json.loads(out)["routes"].values()} == {"held"}


def test_several_rests_add_up_and_a_huge_one_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = {"mode": "server", "resource": [{"type": "DocumentReference", "interaction": [{"code": "create"}]}]}
    parameters = [{"name": f"parameter-{number}", "type": "token"} for number in range(20_000)]
    other = {"mode": "server", "resource": [{"type": "Observation", "searchParam": parameters}]}
    code, out, _ = of_file(tmp_path, capsys, R4 | {"rest": [one, other]})
    assert code == 0
    assert "and 19988 more" in out


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<html><title>Log in</title></html>", "the answer is not JSON"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}, "does not say that it speaks FHIR R4"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}, "does not say that it speaks FHIR R4"),
        ({"resourceType": "Conformance", "fhirVersion": "1.0.2"}, "Conformance (FHIR DSTU2)"),
        ({"resourceType": "Bundle"}, "no CapabilityStatement"),
        ("[]", "not JSON"),
        ("", "not JSON"),
    ],
    ids=["html", "stu3", "r5", "dstu2", "bundle", "list", "empty"],
)
def test_what_is_no_statement_is_refused_clearly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: object, rule: str
) -> None:
    code, out, err = of_file(tmp_path, capsys, body)
    assert (code, out) == (2, "")
    assert rule in err
    assert "statement.json" in err


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((), "name a practice, or the file of a statement"),
        (("elm", "--statement", "x.json"), "name a practice, or the file of a statement"),
        (("--statement", "nothing.json"), "this file cannot be read"),
        (("--statement", __file__, "--vendor", "nobody"), "no facts are known under this vendor name"),
        (("--statement", __file__, "--enable", "Patient"), "the bridge writes no such type"),
        (("--statement", __file__, "--refresh"), "nothing was learned of it"),
    ],
)
def test_wrong_use_is_told(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], rule: str) -> None:
    assert main(["capabilities", *arguments]) == 2
    assert rule in capsys.readouterr().err


def test_a_practice_s_ehr_is_asked_and_what_changed_is_told(command: Command) -> None:
    """What was read last is told, and asked anew with --refresh; what was opened or closed since is one line each."""
    assert command("capabilities", "nowhere").code == 2
    down = command("capabilities", "elm")
    assert down.code == 2
    assert "bridge doctor" in down.err
    with sandbox.start("epic") as before, sandbox.start("nextgen") as after:
        served(command, "http://127.0.0.1:9/fhir", before.base_url)
        first = command("capabilities", "elm", "--json")
        assert (first.code, first.json["changed"]) == (0, [])
        assert first.json["resources"]["DocumentReference"]["create"]["allowed"] is True
        assert command("capabilities", "elm", "--json").json["changed"] == []
        assert command("capabilities", "elm", "--changes").out == "the statement is as it was when it was first read\n"
        served(command, before.base_url, after.base_url)
        assert "changed since" not in command("capabilities", "elm").out
        told = command("capabilities", "elm", "--refresh")
        assert "changed since it was last read: DocumentReference create: yes before, no now" in told.out
        assert "changed since" not in command("capabilities", "elm", "--refresh").out
    told = command("capabilities", "elm", "--changes")
    assert "\n  DocumentReference create: yes before, no now\n" in told.out
    assert "\n  software NextGen-like sandbox EHR 5.0.1.698: no before, yes now\n" in told.out
    assert "\n  DocumentReference search by identifier: yes before, no now\n" in told.out
    changes = command("capabilities", "elm", "--changes", "--json").json["changes"]
    assert {"type": "DocumentReference", "of": "interaction", "name": "create", "now": False} in changes


def test_a_learned_refusal_is_shown_and_can_be_forgotten(command: Command) -> None:
    with sandbox.start("open") as running:
        served(command, "http://127.0.0.1:9/fhir", running.base_url)
        assert command("capabilities", "elm").code == 0
        with open_line(load(command.folder), "test", NOW) as line:
            connection = line.project.practices["elm"].connection
            lesson = statements.Lesson(connection, "Encounter", "create", "unsupported", NOW)
            line.ledger.write(statements.learn, lesson)
        told = command("capabilities", "elm")
        assert "learned 2026-11-14 22:13 UTC: Encounter create unsupported" in told.out
        assert "learned: this server refused create of Encounter as unsupported" in told.out
        wrong = command("capabilities", "elm", "--forget", "Task", "create")
        assert (wrong.code, "learned are: Encounter create" in wrong.err) == (2, True)
        gone = command("capabilities", "elm", "--forget", "Encounter", "create", "--json")
        assert gone.json["learned"] == []
        assert gone.json["resources"]["Encounter"]["create"]["allowed"] is True


def served(command: Command, old: str, new: str) -> None:
    """The practice's connection is at another address."""
    settings = command.folder / "bridge.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(f'"{old}"', f'"{new}"'), encoding="utf-8")
