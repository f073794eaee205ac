"""The agencies' door: `POST /agencies/{agency}/records`."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse

from bridge import pipeline
from bridge.access import Action, ApiKeys, Principal, may
from bridge.api.problems import MEDIA_TYPE, Refusal
from bridge.errors import Problem
from bridge.intake.reading import read_json, read_lines
from bridge.intake.rows import Limits, Row
from bridge.model import Accepted, Fate
from bridge.moves.line import Line
from bridge.store import views

JSON = ("application/json", "application/fhir+json")
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MEBIBYTE = 1024 * 1024
FULL = Problem("ledger-full", "the ledger has no room for more", next_step="try again later")

routes = APIRouter()


@dataclass(frozen=True, slots=True)
class Door:
    """One for each app: the line, the clock, whose keys these are, how much is taken at once."""

    line: Line
    clock: Callable[[], int]
    keys: ApiKeys
    limits: Limits

    @classmethod
    def of(cls, line: Line, clock: Callable[[], int]) -> Door:
        """The door of this line's project."""
        limits = line.project.limits
        bounds = Limits(file_bytes=limits.body_mib * MEBIBYTE, record_bytes=limits.item_kib * 1024)
        return cls(line, clock, ApiKeys(line.project), bounds)


def door(request: Request) -> Door:
    """The app's door."""
    found: Door = request.app.state.door
    return found


At = Annotated[Door, Depends(door)]


def caller(at: At, authorization: Annotated[str, Header()] = "", x_api_key: Annotated[str, Header()] = "") -> Principal:
    """The system of the agency or practice whose key this is, as a bearer token or as `X-API-Key`."""
    scheme, _, bearer = authorization.partition(" ")
    found = at.keys.principal(x_api_key or (bearer.strip() if scheme.lower() == "bearer" else ""))
    if found is None:
        step = "send the agency's API key as `Authorization: Bearer …`"
        raise Refusal(401, Problem("access-key", "no API key, or one that is not known", next_step=step))
    return found


Caller = Annotated[Principal, Depends(caller)]


def allow(asks: Principal, action: Action, agency: str) -> None:
    """Returns where this key may do it for this agency; else Refusal, which does not tell whether there is such one."""
    if not may(asks, action, agency=agency):
        step = "send each agency's records with its own key, to its own address"
        raise Refusal(403, Problem("access-denied", "this key is not this agency's", next_step=step))


@routes.post("/agencies/{agency}/records", status_code=202)
async def submit(
    at: At, asks: Caller, agency: str, request: Request, kind: Annotated[str, Query()] = ""
) -> JSONResponse:
    """Every item's fate; 202 as soon as one was taken, with everything taken durable."""
    allow(asks, Action.SUBMIT, agency)
    free = at.line.ledger.free_mebibytes()
    if free is not None and free < at.line.project.limits.free_disk_mib:
        raise Refusal(503, FULL)
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    rows = readings(media, await body(request, at.limits.file_bytes), at.limits)
    of = at.line.project.agencies[agency]
    answers = await asyncio.to_thread(lambda: pipeline.accept(at.line, of, kind, list(enumerate(rows)), at.clock()))
    return fates(answers)


@routes.get("/agencies/{agency}/records/{record}")
def status(at: At, asks: Caller, agency: str, record: int) -> JSONResponse:
    """Where one record got to, in states and ids."""
    allow(asks, Action.SEE_STATUS, agency)
    with at.line.ledger.read() as connection:
        life = views.life(connection, record)
    if life is None or life["record"]["agency"] != agency:
        raise Refusal(404, Problem("record-unknown", "this agency has no such record"))
    return JSONResponse(views.in_short(life))


async def body(request: Request, largest: int) -> bytes:
    """The request's body, given up as soon as it grows beyond `largest` bytes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, Problem("request-encoding", "a compressed body is not taken", next_step="send it plain"))
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > largest:
            step = "send the records in several requests"
            raise Refusal(413, Problem("request-too-large", f"a request has at most {largest} bytes", next_step=step))
    return bytes(received)


def readings(media: str, content: bytes, limits: Limits) -> Iterator[Row | Problem]:
    """The items of a body: one object, an array, or an object a line."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4096]:
        raise Refusal(415, Problem("request-utf8", "the text must be UTF-8", next_step="convert it before sending"))
    if media in LINES:
        return read_lines(io.BytesIO(content), "line", limits)
    if media in JSON:
        return read_json(content.decode("utf-8-sig", errors="surrogateescape"), "body", limits)
    rule = "the media type must be application/json or application/x-ndjson"
    raise Refusal(415, Problem("request-media-type", rule, field="Content-Type"))


def fates(answers: list[Accepted]) -> JSONResponse:
    """202 with every item's fate; 422 only when all were rejected."""
    items = [accepted.as_dict() for accepted in answers]
    if answers and all(accepted.fate is Fate.REJECTED for accepted in answers):
        title = {"title": "none of the items can be taken", "status": 422, "code": "records-rejected"}
        return JSONResponse({**title, "items": items}, 422, media_type=MEDIA_TYPE)
    return JSONResponse({"items": items}, 202)
