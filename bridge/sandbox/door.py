"""The FHIR address as an ASGI application: login, faults, the interaction, the audit."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import orjson

from bridge.sandbox import changes, reads, wire, writes
from bridge.sandbox.answers import FHIR_JSON, Finding, Refusal, Reply, Verdict, refuse
from bridge.sandbox.call import Call
from bridge.sandbox.ehr import Ehr
from bridge.sandbox.faults import BEFORE, Fault
from bridge.sandbox.smart import Refused
from bridge.sandbox.statement import capability_statement, smart_configuration

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

INTERACTIONS: dict[str, Callable[[Ehr, Call], Reply]] = {
    "read": reads.read,
    "vread": reads.read,
    "search-type": reads.search,
    "create": writes.create,
    "update": writes.update,
}
OPEN = ("capabilities", "smart-configuration")  # asked without a login
REASONS = {"429": "throttled", "503": "unavailable", "unauthorized": "login"}
ACCEPTED = ("application/fhir+json", "application/json", "application/json+fhir", "application/*", "*/*")


class Door:
    """Answers every request below the FHIR base. `closing` ends every wait."""

    def __init__(self, ehr: Ehr) -> None:
        self.ehr = ehr
        self.closing = asyncio.Event()
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, answered, failed as ordered, or both."""
        body = await _read(receive, self.ehr.max_body)
        call = _call(scope, body or b"")
        if call.interaction == "token" and self.ehr.desk is not None:
            await self.ehr.desk.prepare(call)
        beyond = next((pace.row.reason for pace in self.ehr.paces if pace.beyond(call)), "")
        if beyond:
            reply = refuse(self.ehr.shape, Finding(beyond))
            self._heard(call, reply, reply.status, "")
            await _send(send, reply)
            return
        fault = self.ehr.faults.take(call.method, call.type, call.interaction, f"{call.path}?{call.query}", body or b"")
        if fault is None:
            reply = self.answer(call) if body is not None else refuse(self.ehr.shape, Finding("too-large"))
            self._heard(call, reply, reply.status, "")
            await _send(send, reply)
        else:
            await self._fail(fault, call, wire.Line(scope, receive, send))

    def answer(self, call: Call) -> Reply:
        """What the EHR answers, and does, when nothing goes wrong."""
        try:
            return self._answer(call)
        except Refusal as refusal:
            return refuse(self.ehr.shape, *refusal.findings)

    def _answer(self, call: Call) -> Reply:
        ehr = self.ehr
        if not _acceptable(call):
            raise Refusal(Finding("not-acceptable"))
        if call.interaction == "capabilities":
            return _document(capability_statement(ehr, call.base), FHIR_JSON)
        if call.interaction == "smart-configuration":
            return _document(smart_configuration(ehr, call.base), "application/json")
        if ehr.desk is not None and call.interaction == "token":
            return ehr.desk.answer(call)
        self._admit(call)
        return INTERACTIONS[call.interaction](ehr, call)

    def _admit(self, call: Call) -> None:
        """Raises Refusal unless the caller may ask this EHR for it."""
        ehr = self.ehr
        if ehr.desk is not None:
            refused = ehr.desk.permits(call)
            if refused:
                raise Refusal(Finding(refused))
        if ehr.bearer is not None:
            given = call.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {ehr.bearer}".encode()):
                raise Refusal(Finding("login"))
        if call.type and call.type not in ehr.shape.resources:
            raise Refusal(Finding("unsupported-type"))
        if not ehr.offers(call.type, call.interaction):
            raise Refusal(Finding("unsupported-interaction", call.type))

    async def _fail(self, fault: Fault, call: Call, line: wire.Line) -> None:
        if fault.kind == "commit-late":
            await self._commit_late(fault, call, line)
            return
        self._change(fault, call)
        if fault.kind == "unknown-kid" and self.ehr.desk is not None:
            reply = self.ehr.desk.refuse(Refused("invalid_client", "kid is not in the client's key set"))
        elif fault.kind in BEFORE:
            reply = self._failure(fault)
        else:
            reply = self.answer(call)
            made = self.ehr.store.get(call.type, reply.made) if reply.made else None
            if fault.kind == "duplicated" and made is not None:
                changes.file_again(self.ehr, made)
            if fault.kind == "error-after":
                reply = self._failure(fault, committed=reply.committed)
        whole = fault.kind not in ("drop-before", "reset", "drop-after", "half-body")
        self._heard(call, reply, reply.status if whole else 0, fault.kind)
        if fault.kind == "slow":
            await self._wait(1.0 if fault.seconds is None else fault.seconds)
        if fault.kind == "half-body":
            await line.half(reply.status, _headers(reply), reply.body)
        elif whole:
            await _send(line.send, reply)
        else:
            await line.cut(reset=fault.kind == "reset")

    def _change(self, fault: Fault, call: Call) -> None:
        """What changes beside the request, before it is answered."""
        if fault.kind == "expire" and self.ehr.desk is not None:
            self.ehr.desk.expire()
        elif fault.kind == "pages-expire":
            self.ehr.pages.clear()
        elif fault.kind == "read-only":
            changes.close(self.ehr, 1.0 if fault.seconds is None else fault.seconds)
        elif fault.kind == "merge":
            changes.merge(self.ehr, changes.named(self.ehr, call))

    async def _commit_late(self, fault: Fault, call: Call, line: wire.Line) -> None:
        task = asyncio.create_task(self._later(1.0 if fault.seconds is None else fault.seconds, call))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        reply = self._failure(fault)
        self._heard(call, reply, fault.status, fault.kind)
        if fault.status:
            await _send(line.send, reply)
        else:
            await line.cut()

    async def _later(self, seconds: float, call: Call) -> None:
        """It was let in when it came; that its token has ended by the time it is done changes nothing."""
        if call.interaction not in INTERACTIONS:
            return
        with suppress(Refusal):
            self._admit(call)
            await self._wait(seconds)
            INTERACTIONS[call.interaction](self.ehr, call)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    def _failure(self, fault: Fault, committed: bool = False) -> Reply:
        reply = refuse(self.ehr.shape, Finding(REASONS.get(fault.kind, "exception")))
        reply.status = fault.status or reply.status
        reply.committed = committed
        reply.verdict = Verdict.UNAUTHORIZED if fault.kind == "unauthorized" else Verdict.FAILED
        if fault.kind in ("429", "503") and fault.seconds is not None:
            reply.headers.append(("retry-after", str(round(fault.seconds))))
        return reply

    def _heard(self, call: Call, reply: Reply, status: int, fault: str) -> None:
        marks = tuple(changes.marks(self.ehr, call)) if fault else ()
        self.ehr.audit.add(
            call.method, call.type, call.interaction, status, reply.verdict, fault, reply.committed, reply.ignored,
            marks,
        )  # fmt: skip


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body, or None when it is larger than that."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks) if size <= most else None


def _call(scope: Scope, body: bytes) -> Call:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    root = scope.get("root_path", "")
    base = f"{scope.get('scheme', 'http')}://{headers.get('host', '127.0.0.1')}{root}"
    query = scope["query_string"].decode("latin-1")
    return Call(scope["method"], scope["path"].removeprefix(root), query, headers, body, base)


def _acceptable(call: Call) -> bool:
    asked = [item.partition(";")[0].strip() for item in call.headers.get("accept", "*/*").split(",")]
    return "_format=xml" not in call.query and any(item in ACCEPTED for item in asked)


def _document(content: dict[str, Any], kind: str) -> Reply:
    return Reply(200, [("content-type", kind)], orjson.dumps(content))


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    length = ("content-length", str(len(reply.body)))
    return [(name.encode(), value.encode()) for name, value in (*reply.headers, length)]


async def _send(send: Send, reply: Reply) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
    await send({"type": "http.response.body", "body": reply.body})
