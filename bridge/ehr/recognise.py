"""Is this resource the delivery looked for? By its reference, in an identifier, a title or a body."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from bridge.ehr.delivery import PATTERN, SYSTEM, mentions
from bridge.ehr.received import ID
from bridge.model import type_json

DOCUMENT = "DocumentReference"
CLOCKS_APART = 3600 * 1_000_000
"""Microseconds the server's clock may be behind ours."""


def latest(resources: Iterable[type_json]) -> Iterator[type_json]:
    """Each id once, in its latest version: paging can repeat an id (`facts`: oracle)."""
    kept: dict[str, type_json] = {}
    for resource in resources:
        id = resource.get("id")
        if isinstance(id, str) and ID.fullmatch(id) and updated(resource) >= updated(kept.get(id, {})):
            kept[id] = resource
    yield from kept.values()


def carries(resource: type_json, reference: str) -> bool:
    """Whether the resource is the delivery: its identifier, a title, its description or its body says so."""
    return reference in own(resource) or any(mentions(text, reference) for text in _texts(resource))


def own(resource: type_json) -> list[str]:
    """The delivery references in the resource's identifiers."""
    return [str(item.get("value", "")) for item in _identifiers(resource) if item.get("system") == SYSTEM]


def comparable(resource: type_json, keeps_title: bool, since: int) -> bool:
    """Whether not finding a reference in this resource means that it is not the delivery looked for."""
    if resource.get("resourceType") != DOCUMENT:
        return True
    if 0 < updated(resource) < since - CLOCKS_APART:
        return True
    texts = list(_texts(resource))
    named = any(PATTERN.search(text if isinstance(text, str) else text.decode("utf-8", "replace")) for text in texts)
    whole = any(isinstance(text, bytes) for text in texts)
    titled = any(attachment.get("title") for attachment in attachments(resource))
    return (
        named
        or whole
        or (keeps_title and titled)
        or any(item.get("system") == SYSTEM for item in _identifiers(resource))
    )


def updated(resource: type_json) -> int:
    """`meta.lastUpdated` in microseconds; 0 where the server does not say."""
    try:
        when = datetime.fromisoformat(str(meta(resource).get("lastUpdated", "")))
    except ValueError:
        return 0
    return int(when.timestamp() * 1_000_000) if when.tzinfo else 0


def _texts(resource: type_json) -> Iterator[str | bytes]:
    for attachment in attachments(resource):
        if isinstance(attachment.get("title"), str):
            yield attachment["title"]
        if isinstance(attachment.get("data"), str):
            try:
                yield base64.b64decode(attachment["data"])
            except (binascii.Error, ValueError):
                continue
    if isinstance(resource.get("description"), str):
        yield resource["description"]


def attachments(resource: type_json) -> Iterator[type_json]:
    """The attachments of a document."""
    for content in _list(resource.get("content")):
        if isinstance(content.get("attachment"), dict):
            yield content["attachment"]


def _identifiers(resource: type_json) -> list[type_json]:
    value = resource.get("identifier")
    return [value] if isinstance(value, dict) else _list(value)


def _list(value: Any) -> list[type_json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def meta(resource: type_json) -> type_json:
    """The resource's meta, or an empty one."""
    found = resource.get("meta")
    return found if isinstance(found, dict) else {}
