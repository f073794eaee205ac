"""The practices' door: `POST /practices/{practice}/agencies/{agency}/referrals`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bridge.access import Action, Principal, may
from bridge.api.intake import FULL, JSON, At, Caller, Door, body, readings
from bridge.api.problems import MEDIA_TYPE, Refusal
from bridge.errors import Problem
from bridge.intake.rows import Row
from bridge.model import Accepted, Fate
from bridge.moves import referring

routes = APIRouter()


@routes.post("/practices/{practice}/agencies/{agency}/referrals", status_code=202)
async def refer(at: At, asks: Caller, practice: str, agency: str, request: Request) -> JSONResponse:
    """One referral's fate: 202 once it is durable, 422 where it cannot be taken; no value of it is said back."""
    allow(at, asks, practice, agency)
    free = at.line.ledger.free_mebibytes()
    if free is not None and free < at.line.project.limits.free_disk_mib:
        raise Refusal(503, FULL)
    media = request.headers.get("content-type", "application/fhir+json").partition(";")[0].strip().lower()
    if media not in JSON:
        rule = "the media type must be application/fhir+json or application/json"
        raise Refusal(415, Problem("request-media-type", rule, field="Content-Type"))
    rows = list(readings(media, await body(request, at.limits.record_bytes), at.limits))
    return answered(await asyncio.to_thread(taken, at, practice, agency, asks.name, rows))


def allow(at: Door, asks: Principal, practice: str, agency: str) -> None:
    """Returns where the key is the practice's and the agency works with it; else Refusal, which tells not which."""
    known = at.line.project.agencies.get(agency)
    if not may(asks, Action.REFER, practice=practice) or known is None or practice not in known.practices:
        step = "send each practice's referrals with its own key, to an agency that works with it"
        raise Refusal(403, Problem("access-denied", "this key may not refer there", next_step=step))


def taken(at: Door, practice: str, agency: str, by: str, rows: Sequence[Row | Problem]) -> Accepted:
    """The fate of the one referral in a body."""
    project, now = at.line.project, at.clock()
    if len(rows) != 1:
        return Accepted(0, Fate.REJECTED, problem=Problem("referral-one", "a request holds one referral", "body"))
    (row,) = rows
    if isinstance(row, Problem):
        return Accepted(0, Fate.REJECTED, problem=row)
    of = project.practices[practice], project.agencies[agency]
    return referring.accept(at.line, *of, row.record, f"practice:{by}", now, row.where)


def answered(accepted: Accepted) -> JSONResponse:
    """The fate as an answer."""
    if accepted.problem is not None:
        body = {"title": accepted.problem.rule, "status": 422, **accepted.problem.as_dict()}
        return JSONResponse(body, 422, media_type=MEDIA_TYPE)
    return JSONResponse({"referral": accepted.record, "fate": accepted.fate.value}, 202)
