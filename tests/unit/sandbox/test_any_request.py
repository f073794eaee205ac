"""Whatever is sent is answered: no body and no query makes a sandbox fail."""

from __future__ import annotations

from functools import cache

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import sandbox
from bridge.sandbox.call import Call
from bridge.sandbox.holdings import load_all
from tests.unit.sandbox.synthetic import BODIES, FHIR, PRACTICE, Json, body

WORDS = st.sampled_from(["", "final", "2026-11-02", "2026-11-02T10:00:00Z", "Patient/p1", "text/plain", "ñ|,$"])
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS
NAMES = st.sampled_from(["reference", "coding", "code", "system", "value", "identifier", "attachment", "data", "start"])
ANYTHING = st.recursive(LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3))
KINDS = st.sampled_from(sorted(BODIES))
MODIFIERS = st.sampled_from(["", ":Patient", ":missing", ":x"])


@cache
def running(shape: str) -> sandbox.Sandbox:
    """A sandbox that is asked without a connection."""
    made = sandbox.Sandbox(shape)
    load_all(made.ehr, orjson.loads(orjson.dumps(PRACTICE)))
    return made


@st.composite
def resources(draw: st.DrawFn) -> Json:
    """A resource some of whose elements are anything."""
    made = body(draw(KINDS))
    for name in draw(st.lists(st.sampled_from(sorted(made)), max_size=4)):
        if name != "resourceType":
            made[name] = draw(ANYTHING)
    return made


@pytest.mark.parametrize("shape", sandbox.names())
@given(resource=resources(), update=st.booleans())
def test_any_body(shape: str, resource: Json, update: bool) -> None:
    kind = resource["resourceType"]
    sandboxed = running(shape)
    call = Call("PUT", f"/{kind}/p1") if update else Call("POST", f"/{kind}")
    call.headers, call.body = FHIR, orjson.dumps({**resource, "id": "p1"} if update else resource)
    reply = sandboxed.door.answer(call)
    assert 200 <= reply.status < 500
    assert reply.committed == (reply.status in (200, 201))


@pytest.mark.parametrize("shape", sandbox.names())
@given(kind=KINDS, name=st.integers(0, 60), value=st.text(max_size=12) | WORDS, modifier=MODIFIERS)
def test_any_query(shape: str, kind: str, name: int, value: str, modifier: str) -> None:
    sandboxed = running(shape)
    offered = sorted(sandboxed.ehr.searches.get(kind, {})) or ["_id"]
    asked = orjson.dumps(value).decode().strip('"').replace("&", "").replace("#", "")
    call = Call("GET", f"/{kind}", f"{offered[name % len(offered)]}{modifier}={asked}&patient=p1")
    assert 200 <= sandboxed.door.answer(call).status < 500


DEEP = b'{"resourceType":"Task","status":"x","intent":"y","a":' + b'{"a":' * 900 + b"1" + b"}" * 901


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{", b"\xff", b'{"resourceType":"Task"', DEEP])
def test_what_is_not_a_resource(content: bytes) -> None:
    call = Call("POST", "/Task", headers=FHIR, body=content)
    assert running("open").door.answer(call).status == 400
