"""One token call: what proves us, and every way an answer can be no token."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import import_key

from bridge.fhir import grant, keyset
from bridge.fhir.grant import NoLogin, missing_scopes, read_token, usable
from bridge.settings import ClientSecret, Secret

ENDPOINT = "https://ehr.example/token"
CANARY = "qz7bearer1x"


def test_an_assertion_says_who_for_whom_how_long_and_once() -> None:
    pair = keyset.make("ES384")
    signer = keyset.Signer(pair.kid, "ES384", pair.private)
    seen = []
    for _ in range(2):
        form, headers = grant.by_key(signer, "client", ENDPOINT, 1000.9)
        assert headers == {}
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        read = jwt.decode(form["client_assertion"], import_key(json.loads(pair.public)), algorithms=["ES384"])
        claims = dict(read.claims)
        seen.append(claims.pop("jti"))
        assert claims == {"iss": "client", "sub": "client", "aud": ENDPOINT, "exp": 1240}
    assert seen[0] != seen[1]
    assert all(0 < len(one) <= 151 for one in seen)


def test_a_secret_goes_where_the_settings_say() -> None:
    form, headers = grant.by_secret(ClientSecret("a:b", secret=Secret("s e&c"), method="basic"))
    assert form == {}
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"a%3Ab:s+e%26c"
    form, headers = grant.by_secret(ClientSecret("a:b", secret=Secret("s e&c"), method="post"))
    assert (form, headers) == ({"client_id": "a:b", "client_secret": "s e&c"}, {})


@pytest.mark.parametrize(
    ("asked", "vendor", "stated", "best"),
    [
        (None, ("ES384", "RS384"), (), ["ES384", "RS384"]),
        (None, ("ES384", "RS384"), ("RS384",), ["RS384"]),
        (None, ("ES384", "RS384"), ("RS384", "ES384"), ["ES384", "RS384"]),
        (None, ("RS384",), ("ES384",), ["RS384"]),
        (None, ("ES384", "RS384"), ("RS256",), ["ES384", "RS384"]),
        ("RS384", ("ES384",), ("ES384",), ["RS384"]),
    ],
)
def test_the_best_algorithm_of_both_sides(asked: str | None, vendor: Any, stated: Any, best: list[str]) -> None:
    assert usable(asked, vendor, stated) == best


def answer(**changes: Any) -> bytes:
    return json.dumps({"access_token": CANARY, "token_type": "Bearer", "expires_in": 300, **changes}).encode()


@pytest.mark.parametrize(
    ("lasts", "renew", "ends"), [(300, 270, 300), (3600, 3240, 3600), (60, 30, 60), (10, 5, 10), ("300", 270, 300)]
)
def test_a_token_is_renewed_before_it_ends(lasts: object, renew: float, ends: float) -> None:
    token = read_token(200, answer(expires_in=lasts), 0)
    assert (token.value, token.renew, token.ends) == (CANARY, renew, ends)
    assert CANARY not in repr(token)


def test_a_server_that_does_not_say_how_long_is_taken_to_mean_five_minutes() -> None:
    assert read_token(200, b'{"access_token":"t","token_type":"bearer"}', 0).ends == 300


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"error":"invalid_client","error_description":null}', "login-invalid-client"),
        (401, b'{"error":"invalid_client"}', "login-invalid-client"),
        (400, b'{"error":"invalid_scope"}', "login-invalid-scope"),
        (400, b'{"error":"qz7bearer1x"}', "login-refused"),
        (400, b'{"error":["qz7bearer1x"]}', "login-refused"),
        (503, b"<html>qz7bearer1x</html>", "login-refused"),
        (302, b"qz7bearer1x", "login-redirect"),
        (200, b"<html>qz7bearer1x</html>", "login-answer"),
        (200, b"[]", "login-answer"),
        (200, answer(access_token=""), "login-answer"),
        (200, answer(access_token="qz7bearer1x\r\nX: y"), "login-answer"),
        (200, answer(access_token=7), "login-answer"),
        (200, answer(token_type="mac"), "login-answer"),
        (200, answer(expires_in=0), "login-answer"),
        (200, answer(expires_in=True), "login-answer"),
        (200, answer(expires_in="soon"), "login-answer"),
        (200, answer(expires_in=1e300), "login-answer"),
    ],
)
def test_what_is_no_token_is_told_without_a_word_of_it(status: int, body: bytes, code: str) -> None:
    with pytest.raises(NoLogin) as caught:
        read_token(status, body, 0)
    assert caught.value.problem.code == code
    assert caught.value.problem.next_step
    assert CANARY not in f"{caught.value} {caught.value.problem}"


@pytest.mark.parametrize(
    ("asked", "granted", "missing"),
    [
        ("system/Patient.rs", None, ()),
        ("", "system/Patient.rs", ()),
        ("system/Patient.rs", "system/Patient.read", ()),
        ("system/Patient.rs", "system/Patient.r system/Patient.s", ()),
        ("system/Task.cru", "system/*.cruds", ()),
        ("system/Task.read system/Task.write", "system/Task.cruds", ()),
        ("system/Patient.rs system/Task.crus", "system/Patient.rs system/Task.rs", ("system/Task.crus",)),
        ("system/Task.c?category=x", "system/Task.c", ("system/Task.c?category=x",)),
        ("athena/service", "athena/service", ()),
        ("system/Patient.rs", "", ("system/Patient.rs",)),
    ],
)
def test_less_than_was_asked_for_is_noticed(asked: str, granted: str | None, missing: tuple[str, ...]) -> None:
    assert missing_scopes(asked, granted) == missing
