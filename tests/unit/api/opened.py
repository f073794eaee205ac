"""A small project with two agencies, two practices and people of every role, opened over a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from bridge.api.app import create_app
from bridge.jobs.open import validator
from bridge.mappings import load as mappings
from bridge.mappings.translate import Translator
from bridge.moves.line import Line
from bridge.settings import Project, load
from bridge.store.keys import parse_key
from bridge.store.ledger import Ledger
from tests.unit.api.asking import Client
from tests.unit.settings.project import API_KEY, LEDGER_KEY, secret

CEDAR_KEY = "another-api-key-of-thirty-letters"
DAY = 86_400_000_000
NOW = 1_780_000_000_000_000
"""28 May 2026, 20:26:40 UTC."""

YAML = """\
packs: [ma-soc]
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
  cedar:
    name: Cedar Street Center
    source: synthetic
    program: first
    timezone: America/Chicago
    contact: { name: Cal, email: cal@cedar.example }
    practices: [oak]
    key: { file: secrets/cedar }
practices:
  elm:
    name: Elm Street Pediatrics
    connection: one
    timezone: America/New_York
    contact: { name: Lee, email: lee@elm.example }
    send_from: 2026-01-01
  oak:
    name: Oak Family Practice
    connection: two
    timezone: America/Chicago
    contact: { name: Kim, email: kim@oak.example }
    send_from: 2026-01-01
connections:
  one: { kind: test, vendor: open, base: "http://127.0.0.1:9/fhir", login: none }
  two: { kind: test, vendor: epic, base: "http://127.0.0.1:9/fhir/two", login: none }
people:
  ana: { name: Ana Ortiz, email: ana@harbor.example, role: agency-staff, agency: harbor }
  cal: { name: Cal Reed, email: cal@cedar.example, role: agency-staff, agency: cedar }
  lee: { name: Lee Chen, email: lee@elm.example, role: practice-reader, practice: elm }
  pat: { name: Pat Quill, email: pat@bridge.example, role: engineer }
limits: { body_mib: 1, item_kib: 4 }
"""


def write(directory: Path, text: str = YAML) -> Path:
    """The project's folder."""
    (directory / "secrets").mkdir(parents=True, exist_ok=True)
    for name, value in (("ledger.key", LEDGER_KEY), ("harbor", API_KEY), ("cedar", CEDAR_KEY)):
        secret(directory / "secrets" / name, value)
    (directory / "bridge.yaml").write_text(text, encoding="utf-8")
    return directory


@cache
def translator() -> Translator:
    """The pack's mappings, read once."""
    return Translator(mappings.load(mappings.read_packs(["ma-soc"])))


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Opened:
    """The line without connections, its clock, and a client of the doors."""

    line: Line
    clock: Clock
    client: Client

    @property
    def project(self) -> Project:
        return self.line.project

    @property
    def ledger(self) -> Ledger:
        return self.line.ledger

    def post(
        self, records: Any, agency: str = "harbor", key: str = API_KEY, kind: str = "ma-soc/contact", **rest: Any
    ) -> httpx.Response:
        """What the door answers to these records, given as JSON unless they are bytes."""
        said = {"content": records} if isinstance(records, bytes) else {"json": records}
        headers = {"Authorization": f"Bearer {key}", **rest.pop("headers", {})}
        query = {"kind": kind} if kind else {}
        return self.client.post(f"/agencies/{agency}/records", params=query, headers=headers, **said, **rest)


@contextmanager
def opened(directory: Path, ledger_url: str, text: str = YAML) -> Iterator[Opened]:
    """The project opened over a ledger that has its tables."""
    project = load(write(directory, text))
    ledger = Ledger(ledger_url, parse_key(project.key.reveal()))
    line = Line(project, ledger, translator(), validator())
    clock = Clock()
    yield Opened(line, clock, Client(create_app(line, clock)))
    ledger.close()


def contact(id: str = "k-1", **more: Any) -> dict[str, Any]:
    """A signed home visit."""
    return {
        "id": id,
        "status": "signed",
        "updated_at": "2026-03-02T10:00:00-05:00",
        "child": "c-1",
        "started": "2026-03-01T10:00:00-05:00",
        "ended": "2026-03-01T11:00:00-05:00",
        "mode": "in-person",
        "place": "home",
        "outcome": "reached",
        "purposes": ["follow-up"],
        "supports": ["emotional"],
        "attendees": [{"role": "caregiver"}],
        "staff": [{"role": "family-partner", "name": "Rosa Vega"}],
        **more,
    }
