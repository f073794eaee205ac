"""How a connection signs in: not at all, with what it was given, or with tokens it asks for."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Generator

import httpx

from bridge.errors import ConfigError, Problem
from bridge.fhir.tokens import Tokens
from bridge.settings import Basic, Bearer
from bridge.settings.secret import Secret

REFUSED = 401


class Given(httpx.Auth):
    """One `Authorization` on every request of its client, which follows no redirect and never leaves its origin."""

    def __init__(self, scheme: str, value: str) -> None:
        """Raises `ConfigError` for a token no header can carry; the message does not show it."""
        if not value or not value.isascii() or any(not 0x21 <= ord(letter) <= 0x7E for letter in value):
            raise ConfigError(
                Problem(
                    "login-token",
                    "a bearer token is visible ASCII without spaces (RFC 6750 §2.1)",
                    next_step="check the secret's file or environment variable for line ends, quotes and spaces",
                )
            )
        self._header = Secret(f"{scheme} {value}")

    def __repr__(self) -> str:
        return "Given(…)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with its `Authorization` header; nothing is asked twice here."""
        request.headers["Authorization"] = self._header.reveal()
        yield request


class Asked(httpx.Auth):
    """Puts a token that was asked for on every request; one that is refused is renewed once, the request sent again.

    A 401 says that the request was not processed (RFC 9110 §15.5.2), so that sending it again sends nothing twice.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def __repr__(self) -> str:
        return "Asked(…)"

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The request with a token, and once more with another where the first was refused. Raises NoLogin."""
        token = await self.tokens.current()
        request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == REFUSED:
            another = await self.tokens.renewed(token)
            if another is not None:
                request.headers["Authorization"] = f"Bearer {another}"
                yield request


def given(login: Bearer | Basic | None) -> httpx.Auth | None:
    """A login that needs nobody's token; None means none is sent. Raises `ConfigError` as `Given` does."""
    if isinstance(login, Bearer):
        return Given("Bearer", login.token.reveal())
    if isinstance(login, Basic):
        pair = f"{login.user}:{login.password.reveal()}".encode()
        return Given("Basic", base64.b64encode(pair).decode())
    return None
