"""A response taken apart: JSON, the codes of its OperationOutcome, Location, ETag, Retry-After."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from bridge.ehr.outcome import Issue, issues, number
from bridge.model import Response, Stands, type_json

ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9\-._~]{1,255}")
"""An id we put into a path. FHIR allows 64 characters of [A-Za-z0-9-.]; one vendor's are longer."""

VERSION = re.compile(r"[A-Za-z0-9\-._~:]{1,128}")
_ETAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*')

LONGEST_WAIT = 24 * 3600 * 1_000_000
"""Microseconds; a longer Retry-After is not believed."""


@dataclass(frozen=True, slots=True)
class Received:
    """What of a response the table of answers looks at."""

    status: int
    resource: type_json | None = field(repr=False)  # a JSON object with a resourceType
    issues: tuple[Issue, ...]
    vendor_status: str  # a code some vendors put into a body that is not FHIR
    stands: Stands | None  # from Location and ETag, else from the resource
    version: str  # of the resource asked for: ETag, else its meta
    empty: bool
    after: int | None


def receive(response: Response, type: str, now: int) -> Received:
    """The response taken apart; `type` is the resource type asked for, `now` dates a Retry-After. Raises nothing."""
    body = json_object(response.body)
    resource = body if body is not None and isinstance(body.get("resourceType"), str) else None
    vendor_status = ""
    if body is not None and resource is None and isinstance(body.get("status"), int | str):
        vendor_status = number(str(body["status"]))
    return Received(
        response.status,
        resource,
        tuple(issues(resource, type)),
        vendor_status,
        standing(response, resource, type),
        etag(response) or _meta_version(resource, type),
        not response.body.strip(),
        retry_after(response, now),
    )


def json_object(body: bytes) -> type_json | None:
    """The JSON object in a body, or None; NaN, wrong encodings and depth bombs are none."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def standing(response: Response, resource: type_json | None, type: str) -> Stands | None:
    """What the response says stands: id and version of a resource of `type`; None where it does not say, names a place
    on another host alone, or says two things at once.

    Some servers answer 201 with an empty body and the id in Location alone (`facts`: oracle).
    """
    named: dict[str, str] = {}  # id → version
    for place in (response.headers.get("location") or response.headers.get("content-location", "")).split(", "):
        identity, version = _location(place, type, response.host)
        if identity:
            named[identity] = version
    if resource is not None and resource.get("resourceType") == type:
        own = resource.get("id")
        if own is not None and not (isinstance(own, str) and ID.fullmatch(own)):
            return None
        if own is not None and (named or _names_once(response.body)):
            named[own] = named.get(own) or _meta_version(resource, type)
    if len(named) != 1:
        return None
    ((identity, version),) = named.items()
    return Stands(identity, etag(response) or version)


def etag(response: Response) -> str:
    """The version in the ETag header, or ""."""
    found = _ETAG.fullmatch(response.headers.get("etag", ""))
    return _version(found.group(1)) if found else ""


def retry_after(response: Response, now: int) -> int | None:
    """Microseconds to wait by Retry-After, given in seconds or as a date (RFC 9110 §10.2.3); a day at most."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * 1_000_000, LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    wait = int((when - datetime.fromtimestamp(0, UTC)).total_seconds()) * 1_000_000 - now
    return min(max(wait, 0), LONGEST_WAIT)


def _location(value: str, type: str, host: str) -> tuple[str, str]:
    """Id and version of the resource of this type that a Location names, or nothing.

    Of an absolute one the host counts (RFC 9110 §10.2.2), not scheme or port, which a gateway may have changed.
    """
    if ("//" in value or "\\" in value) and host and _host(value) != host.lower():
        return "", ""
    parts = value.split("?")[0].rstrip("/").split("/")
    version = ""
    if len(parts) > 3 and parts[-2] == "_history":
        version = _version(parts[-1])
        parts = parts[:-2]
    if len(parts) > 1 and parts[-2] == type and ID.fullmatch(parts[-1]):
        return parts[-1], version
    return "", ""


def _host(value: str) -> str:
    try:
        return urlsplit(value.strip()).hostname or ""
    except ValueError:
        return ""


def _names_once(body: bytes) -> bool:
    """Whether no object gives one name twice; of two ids nobody can say which is meant (RFC 8259 §4)."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError
        return found

    try:
        json.loads(body, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return False
    return True


def _meta_version(resource: type_json | None, type: str) -> str:
    meta = resource.get("meta") if resource is not None and resource.get("resourceType") == type else None
    return _version(meta.get("versionId")) if isinstance(meta, dict) else ""


def _version(value: Any) -> str:
    return value if isinstance(value, str) and VERSION.fullmatch(value) else ""
