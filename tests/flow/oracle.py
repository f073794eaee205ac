"""What an answer may mean if whoever gave it is honest, read from the rules of HTTP and FHIR and from nothing of ours.

RFC 9112 (a whole message), RFC 9110 §9.3, §10.2.2, §15.3 (what a status says), RFC 8259 (JSON), FHIR R4 http.html
(create, update, search). It reads the bytes on the wire with the standard library, and shares no code with the bridge.
"""

from __future__ import annotations

import gzip
import http.client
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

UNPACKED = 64 * 1024 * 1024
"""Bytes beyond which a packed answer is taken for none."""

ID = re.compile(r"[A-Za-z0-9\-._~]{1,255}")
"""FHIR's ids (datatypes.html#id), and the longer ones of one vendor; never a step of a path."""


@dataclass(frozen=True)
class Said:
    """A whole answer: its status, the values of each header by its name in lower case, its JSON object if it is one."""

    status: int
    headers: dict[str, list[str]]
    body: bytes
    json: dict[str, Any] | None

    def type(self) -> str:
        """The resource type of its body, "" where it is no resource."""
        kind = (self.json or {}).get("resourceType")
        return kind if isinstance(kind, str) else ""


def read(wire: bytes, method: str = "POST") -> Said | None:
    """The answer on the wire; None where no whole HTTP message is there."""
    answer = http.client.HTTPResponse(Wire(wire), method=method)  # type: ignore[arg-type]
    try:
        answer.begin()
        body = answer.read() if answer.status not in (204, 304) else b""  # those have none (RFC 9112 §6.3)
    except (http.client.HTTPException, ValueError, OSError):
        return None
    headers: dict[str, list[str]] = {}
    for name, value in answer.getheaders():
        headers.setdefault(name.lower(), []).append(value)
    for coding in reversed(",".join(headers.get("content-encoding", [])).split(",")):
        unpacked = unpack(body, coding.strip().lower())
        if unpacked is None:
            return None
        body = unpacked
    return Said(answer.status, headers, body, parse(body))


class Wire:
    """Bytes as `http.client` reads them from a socket."""

    def __init__(self, wire: bytes) -> None:
        self.wire = wire

    def makefile(self, _: str) -> io.BytesIO:
        """What came."""
        return io.BytesIO(self.wire)


def unpack(body: bytes, coding: str) -> bytes | None:
    """Without this content coding; None where it is another one, or not whole."""
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip"):
        return None
    try:
        with gzip.open(io.BytesIO(body)) as packed:
            found = packed.read(UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return found if len(found) <= UNPACKED else None


def parse(body: bytes) -> dict[str, Any] | None:
    """The JSON object: UTF-8, no NaN, no name twice in an object (which of the two is meant, nobody knows)."""
    try:
        found = json.loads(body.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=refuse)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no character (RFC 8259 §8.2)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError where a name comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def refuse(_: str) -> Any:
    """Raises ValueError: NaN and Infinity are no JSON."""
    raise ValueError


def created(wire: bytes, base: str, type: str) -> str:
    """The id under which an honest server may have stored what a create sent, "" where it does not say so.

    201 says that something was made, and Location what (of this server and this type); 200 and 204 say that it was
    done, and the resource in the body, or again Location, what stands. No other status says that it is done.
    """
    said = read(wire)
    if said is None or said.status not in (200, 201, 204) or failed(said):
        return ""
    if said.status != 201 and said.body.strip() and said.type() != type:
        return ""  # a page for people, a remark, something else: it does not say that anything is done
    own = (said.json or {}).get("id") if said.type() == type else None
    named = {own} if isinstance(own, str) else set()
    if own is not None and not isinstance(own, str):
        return ""
    places = said.headers.get("location") or said.headers.get("content-location", [])
    for place in places:
        there = located(place, base, type)
        if not there and not named:
            return ""
        named |= {there} if there else set()
    one = named.pop() if len(named) == 1 else ""
    return one if is_id(one) else ""


def located(place: str, base: str, type: str) -> str:
    """The id of the resource of this type on this server that a Location names, else ""."""
    try:
        full = urlsplit(urljoin(f"{base}/{type}", place.strip()))
    except ValueError:
        return ""
    if full.hostname != urlsplit(base).hostname:
        return ""
    path = re.sub(r"/_history/[^/]+/?$", "", full.path).rstrip("/").split("/")
    return path[-1] if len(path) > 1 and path[-2] == type and is_id(path[-1]) else ""


def updated(wire: bytes, type: str, id: str) -> bool:
    """Whether an honest server that gave this answer to a PUT may have stored it."""
    said = read(wire, "PUT")
    if said is None or said.status not in (200, 201, 204) or failed(said):
        return False
    if not said.body.strip() or said.type() == "OperationOutcome":
        return True
    return said.type() == type and (said.json or {}).get("id") in (None, id)


def failed(said: Said) -> bool:
    """Whether its OperationOutcome says that something failed."""
    issues = (said.json or {}).get("issue") if said.type() == "OperationOutcome" else None
    listed = issues if isinstance(issues, list) else []
    return any(isinstance(one, dict) and one.get("severity") in ("error", "fatal") for one in listed)


def found(wire: bytes, type: str, reference: str) -> list[str]:
    """The ids of this type that a page of results shows with this delivery reference, not entered in error."""
    said = read(wire)
    if said is None or said.status not in (200, 203) or said.type() != "Bundle":
        return []
    mine = (one for one in shown(said) if one.get("resourceType") == type and reference in json.dumps(one))
    return [one["id"] for one in mine if is_id(one.get("id")) and one.get("status") != "entered-in-error"]


def shown(said: Said) -> Iterator[dict[str, Any]]:
    """The resources of a Bundle."""
    entries = (said.json or {}).get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def is_id(value: Any) -> bool:
    """Whether it can be an id in a path."""
    return isinstance(value, str) and ID.fullmatch(value) is not None and value not in (".", "..")
