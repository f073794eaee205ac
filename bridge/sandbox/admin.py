"""The sandbox's own address, `/_sandbox`: order faults, load what the practice holds, see what was asked and stored."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from bridge.sandbox.answers import Refusal
from bridge.sandbox.ehr import Ehr
from bridge.sandbox.faults import Fault, Ordered, parse_plan
from bridge.sandbox.holdings import count, load_all, repeated, stored


class Strict(BaseModel):
    """What this address takes; nothing else."""

    model_config = ConfigDict(extra="forbid")


class Match(Strict):
    """Which requests a fault is for; "" any."""

    method: str = ""
    type: str = ""
    interaction: str = ""


class FaultOrder(Strict):
    """A fault asked for; `count` null: until cleared."""

    fault: str
    count: int | None = Field(default=1, ge=1)
    match: Match = Match()
    seconds: float | None = Field(default=None, ge=0)
    status: int = 0


class Changed(Strict):
    """Settings that may change while the sandbox runs."""

    visibility_delay: float | None = Field(default=None, ge=0)
    faults: str | None = None
    token_seconds: int | None = Field(default=None, ge=1)
    key_lag: float | None = Field(default=None, ge=0)
    reread_keys: bool | None = None


def json_response(content: Any, status: int = 200) -> Response:
    """The content as JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def problem(rule: str, status: int = 400) -> Response:
    """What was wrong with a request to this address; carries nothing of what was sent."""
    return json_response({"error": rule}, status)


async def malformed(_: Request, error: Exception) -> Response:
    """The answer to a request that is not as described: places and kinds of mistake, never the input."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = [
        {"at": ".".join(map(str, item["loc"][: -1 if item["type"] == "extra_forbidden" else None])), "is": item["type"]}
        for item in found
    ]
    return json_response({"error": "the request is not as described", "places": places}, 400)


def admin(ehr: Ehr) -> APIRouter:
    """The routes of `/_sandbox` for this EHR."""
    router = APIRouter(prefix="/_sandbox")

    @router.get("")
    async def about() -> Response:
        facts = {key: {"source": fact.source, "seen": fact.seen.isoformat()} for key, fact in ehr.shape.facts.items()}
        site = {key: {"value": ehr.site[key], "about": row.about} for key, row in ehr.shape.site.items()}
        about = {"shape": ehr.shape.shape, "title": ehr.shape.title, "facts": facts, "site": site}
        return json_response(
            {**about, "login": ehr.bearer is not None or ehr.desk is not None, "visibility_delay": ehr.visibility_delay}
        )

    @router.post("/faults")
    async def order(order: FaultOrder) -> Response:
        try:
            fault = Fault(order.fault, order.seconds, order.status)
        except ValueError as error:
            return problem(str(error))
        match = order.match
        ehr.faults.add(Ordered(fault, order.count, match.method, match.type, match.interaction))
        return json_response({"waiting": len(ehr.faults.ordered)}, 201)

    @router.get("/faults")
    async def waiting() -> Response:
        return json_response([{"fault": item.fault.kind, "count": item.count} for item in ehr.faults.ordered])

    @router.delete("/faults")
    async def clear_faults() -> Response:
        ehr.faults.clear()
        return json_response({"waiting": 0})

    @router.get("/audit")
    async def audit(after: int = 0, limit: Annotated[int, Query(ge=0, le=100_000)] = 1000) -> Response:
        return json_response({"counts": ehr.audit.counts(), "requests": ehr.audit.entries(after, limit)})

    @router.get("/logins")
    async def logins() -> Response:
        desk = ehr.desk
        if desk is None:
            return problem("no client is registered here", 404)
        sets = {client: {"fetched": keys.fetched, "failed": keys.failed} for client, keys in desk.sets.items()}
        return json_response({"given": desk.given, "refused": desk.refusals, "key_sets": sets})

    @router.delete("/audit")
    async def clear_audit() -> Response:
        ehr.audit.clear()
        return json_response({"counts": ehr.audit.counts()})

    @router.get("/resources")
    async def resources(type: str | None = None) -> Response:
        return json_response({"resources": [stored(entry) for entry in ehr.store.all(type)]})

    @router.get("/counts")
    async def counts() -> Response:
        return json_response(count(ehr))

    @router.get("/duplicates")
    async def duplicates(by: Literal["identifier", "title"] = "identifier", type: str | None = None) -> Response:
        return json_response(repeated(ehr, by, type))

    @router.post("/load")
    async def load(request: Request) -> Response:
        try:
            loaded = load_all(ehr, orjson.loads(await request.body()))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            return problem("the body is not JSON that can be held")
        except ValueError as error:
            return problem(str(error))
        return json_response({"loaded": [{"type": entry.type, "id": entry.id} for entry in loaded]}, 201)

    @router.post("/late")
    async def late() -> Response:
        due, ehr.late = ehr.late, []
        for done in due:
            with suppress(Refusal):
                done()
        return json_response({"done": len(due)})

    @router.post("/reset")
    async def reset() -> Response:
        ehr.reset()
        return json_response({"reset": True})

    @router.patch("/settings")
    async def change(changed: Changed) -> Response:
        if changed.visibility_delay is not None:
            ehr.visibility_delay = changed.visibility_delay
        if changed.faults is not None:
            try:
                ehr.faults.plan = parse_plan(changed.faults) if changed.faults else None
            except ValueError:
                return problem("faults must be seed:rate or seed:rate:fault=weight,..., or empty for none")
        if ehr.desk is not None:
            ehr.desk.change(changed.token_seconds, changed.key_lag, changed.reread_keys)
        return json_response({"visibility_delay": ehr.visibility_delay, "faults": ehr.faults.plan is not None})

    return router
