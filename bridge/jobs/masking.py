"""A request as it may be shown: secrets never, a person's values only where somebody may see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from bridge.ehr.delivery import PATTERN

HIDDEN: Final = "…"
SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
PLAIN: Final = frozenset(
    {
        "resourceType", "status", "docStatus", "lifecycleStatus", "intent", "priority", "system", "contentType",
        "language", "profile", "use", "url",
    }
)  # fmt: skip
"""Elements whose values say what is written and not what is said of somebody."""

_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/.+")


def headers(found: Mapping[str, str]) -> dict[str, str]:
    """Header names and values; of a login only its scheme."""
    return {
        name: f"{value.partition(' ')[0]} {HIDDEN}" if name.lower() in SECRET_HEADERS else value
        for name, value in found.items()
    }


def query(text: str, *, show: bool) -> str:
    """A query or a form, parameter by parameter."""
    pairs = parse_qsl(text, keep_blank_values=True)
    return "&".join(f"{name}={value if show or name.startswith('_') else HIDDEN}" for name, value in pairs)


def body(content: bytes, *, show: bool) -> Any:
    """A body as JSON, or a form as text; None where there is none. Its attachments are told by their size.

    Without `show` every value that could say something of a person is hidden; delivery references, which say nothing
    to anybody else, are not.
    """
    if not content:
        return None
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return query(content.decode("utf-8", "replace"), show=show)
    return _value("", found, show)


def _value(key: str, found: Any, show: bool) -> Any:
    if isinstance(found, dict):
        return {name: _value(name, value, show) for name, value in found.items()}
    if isinstance(found, list):
        return [_value(key, value, show) for value in found]
    if key == "data" and isinstance(found, str):
        return f"{len(found) * 3 // 4} bytes" if not show else found
    if show or key in PLAIN:
        return found
    if isinstance(found, str) and PATTERN.fullmatch(found):
        return found
    if key == "reference" and isinstance(found, str):
        kind = _REFERENCE.fullmatch(found)
        return f"{kind[1]}/{HIDDEN}" if kind else HIDDEN
    return HIDDEN
