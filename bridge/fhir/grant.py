"""One token call as values: what proves who we are, what is asked for, what the answer grants.

Source: SMART App Launch 2.2, backend-services.md and client-confidential-asymmetric.md (repository
HL7/smart-app-launch, seen 2024-05); RFC 6749 §2.3.1, §4.4, §5; RFC 7523 §2.2.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import orjson

from bridge.errors import Problem
from bridge.fhir.keyset import PREFERRED, Signer
from bridge.settings import ClientSecret

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LASTS = 240
"""Seconds an assertion is good for; five minutes is the most, and their clock may be behind ours."""

MARGIN, SHARE = 30.0, 0.1
"""A token is renewed so many seconds before its end, or that share of its life if longer; a short one at half."""

UNTOLD = 300
"""Seconds a token is taken to last where the server does not say (the longest SMART recommends)."""

TOO_MANY, SERVER_ERROR = 429, 500
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope", "server_error", "temporarily_unavailable"}
)  # fmt: skip
_STEPS = {
    "invalid_client": "check client_id, and that the EHR's team registered our key set's address "
    "(`bridge keys list`); then the clocks",
    "invalid_scope": "ask the EHR's team for these scopes, or write `scope`",
}


class NoLogin(Exception):
    """No token could be had; `problem` says why, without a word of what was answered.

    `status` is the token endpoint's answer, 0 where there was none, `after` its Retry-After.
    """

    def __init__(self, problem: Problem, status: int = 0, after: str = "") -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.status = status
        self.after = after

    @property
    def why(self) -> str:
        """The problem's code; one of two where the token endpoint could not answer now, whatever it was asked."""
        if self.status == TOO_MANY:
            return "login-later"
        return "login-unreachable" if self.status >= SERVER_ERROR else self.problem.code


@dataclass(frozen=True, slots=True)
class Token:
    """A token; seconds on this process's own clock."""

    value: str = field(repr=False)
    renew: float
    ends: float
    scope: str | None = None


Proof = tuple[dict[str, str], dict[str, str]]
"""Form fields and headers."""


def by_secret(login: ClientSecret) -> Proof:
    """The shared secret, where the settings say."""
    secret = login.secret.reveal()
    if login.method == "post":
        return {"client_id": login.client_id, "client_secret": secret}, {}
    pair = f"{quote_plus(login.client_id)}:{quote_plus(secret)}".encode()
    return {}, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def by_key(signer: Signer, client: str, endpoint: str, now: float) -> Proof:
    """A signed statement of who we are, for this endpoint and one use, by the second `now`.

    Without `iat` and `nbf`: SMART asks for neither, and a server whose clock is behind ours may refuse them.
    """
    claims = {"iss": client, "sub": client, "aud": endpoint, "exp": int(now) + LASTS}
    signed = signer.sign({**claims, "jti": uuid.uuid4().hex})  # Epic takes up to 151 characters
    return {"client_assertion_type": ASSERTION, "client_assertion": signed}, {}


def usable(asked: str | None, vendor: Sequence[str], stated: Sequence[str]) -> list[str]:
    """The algorithms to sign by, best first: the one asked for, else those of the vendor's that the server states."""
    if asked is not None:
        return [asked]
    known: list[str] = [one for one in PREFERRED if one in vendor]
    return [one for one in known if one in stated] or known


def no_key(algorithms: Sequence[str]) -> Problem:
    """Nothing signs by any of these."""
    step = f"make one: `bridge keys new --algorithm {algorithms[0]}`, with the connection's --kind"
    return Problem("login-no-key", f"no key signs by {' or '.join(algorithms)}", next_step=step)


def read_token(status: int, body: bytes, asked: float) -> Token:
    """The token in the answer to what was asked at second `asked`. Raises NoLogin; it quotes RFC 6749's codes alone."""
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    found = found if isinstance(found, dict) else {}
    if status != 200:
        told = found.get("error")
        raise NoLogin(_refused(status, told if isinstance(told, str) and told in _CODES else ""), status)
    value, kind, lasts = found.get("access_token"), found.get("token_type"), found.get("expires_in", UNTOLD)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise NoLogin(unusable("carries no access_token a header can carry"), status)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NoLogin(unusable("is not of type bearer"), status)
    if isinstance(lasts, str) and re.fullmatch(r"[0-9]{1,9}", lasts):
        lasts = int(lasts)
    if isinstance(lasts, bool) or not isinstance(lasts, int | float) or not 0 < lasts < 10**9:
        raise NoLogin(unusable("does not say in seconds how long it lasts"), status)
    scope = found.get("scope")
    early = min(max(MARGIN, SHARE * lasts), lasts / 2)
    return Token(value, asked + lasts - early, asked + lasts, scope if isinstance(scope, str) else None)


def missing_scopes(asked: str, granted: str | None) -> tuple[str, ...]:
    """What was asked for and not granted; nothing where the server does not say what it granted."""
    if granted is None or not asked:
        return ()
    given = [_parted(token) for token in granted.split()]
    return tuple(token for token in asked.split() if not _covered(_parted(token), given))


def _covered(one: tuple[str, frozenset[str], str], given: Sequence[tuple[str, frozenset[str], str]]) -> bool:
    kind, letters, whole = one
    if not letters:
        return any(whole == other for _, _, other in given)
    here = [found for type, found, _ in given if type in (kind, "system/*")]
    return letters <= frozenset().union(*here)


def _parted(token: str) -> tuple[str, frozenset[str], str]:
    """Type, letters and the whole of a scope; one that narrows by a parameter, or is not SMART's, has no letters."""
    kind, _, rest = token.partition(".")
    letters = {"read": "rs", "write": "cud", "*": "cruds"}.get(rest, rest)
    known = kind.startswith("system/") and set(letters) <= set("cruds")
    return kind, frozenset(letters) if known else frozenset(), token


def _refused(status: int, code: str) -> Problem:
    shown = f"HTTP {status}" + (f", {code}" if code else "")
    if 300 <= status < 400:
        rule = f"the token endpoint leads elsewhere ({shown}), which is not followed"
        return Problem("login-redirect", rule, next_step="ask the EHR's team for the address itself")
    step = _STEPS.get(code, "see whether the token endpoint works, then ask the EHR's team")
    name = f"login-{code.replace('_', '-')}" if code else "login-refused"
    return Problem(name, f"the token endpoint gave no token ({shown})", next_step=step)


def unusable(rule: str) -> Problem:
    """What came with status 200 cannot be used."""
    return Problem("login-answer", f"what the token endpoint gave {rule}", next_step="ask the EHR's team")
