"""One request to the FHIR address: which interaction of which type it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

Pairs = list[tuple[str, str]]

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OF_TYPE = {"GET": "search-type", "POST": "create"}
_OF_INSTANCE = {"GET": "read", "PUT": "update"}


@dataclass(slots=True)
class Call:
    """A request as it came: path below the FHIR base, headers in lower case; `base` is the address it came to."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""
    interaction: str = ""
    type: str = ""
    id: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        self.interaction, self.type, self.id, self.version = route(self.method, self.path)

    def parameters(self, body_only: bool) -> Pairs:
        """Search parameters in order: of the query and, for a POST, of the form (`body_only`: of the form alone)."""
        posted = parse_qsl(self.body.decode("utf-8", "replace"), True) if self.method == "POST" else []
        asked = [] if self.method == "POST" and body_only else parse_qsl(self.query, True)
        return [*asked, *posted]


def is_id(text: str) -> bool:
    """Whether the text may be a resource's id."""
    return _ID.fullmatch(text) is not None


def route(method: str, path: str) -> tuple[str, str, str, str]:
    """Interaction, type, id and version of a request; interaction `other` for what the sandbox has not."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if method == "GET" and parts == ["metadata"]:
        return "capabilities", "", "", ""
    if method == "GET" and parts == [".well-known", "smart-configuration"]:
        return "smart-configuration", "", "", ""
    if method == "POST" and parts == ["oauth2", "token"]:
        return "token", "", "", ""
    if not _TYPE.fullmatch(parts[0]):
        return "other", "", "", ""
    kind, rest = parts[0], parts[1:]
    if not rest:
        return _OF_TYPE.get(method, "other"), kind, "", ""
    if rest == ["_search"] and method == "POST":
        return "search-type", kind, "", ""
    if not is_id(rest[0]):
        return "other", kind, "", ""
    if len(rest) == 1:
        return _OF_INSTANCE.get(method, "other"), kind, rest[0], ""
    if len(rest) == 3 and rest[1] == "_history" and method == "GET":
        return "vread", kind, rest[0], rest[2]
    return "other", kind, rest[0], ""
