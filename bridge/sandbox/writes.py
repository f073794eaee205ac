"""create and update: checked by the shape's rules, stored as the shape stores, answered in the shape's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import orjson

from bridge.sandbox.answers import FHIR_JSON, Finding, Refusal, Reply, note
from bridge.sandbox.call import Call
from bridge.sandbox.changes import closed, gone
from bridge.sandbox.ehr import Ehr
from bridge.sandbox.parameters import literal
from bridge.sandbox.paths import Json
from bridge.sandbox.reads import find, parse, stamps
from bridge.sandbox.rules import Draft
from bridge.sandbox.shape import Written
from bridge.sandbox.store import Entry

TAKEN = ("application/fhir+json", "application/json", "application/json+fhir")


def create(ehr: Ehr, call: Call) -> Reply:
    """A new resource is stored, or the one that If-None-Exist found is answered."""
    resource = _body(ehr, call)
    condition = call.headers.get("if-none-exist")
    if condition is not None and ehr.shape.conduct.conditional_create.chosen == "honoured":
        query = parse(ehr, call.type, parse_qsl(condition.rpartition("?")[2], True))
        matched = [entry for entry, _ in find(ehr, call.type, query, float("inf"))]
        if len(matched) > 1:
            raise Refusal(Finding("several-match", call.type))
        if matched:
            return _answer(ehr, call, ehr.shape.conduct.create, matched[0], 200)
    _check(ehr, call, ehr.filled(resource), None)
    entry = ehr.store.create(ehr.trimmed(resource, True), _visible(ehr))
    return _answer(ehr, call, ehr.shape.conduct.create, entry, 201, committed=True)


def update(ehr: Ehr, call: Call) -> Reply:
    """The resource has a new version; where the type may be created by an update, a new one has that id."""
    resource = _body(ehr, call)
    if resource.get("id") != call.id:
        raise Refusal(Finding("id-mismatch", f"{call.type}.id"))
    entry = ehr.store.get(call.type, call.id)
    if entry is None and not ehr.shape.resources[call.type].update_create:
        raise Refusal(Finding("not-found", call.type))
    given = call.headers.get("if-match")
    if given is None and entry and ehr.shape.conduct.if_match.chosen == "required":
        raise Refusal(Finding("version-required"))
    if given is not None and (entry is None or given.removeprefix("W/").strip('"') != entry.now.id):
        raise Refusal(Finding("version-conflict", call.type))
    _check(ehr, call, resource, entry)
    kept = ehr.trimmed(resource, False)
    if entry is None:
        made = ehr.store.create(kept, _visible(ehr), id=call.id)
        return _answer(ehr, call, ehr.shape.conduct.create, made, 201, committed=True)
    ehr.store.replace(entry, kept, _visible(ehr))
    return _answer(ehr, call, ehr.shape.conduct.update, entry, 200, committed=True)


def _body(ehr: Ehr, call: Call) -> Json:
    if closed(ehr):
        raise Refusal(Finding("read-only"))
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() not in TAKEN:
        raise Refusal(Finding("media-type"))
    try:
        resource = orjson.loads(call.body)
        orjson.dumps(resource)  # what is nested too deeply to be served again is not taken
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise Refusal(Finding("syntax")) from None
    if not isinstance(resource, dict):
        raise Refusal(Finding("syntax"))
    if resource.get("resourceType") != call.type:
        raise Refusal(Finding("type-mismatch", f"{call.type}.resourceType"))
    return resource


def _check(ehr: Ehr, call: Call, resource: Json, entry: Entry | None) -> None:
    merged = gone(ehr, call, resource)
    if merged:
        raise Refusal(Finding("merged", merged))
    draft = Draft(resource, entry, ehr.store)
    found = [item for rule in ehr.rules[call.type, call.interaction] for item in rule.findings(draft)]
    found += [Finding("reference", place) for place in _dangling(ehr, call, resource)]
    if found:
        raise Refusal(*found)


def _dangling(ehr: Ehr, call: Call, resource: Json) -> Iterator[str]:
    """Places of references to types that must be here and name nothing."""
    waiting: list[tuple[str, Any]] = [("", resource)]
    while waiting:
        path, node = waiting.pop()
        for key, value in node.items():
            if key == "reference" and isinstance(value, str):
                kind, id = literal(value)
                ours = "://" not in value or value.startswith(call.base)
                if ours and kind in ehr.shape.conduct.resolve.types and ehr.store.get(kind, id) is None:
                    yield f"{call.type}.{path}"
            else:
                below = f"{path}.{key}" if path else key
                items = value if isinstance(value, list) else [value]
                waiting.extend((below, item) for item in items if isinstance(item, dict))


def _visible(ehr: Ehr) -> float:
    return time.monotonic() + ehr.visibility_delay if ehr.visibility_delay else 0.0


def _answer(ehr: Ehr, call: Call, manner: Written, entry: Entry, status: int, *, committed: bool = False) -> Reply:
    version, headers = entry.now, []
    address = f"{entry.type}/{entry.id}"
    if manner.location == "versioned" and status == 201 and ehr.shape.conduct.versions.chosen != "none":
        headers.append(("location", f"{call.base}/{address}/_history/{version.id}"))
    elif manner.location != "none":
        headers.append(("location", address if manner.location == "relative" else f"{call.base}/{address}"))
    headers += [header for header in stamps(ehr, version) if manner.etag or header[0] != "etag"]
    body = _content(ehr, manner, call.headers.get("prefer", ""), version.body)
    if body:
        headers.append(("content-type", FHIR_JSON))
    return Reply(status, headers, body, committed=committed, made=entry.id if committed and status == 201 else "")


def _content(ehr: Ehr, manner: Written, prefer: str, full: bytes) -> bytes:
    if manner.body == "empty":
        return b""
    if manner.body == "status-key":
        return orjson.dumps({"status": 1, "key": "SUCCESS"})
    if "return=OperationOutcome" in prefer:
        told: Any = note(ehr.shape, "", "Done.", "information")
        return orjson.dumps(told)
    if "return=minimal" in prefer:
        return b""
    return full if manner.body == "preference-full" or "return=representation" in prefer else b""
