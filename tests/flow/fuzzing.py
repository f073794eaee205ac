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
from pathlib import Path
from typing import Any

import pytest

from bridge.ehr import facts, look, match, send
from bridge.ehr.answers import classify
from bridge.ehr.search import next_page, page
from bridge.fhir.client import Client
from bridge.model import Interaction, Request, Response
from tests.flow.garbage import DOCUMENT, PATIENT, Garbler, bundle, garbling, whole
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, contact, ready
from tests.unit.ehr.making import ALL, REFERENCE, capability, statement

TOKEN = "a-token-that-stays-here"
TAKES = capability()
STATED = statement(DocumentReference=(ALL, ("identifier", "patient")), Patient=(ALL, ("identifier",)))
LARGEST = 10 * 1024 * 1024


@dataclass
class Fuzz:
    """What came of it."""

    requests: int = 0
    delivered: int = 0
    unconfirmed: list[str] = field(default_factory=list)  # delivered, and no answer had said so
    failures: list[str] = field(default_factory=list)  # of a worker, or of what reads an answer
    elsewhere: set[str] = field(default_factory=set)  # other hosts that were asked for
    largest: int = 0  # bytes of an answer that was kept
    grown: int = 0  # MiB of memory at its highest, more than before
    answered: dict[str, int] = field(default_factory=dict)

    def wrong(self) -> list[str]:
        """Everything that must not be."""
        large = ["an answer larger than allowed was kept"] if self.largest > LARGEST else []
        return [*self.unconfirmed, *self.failures, *(f"asked {host}" for host in sorted(self.elsewhere)), *large]


def read_all(seed: int, count: int) -> Fuzz:
    """So many answers, each read in every way that anything is read."""
    found, before = Fuzz(), peak()
    with garbling(seed) as server, watched(found):

        async def ask() -> None:
            async with Client(server.base, timeout=1, largest=LARGEST) as client:
                for number in range(count):
                    request = Request("GET", f"DocumentReference/{number}")
                    response = await client.send(request)
                    found.largest = max(found.largest, len(response.body))
                    found.failures += read(response, server.base)

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
        server.chosen = sane.answer
        login = "{ bearer: { file: secrets/token } }"
        (folder / "secrets").mkdir(parents=True)
        (folder / "secrets" / "token").write_text(TOKEN, encoding="utf-8")
        (folder / "secrets" / "token").chmod(0o600)
        site = Site(PRACTICE, server.base, login=login)
        with pilot(folder, [site], timeout=1) as opened, watched(found):
            ready(opened)
            for number in range(count):
                carry_one(opened, sane, number, found)
            found.delivered = opened.counts()["delivered"]
        found.requests, found.answered = server.asked, server.answered
        found.failures += ["a request without its token"] if len(server.tokens) < server.asked else []
    found.grown = peak() - before
    return found


def carry_one(opened: Pilot, sane: Sane, number: int, found: Fuzz) -> None:
    """One contact, as far as it goes in a day: where it is delivered, an answer said so."""
    sane.confirmed = False
    before = {entry["id"] for entry in opened.entries() if entry["state"] == "delivered"}
    opened.accept("ma-soc/contact", contact(f"k-{number}"))
    for _ in range(4):
        opened.work()
        opened.clock.skip(4000)
    mine = [entry for entry in opened.entries() if entry["id"] not in before and entry["state"] == "delivered"]
    if mine and not sane.confirmed:
        found.unconfirmed.append(f"k-{number}: delivered, and nobody said so")


@dataclass
class Sane:
    """Half of the answers; and whether any answer said that something stands."""

    server: Garbler
    drawn: random.Random
    confirmed: bool = False
    made: int = 0

    def answer(self, asked: str) -> bytes | None:
        """What a sound EHR answers, or None: garbage, of which some says that something stands."""
        method, _, path = asked.partition(" ")
        type = path.removeprefix("/fhir/").partition("/")[0].partition("?")[0]
        if type == "metadata":
            return whole(STATED)
        if type == "Patient" and self.drawn.random() < 0.8:
            return whole(json.loads(PATIENT if method == "GET" else bundle(PATIENT)))
        if self.drawn.random() < 0.5:
            self.confirmed = True  # garbage may say so too: by a Location, or the document itself
            return None if self.drawn.random() < 0.5 else self.sound(method, path)
        return whole({"resourceType": "Bundle", "type": "searchset"}) if "_search" in path else UNSAID

    def sound(self, method: str, path: str) -> bytes:
        """As it should be."""
        self.made += 1
        if "_search" in path:
            return whole(json.loads(bundle(DOCUMENT)))
        if method == "GET":
            return whole(json.loads(DOCUMENT))
        location = f"Location: {self.server.base}/DocumentReference/d-{self.made}"
        return whole({**json.loads(DOCUMENT), "id": f"d-{self.made}"}, 201, location)


UNSAID = b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html>sign in</html>"
"""It says 200 and nothing of what was asked."""
