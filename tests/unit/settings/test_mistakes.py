"""Every kind of mistake in a project file, and word for word what is said about it (`golden/*.txt`).

BRIDGE_TESTS_GOLDEN=write rewrites the texts; read the difference as a user would.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.settings import load
from tests.unit.settings.project import edited, secret, write

GOLDEN = Path(__file__).with_name("golden")

BEARER = "bearer: { file: secrets/token }"
EDITS: dict[str, list[tuple[str, str]]] = {
    "unknown-key": [("    timezone: America/Chicago", "    timezone: America/Chicago\n    sendfrom: 2026-09-01")],
    "unknown-key-nested": [("name: Sam, email", "name: Sam, fax: '1', email")],
    "unknown-section": [("store: sqlite", "storage: x\nstore: sqlite")],
    "unknown-limit": [("lease_seconds: 90", "lease_second: 90")],
    "missing-send-from": [("    send_from: 2026-09-01\n    pilot", "    pilot")],
    "missing-contact-email": [("name: Sam, email: sam@harbor.example", "name: Sam")],
    "missing-section": [("programs:\n  first: { name: First program }\n", "")],
    "empty-section": [("  first: { name: First program }\n", "")],
    "empty-list": [("practices: [elm, oak]", "practices: []")],
    "duplicate-key": [("    vendor: epic", "    vendor: epic\n    kind: test")],
    "duplicate-agency": [("practices:\n  elm", "  harbor: { name: Again }\npractices:\n  elm")],
    "not-yaml": [("    vendor: epic", "    vendor: epic\n   kind: [test")],
    "alias": [("people:", "people: *anchor")],
    "number-for-text": [("name: First program", "name: 12")],
    "list-for-text": [("timezone: America/Chicago", "timezone: [America/Chicago]")],
    "text-for-list": [("practices: [elm, oak]", "practices: elm")],
    "text-for-section": [("limits: { lease_seconds: 90 }", "limits: many")],
    "text-for-item": [
        ("  ana: { name: Ana Ortiz, email: ana@harbor.example, role: agency-staff, agency: harbor }", "  ana: Ana")
    ],
    "not-a-date": [("send_from: 2026-09-01", "send_from: soon")],
    "impossible-date": [("send_from: 2026-09-01", "send_from: 2026-09-31")],
    "not-a-choice": [("source: synthetic", "source: fake")],
    "out-of-range": [("lease_seconds: 90", "lease_seconds: 1")],
    "timezone": [("timezone: America/Chicago", "timezone: Chicago")],
    "hold-back": [("    pilot: [", "    hold_back: { ma-soc/contact: 10 minutes }\n    pilot: [")],
    "hold-back-too-long": [("    pilot: [", "    hold_back: 4000h\n    pilot: [")],
    "email": [("lee@elm.example", "lee at elm")],
    "language": [("    name: Harbor", "    language: spanish please\n    name: Harbor")],
    "language-norwegian": [("    name: Harbor", "    language: no\n    name: Harbor")],
    "mime": [("application/xhtml+xml", "application/msword")],
    "base-not-http": [("https://ehr.example/fhir/r4", "ftp://ehr.example/fhir")],
    "base-with-login": [("https://ehr.example", "https://me:hush@ehr.example")],
    "token-over-http": [("https://ehr.example/fhir/r4", "http://ehr.example/fhir/r4")],
    "secret-in-file": [("login: { bearer: { file: secrets/token } }", "login: { bearer: hush-hush }")],
    "secret-in-store": [("sqlite:///ledger.sqlite", "postgresql://me:hush@db/ledger")],
    "secret-two-places": [("{ file: secrets/harbor }", "{ file: secrets/harbor, env: HARBOR }")],
    "secret-file-missing": [("secrets/harbor", "secrets/harbour")],
    "secret-env-missing": [("{ file: secrets/harbor }", "{ env: HARBOR_KEY }")],
    "login-unknown": [("login: none", "login: password")],
    "login-two-kinds": [("{ bearer: {", "{ basic: { user: me, password: { env: HUSH } }, bearer: {")],
    "login-empty": [("login: { bearer: { file: secrets/token } }", "login: {}")],
    "login-misspelt": [("{ bearer: {", "{ bearerr: {")],
    "smart-without-client": [(BEARER, "smart: { scope: omit }")],
    "smart-algorithm": [(BEARER, "smart: { client_id: me, algorithm: RS256 }")],
    "smart-scope-order": [(BEARER, "smart: { client_id: me, scope: system/Patient.sr }")],
    "smart-scope-user": [(BEARER, "smart: { client_id: me, scope: user/Patient.rs launch }")],
    "smart-token-over-http": [(BEARER, "smart: { client_id: me, token_url: 'http://ehr.example/token' }")],
    "client-secret-in-file": [(BEARER, "client_secret: { client_id: me, secret: hush-hush }")],
    "client-secret-method": [
        (BEARER, "client_secret: { client_id: me, secret: { file: secrets/token }, method: jwt }")
    ],
    "basic-password-in-file": [(BEARER, "basic: { user: me, password: hush-hush }")],
    "tls-half": [("vendor: epic", "vendor: epic\n    tls: { certificate: our.pem }")],
    "tls-empty": [("vendor: epic", "vendor: epic\n    tls: {}")],
    "tls-missing": [("vendor: epic", "vendor: epic\n    tls: { ca: no-such.pem }")],
    "tls-key-env": [("vendor: epic", "vendor: epic\n    tls: { certificate: bridge.yaml, key: { env: HUSH } }")],
    "store-unknown": [("sqlite:///ledger.sqlite", "mysql://db/ledger")],
    "id-form": [("  first: { name", "  First_Program: { name"), ("program: first", "program: First_Program")],
    "no-such-program": [("program: first", "program: fist")],
    "no-such-practice": [("practices: [elm, oak]", "practices: [elm, ork]")],
    "no-such-connection": [("connection: two", "connection: three")],
    "no-such-pack": [("packs: [konote]", "packs: [konotes]")],
    "no-such-vendor": [("vendor: epic", "vendor: epics")],
    "no-such-type": [("enable: [Encounter]", "enable: [Encounters, Patient]")],
    "synthetic-to-production": [("kind: test\n    vendor: epic", "kind: production\n    vendor: epic")],
    "real-to-test": [("source: synthetic", "source: real")],
    "production-over-http": [
        ("kind: test\n    vendor: open", "kind: production\n    vendor: open"),
        ("synthetic", "real"),
    ],
    "pilot-form": [("pilot: [harbor/1001]", "pilot: ['1001', bay/1002]")],
    "pilot-other-practice": [("practices: [elm, oak]", "practices: [oak]")],
    "lease-shorter-than-timeout": [("lease_seconds: 90", "lease_seconds: 20")],
    "staff-without-agency": [(", agency: harbor }", " }")],
    "reader-of-an-agency": [("role: agency-staff", "role: practice-reader")],
    "many": [
        ("source: synthetic", "sauce: synthetic"),
        ("program: first", "program: last"),
        ("lee@elm.example", "lee"),
        ("    base: https://ehr.example/fhir/r4\n", ""),
        ("{ file: secrets/harbor }", "{ env: HARBOR_KEY }"),
        ("vendor: open", "vendor: opne"),
    ],
}


def complaint(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(directory)
    return str(caught.value).replace(str(directory), "PROJECT") + "\n"


def same_as_golden(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EDITS)
def test_a_mistake_is_told_with_its_line_and_what_to_do(name: str, tmp_path: Path) -> None:
    text = complaint(write(tmp_path, edited(*EDITS[name])))
    assert "hush" not in text, "a secret must not be quoted"
    same_as_golden(name, text)


def test_no_file_tells_where_it_was_searched(tmp_path: Path) -> None:
    same_as_golden("no-file", complaint(tmp_path))


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    same_as_golden("empty-file", complaint(write(tmp_path, "# nothing yet\n")))


def test_a_list_is_no_project(tmp_path: Path) -> None:
    same_as_golden("a-list", complaint(write(tmp_path, "- packs\n")))


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    write(tmp_path).joinpath("bridge.yaml").write_bytes(b"packs: [\xff\xfe]\n")
    same_as_golden("not-text", complaint(tmp_path))


def test_a_secret_everyone_can_read_is_refused(tmp_path: Path) -> None:
    secret(write(tmp_path) / "secrets" / "token", "hush", 0o644)
    text = complaint(tmp_path)
    assert "hush" not in text
    same_as_golden("secret-readable", text)


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    secret(write(tmp_path) / "secrets" / "token", "")
    same_as_golden("secret-empty", complaint(tmp_path))


def test_a_short_api_key_and_a_damaged_ledger_key_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    secret(tmp_path / "secrets" / "harbor", "hush")
    secret(tmp_path / "secrets" / "ledger.key", "hush")
    text = complaint(tmp_path)
    assert "hush" not in text
    same_as_golden("key-form", text)


def test_two_agencies_with_one_key_are_refused(tmp_path: Path) -> None:
    second = """\
  bay:
    name: Bay Families
    source: synthetic
    program: first
    timezone: America/New_York
    contact: { name: Jo, email: jo@bay.example }
    practices: [oak]
    key: { file: secrets/harbor }
practices:
  elm"""
    same_as_golden("key-shared", complaint(write(tmp_path, edited(("practices:\n  elm", second)))))


def test_an_override_of_the_wrong_form_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_PORT", "eighty")
    monkeypatch.setenv("BRIDGE_WORKERS", "0")
    same_as_golden("override-form", complaint(write(tmp_path)))


def test_no_golden_text_is_left_over() -> None:
    others = {"no-file", "empty-file", "a-list", "not-text", "secret-readable", "secret-empty"}
    others |= {"key-form", "key-shared", "override-form"}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(EDITS) | others
