"""What an EHR says of its login: `{base}/.well-known/smart-configuration`, read and judged; nothing is asked here.

Source: SMART App Launch 2.2, conformance.md and backend-services.md (repository HL7/smart-app-launch, seen 2024-05).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson

from bridge.errors import Problem

PATH = ".well-known/smart-configuration"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
VISIBLE = re.compile(r"[\x21-\x7e]{1,2048}")
WANTED = (
    ("grant_types_supported", "client_credentials"),
    ("token_endpoint_auth_methods_supported", "private_key_jwt"),
    ("capabilities", "client-confidential-asymmetric"),
)
"""What a server that takes our signed logins says of itself; some do and do not say so."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of one FHIR base. `warnings` say what it should state and does not."""

    token_endpoint: str
    algorithms: tuple[str, ...] = ()
    v2: bool = True
    warnings: tuple[str, ...] = ()


def read(base: str, status: int, headers: Mapping[str, str], body: bytes) -> Configuration | Problem:
    """The configuration in an answer, or why there is none to use. Header names are in lower case."""
    if 300 <= status < 400:
        return _problem("discovery-redirect", f"leads to another place (HTTP {status}), which is not followed")
    if status != 200:
        return _problem("discovery-missing", f"is not there (HTTP {status})")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        if "html" in headers.get("content-type", "") or body.lstrip()[:1] == b"<":
            return _problem("discovery-page", "is a page for people, perhaps a login, where JSON should be")
        return _problem("discovery-form", "is not JSON")
    if not isinstance(found, dict):
        return _problem("discovery-form", "is no JSON object")
    endpoint = found.get("token_endpoint")
    if not isinstance(endpoint, str) or not endpoint:
        return _problem("discovery-endpoint", "states no token_endpoint")
    resolved = resolve(base, endpoint)
    if resolved is None:
        return _problem("discovery-endpoint", "states a token_endpoint that is no https address")
    texts = {name: _texts(found, name) for name, _ in WANTED}
    missing = tuple(f"{name} does not list {word}" for name, word in WANTED if word not in texts[name])
    capabilities = texts["capabilities"]
    both = {"permission-v1", "permission-v2"} & set(capabilities)
    return Configuration(
        resolved,
        _texts(found, "token_endpoint_auth_signing_alg_values_supported"),
        v2="permission-v2" in capabilities or not both,
        warnings=missing if both else (*missing, "capabilities list neither permission-v1 nor permission-v2"),
    )


def resolve(base: str, endpoint: str) -> str | None:
    """The token endpoint as an absolute address: https, or http on this machine; None where it is no such thing.

    What is relative is so to the FHIR base, as a folder.
    """
    try:
        found = urljoin(base.rstrip("/") + "/", endpoint)
        parts = urlsplit(found)
        host = parts.hostname
    except ValueError:
        return None
    if not host or parts.username or parts.password or parts.fragment or not VISIBLE.fullmatch(found):
        return None
    return found if parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK) else None


def at(endpoint: str, stated: Configuration | Problem) -> Configuration:
    """The settings' own token endpoint, with what else the EHR states, where it states anything."""
    return Configuration(endpoint) if isinstance(stated, Problem) else replace(stated, token_endpoint=endpoint)


def _texts(found: dict[str, Any], name: str) -> tuple[str, ...]:
    values = found.get(name)
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _problem(code: str, rule: str) -> Problem:
    step = "check `base` with the EHR's team, or write the token endpoint they name as `token_url`"
    return Problem(code, f"the SMART configuration {rule}", PATH, next_step=step)
