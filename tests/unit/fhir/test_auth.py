"""Logins: on the wire where they belong, and nowhere else."""

import base64

import httpx
import pytest

from bridge.errors import ConfigError
from bridge.fhir.auth import Given, given
from bridge.settings import Basic, Bearer, Secret

TOKEN = "canary-token-1234"


def header(auth: httpx.Auth | None) -> str:
    assert auth is not None
    request = httpx.Request("GET", "http://127.0.0.1/fhir/Patient")
    return str(next(auth.sync_auth_flow(request)).headers["Authorization"])


def test_no_login_is_none() -> None:
    assert given(None) is None


def test_a_bearer_token_is_on_each_request() -> None:
    assert header(given(Bearer(Secret(TOKEN)))) == f"Bearer {TOKEN}"


def test_user_and_password_go_as_rfc_7617_writes_them() -> None:
    scheme, coded = header(given(Basic("bridge", Secret("päss:word")))).split(" ")
    assert (scheme, base64.b64decode(coded).decode()) == ("Basic", "bridge:päss:word")


def test_a_token_is_not_shown() -> None:
    auth = Given("Bearer", TOKEN)
    assert TOKEN not in repr(auth)
    assert TOKEN not in str(vars(auth))


@pytest.mark.parametrize("wrong", ["", "two words", "line\nend", "ñandú", '"quoted" '])
def test_a_token_no_header_can_carry_is_refused_without_showing_it(wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        given(Bearer(Secret(wrong)))
    assert caught.value.problems[0].code == "login-token"
    assert not wrong or wrong not in str(caught.value)
