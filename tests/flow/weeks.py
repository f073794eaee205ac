"""A practice that wants its notes by the week: the pilot with a clock on a Monday, and what its EHR tells of whom."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.model import type_json
from bridge.settings import CadenceSettings
from bridge.store import browsing
from tests.flow.histories import LEASE, crash
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.tap import Tap, tapped
from tests.flow.test_line import PRACTICE, contact, patient

ZONE = ZoneInfo("America/New_York")
KIND = "ma-soc/contact"
HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
WEEK = 7 * DAY


@dataclass
class Weeks:
    """One practice behind a tap; `monday` is the noon on which the clock stood first."""

    opened: Pilot
    tap: Tap
    monday: int = 0
    child: str = ""

    def another(self) -> Weeks:
        """The same practice, on the next Monday, with a child nobody spoke of before."""
        now = datetime.fromtimestamp(self.opened.clock() / 1e6, ZONE)
        day = now.date() + timedelta(days=7 - now.weekday())
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).timestamp()
        self.opened.clock.skip(noon - self.opened.clock() / 1e6)
        self.monday, self.child = int(noon) * 1_000_000, f"c-{day}"
        self.wants("weekly")
        return self

    def wants(self, rhythm: str, hold_back: int = 0, **more: object) -> None:
        """The practice's setting from here on; what is new waits for so many seconds."""
        line = self.opened.line
        practice = line.project.practices[PRACTICE]
        held_back = {"": hold_back} if hold_back else {}
        wanted = replace(practice, hold_back=held_back, cadence=CadenceSettings(kinds={KIND: rhythm}, **more))  # type: ignore[arg-type,dict-item]
        line.project = replace(line.project, practices={PRACTICE: wanted})

    def ready(self, child: str = "", narrative: str = "yes") -> None:
        """Linked and consented."""
        child = child or self.child
        self.tap.load(patient(f"m-{child}"))
        self.opened.links(PRACTICE, {child: f"m-{child}"})
        self.opened.consents(f"{child},{PRACTICE},2026-01-01,,{narrative}")

    def contact(self, id: str, hours: float = -1, version: int = 1, **more: Any) -> None:
        """A contact so many hours from the first Monday's noon, or another version of it."""
        begun = datetime.fromtimestamp(self.monday / 1e6, UTC) + timedelta(hours=hours)
        stamp = datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(minutes=version)
        said = {
            "started": begun.isoformat(timespec="seconds"),
            "ended": (begun + timedelta(minutes=30)).isoformat(timespec="seconds"),
            "updated_at": stamp.isoformat(),
            "status": "signed" if version == 1 else "amended",
            "narrative": f"Words of {id}, version {version}.",
        }
        whose = str(more.get("child", self.child))
        (answer,) = self.opened.accept(KIND, contact(f"{whose}-{id}", **{**said, "child": whose, **more}))
        assert answer.problem is None, answer.problem

    def void(self, id: str, version: int, **more: Any) -> None:
        """The contact is taken back."""
        self.contact(id, version=version, status="void", **more)

    def skip(self, microseconds: int) -> None:
        """The clock is so much later, and what is due was done."""
        self.opened.clock.skip(microseconds / 1e6)
        self.opened.work()

    def friday(self) -> None:
        """It is the evening of the next Friday; what was due has settled."""
        now = self.opened.clock()
        until = self.monday + 4 * DAY + 5 * HOUR
        while until <= now:
            until += WEEK
        self.opened.clock.skip((until - now + HOUR) / 1e6)  # in winter too
        self.opened.settle(most=40, within=3600)

    def sent(self, child: str = "") -> list[type_json]:
        """What we ever made in the child's chart, as it is now."""
        number = f"m-{child or self.child}"
        charts = [
            f"Patient/{one['id']}" for one in self.tap.stored("Patient") if number == one["identifier"][0]["value"]
        ]
        return [one for one in self.tap.stored("DocumentReference") if one["subject"]["reference"] in charts]

    def crash(self, sent: bool) -> None:
        """As `histories.crash`."""
        crash(self.opened, sent)

    def documents(self, child: str = "") -> list[type_json]:
        """What stands in the child's chart."""
        return [one for one in self.sent(child) if one["status"] == "current"]

    def entries(self) -> list[dict[str, Any]]:
        """The child's entries."""
        with self.opened.line.ledger.engine.connect() as connection:
            (mine,) = browsing.find_person(connection, self.child)
        return [row for row in self.opened.entries() if row["person"] == mine["id"]]

    def told(self) -> list[list[str]]:
        """For each document that stands the words of the contacts it tells, in its order."""
        return sorted(re.findall(r"Words of (\S+, version \d+)\.", text(one)) for one in self.documents())


def text(document: type_json) -> str:
    """The words of a document."""
    return base64.b64decode(document["content"][0]["attachment"]["data"]).decode()


@contextmanager
def weeks(folder: Path) -> Iterator[Weeks]:
    """A project with nobody in it yet."""
    with tapped("open") as tap, pilot(folder, [Site(PRACTICE, tap.base)], lease=LEASE - 1, visibility=0.2) as opened:
        yield Weeks(opened, tap)
