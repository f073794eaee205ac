"""`bridge links` and `bridge consents`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.store import tables
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.store.making import rows

CANARY = "Zzyzx-Quetzal"
CONSENTS = "agency,person,practice,from,until,narrative\n"
LINKS = "agency,person,practice,system,value\n"


def test_rosters_are_taken_and_the_same_again_changes_nothing(command: Command, tmp_path: Path) -> None:
    consents, links = tmp_path / "consents.csv", tmp_path / "links.csv"
    consents.write_text(CONSENTS + "harbor,c-1,elm,2026-01-05,,yes\n")
    links.write_text(LINKS + "harbor,c-1,elm,urn:oid:1.2.3,40017\n")
    told = command("consents", "import", consents)
    assert (told.code, told.out) == (0, "1 new, 0 known already, 0 not taken\n")
    assert command("links", "import", links, "--json").json == {"new": 1, "known": 0, "problems": []}
    assert command("links", "import", links, "--json").json == {"new": 0, "known": 1, "problems": []}
    with command.ledger() as ledger:
        actions = [row["action"] for row in rows(ledger, tables.audit)]
    assert actions == ["import-consents", "import-consents", "import-links", "import-links"]  # each agency's trail


def test_rows_that_cannot_be_taken_are_told_without_a_value(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "consents.csv"
    path.write_text(CONSENTS + f"harbor,c-1,elm,{CANARY},,yes\nharbor,c-2,elm,2026-01-05,,{CANARY}\n")
    told = command("consents", "import", path)
    assert told.code == 1
    assert CANARY not in told.out + told.err
    assert matches("consents", told.out + told.err, tmp_path)


@pytest.mark.parametrize(("name", "content"), [("roster-header", "a;b\n"), ("roster-missing", None)])
def test_what_is_no_roster_is_wrong_use(command: Command, tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / "links.csv"
    if content is not None:
        path.write_text(content)
    told = command("links", "import", path)
    assert (told.code, matches(name, told.err, tmp_path)) == (2, True)


def test_a_consent_is_taken_back(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "consents.csv"
    path.write_text(CONSENTS + "harbor,c-1,elm,2026-01-05,,yes\n")
    command("consents", "import", path)
    told = command("consents", "revoke", "harbor", "c-1", "elm")
    said = "1 consent revoked; what stands was true and stays\nElm Street Pediatrics was sent nothing under a consent"
    assert told.code == 0
    assert told.out.startswith(said)
    told = command("consents", "revoke", "harbor", "c-1", "elm")
    assert (told.code, told.out) == (1, "0 consents revoked\n")
    told = command("consents", "revoke", "harbor", "c-1", "nowhere")
    assert (told.code, matches("revoke-nowhere", told.err, tmp_path)) == (2, True)


def test_one_form_at_a_time(command: Command) -> None:
    """R26: what is recorded, what may leave now, taken back, suspended."""
    given = ("consents", "give", "harbor", "c-1", "elm", "--from", "2026-01-05", "--grantor", "g-1")
    signed = ("--authority", "parent", "--classes", "narrative", "--form", "12")
    assert command(*given, *signed).out == "recorded\n"
    assert command(*given, *signed).out == "known already\n"
    told = command("consents", "list", "harbor", "c-1")
    assert "elm: narrative, ordinary; by g-1; consent" in told.out
    assert "now to elm: narrative, ordinary" in told.out
    suspended = command("consents", "suspend", "harbor", "c-1").out
    assert suspended.startswith("1 consent suspended\nElm Street Pediatrics was sent nothing under a consent")
    now = command("consents", "list", "harbor", "c-1", "--json").json["now"]["elm"]
    assert now == {"permit": False, "classes": [], "reason": "suspended"}
    assert command(*given, *signed).out == "recorded\n"  # signed again since
    assert command("consents", "list", "harbor", "c-1", "--json").json["now"]["elm"]["permit"]
    assert command("consents", "list", "harbor", "nobody").code == 1


def test_consents_go_out_as_fhir_and_come_in(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "consents.ndjson"
    command("consents", "give", "harbor", "c-1", "elm", "--from", "2026-01-05", "--classes", "none")
    file.write_text(command("consents", "export", "--agency", "harbor").out)
    assert file.read_text().count("\n") == 1
    told = command("consents", "import", file, "--agency", "harbor", "--json").json
    assert (told["new"], told["problems"]) == (1, [])
    assert command("consents", "import", file, "--agency", "harbor", "--json").json["known"] == 1
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text('{"resourceType": "Consent", "status": "draft", "patient": "' + CANARY + '"}')
    told = command("consents", "import", spoilt, "--agency", "harbor")
    assert (told.code, CANARY in told.out + told.err) == (1, False)


def test_a_list_says_who_signed_and_a_change_of_custody_suspends(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "consents.csv"
    header = "agency,person,practice,from,until,classes,grantor,authority,custody\n"
    path.write_text(header + "harbor,c-1,elm,2026-01-05,,narrative;substance-use,g-1,parent,mother\n")
    assert command("consents", "import", path, "--json").json["new"] == 1
    path.write_text(header + "harbor,c-1,elm,2026-01-05,,narrative;substance-use,g-1,parent,state\n")
    assert command("consents", "import", path, "--json").json["known"] == 1
    assert command("consents", "list", "harbor", "c-1", "--json").json["now"]["elm"]["reason"] == "suspended"
    path.write_text(header + "harbor,c-1,elm,2026-01-05,,supervision,g-1,parent,\nharbor,c-1,elm,2026-01-05,,,,aunt,\n")
    told = command("consents", "import", path, "--json").json
    assert [problem["code"] for problem in told["problems"]] == ["roster-classes", "roster-terms"]
