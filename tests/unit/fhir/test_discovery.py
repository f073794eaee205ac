"""What EHRs answer where their SMART configuration should be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import Problem
from bridge.fhir.discovery import Configuration, read, resolve

BASE = "https://ehr.example/fhir/r4"
GOOD: dict[str, Any] = {
    "token_endpoint": "https://login.ehr.example/token",
    "grant_types_supported": ["client_credentials"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS384"],
    "capabilities": ["client-confidential-asymmetric", "permission-v2"],
}


def told(body: object = GOOD, status: int = 200, kind: str = "application/json") -> Configuration | Problem:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(BASE, status, {"content-type": kind}, content)


def test_a_good_configuration_is_read_without_a_warning() -> None:
    assert told() == Configuration("https://login.ehr.example/token", ("RS384",), True, ())


@pytest.mark.parametrize(
    ("endpoint", "resolved"),
    [
        ("oauth2/token", f"{BASE}/oauth2/token"),
        ("/oauth2/token", "https://ehr.example/oauth2/token"),
        ("https://other.example/t?x=1", "https://other.example/t?x=1"),
        ("http://127.0.0.1:8090/t", "http://127.0.0.1:8090/t"),
        ("http://ehr.example/t", None),
        ("https://me:hush@ehr.example/t", None),
        ("https://ehr.example/t#x", None),
        ("https://ehr.example/a b", None),
        ("https://[/t", None),
        ("file:///etc/passwd", None),
    ],
)
def test_a_token_endpoint_is_https_and_relative_to_the_base(endpoint: str, resolved: str | None) -> None:
    assert resolve(BASE, endpoint) == resolved


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        (b"<html>Sign in</html>", 200, "text/html", "discovery-page"),
        (b"  <!doctype html>", 200, "application/json", "discovery-page"),
        (b"{", 200, "application/json", "discovery-form"),
        ([], 200, "application/json", "discovery-form"),
        ({}, 200, "application/json", "discovery-endpoint"),
        ({"token_endpoint": 7}, 200, "application/json", "discovery-endpoint"),
        ({"token_endpoint": "http://evil.example/t"}, 200, "application/json", "discovery-endpoint"),
        (GOOD, 404, "application/json", "discovery-missing"),
        (GOOD, 302, "application/json", "discovery-redirect"),
    ],
)
def test_what_is_no_configuration_is_refused_in_plain_words(body: object, status: int, kind: str, code: str) -> None:
    found = told(body, status, kind)
    assert isinstance(found, Problem)
    assert found.code == code
    assert "base" in found.next_step
    assert "Sign in" not in str(found)


def test_what_it_should_state_and_does_not_is_a_warning_and_no_more() -> None:
    found = told({"token_endpoint": "t", "capabilities": "none", "grant_types_supported": [3]})
    assert isinstance(found, Configuration)
    assert len(found.warnings) == 4
    assert found.v2


def test_scopes_are_v1_only_where_nothing_but_v1_is_stated() -> None:
    found = told(GOOD | {"capabilities": ["client-confidential-asymmetric", "permission-v1"]})
    assert isinstance(found, Configuration)
    assert not found.v2
    assert found.warnings == ()
