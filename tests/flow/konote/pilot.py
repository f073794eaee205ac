"""The KoNote export as a pilot: a project with its agency, practices, rosters and consents, ready to be fed."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from bridge.jobs import rosters
from bridge.jobs.collect import accept_rows
from bridge.jobs.files import read_query, shipped_query
from bridge.model import type_json
from bridge.moves import granting
from tests.flow.konote import people
from tests.flow.pilot import Pilot, Site, pilot

KINDS = ("client", "episode", "plan", "note", "communication")
EVERYTHING = (
    "Encounter",
    "Observation",
    "Goal",
    "CarePlan",
    "Communication",
    "Condition",
    "CareTeam",
    "ServiceRequest",
)


class Konote:
    """One run's people: their identifiers are the run's own, so that runs can share a server."""

    def __init__(self) -> None:
        self.run = uuid.uuid4().hex[:8]
        self.clients = people.clients()

    def own(self, text: str) -> str:
        """The text with every identifier system made this run's."""
        for practice in people.PRACTICES:
            text = text.replace(people.system(practice), f"urn:test:{self.run}:{practice}")
        return text

    def patients(self) -> list[type_json]:
        """The practices' Patients."""
        found = [patient for practice in people.PRACTICES for patient in people.patients(self.clients, practice)]
        for patient in found:
            for identifier in patient["identifier"]:
                identifier["system"] = self.own(identifier["system"])
        return found

    def load(self, base: str) -> None:
        """The practices put their Patients in, as they would."""
        with httpx.Client(base_url=base, timeout=60) as client:
            for patient in self.patients():
                client.post("Patient", json=patient).raise_for_status()

    def permit(self, pilot: Pilot) -> None:
        """Rosters, consents and revocations are in."""
        now = pilot.clock()
        for name, text, take in (
            ("links.csv", self.own(people.rosters(self.clients)), rosters.import_links),
            ("consents.csv", people.consents(self.clients), rosters.import_consents),
        ):
            (pilot.folder / name).write_text(text, encoding="utf-8")
            assert take(pilot.line, pilot.folder / name, "test", now).problems == ()
        for person, practice in people.revoked(self.clients):
            granting.revoke(pilot.line, people.AGENCY, person, practice, "test", now)


def feed(pilot: Pilot, kinds: Sequence[str] = KINDS) -> Counter[str]:
    """The whole export through the door; how many of each fate."""
    fates: Counter[str] = Counter()
    agency = pilot.line.project.agencies[people.AGENCY]
    for kind in kinds:
        query = shipped_query(f"konote/{kind}")
        assert query is not None
        rows = read_query(query, people.EXPORT)
        fates.update(a.fate.value for a in accept_rows(pilot.line, agency, f"konote/{kind}", rows, pilot.clock()))
    return fates


@contextmanager
def konote_pilot(
    folder: Path,
    base: str,
    *,
    vendor: str,
    enable: Sequence[str] = (),
    store: str = "sqlite:///ledger.sqlite",
    lease: int = 120,
    **settings: float,
) -> Iterator[tuple[Pilot, Konote]]:
    """A pilot of the export against one server that both practices share."""
    sites = [Site(practice, base, vendor, tuple(enable)) for practice in people.PRACTICES]
    konote = Konote()
    with pilot(folder, sites, packs="konote", agency=people.AGENCY, store=store, lease=lease, **settings) as opened:
        yield opened, konote


def all_of(base: str, type: str, **query: str) -> list[type_json]:
    """Every resource of a type a server holds, page by page."""

    async def pages() -> list[type_json]:
        found: list[type_json] = []
        async with httpx.AsyncClient(timeout=60, headers={"Cache-Control": "no-cache"}) as client:
            url: str | None = f"{base}/{type}"
            parameters: dict[str, str] | None = {"_count": "200", **query}
            while url:
                bundle = (await client.get(url, params=parameters)).raise_for_status().json()
                found += [entry["resource"] for entry in bundle.get("entry", [])]
                url = next((link["url"] for link in bundle.get("link", []) if link["relation"] == "next"), None)
                parameters = None
        return found

    return asyncio.run(pages())
