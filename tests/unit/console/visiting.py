"""Somebody at the pages: signed in, reading, sending forms as a browser would, and what waits for them to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

import httpx
from sqlalchemy import select

from bridge.console import signing
from bridge.model import EntryState, Hold, HoldReason, Owner, Stands
from bridge.store import plans, records, tables
from tests.unit.api.asking import Client
from tests.unit.api.opened import CEDAR_KEY, DAY, Opened, contact
from tests.unit.settings.project import API_KEY
from tests.unit.store.making import begin, claim, claim_lane, entry_plan, finish, open_holds, release, save

GROUP = Hold(HoldReason.DECISION, "record:1", Owner.AGENCY, "this note is about a group session", "decide")


class Reader(HTMLParser):
    """The forms and the words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.words: list[str] = []
        self.unlabelled: list[str] = []
        self._labels: set[str] = set()
        self._fields: list[dict[str, str | None]] = []
        self._inside = 0
        self.feed(html)
        for field in self._fields:
            named = field.get("aria-label") or field.get("id") in self._labels
            if field.get("type") not in ("hidden", "radio", "checkbox") and not named:
                self.unlabelled.append(str(field.get("name")))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "form":
            self.forms.append({"": str(found.get("action"))})
        if tag == "label":
            self._labels.add(str(found.get("for")))
        if tag in ("input", "select"):
            self._fields.append(found)
            if self.forms and found.get("type") == "hidden":
                self.forms[-1][str(found["name"])] = str(found.get("value"))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, in one line."""
        return re.sub(r"\s+", " ", " ".join(self.words)).strip()


@dataclass
class Visit:
    """One person's browser."""

    doors: Opened
    client: Client

    def get(self, path: str) -> httpx.Response:
        """The page."""
        return self.client.get(f"/console{path}")

    def read(self, path: str, status: int = 200) -> str:
        """The page's words."""
        answer = self.get(path)
        assert answer.status_code == status, (answer.status_code, answer.headers)
        return Reader(answer.text).text

    def send(self, page: str, action: str, values: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        """The answer to the form with this action on that page, with its hidden fields and these values."""
        form = self.form(page, action)
        return self.client.post(form.pop(""), data=form | dict(values or {}), **more)

    def form(self, page: str, action: str) -> dict[str, str]:
        """The hidden fields of the form with this action on that page; "" is the action."""
        answer = self.get(page)
        assert answer.status_code == 200, answer.status_code
        found = [one for one in Reader(answer.text).forms if one[""].endswith(action)]
        assert found, f"{page} has no form {action}"
        return found[0]

    def follow(self, answer: httpx.Response) -> str:
        """The words of the page a form led to."""
        assert answer.status_code == 303, (answer.status_code, Reader(answer.text).text)
        return Reader(self.client.get(answer.headers["location"]).text).text


def visit(doors: Opened, person: str) -> Visit:
    """This person, signed in."""
    path = signing.new_link(doors.line, doors.project.people[person], "test", doors.clock())
    client = Client(doors.client.app)
    answer = client.post("/console/sign-in", data={"token": path.rpartition("/")[2]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    return Visit(doors, client)


# ── what waits ────────────────────────────────────────────────────────────────────────────────────────────────────
def accept(doors: Opened, *items: Mapping[str, Any], agency: str = "harbor") -> list[records.Work]:
    """The records, accepted and claimed for translation."""
    answer = doors.post([dict(item) for item in items], agency=agency, key=API_KEY if agency == "harbor" else CEDAR_KEY)
    assert answer.status_code == 202, answer.text
    return claim(doors.ledger, now=doors.clock(), until=doors.clock() + DAY)


def held_record(doors: Opened, hold: Hold, id: str = "k-1", agency: str = "harbor", **more: Any) -> int:
    """A record that waits: the hold's number."""
    (work,) = accept(doors, contact(id, **more), agency=agency)
    assert save(doors.ledger, work, holds=(hold,), parts={}, now=doors.clock())
    return newest(doors)


def held_entry(doors: Opened, hold: Hold, id: str = "k-1", agency: str = "harbor", practice: str = "elm") -> int:
    """A record with one entry that waits: the hold's number."""
    (work,) = accept(doors, contact(id), agency=agency)
    assert save(doors.ledger, work, to(practice, hold=hold), now=doors.clock())
    return newest(doors)


def delivered(doors: Opened, id: str = "k-1", stands: str = "doc-1") -> int:
    """A record whose document is in the chart: its number."""
    (work,) = accept(doors, contact(id))
    assert save(doors.ledger, work, to("elm"), now=doors.clock())
    lane = claim_lane(doors.ledger, now=doors.clock(), until=doors.clock() + DAY)
    _, step = begin(doors.ledger, lane, lane.entries[0], now=doors.clock())
    there = Stands(stands, "1", "d1")
    state = EntryState.DELIVERED
    assert finish(
        doors.ledger,
        lane,
        lane.entries[0],
        state,
        stands=there,
        step=step,
        answer="done",
        status=201,
        now=doors.clock(),
    )
    assert release(doors.ledger, lane)
    return work.id


def to(practice: str, **changes: Any) -> plans.EntryPlan:
    """One document for this practice about the child of `contact`."""
    return replace(entry_plan(practice=practice, person="c-1"), **changes)


def newest(doors: Opened) -> int:
    """The number of the hold opened last."""
    return int(max(hold["id"] for hold in open_holds(doors.ledger)))


def trail(doors: Opened) -> list[tuple[str, str, str, str]]:
    """Who did what to which object, for which agency, in the order of doing."""
    audit = tables.audit
    with doors.ledger.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    return [(row.agency, row.actor, row.action, row.object) for row in rows]
