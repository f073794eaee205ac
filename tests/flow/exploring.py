"""An entry's whole life explored: workers that die between any two durable steps, lost answers, people who act.

One ledger and three EHRs in this process, each as a dictionary that shows what it took only after a while; the clock is
a number. Each history has a child of its own. What arrives is judged at that moment, and what stands when all is quiet.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from bridge import pipeline
from bridge.ehr import facts
from bridge.ehr.chart import Chart
from bridge.errors import ConfigError
from bridge.jobs.worker import system_clock
from bridge.model import Failure, Request, Response, type_json
from bridge.moves import answering, granting, recalling
from bridge.moves.line import Line
from bridge.store import lanes, records
from bridge.store.writer import Operation
from tests.flow.pilot import AGENCY, SYSTEM, Pilot, Site, pilot
from tests.flow.test_line import contact, patient
from tests.unit.ehr.making import ALL, outcome, statement
from tests.unit.ehr.making import json as answer

P = TypeVar("P")
R = TypeVar("R")
SECOND, LEASE = 1_000_000, 120
KINDS = ("maple", "elm", "oak")
"""The practices: one updates and is searched by identifier, one replaces documents, one keeps no identifier."""

NARRATIVE = re.compile(r"Said ([0-9]+)\.")
FAULTS = ("drop-before", "drop-after", "500-before", "500-after", "429", "503", "gone-before", "gone-after")
BREAKS = ("gone-before", "gone-after", "still-before", "still-after", "fails-before", "fails-after")
"""What happens to a worker at a durable step: it is gone, it stands still until another has its lane, or our code
fails there.
"""


class Gone(BaseException):
    """This worker is no more."""


@dataclass
class Standing:
    """One resource an EHR holds."""

    resource: type_json
    versions: int
    shown: int
    told: list[int] = field(default_factory=list)  # what each version said
    superseded: bool = False


@dataclass
class Ehr:
    """One practice's EHR. `judge` is asked about everything that is written, at the moment it is."""

    name: str
    clock: Callable[[], int]
    judge: Callable[[str, type_json], None]
    keeps_identifier: bool = True
    delay: int = 30 * SECOND
    patients: dict[str, type_json] = field(default_factory=dict)
    held: dict[str, Standing] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    async def send(self, request: Request) -> Response:
        """The answer, or what became of it."""
        searching = request.path.endswith("_search")
        fault = self.faults.pop(0) if self.faults and request.path.startswith("DocumentReference") else ""
        self.met[fault] += bool(fault)
        if fault == "gone-before":
            raise Gone
        if fault in ("429", "503") and (fault == "429" or searching or request.method == "GET"):
            return Response(int(fault), {"retry-after": "30"})
        if fault == "drop-before":
            return Response(failure=Failure.LOST)
        if fault == "500-before":
            return Response(500)
        answered = self.searched(request) if searching else self.carried_out(request)
        if fault == "gone-after":
            raise Gone
        if fault == "drop-after":
            return Response(failure=Failure.LOST)
        return Response(500) if fault == "500-after" else answered

    def carried_out(self, request: Request) -> Response:
        """A read, a create or an update."""
        type, _, id = request.path.partition("/")
        if type == "Patient":
            found = self.patients.get(id)
            return answer(200, found) if found else Response(404)
        there = self.held.get(id)
        if request.method == "GET":
            return self.shown(200, there) if there else Response(404)
        resource = json.loads(request.body)
        if request.method == "PUT":
            if there is None:
                return Response(404)
            if request.headers.get("If-Match") != f'W/"{there.versions}"':
                return answer(412, outcome("conflict"))
        else:
            id = f"{self.name}-{len(self.held) + 1}"
            for related in resource.get("relatesTo", ()):
                self.held[related["target"]["reference"].partition("/")[2]].superseded = True
        self.judge(self.name, resource)
        return self.written(id, resource, there)

    def written(self, id: str, resource: type_json, there: Standing | None) -> Response:
        """It stands, and searches show it later."""
        kept = {key: value for key, value in resource.items() if key != "identifier" or self.keeps_identifier}
        kept |= {"id": id}
        if there is None:
            there = self.held[id] = Standing(kept, 0, self.clock() + self.delay)
        there.resource, there.versions = kept, there.versions + 1
        if resource["status"] != "entered-in-error":
            there.told.append(said(resource))
        return self.shown(201 if there.versions == 1 else 200, there)

    def shown(self, status: int, there: Standing) -> Response:
        """The resource as it is answered."""
        body = {**there.resource, "meta": {**there.resource.get("meta", {}), "versionId": str(there.versions)}}
        place = f"DocumentReference/{body['id']}"
        return answer(status, body, location=place, etag=f'W/"{there.versions}"')

    def searched(self, request: Request) -> Response:
        """A searchset: of patients at once, of documents what is shown by now."""
        asked = dict(parse_qsl(request.body.decode()))
        if request.path.startswith("Patient"):
            wanted = asked["identifier"].rpartition("|")[2]
            found = [one for one in self.patients.values() if one["identifier"][0]["value"] == wanted]
        else:
            seen = [one.resource for one in self.held.values() if one.shown <= self.clock()]
            if "identifier" in asked:
                wanted = asked["identifier"].rpartition("|")[2]
                found = [one for one in seen if any(i["value"] == wanted for i in one.get("identifier", ()))]
            else:
                found = [one for one in seen if one["subject"]["reference"] == f"Patient/{asked['patient']}"]
        entries = [{"resource": one} for one in found]
        return answer(200, {"resourceType": "Bundle", "type": "searchset", "entry": entries})


def said(resource: type_json) -> int:
    """The number its narrative says; 0 of a note that sharing ended, which says nothing else."""
    text = base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()
    found = NARRATIVE.findall(text)
    assert found or "Consent to share has ended" in text
    return int(found[0]) if found else 0


class Watched(Line):
    """A line whose durable steps are counted; at one of them something happens to its worker."""

    breaks: dict[int, str]
    met: Counter[str]
    still: Callable[[], Awaitable[None]]

    async def write(self, operation: Operation[P, R], parameter: P) -> R:
        """The operation, before or after which the worker may be gone or stand still."""
        happens = self.breaks.pop(0, "")
        self.met[happens] += bool(happens)
        self.breaks = {number - 1: what for number, what in self.breaks.items()}
        if happens == "gone-before":
            raise Gone
        if happens == "still-before":
            await self.still()
        if happens == "fails-before":
            raise KeyError(happens)
        result = await super().write(operation, parameter)
        if happens == "gone-after":
            raise Gone
        if happens == "still-after":
            await self.still()
        if happens == "fails-after":
            raise KeyError(happens)
        return result


@dataclass
class World:
    """One project and its EHRs, in which one child's history follows another's."""

    opened: Pilot
    line: Watched
    now: int
    ehrs: dict[str, Ehr] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)  # by the EHR's Patient id
    wrong: list[str] = field(default_factory=list)
    steps: int = 0
    writes: int = 0
    claims: int = 0

    def clock(self) -> int:
        return self.now

    @property
    def met(self) -> dict[str, int]:
        """What went wrong so far, and how often."""
        return dict(sum((ehr.met for ehr in self.ehrs.values()), self.line.met))

    def judged(self, practice: str, resource: type_json) -> None:
        """What is written is of a child who agreed, in the chart that is certain, and no older than what stands."""
        self.writes += 1
        if resource["status"] == "entered-in-error":
            return
        chart = resource["subject"]["reference"].partition("/")[2]
        child = self.children[chart]
        if chart != child.chart:
            self.wrong.append(f"{chart}: written to after the chart was another")
        if said(resource) and not child.agreed:
            self.wrong.append(f"{chart}: written to without a consent")

    def claim(self, owner: str) -> list[lanes.LaneWork]:
        """Lanes that are due, leased."""
        self.claims += 1
        ask = lanes.Claim(self.line.ledger, owner, 10, self.now, self.now + LEASE * SECOND)
        return self.line.ledger.write(lanes.claim, ask)

    async def carry(self, works: Sequence[lanes.LaneWork]) -> None:
        """These lanes as far as they go, and given back; where the worker is gone, they are not."""
        for work in works:
            try:
                await pipeline.carry(self.line, self.line.charts[work.practice], work, self.clock)
                await self.line.write(lanes.release, lanes.Lease.of(work))
            except Gone:
                return
            except KeyError:
                continue  # it failed also to say so: its lease runs out

    async def another(self) -> None:
        """This worker stands still past its lease, and another takes what is due."""
        breaks, self.line.breaks = self.line.breaks, {}
        faults = {name: ehr.faults for name, ehr in self.ehrs.items()}
        for ehr in self.ehrs.values():
            ehr.faults = []
        self.now += (LEASE + 1) * SECOND
        await self.carry(self.claim("another"))
        self.line.breaks = breaks
        for name, ehr in self.ehrs.items():
            ehr.faults = faults[name]

    def translate(self) -> None:
        """What was accepted is planned."""
        ledger = self.line.ledger
        works = ledger.write(records.claim, records.Claim(ledger, "t", 50, self.now, self.now + LEASE * SECOND))
        pipeline.translate(self.line, works, "t", self.now)

    def settle(self) -> None:
        """Nothing goes wrong any more, and time passes until nothing is due for a month."""
        self.line.breaks = {}
        for ehr in self.ehrs.values():
            ehr.faults = []
        for _ in range(60):
            self.translate()
            asyncio.run(self.carry(self.claim("last")))
            due = self.opened.next_due()
            if due is None or due > self.now + 32 * 86_400 * SECOND:
                return
            self.now = max(self.now, due) + (0 if due > self.now else (LEASE + 1) * SECOND)
        self.wrong.append("there is always something more to do")

    def child(self, practice: str) -> Child:
        """Another child, linked and agreed."""
        made = Child(self, f"c-{len(self.children)}", practice, f"{practice}-p-{len(self.children)}")
        self.children[made.chart] = made
        made.linked()
        made.agree()
        return made


@dataclass
class Child:
    """One child's history: what the agency said of each contact, and where it should stand."""

    world: World
    id: str
    practice: str
    chart: str
    agreed: bool = False
    contacts: dict[str, int] = field(default_factory=dict)  # contact → what it said last; 0 = withdrawn
    number: int = 0
    form: int = 0

    def linked(self) -> None:
        """The practice says which patient this is."""
        value = f"m-{self.chart}"
        self.world.ehrs[self.practice].patients[self.chart] = {**patient(value), "id": self.chart}
        line = f"{AGENCY},{self.id},{self.practice},{SYSTEM},{value}"
        self.world.opened.roster("links", "agency,person,practice,system,value", [line])

    def agree(self) -> None:
        """The family agrees."""
        if self.agreed is False and self.form:
            self.world.now += 86_400 * SECOND  # a form from before they took it back would be no new word
        day = datetime.fromtimestamp(self.world.now / SECOND, ZoneInfo("America/New_York")).date()
        self.world.opened.consents(f"{self.id},{self.practice},{day if self.form else '2026-01-01'},,yes")
        self.form += 1
        self.agreed = True

    def regret(self) -> None:
        """The family takes it back."""
        self.agreed = False
        granting.revoke(self.world.line, AGENCY, self.id, self.practice, "test", self.world.now)

    def say(self, name: str) -> None:
        """A contact is signed, or amended."""
        self.number += 1
        self.contacts[name] = self.number
        status = "signed" if self.number == 1 else "amended"
        at = f"2026-03-{2 + self.number // 20:02}T{self.number % 20:02}:00:00-05:00"
        record = contact(f"{self.id}-{name}", child=self.id, status=status, updated_at=at)
        self.accept({**record, "narrative": f"Said {self.number}."})

    def withdraw(self, name: str) -> None:
        """A contact is withdrawn."""
        self.number += 1
        self.contacts[name] = 0
        at = f"2026-03-{2 + self.number // 20:02}T{self.number % 20:02}:00:00-05:00"
        self.accept({"id": f"{self.id}-{name}", "status": "void", "child": self.id, "updated_at": at})

    def accept(self, record: type_json) -> None:
        self.world.opened.accept("ma-soc/contact", record)
        self.world.translate()

    def recall(self) -> None:
        """All of it went to the wrong chart; the practice says which is the right one."""
        old = self.chart
        try:
            asked = recalling.Asked(AGENCY, self.id, self.practice, chart=old)
            recalling.recall(self.world.line, asked, "test", self.world.now)
        except ConfigError:
            return  # nothing went there
        self.chart = f"{old}-r"
        self.world.children[self.chart] = self
        self.linked()

    def standing(self) -> list[Standing]:
        """Every document of this child, in whichever chart."""
        charts = {f"Patient/{name}" for name, child in self.world.children.items() if child is self}
        held = self.world.ehrs[self.practice].held.values()
        return [one for one in held if one.resource["subject"]["reference"] in charts]

    def answered(self) -> int:
        """A person at the practice looks into the chart and answers what is asked of them; how many."""
        done, line = 0, self.world.line
        mine = {entry["id"]: entry for entry in self.world.opened.entries() if f"/{self.id}-" in entry["thread"]}
        for hold in self.world.opened.holds():
            entry = mine.get(hold["entry"])
            failed = "the bridge failed" in hold["rule"]
            if entry is None or not (hold["reason"] == "decision" or failed):
                continue
            there = [one for one in self.standing() if entry["reference"] in json.dumps(one.resource)
                     and one.resource["status"] == "current" and not one.superseded]  # fmt: skip
            if failed or "stopped the worker" in hold["rule"] or "another chart" in hold["rule"]:
                answering.retry(line, hold["id"], "", "test", self.world.now)
            elif there:
                answering.decide(line, hold["id"], there[0].resource["id"], False, False, "test", self.world.now)
            else:
                answering.decide(line, hold["id"], "", True, False, "test", self.world.now)
            done += 1
        return done

    def complaints(self) -> Iterator[str]:
        """What is never so: two that stand of one delivery, an older version over a newer."""
        current: dict[str, int] = {}
        for one in self.standing():
            if any(later < earlier for earlier, later in zip(one.told, one.told[1:], strict=False)):
                yield f"{one.resource['id']}: said {one.told}, out of order"
            if one.resource["status"] == "current" and not one.superseded:
                thread = one.resource["content"][0]["attachment"].get("title", "")
                current[thread] = current.get(thread, 0) + 1
        yield from (f"{self.id}: {count} times {title}" for title, count in current.items() if count > 1)

    def wrong(self) -> list[str]:
        """Everything that is wrong by now, told once."""
        told, self.world.wrong = self.world.wrong, []
        return [*told, *self.complaints()]

    def ended(self) -> Iterator[str]:
        """All quiet, everything answered: each contact stands once as it was said last, the withdrawn ones nowhere."""
        yield from self.wrong()
        current = (
            one.resource for one in self.standing() if one.resource["status"] == "current" and not one.superseded
        )
        told = sorted(number for resource in current if (number := said(resource)))
        wanted = sorted(number for number in self.contacts.values() if number)
        if told != wanted:
            states = [e["state"] for e in self.world.opened.entries() if f"/{self.id}-" in e["thread"]]
            held = [h["rule"] for h in self.world.opened.holds() if f"/{self.id}-" in str(h["thing"])]
            yield f"{self.id} at {self.practice}: stands {told}, should {wanted}; {states}; {held}"
        charts = {one.resource["subject"]["reference"] for one in self.standing()
                  if one.resource["status"] == "current" and not one.superseded}  # fmt: skip
        if charts - {f"Patient/{self.chart}"}:
            yield f"{self.id}: something stands in a chart that was recalled"


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """The project, open, with its EHRs in this process."""
    sites = [Site(name, f"https://{name}.example/fhir") for name in KINDS]
    with pilot(folder, sites, visibility=30) as opened:
        given = opened.line
        line = Watched(given.project, given.ledger, given.translator, given.validator)
        line.breaks, line.met = {}, Counter()
        made = World(opened, line, system_clock())
        opened.clock = made.clock  # type: ignore[assignment]
        opened.line, line.still = line, made.another
        stated = statement(DocumentReference=(ALL, ("identifier", "patient")), Patient=(ALL, ("identifier",)))
        for name in KINDS:
            ehr = made.ehrs[name] = Ehr(name, made.clock, made.judged, keeps_identifier=name != "oak")
            vendor = facts.vendor("generic" if name == "oak" else "open")
            if name == "elm":
                vendor = vendor.model_copy(
                    update={"correction": vendor.correction.model_copy(update={"value": "replace"})}
                )
            practice = line.project.practices[name]
            chart = Chart(practice, line.project.connections[practice.connection], vendor, ehr)
            line.charts[name] = chart.knowing(stated, {})
        yield made
