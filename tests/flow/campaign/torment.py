"""One campaign: records at the door, workers killed at seeded moments, and all of it settled at the end."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bridge.jobs.worker import system_clock
from bridge.model import EntryState, HoldReason, Owner
from bridge.moves import answering
from bridge.store import statements
from tests.flow import pilot as flow
from tests.flow.campaign import outcomes, proof
from tests.flow.campaign.caseload import AMENDED, VOID, Caseload, words
from tests.flow.campaign.crew import Crew, Nursery
from tests.flow.campaign.sites import Held, Site, sandboxes
from tests.flow.campaign.upheavals import CLIENT, LOGIN, Upheavals, key_server
from tests.flow.campaign.wire import slow_wire
from tests.flow.pilot import Pilot

VISIBILITY = 0.3  # seconds
HOUR, MINUTE = 3600.0, 60.0
LATE = "commit-late"
"""An EHR that commits after the look: what no look can exclude, so that this alone may stand twice."""

ENABLED = {"maple": ("Encounter",)}  # what each practice wants written beside documents


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to be."""

    seed: int
    kills: int
    workers: int = 2
    lanes: int = 60
    contacts: int = 4
    practices: tuple[str, ...] = ("maple", "elm")
    faults: str = ""  # fault=weight,... (bridge.sandbox.faults)
    rate: float = 0.1
    longest: float = 2.0  # seconds until the next kill, whatever was done
    patience: float = 0.0  # seconds without progress until those that are left are stopped too
    store: str = "sqlite:///ledger.sqlite"
    timeout: float = 1.0  # seconds a request may take
    lease: int = 2  # seconds a worker holds a lane
    slow: float = 0.0  # seconds until what is to be created arrives
    late: float = 0.0  # seconds until everything an EHR commits late is there
    signing: bool = False  # by SMART; then keys rotate, tokens end and the key set is away for a while
    shut: str = ""  # the practice that is suspended for a while
    broken: str = ""  # workers of this broken kind (nursery.BROKEN)


@dataclass
class Campaign:
    """One that is open: its project, its EHRs, its caseload and its crew."""

    plan: Plan
    pilot: Pilot
    sites: Sequence[Site]
    caseload: Caseload
    crew: Crew
    upheavals: Upheavals | None = None
    answered: int = 0
    skipped: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """All said, all workers killed in turn, and all settled."""
        begun = time.monotonic()
        chance = random.Random(self.plan.seed)
        self.begin()
        entries = len(self.caseload.latest) * (len(self.plan.practices) + len(ENABLED))
        apart = 3 * (entries + self.caseload.accepted) // (4 * max(1, self.plan.kills))
        for batch, said in enumerate(self.caseload.changes(chance, self.plan.kills)):
            if self.upheavals is not None:
                self.upheavals.at((batch + 1) / self.plan.kills)
            self.crew.kill_after(apart, self.plan.longest)
            self.crew.start()
            if said:
                self.caseload.say(self.pilot, said)
        self.crew.kill_after(apart, self.plan.longest)
        self.crew.go_on(self.plan.patience)
        self.crew.kill_all()
        self.seconds["killing"] = time.monotonic() - begun
        self.clear_up()
        self.skipped = system_clock()
        self.answered = settle(self.pilot, HOUR / 2, MINUTE)
        time.sleep(self.plan.late)
        self.answered += settle(self.pilot, 72 * HOUR, HOUR)  # with the later looks at what was absent and sent again
        self.seconds["all"] = time.monotonic() - begun

    def begin(self) -> None:
        """Everybody is known and has consented, every contact is said once, and the workers are at work."""
        if self.upheavals is not None:
            self.upheavals.begin()
        self.read_statements()
        for site in self.sites:
            site.load(self.caseload.patients)
            if self.plan.faults:
                site.faults(f"{self.plan.seed}:{self.plan.rate}:{self.plan.faults}")
        self.caseload.permit(self.pilot, self.plan.practices)
        self.caseload.say(self.pilot, self.caseload.beginnings())
        for _ in range(self.plan.workers):
            self.crew.start()

    def clear_up(self) -> None:
        """No fault is left, nothing is away and nobody suspended: what was lost meanwhile is still to be settled."""
        for site in self.sites:
            site.faults("")
        if self.upheavals is not None:
            self.upheavals.over()

    def read_statements(self) -> None:
        """Every EHR has said once what it takes: what is planned before that is planned otherwise."""
        for _ in range(20):
            self.pilot.work()
            with self.pilot.line.ledger.read() as connection:
                if len(statements.known(connection)) == len(self.sites):
                    return
        raise AssertionError("not every EHR says what it takes")

    def held(self) -> list[Held]:
        """What clients made, at all sites."""
        return [held for site in self.sites for held in site.held()]

    def facts(self) -> proof.Facts:
        """What the ledger and the EHRs say now."""
        self.asked = [asked for site in self.sites for asked in site.asked()]
        found = proof.facts(
            self.pilot.line.ledger,
            self.held(),
            posts=sum(
                asked["interaction"] == "create" and asked["verdict"] != "unauthorized"  # that one is sent again
                for asked in self.asked
            ),
            orphans=self.crew.orphans,
            timeout=int(self.plan.timeout * 1e6),
            skipped=self.skipped,
        )
        return replace(found, late=frozenset(outcomes.met(found, self.asked).get(LATE, ())))

    def twice(self, found: proof.Facts) -> set[str]:
        """The delivery references of which an EHR committed one after it was looked for, and another was sent."""
        return {reference for reference in found.late if len(found.standing.get(reference, ())) > 1}

    def named(self, found: proof.Facts) -> set[str]:
        """The delivery references of which a person was told that they stand more than once."""
        told = {hold["entry"] for hold in found.holds if "times in the chart" in hold["rule"]}
        return {entry["reference"] for entry in found.entries if entry["id"] in told}

    def wrong(self, found: proof.Facts) -> dict[str, list[str]]:
        """What is not as it must be; empty when all is well."""
        checks = {
            "record not kept": [] if len(found.records) == self.caseload.accepted else [f"{len(found.records)}"],
            "not the latest edition": list(self.stale(found)),
            "sent to a suspended practice": list(self.sent_though_shut(found)),
            "there twice, and nobody was told": sorted(self.twice(found) - self.named(found)),
        }
        return proof.wrong(found) | {rule: told for rule, told in checks.items() if told}

    def stale(self, found: proof.Facts) -> Iterator[str]:
        """Each contact stands in each chart as it was said last, and the withdrawn ones do not."""
        merged = {(site.name, value.removeprefix("m-")) for site in self.sites for value in site.merged()}
        documents = {
            (entry["practice"], entry["thread"]): entry for entry in found.entries if entry["name"] == "document"
        }
        for practice in self.plan.practices:
            for id, edition in self.caseload.latest.items():
                entry = documents.get((practice, f"{flow.AGENCY}/ma-soc/contact/{id}"))
                if entry is not None and (practice, id.split(".")[0]) in merged and entry["state"] == EntryState.HELD:
                    continue  # a person is asked which chart is the right one
                if entry is None:
                    if edition != VOID:
                        yield f"{practice} {id}: never planned"
                    continue
                if edition == VOID:
                    if entry["state"] not in (EntryState.RETRACTED, EntryState.CANCELLED):
                        yield f"{practice} {id}: {entry['state']}, withdrawn"
                    continue
                text = "".join(map(told, found.standing.get(entry["reference"], [])))
                if entry["state"] != EntryState.DELIVERED or words(id, edition) not in text:
                    yield f"{practice} {id}: {entry['state']}, not edition {edition}"

    def sent_though_shut(self, found: proof.Facts) -> Iterator[str]:
        """Nothing began for a suspended practice, and nothing but what had begun before was written there."""
        spans = self.upheavals.suspended if self.upheavals is not None else ()
        entries = {entry["id"] for entry in found.entries if entry["practice"] == self.plan.shut}
        for start, end in spans:
            for step in found.steps:
                if step["entry"] in entries and start < step["begun_at"] < end:
                    yield f"step {step['id']} began {(step['begun_at'] - start) // 1000} ms after"
            for site in self.sites:
                for asked in site.asked() if site.name == self.plan.shut else ():
                    after = int(asked["at"] * 1e6) - start - int(self.plan.timeout * 1e6)
                    if asked["interaction"] in ("create", "update") and 0 < after < end - start - int(
                        self.plan.timeout * 1e6
                    ):
                        yield f"{asked['interaction']} of a {asked['type']} {after // 1000} ms after"

    def report(self, found: proof.Facts, wrong: dict[str, list[str]]) -> dict[str, Any]:
        """The campaign in numbers."""
        editions = list(self.caseload.latest.values())
        return {
            "seed": self.plan.seed,
            "kills": self.crew.kills,
            "workers": self.plan.workers,
            "faults": self.plan.faults,
            "requests": len(self.asked),
            "requests with a fault": sum(bool(asked["fault"]) for asked in self.asked),
            **(self.upheavals.report() if self.upheavals is not None else {}),
            "steps while killing": proof.before(found, self.skipped),
            **proof.counts(found),
            "contacts amended": editions.count(AMENDED),
            "contacts withdrawn": editions.count(VOID),
            "answered by an engineer": self.answered,
            "wrong": {rule: len(told) for rule, told in wrong.items()},
            "seconds": {name: round(seconds, 1) for name, seconds in self.seconds.items()},
        }


def settle(pilot: Pilot, within: float = 24 * HOUR, stride: float = 0.0) -> int:
    """All is settled that comes within so many seconds; what stopped too many workers was tried again, as an engineer
    would. How often it was.
    """
    answered = 0
    for _ in range(10):
        pilot.settle(400, within, stride)
        stopped = [hold for hold in pilot.holds() if stopped_a_worker(hold)]
        if not stopped:
            return answered
        for hold in stopped:
            answered += answering.retry(pilot.line, hold["id"], "", "engineer", pilot.clock())
    raise AssertionError("it stops every worker")


def stopped_a_worker(hold: dict[str, Any]) -> bool:
    """Whether this hold says that a worker was stopped, as the kills made it look."""
    return (hold["reason"], hold["owner"]) == (HoldReason.DECISION, Owner.ENGINEER) and "stopped" in hold["rule"]


def told(held: Held) -> str:
    """The text of a document."""
    (content,) = held.resource["content"]
    return base64.b64decode(content["attachment"]["data"]).decode()


@contextmanager
def campaign(plan: Plan, nursery: Nursery, folder: Path, running: Sequence[Site] = ()) -> Iterator[Campaign]:
    """A campaign opened; its workers end with the block, and so do its EHRs but those that ran already."""
    with ExitStack() as wires:
        keys = wires.enter_context(key_server(plan.signing))
        smart = f"{CLIENT}={keys.url}" if keys is not None else ""
        sites = [site for site in running if site.name in plan.practices]
        for site in sites:
            site.clear()
        if not sites:
            sites = wires.enter_context(sandboxes(plan.practices, folder / "sandboxes.log", smart=smart))
        bases = [wires.enter_context(slow_wire(site, plan.slow)) if plan.slow else site.base for site in sites]
        projects = [
            flow.Site(site.name, base, enable=ENABLED.get(site.name, ()), login=LOGIN if keys is not None else "none")
            for site, base in zip(sites, bases, strict=True)
        ]
        settings = {"store": plan.store, "lease": plan.lease, "timeout": plan.timeout, "visibility": VISIBILITY}
        with flow.pilot(folder / "project", projects, **settings) as pilot:
            crew = Crew(nursery, pilot, random.Random(plan.seed + 1), broken=plan.broken)
            ledger = pilot.line.ledger
            upheavals = Upheavals(keys, ledger, sites, plan.shut) if keys is not None or plan.shut else None
            try:
                yield Campaign(plan, pilot, sites, Caseload(plan.lanes, plan.contacts), crew, upheavals)
            finally:
                crew.kill_all()
