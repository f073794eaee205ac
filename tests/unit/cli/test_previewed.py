"""`bridge try --recipient` (R24-R26): what would leave and what not, by which rule and consent, as it would arrive."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.mappings import fhirconsent
from bridge.mappings.moments import start_of_day
from bridge.model import Consent
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.cli.test_trying import CONTACT, records

TOLD: dict[str, Any] = {
    **CONTACT,
    "next_steps": "Llamar al 617-555-0143.",
    "child_welfare": "WITHHELD",
    "caregiver_stress": {"score": 8, "note": "WITHHELD"},
    "caregiver_substance_use": "WITHHELD",
}
HEADER = "agency,person,practice,from,until,classes,grantor,authority,form"
CHILD = "harbor,K-1,elm,2026-01-01,2026-12-31,narrative,M-1,parent,F-7"
MOTHER = "harbor,M-1,elm,2026-01-01,,caregiver-health,M-1,self,F-8"
TO = ("--agency", "harbor", "--recipient", "elm", "--at", "2026-02-01")


def forms(folder: Path, *rows: str) -> Path:
    path = folder / "forms.csv"
    path.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    return path


def leaving(answer: Any) -> dict[str, list[str]]:
    """By person, what leaves."""
    (record,) = answer["records"]
    return {
        chart["person"]: [f"{row['part']}.{row['section']}" for row in chart["rows"] if row["leaves"]]
        for chart in record["charts"]
    }


def test_r25_two_charts_each_with_its_rules_and_consents(command: Command, tmp_path: Path) -> None:
    given = forms(tmp_path, CHILD, MOTHER.replace("caregiver-health", "caregiver-health narrative"))
    path = records(tmp_path, {**TOLD, "caregiver_stress": {"score": 8}})
    told = command("try", "ma-soc/contact", path, "--consents", given, *TO)
    assert (told.code, told.err) == (0, "")
    assert matches("try-recipient", told.out, tmp_path)
    assert "WITHHELD" not in told.out
    assert "CANARY" not in told.out


def test_r26_without_consents_it_says_what_is_missing(command: Command, tmp_path: Path) -> None:
    told = command("try", "ma-soc/contact", records(tmp_path, TOLD), *TO)
    assert (told.code, told.err) == (0, "")
    assert matches("try-recipient-none", told.out, tmp_path)
    assert "WITHHELD" not in told.out
    assert "Hablamos" not in told.out


def test_the_answer_in_json_holds_nothing_that_stays(command: Command, tmp_path: Path) -> None:
    told = command(
        "try", "ma-soc/contact", records(tmp_path, TOLD), "--consents", forms(tmp_path, CHILD), *TO, "--json"
    )
    assert told.code == 0
    assert "WITHHELD" not in told.out
    assert list(told.json) == [
        "kind", "mapping", "hash", "agency", "recipient", "at", "consents", "elsewhere", "problems", "counts",
        "records",
    ]  # fmt: skip
    (record,) = told.json["records"]
    assert list(record) == ["where", "state", "final", "never", "problems", "holds", "findings", "charts"]
    child, mother = record["charts"]
    assert list(child) == ["person", "role", "permit", "reason", "rows", "holds", "document"]
    assert list(child["rows"][0]) == ["part", "type", "section", "classes", "leaves", "rule", "consents"]
    assert [(one["reason"], one["owner"]) for one in child["holds"]] == [("decision", "agency")]
    assert "617-555-0143" not in json.dumps(child["holds"])
    assert (child["document"]["mime"], child["document"]["wrong"]) == ("text/plain", [])
    assert (mother["permit"], mother["reason"], mother["document"]) == (False, "none", None)
    assert leaving(told.json) == {"K-1": ["encounter.0", "note.1", "note.2", "note.3"], "M-1": []}


@pytest.mark.parametrize(
    ("day", "reason"),
    [("2025-12-31", "begins-later"), ("2026-01-01", "in-force"), ("2026-12-31", "in-force"), ("2027-01-01", "expired")],
)
def test_r26_the_day_counts(command: Command, tmp_path: Path, day: str, reason: str) -> None:
    to = [*TO[:-1], day]
    told = command(
        "try", "ma-soc/contact", records(tmp_path, TOLD), "--consents", forms(tmp_path, CHILD), *to, "--json"
    )
    assert told.json["records"][0]["charts"][0]["reason"] == reason


def test_the_old_list_and_a_row_that_replaces_another(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("agency,person,practice,from,until,narrative\nharbor,K-1,elm,2026-01-01,,yes\n")
    answer = command("try", "ma-soc/contact", records(tmp_path, TOLD), "--consents", path, *TO, "--json").json
    assert leaving(answer)["K-1"] == ["encounter.0", "note.1", "note.2", "note.3"]
    given = forms(tmp_path, CHILD, CHILD.replace("narrative", "none"))
    answer = command("try", "ma-soc/contact", records(tmp_path, TOLD), "--consents", given, *TO, "--json").json
    assert (answer["consents"], answer["records"][0]["charts"][0]["reason"]) == (1, "refused")


def test_fhir_consents_and_the_agencys_own_records_say_the_same(command: Command, tmp_path: Path) -> None:
    start = start_of_day("2026-01-01", "America/New_York")
    one = Consent(1, "harbor", "K-1", "elm", start, None, frozenset({"ordinary", "narrative"}))
    ours = {"id": "F-1", "child": "K-1", "practice": "elm", "from": "2026-01-01", "narrative": True}
    for name, written in (("fhir.json", fhirconsent.to_fhir(one, start)), ("ours.ndjson", ours)):
        path = tmp_path / name
        path.write_text(json.dumps(written))
        answer = command("try", "ma-soc/contact", records(tmp_path, TOLD), "--consents", path, *TO, "--json").json
        assert (answer["problems"], leaving(answer)["K-1"]) == ([], ["encounter.0", "note.1", "note.2", "note.3"])
    path.write_text(json.dumps({**ours, "status": "void"}))
    answer = command("try", "ma-soc/contact", records(tmp_path, TOLD), "--consents", path, *TO, "--json").json
    assert answer["records"][0]["charts"][0]["reason"] == "revoked"


def test_what_is_no_consent_is_told_without_its_values_and_lets_nothing_leave(command: Command, tmp_path: Path) -> None:
    given = forms(tmp_path, CHILD.replace("narrative", "CANARY"), "x,CANARY,elm,2026-01-01,,narrative,,,")
    path = records(tmp_path, TOLD)
    told = command("try", "ma-soc/contact", path, "--consents", given, *TO)
    assert told.code == 1
    assert matches("try-consents", told.err, tmp_path)
    assert "1 of the consents is about another agency or practice" in told.out
    assert "leaves" not in told.out.replace("nothing that needs one leaves", "").replace("no document leaves", "")
    for written in ({"resourceType": "Consent", "status": "CANARY"}, {"note": "CANARY"}, "CANARY"):
        spoilt = tmp_path / "spoilt.json"
        spoilt.write_text(json.dumps(written))
        answer = command("try", "ma-soc/contact", path, "--consents", spoilt, *TO)
        assert (answer.code, "CANARY" in answer.out + answer.err) == (1, False)


def test_wrong_use(command: Command, tmp_path: Path) -> None:
    path = records(tmp_path, TOLD)
    for arguments in (
        ("--recipient", "elf", "--agency", "harbor"),
        ("--recipient", "elm", "--agency", "cedar"),
        ("--recipient", "elm", "--agency", "harbor", "--at", "soon"),
        ("--at", "2026-02-01"),
        ("--consents", "none.csv"),
        (*TO, "--consents", "none.csv"),
    ):
        told = command("try", "ma-soc/contact", path, *arguments)
        assert (told.code, told.out) == (2, ""), arguments


def test_outside_a_project_a_plain_practice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = forms(tmp_path, CHILD)
    asked = ["try", "ma-soc/contact", str(records(tmp_path, TOLD)), *TO, "--consents", str(given)]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert "Hablamos del sueño." in told
    assert "WITHHELD" not in told
    assert main([*asked, "--json"]) == 0


def test_a_document_that_is_not_read_as_it_is_is_told_in_words(command: Command) -> None:
    file = command.folder / "bridge.yaml"
    wanted = "    connection: one\n    document: { mime: text/xml }\n"
    file.write_text(file.read_text().replace("    connection: one\n", wanted, 1))
    asked = ("try", "ma-soc/contact", records(command.folder, TOLD), "--consents", forms(command.folder, CHILD), *TO)
    document = command(*asked, "--json").json["records"][0]["charts"][0]["document"]
    assert base64.b64decode(document["data"]).startswith(b"<?xml")
    assert "Hablamos del sueño.\n" in document["text"]
    assert "would get it, text/xml; here its words" in command(*asked).out


def test_what_is_drawn_up_by_the_practices_own_settings(command: Command) -> None:
    """The document is rendered as the practice wants it, and the pilot panel and `send_from` are told."""
    file = command.folder / "bridge.yaml"
    settings = file.read_text()
    wanted = "    connection: one\n    document: { mime: application/xhtml+xml, language: es }\n"
    file.write_text(settings.replace("    connection: one\n", wanted, 1).replace("2026-01-01", "2026-01-06", 1))
    path = records(command.folder, TOLD)
    answer = command("try", "ma-soc/contact", path, "--consents", forms(command.folder, CHILD), *TO, "--json").json
    child = answer["records"][0]["charts"][0]
    assert child["document"]["mime"] == "application/xhtml+xml"
    assert 'lang="es"' in child["document"]["text"]
    assert [one["reason"] for one in child["holds"]] == ["practice", "decision"]
