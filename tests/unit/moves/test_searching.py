"""A look reads the pages of one server to their end, and no further than it must."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.ehr import facts, look
from bridge.ehr.search import MOST_BYTES, MOST_PAGES, Page
from bridge.model import Request, Response
from bridge.moves import searching
from tests.unit.ehr.making import REFERENCE, capability
from tests.unit.ehr.making import json as answer

BASE = "https://ehr.example/fhir"


@dataclass
class Server:
    """Answers every search with a page whose next is what `follows` makes of its number; a page has so many `bytes`."""

    follows: Callable[[int], str]
    bytes: int = 0
    asked: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.asked.append(request.path)
        link = [{"relation": "next", "url": self.follows(len(self.asked))}]
        page = {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": [], "id": "x" * self.bytes}
        return answer(200, page)


def read(server: Server) -> list[Page]:
    """The pages that a look reads."""
    planned = capability()
    chart = SimpleNamespace(
        planned=planned, client=server, vendor=facts.vendor("open"), connection=SimpleNamespace(base=BASE)
    )
    turn: Any = SimpleNamespace(entry=SimpleNamespace(resource_type="DocumentReference"), chart=chart, clock=lambda: 0)
    way = look.searchable(planned, "DocumentReference")
    pages = asyncio.run(searching.gathered(turn, way, "p-1", REFERENCE))
    assert isinstance(pages, list)
    assert not look.found(pages, REFERENCE, planned).whole  # it proves nothing: a person looks
    return pages


@pytest.mark.parametrize(
    ("follows", "most"),
    [
        (lambda number: f"{BASE}/DocumentReference?page=1", 2),
        (lambda number: f"{BASE}/DocumentReference?page={number}", MOST_PAGES + 1),
        (lambda number: "https://evil.example/fhir/DocumentReference?page=2", 1),
        (lambda number: "//evil.example/fhir/DocumentReference?page=2", 1),
        (lambda number: "http://ehr.example/fhir/DocumentReference?page=2", 1),
        (lambda number: "https://ehr.example@evil.example/fhir?page=2", 1),
        (lambda number: "DocumentReference?page=2", 1),
    ],
    ids=["in a circle", "without end", "elsewhere", "by scheme alone", "without TLS", "with a login", "relative"],
)
def test_a_search_ends(follows: Callable[[int], str], most: int) -> None:
    server = Server(follows)
    assert len(read(server)) == most
    assert not [path for path in server.asked[1:] if not path.startswith(BASE)]


def test_no_more_is_read_than_a_worker_can_hold() -> None:
    server = Server(lambda number: f"{BASE}/DocumentReference?page={number}", bytes=9_000_000)
    assert len(read(server)) * 9_000_000 <= MOST_BYTES + 9_000_000
