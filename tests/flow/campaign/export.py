"""The KoNote export sent to a real FHIR server while its workers are killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.jobs.worker import system_clock
from tests.flow.campaign import proof
from tests.flow.campaign.crew import Crew, Nursery
from tests.flow.campaign.sites import Held
from tests.flow.campaign.torment import settle
from tests.flow.konote import people
from tests.flow.konote.pilot import KINDS, Konote, all_of, feed, konote_pilot
from tests.flow.pilot import Pilot

LEASE, TIMEOUT, VISIBILITY = 6, 4.0, 1.0  # seconds; a loaded server may take some for one create


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What a campaign is to be: of which kinds, with which FHIR types enabled beside documents."""

    seed: int
    kills: int
    workers: int = 2
    kinds: tuple[str, ...] = KINDS
    enable: tuple[str, ...] = ()
    longest: float = 4.0  # seconds until the next kill, whatever was done
    store: str = "sqlite:///ledger.sqlite"


@dataclass
class Export:
    """One that is open."""

    plan: ExportPlan
    base: str
    pilot: Pilot
    konote: Konote
    crew: Crew
    fates: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    skipped: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """All fed, the workers killed in turn, and all settled."""
        self.konote.load(self.base)
        self.konote.permit(self.pilot)
        self.fates = feed(self.pilot, self.plan.kinds)
        begun = time.monotonic()
        apart = sum(self.fates.values()) * (3 if self.plan.enable else 1) // self.plan.kills
        for _ in range(self.plan.workers):
            self.crew.start()
        while self.crew.kills < self.plan.kills - len(self.crew.pids):
            self.crew.kill_after(apart, self.plan.longest)
            self.crew.start()
        self.crew.kill_all()
        self.seconds["killing"] = time.monotonic() - begun
        self.skipped = system_clock()
        self.answered = settle(self.pilot)
        self.seconds["all"] = time.monotonic() - begun

    def held(self) -> list[Held]:
        """What stands on the server about this run's patients."""
        mine = {f"Patient/{patient['id']}" for patient in self.patients()}
        types = {entry["resource_type"] for entry in self.pilot.entries()}
        return [
            Held.of(self.base, resource, resource)
            for type in sorted(types)
            for resource in all_of(self.base, type)
            if resource.get("subject", {}).get("reference") in mine
        ]

    def patients(self) -> Iterator[dict[str, Any]]:
        """This run's Patients, as the server has them."""
        for practice in people.PRACTICES:
            yield from all_of(self.base, "Patient", identifier=f"urn:test:{self.konote.run}:{practice}|")

    def facts(self) -> proof.Facts:
        """What the ledger and the server say now."""
        return proof.facts(
            self.pilot.line.ledger,
            self.held(),
            orphans=self.crew.orphans,
            timeout=int(TIMEOUT * 1e6),
            skipped=self.skipped,
        )

    def wrong(self, found: proof.Facts) -> dict[str, list[str]]:
        """What is not as it must be; empty when all is well."""
        kept = sum(self.fates.values())
        lost = {} if len(found.records) == kept else {"record not kept": [f"{len(found.records)} of {kept}"]}
        return proof.wrong(found) | lost

    def report(self, found: proof.Facts, wrong: dict[str, list[str]]) -> dict[str, Any]:
        """The campaign in numbers."""
        return {
            "seed": self.plan.seed,
            "kills": self.crew.kills,
            "workers": self.plan.workers,
            "enabled": list(self.plan.enable),
            "steps while killing": proof.before(found, self.skipped),
            "accepted": sum(self.fates.values()),
            **proof.counts(found),
            "answered by an engineer": self.answered,
            "wrong": {rule: len(told) for rule, told in wrong.items()},
            "seconds": {name: round(seconds, 1) for name, seconds in self.seconds.items()},
        }


@contextmanager
def export(plan: ExportPlan, base: str, nursery: Nursery, folder: Path) -> Iterator[Export]:
    """A campaign opened against the server at `base`; its workers end with the block."""
    times = {"timeout": TIMEOUT, "visibility": VISIBILITY}
    with konote_pilot(
        folder / "project", base, vendor="hapi", enable=plan.enable, store=plan.store, lease=LEASE, **times
    ) as (pilot, konote):
        crew = Crew(nursery, pilot, random.Random(plan.seed))
        try:
            yield Export(plan, base, pilot, konote, crew)
        finally:
            crew.kill_all()


def states(found: Sequence[proof.Row]) -> Counter[str]:
    """How many rows are in which state."""
    return Counter(row["state"] for row in found)
