"""The canary campaign at the doors: every route, every page as every role, every form."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from bridge import pipeline
from bridge.access import Role
from bridge.api.app import create_app
from bridge.console import signing
from bridge.errors import LedgerError, Problem
from bridge.jobs import tend
from bridge.moves import referring
from tests.flow.flights import referral_of
from tests.flow.opened import KEY, PRACTICE_KEY, Campaign
from tests.flow.pilot import AGENCY, SYSTEM
from tests.flow.spoilt import bad_records, broken_texts
from tests.unit.api.asking import Client

RECORDS = "/agencies/{agency}/records"
ROLES = {"ana": Role.AGENCY_STAFF, "lee": Role.PRACTICE_READER, "kim": Role.ENGINEER}
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


# ── which doors there are ─────────────────────────────────────────────────────────────────────────────────────────
def routes(app: Any, root: str = "") -> Iterator[tuple[str, str, Route | APIRoute]]:
    """Method, path template and route of every door of an app: mounted ones, guarded ones, those of included routers.

    Raises AssertionError for a door of a kind that is not known here.
    """
    while not hasattr(app, "routes"):
        app = app.app
    for route in app.routes:
        included = getattr(route, "original_router", None)  # FastAPI keeps routers as they are since 0.120
        if isinstance(route, Mount):
            yield from routes(route.app, root + route.path)
        elif included is not None:
            yield from routes(included, root)
        else:
            assert isinstance(route, Route | APIRoute), route
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, root + route.path, route


# ── the agencies' door ────────────────────────────────────────────────────────────────────────────────────────────
class Doors:
    """The doors over the campaign's line; every answer is heard."""

    def __init__(self, it: Campaign) -> None:
        self.it = it
        self.app = create_app(it.pilot.line, it.pilot.clock)
        self.client = Client(self.app)

    def ask(self, method: str, template: str, *, key: str = KEY, path: str = "", **more: Any) -> httpx.Response:
        """The answer; heard as one of `template`."""
        headers = {"Authorization": f"Bearer {key}"} | more.pop("headers", {})
        answer = self.client.ask(method, path or template.format(agency=AGENCY), headers=headers, **more)
        self.it.heard.doors.add((method, template))
        self.it.heard.answers.append((f"{method} {template} {answer.status_code}", whole(answer)))
        return answer

    def post(self, body: Any, kind: str = "ma-soc/contact", status: int = 422, **more: Any) -> None:
        """Records handed in, with the answer they must get."""
        said = {"content": body} if isinstance(body, bytes | str) else {"content": json.dumps(body)}
        answer = self.ask("POST", RECORDS, params={"kind": kind} if kind else {}, **said, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)


def whole(answer: httpx.Response) -> bytes:
    """Status line, headers and body."""
    return f"{answer.status_code} {answer.reason_phrase}\n{answer.headers}\n".encode() + answer.content


def agencies_door(it: Campaign) -> None:
    """What is taken, what is refused item by item, what is refused whole, and what goes wrong behind the door."""
    doors, writer = Doors(it), it.writer("the door", "unreleased")
    good = writer.contact("k-door", "c-door")
    refused = it.writer("refused at the door")
    doors.post([good, *bad_records(refused)], status=202)
    doors.post("\n".join(map(json.dumps, bad_records(refused))), headers={"Content-Type": "application/x-ndjson"})
    for record in bad_records(refused):
        doors.post(record)
    for text in broken_texts(refused):
        doors.post(text.encode("utf-8", "surrogatepass"))
        doors.post(text.encode("utf-8", "surrogatepass"), headers={"Content-Type": "application/x-ndjson"})

    def said(where: str) -> str:
        return refused.word("rejected", where)

    doors.post(good, kind=f"ma-soc/{said('kind')}")
    doors.post({"kind": said("item kind"), "record": {"id": said("item")}}, kind="")
    doors.post({"kind": {"x": said("item kind")}, "record": {"id": said("item")}}, kind="")
    doors.post({said("key"): said("item")}, status=415, headers={"Content-Type": f"text/{said('media type')}"})
    doors.post(said("utf-16").encode("utf-16"), status=415)
    doors.post(gzip.compress(said("gzip").encode()), status=415, headers={"Content-Encoding": "gzip"})
    doors.post([{"id": said("large"), "narrative": "x" * 70_000}] * 20, status=413)
    doors.post([{"id": said("large"), "narrative": said("large") * 9000}])
    doors.post(good, status=401, key=said("key"))
    doors.post(good, status=401, key="", headers={"X-API-Key": said("key")})
    other = f"/agencies/{said('agency')}/records"
    assert doors.ask("POST", RECORDS, path=other, json=good).status_code == 403
    for kind in ("test", "production", said("kind of keys")):
        doors.ask("GET", "/.well-known/jwks/{kind}.json", path=f"/.well-known/jwks/{kind}.json")
    for number in ("999999", said("record")):
        found = doors.ask("GET", RECORDS + "/{record}", path=f"/agencies/{AGENCY}/records/{number}")
        assert found.status_code in (404, 422)
    for record in it.pilot.records():
        doors.ask("GET", RECORDS + "/{record}", path=f"/agencies/{AGENCY}/records/{record['id']}")
    for method, path in (("GET", f"/{said('path')}"), ("POST", f"/agencies/{AGENCY}/records/?kind={said('query')}")):
        doors.ask(method, path.partition("?")[0][:8], path=path, headers={"X-Forwarded-Host": said("host")})
    assert doors.ask("DELETE", RECORDS, params={"kind": said("query")}).status_code == 405
    for path in ("/", "/console", "/health", "/metrics", "/openapi.json"):
        doors.ask("GET", path)
    with it.crashing(pipeline, "accept", good["narrative"]):
        doors.post(good, status=500)
    ledger_fails(it, doors, refused)


def ledger_fails(it: Campaign, doors: Doors, writer: Any) -> None:
    """The database does not take what it is given, and says so with its values; it does not answer at all."""
    from bridge.store import records
    from bridge.store.ledger import Ledger

    made = records.record_row
    contact = writer.contact("k-database", "c-door")
    for name in ("narrative", "address", "self_disclosure"):
        contact[name] = writer.text("rejected", name)

    def unfit(ask: Any, *more: Any) -> dict[str, Any]:
        return made(ask, *more) | {"kind": None, "thing": f"{ask.item.raw.decode()}"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "record_row", unfit)
        doors.post({**contact, "staff": [{"role": "clinician", "name": "Dana Lund"}]}, status=503)

    @contextlib.contextmanager
    def silent(self: Ledger) -> Iterator[None]:
        raise LedgerError(Problem("ledger-read", "the ledger could not be read"))
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "read", silent)
        for path in ("/health", "/metrics"):
            doors.ask("GET", path)


# ── the practices' door ───────────────────────────────────────────────────────────────────────────────────────────
REFERRALS = "/practices/{practice}/agencies/{agency}/referrals"


def practices_door(it: Campaign) -> None:
    """A referral that is taken, and everything that is none."""
    doors, refused = Doors(it), it.writer("refused at the practices' door")
    at = f"/practices/maple/agencies/{AGENCY}/referrals"

    def said(where: str) -> str:
        return refused.word("rejected", where)

    def post(body: Any, status: int, key: str = PRACTICE_KEY, path: str = at, **more: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body)
        answer = doors.ask("POST", REFERRALS, path=path, key=key, content=content, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)

    good = referral_of(it, it.marks.word("referred", "a referral's number"))
    post(good, 202)
    post(good, 202)
    post({**good, "status": said("status")}, 422)
    post({**good, "subject": {"reference": said("subject")}}, 422)
    post({**good, said("element"): said("a value")}, 422)
    post({"resourceType": said("type"), "id": said("id")}, 422)
    for text in broken_texts(refused):
        post(text.encode("utf-8", "surrogatepass"), 422)
    post(good, 401, key=said("key"))
    post(good, 403, key=KEY)
    post({**good, "status": said("status")}, 403, path=f"/practices/{said('practice')}/agencies/{AGENCY}/referrals")
    post({**good, "status": said("status")}, 415, headers={"Content-Type": f"text/{said('media type')}"})
    with it.crashing(referring, "accept", said("a crash")):
        post(good, 500)


# ── the pages ─────────────────────────────────────────────────────────────────────────────────────────────────────
class Visitor:
    """One person signed in; every page and every answer to a form is heard."""

    def __init__(self, it: Campaign, app: Any, person: str) -> None:
        self.it, self.role = it, ROLES[person].value
        self.client = Client(app)
        link = signing.new_link(it.pilot.line, it.pilot.line.project.people[person], "test", it.pilot.clock())
        token = link.rpartition("/")[2]
        self.get("/console/sign-in/{token}", token=token)
        answer = self.send("/console/sign-in", {"token": token})
        assert answer.status_code == 303, answer.text
        self.csrf = CSRF.findall(self.get("/console/").text)[0]

    def get(self, template: str, query: str = "", **values: Any) -> httpx.Response:
        """The page."""
        answer = self.client.get(template.format(**values) + query)
        self.it.heard.doors.add(("GET", template))
        self.it.heard.pages.append((f"{self.role} GET {template}", whole(answer)))
        assert answer.status_code < 500, (self.role, template, "a page that fails shows nothing to look at")
        return answer

    def send(self, template: str, values: dict[str, str], csrf: str = "", **more: Any) -> httpx.Response:
        """What the form's door answers."""
        path = template.format(**more.pop("at", {}))
        answer = self.client.post(path, data={"csrf": csrf or getattr(self, "csrf", "")} | values, **more)
        self.it.heard.doors.add(("POST", template))
        self.it.heard.forms.append((f"{self.role} POST {template} {answer.status_code}", whole(answer)))
        return answer


def pages(it: Campaign) -> None:
    """Every page there is, as everybody, about everything there is."""
    app = create_app(it.pilot.line, it.pilot.clock)
    holds = {(hold["reason"], hold["owner"], hold["rule"][:24]): hold["id"] for hold in it.pilot.holds()}
    things: dict[str, list[Any]] = {
        "hold": sorted(holds.values()),
        "number": [record["id"] for record in it.pilot.records()][::7],
        "name": [*it.pilot.line.project.practices, it.marks.word("rejected", "a practice's name")],
        "token": [it.marks.word("token", "a sign-in link")],
    }
    people = sorted({record["person"] for record in it.pilot.records()})[::5]
    for person in ROLES:
        visitor = Visitor(it, app, person)
        for method, template, _ in routes(app):
            if method != "GET" or not template.startswith("/console"):
                continue
            named = re.findall(r"{(\w+)}", template)
            values = people if "/people/" in template else things.get(named[0], []) if named else [None]
            for value in values:
                at: dict[str, Any] = {named[0]: value} if named else {}
                visitor.get(template, "", **at)
        for reference in handed(it):
            visitor.get("/console/practices/{name}/pages", f"?reference={reference}", name="pine")
        said = it.marks.word("rejected", "a query")
        for query in (f"?said={said}&count={said}", f"?state={said}&practice={said}", f"?said={said}"):
            for template in ("/console/", "/console/records", "/console/needs/{hold}"):
                visitor.get(template, query, hold=things["hold"][0])
        visitor.get("/console/{path}", path=it.marks.word("rejected", "a path"))
        visitor.get("/console/records/{number}", number=it.marks.word("rejected", "a number"))


def handed(it: Campaign) -> list[str]:
    """The references of what was handed over and waits."""
    return [entry["reference"] for entry in it.pilot.entries() if entry["state"] == "handed-over"]


def forms(it: Campaign) -> None:
    """Every form there is, as everybody, with marked words in every field; then the same as it should be."""
    app = create_app(it.pilot.line, it.pilot.clock)
    holds = {hold["reason"]: hold["id"] for hold in it.pilot.holds()}
    person = it.pilot.records()[0]["person"]
    for name in ROLES:
        visitor = Visitor(it, app, name)
        for method, template, route in routes(app):
            if method != "POST" or not template.startswith("/console") or template.endswith(("sign-in", "sign-out")):
                continue
            ids = list(holds.values()) if "{hold}" in template else [person] if "{number}" in template else [0]
            for number in ids:
                fields, files = entered(it, template, route)
                visitor.send(template, fields, files=files, at={"hold": number, "number": number})
            fields, files = entered(it, template, route)
            visitor.send(template, fields, files=files, at={"hold": ids[0], "number": ids[0]}, csrf="0" * 64)
        visitor.send("/console/sign-in", {"token": it.marks.word("rejected", "a token")})
    answered(it, Visitor(it, app, "ana"), holds)


def entered(it: Campaign, template: str, route: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """A form with marked words in each of its fields: those of a hold's stand in the page that asks again."""
    kind = "entered" if "/holds/" in template or template.endswith("}/consent") else "rejected"
    fields, files = {}, {}
    for parameter in route.dependant.body_params:
        if parameter.name == "csrf":
            continue
        if parameter.name == "narrative":
            fields["narrative"] = "yes"
            continue
        said = it.marks.text(kind, f"{template} {parameter.name}")
        if parameter.name == "file":
            name = it.marks.word("rejected", "an upload's name")
            files["file"] = (f"{name}.csv", said.encode(), f"text/{name}")
        else:
            fields[parameter.name] = said
    return fields, files


def answered(it: Campaign, visitor: Visitor, holds: dict[str, int]) -> None:
    """What waits is answered as it should be; then it goes on."""
    consent = {"practice": "maple", "start": "2026-01-01", "until": "", "narrative": "no"}
    assert visitor.send("/console/holds/{hold}/consent", consent, at={"hold": holds["consent"]}).status_code == 303
    number = {"practice": "maple", "system": SYSTEM, "value": it.marks.word("mrn", "a form"), "patient": ""}
    assert visitor.send("/console/holds/{hold}/link", number, at={"hold": holds["link"]}).status_code == 303
    row = {"display": "Somewhere else", "same": "", "system": "", "target": ""}
    assert visitor.send("/console/holds/{hold}/row", row, at={"hold": holds["table"]}).status_code == 303
    group = next(hold["id"] for hold in it.pilot.holds() if "group session" in hold["rule"])
    assert visitor.send("/console/holds/{hold}/record", {"verdict": "keep"}, at={"hold": group}).status_code == 303
    it.pilot.settle()
    assert visitor.send("/console/sign-out", {}).status_code == 303
    asyncio.run(tend.seal_trails(it.pilot.line, it.pilot.clock))
