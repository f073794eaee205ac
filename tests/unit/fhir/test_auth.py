"""Logins: on the wire where they belong, and nowhere else."""

import httpx
import pytest

from bridge.errors import ConfigError
from bridge.fhir.auth import Bearer, login
from bridge.settings import Secret

TOKEN = "canary-token-1234"


def test_no_login_is_none() -> None:
    assert login(None) is None


def test_a_bearer_token_is_on_each_request() -> None:
    auth = login(Secret(TOKEN))
    assert auth is not None
    request = httpx.Request("GET", "http://127.0.0.1/fhir/Patient")
    assert next(auth.sync_auth_flow(request)).headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_token_is_not_shown() -> None:
    auth = Bearer(Secret(TOKEN))
    assert TOKEN not in repr(auth)
    assert TOKEN not in str(vars(auth))


@pytest.mark.parametrize("wrong", ["", "two words", "line\nend", "ñandú", '"quoted" '])
def test_a_token_no_header_can_carry_is_refused_without_showing_it(wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Bearer(Secret(wrong))
    assert caught.value.problems[0].code == "login-token"
    assert not wrong or wrong not in str(caught.value)
