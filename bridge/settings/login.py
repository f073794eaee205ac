"""How a connection signs in, as the other rooms read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bridge.settings.secret import Secret

Algorithm = Literal["ES384", "RS384"]
"""What SMART clients sign with (SMART App Launch 2.2, client-confidential-asymmetric, seen 2024-05)."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """One given token."""

    token: Secret


@dataclass(frozen=True, slots=True)
class Basic:
    """User and password on every request."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Granted:
    """Asks a token endpoint. `scope`: None = computed, "" = none is sent. `token_url`: None = discovered."""

    client_id: str
    scope: str | None = None
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class Smart(Granted):
    """Signed by our key of the connection's kind. `algorithm`: None = the best both sides have."""

    algorithm: Algorithm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret(Granted):
    """A secret shared with the token endpoint, in the header (`basic`) or in the body (`post`)."""

    secret: Secret
    method: Literal["basic", "post"] = "basic"


Login = Bearer | Basic | Smart | ClientSecret


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: an authority trusted beside the machine's, and our own certificate with its key."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
