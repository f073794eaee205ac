"""The line over a server that answers garbage: half of what it is asked it answers as an EHR would."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bridge.ehr import facts, look, match, send
from bridge.ehr.answers import classify
from bridge.ehr.delivery import PATTERN
from bridge.ehr.search import next_page, page
from bridge.fhir.client import Client
from bridge.model import AnswerClass, Interaction, Request, Response
from tests.flow import oracle
from tests.flow.garbage import BODIES, PATIENT, Exchange, Garbler, bundle, garbling, whole
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, contact, ready
from tests.unit.ehr.making import ALL, REFERENCE, capability, statement

TOKEN = "a-token-that-stays-here"
TAKES = capability()
STATED = statement(DocumentReference=(ALL, ("identifier", "patient")), Patient=(ALL, ("identifier",)))
LARGEST = 10 * 1024 * 1024
KIND = "DocumentReference"
LIGHT = [name for name, body in BODIES.items() if len(body) < 20_000]


@dataclass
class Fuzz:
    """What came of it."""

    requests: int = 0
    delivered: int = 0
    unconfirmed: list[str] = field(default_factory=list)  # delivered, and no answer had said so
    believed: list[str] = field(default_factory=list)  # an answer that was taken for more than it says
    stale: int = 0  # answers to a request that never came: what stood behind the whole answer to the one before
    confirmed: int = 0  # answers that say where a create stands, and were believed
    failures: list[str] = field(default_factory=list)  # of a worker, or of what reads an answer
    elsewhere: set[str] = field(default_factory=set)  # other hosts that were asked for
    largest: int = 0  # bytes of an answer that was kept
    grown: int = 0  # MiB of memory at its highest, more than before
    answered: dict[str, int] = field(default_factory=dict)

    def wrong(self) -> list[str]:
        """Everything that must not be."""
        large = ["an answer larger than allowed was kept"] if self.largest > LARGEST else []
        stale = ["what stood behind a whole answer was taken for the next one"] if self.stale else []
        return [
            *self.unconfirmed,
            *self.believed,
            *self.failures,
            *(f"asked {host}" for host in sorted(self.elsewhere)),
            *large,
            *stale,
        ]


def read_all(seed: int, count: int) -> Fuzz:
    """So many answers, each read in every way that anything is read."""
    found, before = Fuzz(), peak()
    wires: list[bytes] = []
    with garbling(seed) as server, watched(found):
        server.heard = lambda exchange: wires.append(exchange.wire)

        async def ask() -> None:
            async with Client(server.base, timeout=5, largest=LARGEST) as client:
                for number in range(count):
                    request = Request("GET", f"DocumentReference/{number}")
                    response = await client.send(request)
                    found.largest = max(found.largest, len(response.body))
                    found.failures += read(response, server.base)
                    found.stale += bool(response.status and not wires)
                    if wires and response.status:
                        found.believed += judged(response, truth(wires[-1], server.base))
                    wires.clear()

        asyncio.run(ask())
        found.requests, found.answered = server.asked, server.answered
    found.grown = peak() - before
    return found


def read(response: Response, base: str) -> Iterator[str]:
    """What reading this answer in some way ended in, where it did not end in a value."""
    vendors = [facts.vendor(name) for name in ("generic", "epic", "ecw")]
    ways: list[Any] = [
        lambda: [classify(one, response, of, "DocumentReference/d-1", 1) for one in Interaction for of in vendors],
        lambda: [classify(one, response, vendors[0], "Patient/p-1", 1) for one in Interaction],
        lambda: (send.current(response, "DocumentReference", "d-1"), match.patient(response)),
        lambda: (match.candidates(response, "m-1"), match.moved_to(response), match.carrying(response, "m-1")),
        lambda: pages(response, base),
    ]
    for number, way in enumerate(ways):
        try:
            way()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            yield f"reader {number}: {type(error).__name__}"


@dataclass(frozen=True)
class Truth:
    """What an honest server that gave this answer may have done (`oracle`)."""

    created: str  # the id under which what was posted stands
    updated: bool
    found: frozenset[str]  # ids that a search showed with the delivery reference
    elsewhere: bool  # a header names another host


def truth(wire: bytes, base: str) -> Truth:
    """The same, of an answer on the wire."""
    return Truth(
        oracle.created(wire, base, KIND),
        oracle.updated(wire, KIND, "d-1"),
        frozenset(oracle.found(wire, KIND, REFERENCE)),
        b"evil.example" in wire.partition(b"\r\n\r\n")[0],
    )


def judged(response: Response, may: Truth) -> Iterator[str]:
    """What this answer was taken for that nobody honest says by it."""
    vendor = facts.vendor("open")
    create = classify(Interaction.CREATE, response, vendor, KIND)
    if create.kind is AnswerClass.DONE:
        stands = create.stands.id if create.stands is not None else ""
        if not stands or stands != may.created:
            yield f"create: {create.status} is {create.code}"
    update = classify(Interaction.UPDATE, response, vendor, f"{KIND}/d-1")
    if update.kind is AnswerClass.DONE and not may.updated:
        yield f"update: {update.status} is {update.code}"
    search = classify(Interaction.SEARCH, response, vendor, KIND)
    read_page = page(response, KIND) if search.kind is AnswerClass.DONE else None
    if read_page is not None:
        ids = {one.id for one in look.found([read_page], REFERENCE, TAKES).stands}
        if ids - may.found:
            yield f"search: {search.status} shows what it does not"
    moved = classify(Interaction.READ, response, vendor, "Patient/p-1")
    if moved.code == "patient-moved" and may.elsewhere:
        yield f"read: {moved.status} leads to another host"


@cache
def answers(seed: int, count: int) -> list[tuple[Response, Truth]]:
    """So many answers without a connection, those of a whole form, taken apart by the standard library."""
    made = Garbler(random.Random(seed), "http://127.0.0.1:1/fhir", "http://127.0.0.1:2")
    drawn: list[tuple[Response, Truth]] = []
    for wire in (made.draw("plain", LIGHT) for _ in range(count)):
        said = oracle.read(wire)
        if said is not None:
            headers = {name: ", ".join(values) for name, values in said.headers.items()}
            drawn.append((Response(said.status, headers, said.body, host="127.0.0.1"), truth(wire, made.base)))
    return drawn


def judge_all(seed: int, count: int) -> Fuzz:
    """All of these judged."""
    found = Fuzz()
    for response, may in answers(seed, count):
        found.requests += 1
        found.believed += judged(response, may)
        found.confirmed += bool(may.created)
    return found


def pages(response: Response, base: str) -> None:
    """A page and what comes after it: nowhere but at its own server."""
    found = page(response, "DocumentReference")
    if found is not None:
        following = next_page(found, base)
        assert following is None or following.path.startswith(base.rsplit("/", 1)[0])
        look.found([found], REFERENCE, TAKES)


def peak() -> int:
    """MiB of memory this process had at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def watched(found: Fuzz) -> Iterator[None]:
    """No name of another host is looked up, and no failure goes unheard."""
    looked_up, heard = socket.getaddrinfo, Heard(found)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("127.0.0.1", b"127.0.0.1"):
            found.elsewhere.add(str(host))
        return looked_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        logging.getLogger().addHandler(heard)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(heard)


class Heard(logging.Handler):
    """What the bridge logs as a failure."""

    def __init__(self, found: Fuzz) -> None:
        super().__init__(logging.ERROR)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        self.found.failures.append(record.getMessage())


def carry_all(folder: Path, seed: int, count: int) -> Fuzz:
    """So many contacts sent to a chart whose EHR answers every other request with garbage."""
    found, before = Fuzz(), peak()
    with garbling(seed) as server:
        sane = Sane(server, random.Random(seed))
        server.chosen, server.heard = sane.answer, sane.hear
        login = "{ bearer: { file: secrets/token } }"
        (folder / "secrets").mkdir(parents=True)
        (folder / "secrets" / "token").write_text(TOKEN, encoding="utf-8")
        (folder / "secrets" / "token").chmod(0o600)
        site = Site(PRACTICE, server.base, login=login)
        with pilot(folder, [site], timeout=5) as opened, watched(found):
            ready(opened)
            for number in range(count):
                carry_one(opened, sane, number, found)
            found.delivered, found.confirmed = opened.counts()["delivered"], len(sane.said)
        found.requests, found.answered = server.asked, server.answered
        found.failures += ["a request without its token"] if len(server.tokens) < server.asked else []
    found.grown = peak() - before
    return found


def carry_one(opened: Pilot, sane: Sane, number: int, found: Fuzz) -> None:
    """One contact, as far as it goes in a day: what is delivered stands where an answer or a search said so."""
    opened.accept("ma-soc/contact", contact(f"k-{number}"))
    for _ in range(4):
        opened.work()
        opened.clock.skip(4000)
    for entry in opened.entries():
        stands = (entry["reference"], entry["stands_id"])
        if entry["state"] == "delivered" and stands not in sane.said:
            found.unconfirmed.append(f"{entry['thread']}: delivered as {entry['stands_id']}, and nobody said so")


@dataclass
class Sane:
    """Half of the answers; a store of what was taken, also where the answer was garbage; and what the answers said."""

    server: Garbler
    drawn: random.Random
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: set[tuple[str, str]] = field(default_factory=set)
    """(delivery reference, id) of which an answer to the create said that it stands, or that a search showed."""

    def answer(self, asked: str, body: bytes) -> bytes | None:
        """What a sound EHR answers, or None: garbage, whatever became of the request."""
        method, _, path = asked.partition(" ")
        type = path.removeprefix("/fhir/").partition("/")[0].partition("?")[0]
        if type == "metadata":
            return whole(STATED)
        if type == "Patient" and self.drawn.random() < 0.8:
            return whole(json.loads(PATIENT if method == "GET" else bundle(PATIENT)))
        if "_search" in path:
            return self.show(unquote(body.decode()))
        if method == "POST":
            return self.take(json.loads(body))
        return None if self.drawn.random() < 0.5 else whole(self.stored.get(path.rpartition("/")[2], UNKNOWN), 200)

    def take(self, resource: dict[str, Any]) -> bytes | None:
        """A create: a third answered as it should be, a third as if nobody had signed in, a third by garbage."""
        fate, id = self.drawn.randrange(3), f"d-{len(self.stored) + 1}"
        if fate == 0 or self.drawn.random() < 0.5:
            self.stored[id] = {**resource, "id": id}
        if fate == 0:
            return whole(self.stored[id], 201, f"Location: {self.server.base}/DocumentReference/{id}")
        return UNSAID if fate == 1 else None

    def show(self, form: str) -> bytes | None:
        """A search: half of the time what is stored, else nothing though it may be there, or garbage."""
        if self.drawn.random() < 0.25:
            return None
        there = self.stored.values() if self.drawn.random() < 0.7 else ()
        mine = [one for one in there if any(found in form for found in PATTERN.findall(json.dumps(one)))]
        return whole({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in mine]})

    def hear(self, exchange: Exchange) -> None:
        """What an answer says is remembered, as `oracle` reads it."""
        method, _, path = exchange.asked.partition(" ")
        if method != "POST" or "/DocumentReference" not in path:
            return
        for reference in set(PATTERN.findall(unquote(exchange.body.decode()))):
            if "_search" in path:
                ids = oracle.found(exchange.wire, "DocumentReference", reference)
            else:
                ids = [oracle.created(exchange.wire, self.server.base, "DocumentReference")]
            self.said |= {(reference, id) for id in ids if id}


UNKNOWN = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}
UNSAID = b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html>sign in</html>"
"""It says 200 and nothing of what was asked."""
