"""A FHIR server that is not there: it takes everything, and remembers exactly what would have left.

For rehearsals: requests are made by the same client as ever, down to their headers, and nothing reaches a network.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx
import orjson

from bridge.fhir.client import Client
from bridge.model import type_json

NOTHING: type_json = {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}
WITHHELD = "…"
"""What stands in the place of a secret."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as it would have left."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def writes(self) -> bool:
        """Whether it would have changed something there."""
        searches = self.url.partition("?")[0].endswith("/_search")
        return self.method != "GET" and not (self.method == "POST" and searches)


class _Signed(httpx.Auth):
    """A login's header without its secret: nothing here may sign in."""

    def __init__(self, scheme: str) -> None:
        self._value = f"{scheme} {WITHHELD}".encode()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers = httpx.Headers([*request.headers.raw, (b"Authorization", self._value)])
        yield request


class StandIn:
    """It knows one patient of each number it is asked for, finds nothing else, and has what stands (`standing`)."""

    def __init__(self, base: str, scheme: str = "") -> None:
        """`scheme` is that of its login, "" where it has none. Raises ConfigError for a base that is none."""
        auth = _Signed(scheme) if scheme else None
        self.client = Client(base, auth, transport=httpx.MockTransport(self._answer))
        self.asked: list[Outgoing] = []
        self.standing: dict[str, type_json] = {}  # Type/id → the resource
        self._patients: dict[str, str] = {}

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        headers = {name.decode("latin-1"): value.decode("utf-8") for name, value in request.headers.raw}
        self.asked.append(Outgoing(request.method, str(request.url), headers, request.content))
        path = request.url.path.rstrip("/")
        above, _, last = path.rpartition("/")
        if request.method == "POST" and last != "_search":
            return httpx.Response(201, headers={"Location": f"{path}/new-{len(self.asked)}/_history/1"})
        if request.method == "PUT":
            return httpx.Response(200, headers={"ETag": 'W/"2"'})
        if last == "_search" or request.url.query:
            type = above.rpartition("/")[2] if last == "_search" else last
            asked = request.content if last == "_search" else request.url.query
            return _json(self._patient(asked.decode()) if type == "Patient" else NOTHING)
        found = self.standing.get(f"{above.rpartition('/')[2]}/{last}")
        return _json(found) if found is not None else httpx.Response(404)

    def _patient(self, asked: str) -> type_json:
        """The one with this number."""
        system, _, value = parse_qs(asked).get("identifier", [""])[0].rpartition("|")
        id = self._patients.setdefault(value, f"patient-{len(self._patients) + 1}")
        identifier = {"system": system, "value": value} if system else {"value": value}
        patient = {"resourceType": "Patient", "id": id, "active": True, "identifier": [identifier]}
        return {**NOTHING, "total": 1, "entry": [{"resource": patient}]}


def _json(found: type_json) -> httpx.Response:
    return httpx.Response(200, content=orjson.dumps(found))
