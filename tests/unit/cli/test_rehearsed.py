"""`bridge try --practice` and `bridge work --dry-run`: every request as it would leave, masked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bridge.jobs import masking
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.cli.test_trying import CONTACT, records
from tests.unit.ehr.making import ALL, statement

REFERENCE = re.compile(r"DB-[A-Z2-7]{12}")
STATED = statement(Patient=(("read", "search-type"), ("identifier",)), DocumentReference=(ALL, ("patient",)))


@pytest.fixture
def stated(tmp_path: Path) -> Path:
    path = tmp_path / "statement.json"
    path.write_text(json.dumps(STATED), encoding="utf-8")
    return path


def tried(command: Command, tmp_path: Path, *more: str | Path) -> Any:
    asked = ("--agency", "harbor", "--practice", "elm", "--at", "2026-02-01", *more)
    return command("try", "ma-soc/contact", records(tmp_path, {**CONTACT, "child": "K-1"}), *asked)


def test_every_request_is_printed_in_its_order_with_its_way(command: Command, tmp_path: Path, stated: Path) -> None:
    told = tried(command, tmp_path, "--statement", stated)
    assert (told.code, told.err) == (0, "")
    said = REFERENCE.sub("DB-REFERENCE0000", re.sub(r"Content-Length: \d+", "Content-Length: N", told.out))
    assert matches("try-practice", re.sub(r"dyad-bridge/\S+", "dyad-bridge/V", said), tmp_path)
    assert "CANARY" not in told.out
    assert not list(command.folder.glob("*.sqlite*")), "no ledger is needed, and none is made"


def test_a_program_reads_the_same(command: Command, tmp_path: Path, stated: Path) -> None:
    answer = tried(command, tmp_path, "--statement", stated, "--json").json
    assert set(answer) == {"requests", "held", "charts", "problems", "statement", "given", "held_records"}
    (look, create, *_) = answer["requests"]
    assert set(look) == {
        "practice", "record", "entry", "action", "method", "url", "headers", "body",
        "route", "because", "causes", "loses",
    }  # fmt: skip
    assert (look["method"], look["action"], create["action"]) == ("POST", "", "create")
    assert create["body"]["subject"] == {"reference": "Patient/…"}


def test_values_are_shown_of_synthetic_sources_alone(command: Command, tmp_path: Path, stated: Path) -> None:
    shown = tried(command, tmp_path, "--statement", stated, "--show-values", "--json").json
    assert any("patient-1" in str(one["body"]) for one in shown["requests"])
    settings = command.folder / "bridge.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("source: synthetic", "source: real")
        .replace("kind: test", "kind: production")
        .replace("http://", "https://"),
        encoding="utf-8",
    )
    told = tried(command, tmp_path, "--statement", stated, "--show-values")
    assert told.code == 2
    assert "dry-run-values" in told.err


def test_without_a_consent_that_covers_it_nothing_leaves(command: Command, tmp_path: Path, stated: Path) -> None:
    forms = tmp_path / "forms.csv"
    forms.write_text("agency,person,practice,from,until,narrative\n", encoding="utf-8")
    told = tried(command, tmp_path, "--statement", stated, "--consents", forms)
    assert "DocumentReference\n" not in told.out
    assert told.code == 1
    assert "held before anything could leave (consent)" in told.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--practice", "elm", "--recipient", "elm"), "try-practice"),
        (("--practice", "nowhere"), "unknown-name"),
        (("--practice", "elm", "--statement", "missing.json"), "statement-missing"),
    ],
)
def test_what_cannot_be_asked(command: Command, tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    told = command("try", "ma-soc/contact", records(tmp_path, CONTACT), "--agency", "harbor", *arguments)
    assert told.code == 2
    assert code in told.err


def test_a_dry_run_of_a_worker_writes_nothing(command: Command) -> None:
    told = command("work", "--dry-run", "--json")
    assert told.code == 0
    assert told.json["requests"] == []
    assert command("work", "--show-values").code == 2


def test_a_body_is_masked_value_by_value() -> None:
    body = {
        "resourceType": "Observation", "status": "final", "valueInteger": 17, "flag": True, "note": [{"text": "words"}],
        "identifier": [{"system": "urn:x", "value": "MRN-1"}, {"value": "DB-ABCDEFGHIJ23"}],
        "subject": {"reference": "Patient/p-1"}, "focus": {"reference": "#inside"}, "data": "AAAA",
    }  # fmt: skip
    assert masking.body(json.dumps(body).encode(), show=False) == {
        "resourceType": "Observation", "status": "final", "valueInteger": "…", "flag": "…", "note": [{"text": "…"}],
        "identifier": [{"system": "urn:x", "value": "…"}, {"value": "DB-ABCDEFGHIJ23"}],
        "subject": {"reference": "Patient/…"}, "focus": {"reference": "…"}, "data": "3 bytes",
    }  # fmt: skip
    assert masking.body(b"", show=False) is None
    assert masking.body(b"identifier=urn%3Ax%7CMRN-1&_count=5", show=False) == "identifier=…&_count=5"
    assert masking.headers({"Authorization": "Bearer secret", "Accept": "x"}) == {
        "Authorization": "Bearer …",
        "Accept": "x",
    }
