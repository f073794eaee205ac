"""An EHR that takes everything at once and keeps nothing, in this process: what is left is the line's own cost."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qsl

import httpx
import orjson

from bridge.ehr.capability import check
from bridge.model import Request, Response
from bridge.sandbox.ehr import Ehr, Settings
from bridge.sandbox.statement import capability_statement

BASE = "http://sink.invalid/fhir"
SHAPE = "open"


class Sink:
    """Answers a create with 201, Location and ETag; knows a patient for every identifier. Counts what it took."""

    def __init__(self) -> None:
        statement = capability_statement(Ehr(SHAPE, Settings()), BASE)
        check(statement)
        self._statement = orjson.dumps(statement)
        self._ids = itertools.count(1)
        self.taken = 0

    def answer(self, method: str, path: str, query: str, body: bytes) -> Response:
        """What this server says."""
        if path == "metadata":
            return Response(200, {"content-type": "application/fhir+json"}, self._statement)
        if path.startswith("Patient"):
            return Response(200, {"content-type": "application/fhir+json"}, patients(query or body.decode()))
        if method != "POST":
            return Response(405)
        self.taken += 1
        located = {"location": f"{BASE}/{path}/{next(self._ids)}/_history/1", "etag": 'W/"1"'}
        return Response(201, {**located, "date": "Sun, 01 Mar 2026 10:00:00 GMT"})


def patients(query: str) -> bytes:
    """The searchset with the one patient who has the identifier asked for."""
    system, _, value = dict(parse_qsl(query))["identifier"].partition("|")
    patient = {"resourceType": "Patient", "id": value, "identifier": [{"system": system, "value": value}]}
    found = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {**patient, "active": True}}]}
    return orjson.dumps(found)


class Direct:
    """A sender without HTTP."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def send(self, request: Request) -> Response:
        """The sink's answer."""
        query = "&".join(f"{name}={value}" for name, value in request.query)
        return self._sink.answer(request.method, request.path, query, request.body)


class Transport(httpx.AsyncBaseTransport):
    """The sink behind httpx: everything of a client's work but the network."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The sink's answer."""
        path = request.url.path.removeprefix("/fhir/")
        said = self._sink.answer(request.method, path, request.url.query.decode(), await request.aread())
        return httpx.Response(said.status, headers=dict(said.headers), content=said.body, request=request)
