"""Histories of one child's consents over the line, with a plain book of what was permitted at each moment.

The book is written from the rules (docs/consent.md), not from the decision: a list of signatures, read backwards.
Every request the EHR receives is looked up in it at the moment it arrives.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.ehr.chart import Sender
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import EntryState, Request, Response
from bridge.moves import granting
from tests.flow.pilot import AGENCY, Pilot, Site, pilot
from tests.flow.tap import Asked, Tap, tapped
from tests.flow.test_line import PRACTICE, contact, patient

CHILD, MOTHER, FATHER, STATE = "the child", "g-1", "g-2", "dcf"
ZONE = ZoneInfo("America/New_York")
HEADER = "agency,person,practice,from,until,grantor,authority,classes,purpose"
FACTS, WORDS = frozenset({"ordinary"}), frozenset({"ordinary", "narrative"})
RIGHTS = {MOTHER: "parent", FATHER: "guardian", STATE: "state", CHILD: "self"}
LEASE = 121
DAY = 86_400 * 1_000_000


@dataclass
class Signature:
    """One form: whose, from which local day to which (inclusive), and what has become of it."""

    who: str
    first: int
    last: int | None
    classes: frozenset[str]
    purpose: str
    day: str
    order: int
    gone: int | None = None  # taken back
    doubted: int | None = None  # who may consent changed


@dataclass
class Book:
    """What is permitted, as a person with the forms in a folder would say it."""

    birthday: int
    forms: list[Signature] = field(default_factory=list)

    def permitted(self, now: int) -> frozenset[str]:
        """The classes that may be sent now: none where anybody with a say says no, or nobody says yes."""
        desk: dict[str, Signature] = {}
        for form in sorted(self.forms, key=lambda one: (one.first, one.order)):
            valid_purpose = form.purpose == "care-coordination"
            if valid_purpose and form.first <= now and (form.doubted is None or now < form.doubted):
                desk[form.who] = form  # the newest on top of the pile of each
        if now >= self.birthday:
            desk = {who: form for who, form in desk.items() if who == CHILD}
            desk = {who: form for who, form in desk.items() if not form.classes or form.first >= self.birthday}
        else:
            if STATE in desk and not self.over(desk[STATE].gone, now):
                desk.pop(MOTHER, None)
            if CHILD in desk and desk[CHILD].classes:
                del desk[CHILD]
        may: frozenset[str] | None = None
        for form in desk.values():
            ends = [one.gone for one in self.forms if (one.who, one.purpose) == (form.who, form.purpose)]
            before = [end for end in ends if end is not None and end <= now and form.first <= end - DAY]
            if self.over(form.gone, now) or before:  # what was signed before they took their word back is no new word
                return frozenset()
            if self.over(form.last, now):
                continue
            if not form.classes:
                return frozenset()
            may = form.classes if may is None else may & form.classes
        return may or frozenset()

    @staticmethod
    def over(end: int | None, now: int) -> bool:
        return end is not None and now >= end


@dataclass
class Gone:
    """A client whose worker is gone in the middle of the next write."""

    client: Sender
    worker: Worker
    sent: bool

    async def send(self, request: Request) -> Response:
        if request.method in ("POST", "PUT") and "_search" not in request.path:
            if self.sent:
                await self.client.send(request)
            self.worker.stop()
            raise asyncio.CancelledError
        return await self.client.send(request)


def crash(opened: Pilot, sent: bool) -> None:
    """A worker is gone in the middle of its next write, before or after it left; its lease ran out."""
    line = opened.line

    async def run() -> None:
        async with connected(line):
            worker = Worker(line, opened.clock)
            for name, chart in line.charts.items():
                line.charts[name] = replace(chart, client=Gone(chart.client, worker, sent))
            await worker.run(until_idle=True)

    asyncio.run(run())
    opened.clock.skip(LEASE)


@dataclass
class World:
    """One project behind one tap, in which one child's history follows another's.

    `wrong` is every request that the book of its child did not permit at the moment it arrived.
    """

    opened: Pilot
    tap: Tap
    histories: dict[str, History] = field(default_factory=dict)  # the EHR's Patient id → whose
    wrong: list[str] = field(default_factory=list)
    sent: int = 0
    meanwhile: Callable[[], None] | None = None

    def heard(self, asked: Asked) -> int | None:
        """A request has arrived: whatever it says must be permitted now. What is asked first takes its time."""
        if asked.method in ("POST", "PUT") and not asked.what.endswith("_search"):
            resource = json.loads(asked.body)
            if resource.get("status") != "entered-in-error":
                said = classes_of(resource)
                whose = self.histories[resource["subject"]["reference"].removeprefix("Patient/")]
                self.sent += 1
                if not said <= whose.book.permitted(self.opened.clock()):
                    self.wrong.append(f"{asked.method} {asked.what} {sorted(said)}")
        elif self.meanwhile is not None and asked.what != "metadata":
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return None

    def child(self, turns_adult_in: int) -> History:
        """Another child, who is of age in so many days; linked, with nothing signed."""
        number = len(self.histories) + 1
        adult = local_day(self.opened.clock()) + timedelta(days=turns_adult_in)
        born = date(adult.year - 18, adult.month, min(adult.day, 28) if adult.month == 2 else adult.day)
        of_age = midnight(date(born.year + 18, born.month, born.day))
        self.tap.load(patient(f"m-{number}", str(born)))
        mine = [one for one in self.tap.stored("Patient") if one["identifier"][0]["value"] == f"m-{number}"]
        name = f"c-{number}"
        self.opened.links(PRACTICE, {name: f"m-{number}"})
        record = {"id": name, "name": {"family": "Ejemplo", "given": ["Luz"]}, "birth_date": str(born)}
        self.opened.accept("ma-soc/child", record)
        self.opened.work()
        made = History(self, name, Book(of_age))
        self.histories[mine[0]["id"]] = made
        return made


@dataclass
class History:
    """What is said and sent of one child."""

    world: World
    child: str
    book: Book
    contacts: dict[str, int] = field(default_factory=dict)  # id → version
    orders: int = 0

    @property
    def opened(self) -> Pilot:
        return self.world.opened

    def now(self) -> int:
        return self.world.opened.clock()

    # ── what people do ──
    def sign(self, who: str, classes: frozenset[str], begins: int, lasts: int | None, purpose: str) -> None:
        """A form is entered: from so many days from today, for so many days."""
        first = local_day(self.now()) + timedelta(days=begins)
        last = first + timedelta(days=lasts) if lasts is not None else None
        names = " ".join(sorted(classes)) or "none"
        grantor = self.child if who == CHILD else who
        row = f"{AGENCY},{self.child},{PRACTICE},{first},{last or ''},{grantor},{RIGHTS[who]},{names},{purpose}"
        taken = self.opened.roster("consents", HEADER, [row])
        assert not taken.problems
        self.orders += 1
        after = last + timedelta(days=1) if last is not None else None
        same = [one for one in self.book.forms if (one.who, one.day, one.purpose) == (who, str(first), purpose)]
        form = Signature(
            who, midnight(first), midnight(after) if after else None, classes, purpose, str(first), self.orders
        )
        for old in same:  # the same row again replaces what it said, and revives nothing
            form.order, form.gone, form.doubted = old.order, old.gone, old.doubted
            self.book.forms.remove(old)
        self.book.forms.append(form)

    def take_back(self) -> None:
        """The family takes everything back."""
        now = self.now()
        granting.revoke(self.opened.line, AGENCY, self.child, PRACTICE, "test", now)
        for form in self.book.forms:
            if form.gone is None and not self.book.over(form.last, now):
                form.gone = now

    def doubt(self) -> None:
        """Who may consent for the child changed."""
        now = self.now()
        granting.suspend(self.opened.line, AGENCY, self.child, now)
        for form in self.book.forms:
            if form.who != CHILD and form.doubted is None:
                form.doubted = now

    def visit(self, number: int, words: bool) -> None:
        """A visit, or a new version of one."""
        id = f"{self.child}-k-{number}"
        version = self.contacts.get(id, 0) + 1
        self.contacts[id] = version
        stamp = datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(minutes=version)
        more = {"narrative": f"Spoken words {version}."} if words else {}
        status = "signed" if version == 1 else "amended"
        self.opened.accept(
            "ma-soc/contact", contact(id, child=self.child, updated_at=stamp.isoformat(), status=status, **more)
        )

    # ── what machines do ──
    def work(self) -> None:
        self.opened.work()

    def crash(self, sent: bool) -> None:
        crash(self.opened, sent)

    def lose(self, fault: str) -> None:
        """The answer to the next write is lost."""
        match = {"method": "POST", "type": "DocumentReference"}
        self.world.tap.fault(fault=fault, count=1, match=match)

    def pass_days(self, days: int) -> None:
        """It is another day, just after its first instant."""
        self.opened.clock.skip((midnight(local_day(self.now()) + timedelta(days=days)) - self.now()) / 1e6 + 0.5)

    def rest(self) -> None:
        """Everything that may go has gone: nothing that is permitted waits."""
        self.opened.settle(most=40, within=3 * 3600)
        permitted = self.book.permitted(self.now())
        mine = (entry for entry in self.opened.entries() if f"/{self.child}-k-" in entry["thread"])
        for entry in mine:
            if permitted:
                assert entry["state"] in ("delivered", "cancelled", "retracted"), entry["state"]
            else:
                assert entry["state"] != EntryState.READY.value or entry["due_at"] > self.now()


def local_day(now: int) -> date:
    """The agency's day."""
    return datetime.fromtimestamp(now / 1e6, ZONE).date()


def midnight(day: date) -> int:
    """The first instant of a local day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) * 1_000_000


def classes_of(resource: dict[str, Any]) -> frozenset[str]:
    """The label classes of what a document says, told from its words; none of the note that a consent ended."""
    text = base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()
    if "Consent to share has ended" in text and "Contact with the family" not in text and "Spoken" not in text:
        return frozenset()
    return WORDS if "Spoken words" in text else FACTS


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A project with nobody in it yet."""
    with tapped("open") as tap, pilot(folder, [Site(PRACTICE, tap.base)], lease=LEASE - 1, visibility=0.2) as opened:
        made = World(opened, tap)
        tap.refuse = made.heard
        yield made
