"""How a connection signs in: not at all, or with a bearer token it was given."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from bridge.errors import ConfigError, Problem
from bridge.settings.secret import Secret


class Bearer(httpx.Auth):
    """Puts one given token on every request of its client, which follows no redirect and leaves its origin never."""

    def __init__(self, token: Secret) -> None:
        """Raises `ConfigError` for a token no header can carry; the message does not show it."""
        value = token.reveal()
        if not value or not value.isascii() or any(not 0x21 <= ord(letter) <= 0x7E for letter in value):
            raise ConfigError(
                Problem(
                    "login-token",
                    "a bearer token is visible ASCII without spaces (RFC 6750 §2.1)",
                    next_step="check the secret's file or environment variable for line ends, quotes and spaces",
                )
            )
        self._token = token

    def __repr__(self) -> str:
        return "Bearer(…)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with its `Authorization` header; nothing is asked twice here."""
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


def login(bearer: Secret | None) -> httpx.Auth | None:
    """The login of a connection; None means none is sent. Raises `ConfigError` as `Bearer` does."""
    return None if bearer is None else Bearer(bearer)
