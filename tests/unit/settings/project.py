"""A small project folder that loads, to make mistakes in."""

from __future__ import annotations

from pathlib import Path

LEDGER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
API_KEY = "an-api-key-of-thirty-two-letters"

YAML = """\
packs: [konote]
programs:
  first: { name: First program }
agencies:
  harbor:
    name: Harbor Family Partners
    source: synthetic
    program: first
    timezone: America/New_York
    contact: { name: Sam, email: sam@harbor.example }
    practices: [elm, oak]
    key: { file: secrets/harbor }
practices:
  elm:
    name: Elm Street Pediatrics
    connection: one
    timezone: America/New_York
    contact: { name: Lee, email: lee@elm.example }
    send_from: 2026-09-01
    pilot: [harbor/1001]
    enable: [Encounter]
  oak:
    name: Oak Family Practice
    connection: two
    timezone: America/Chicago
    contact: { name: Kim, email: kim@oak.example }
    send_from: 2026-09-01
    document: { mime: application/xhtml+xml, types: { konote/note: { system: http://loinc.org, code: '34109-9' } } }
connections:
  one:
    kind: test
    vendor: open
    base: http://127.0.0.1:8090/fhir/
    login: none
  two:
    kind: test
    vendor: epic
    base: https://ehr.example/fhir/r4
    login: { bearer: { file: secrets/token } }
people:
  ana: { name: Ana Ortiz, email: ana@harbor.example, role: agency-staff, agency: harbor }
store: sqlite:///ledger.sqlite
limits: { lease_seconds: 90 }
"""


def write(directory: Path, text: str = YAML) -> Path:
    """The folder with `bridge.yaml` of that text and every secret it names."""
    (directory / "secrets").mkdir(parents=True, exist_ok=True)
    for name, value in (("ledger.key", LEDGER_KEY), ("harbor", API_KEY), ("token", "a-token-of-the-test-ehr")):
        secret(directory / "secrets" / name, value)
    (directory / "bridge.yaml").write_text(text, encoding="utf-8")
    return directory


def secret(path: Path, value: str, mode: int = 0o600) -> None:
    """A secret's file with these permissions."""
    path.write_text(value + "\n", encoding="utf-8")
    path.chmod(mode)


def edited(*edits: tuple[str, str]) -> str:
    """The project's text with each `old` replaced by its `new`; an `old` that is not there is a mistake in the test."""
    text = YAML
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
