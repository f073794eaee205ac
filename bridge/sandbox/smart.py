"""A SMART Backend Services token endpoint, strict as the specification lets a server be, and the bearers it gave.

Source: SMART App Launch 2.2, backend-services.md and client-confidential-asymmetric.md (repository
HL7/smart-app-launch, seen 2024-05); RFC 6749 §5.2 for errors; RFC 7523 §3 for what an assertion must say.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from bridge.sandbox.answers import Reply, Verdict
from bridge.sandbox.call import Call
from bridge.sandbox.clients import KeySet
from bridge.sandbox.shape import Login

PATH = "oauth2/token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 300  # seconds an assertion may be good for
LONGEST_ID = 151  # characters of a jti (Epic)
LETTERS = {"read": "r", "vread": "r", "search-type": "s", "create": "c", "update": "u"}
_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|(?=[cruds])c?r?u?d?s?)")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


class Refused(Exception):
    """No token is given; the code is RFC 6749's."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Given:
    """A token that was given: until when, and type → letters."""

    ends: float
    scopes: Mapping[str, str]


@dataclass(slots=True)
class Desk:
    """Gives tokens to registered clients: `signed` by their key sets' addresses, `known` by their secrets.

    `seconds` a token lasts; `on_unknown`: a kid that is not known has the set read again.
    """

    login: Login
    types: tuple[str, ...]
    signed: dict[str, str]
    known: dict[str, str]
    seconds: int = 300
    on_unknown: bool = True
    clock: Callable[[], float] = time.time
    sets: dict[str, KeySet] = field(default_factory=dict)
    tokens: dict[str, Given] = field(default_factory=dict)
    used: dict[tuple[str, str], float] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    given: int = 0

    def __post_init__(self) -> None:
        self.sets = {client: KeySet(url) for client, url in self.signed.items()}

    async def prepare(self, call: Call) -> None:
        """What is needed to answer the call is at hand: the key set of the client that it names."""
        try:
            header, claims = _parts(_form(call).get("client_assertion", ""))
        except Refused:
            return
        keys = self.sets.get(str(claims.get("iss")))
        if keys is not None:
            await keys.refresh(str(header.get("kid", "")), self.on_unknown)

    def answer(self, call: Call) -> Reply:
        """A token, or why not."""
        try:
            form = _form(call)
            if form.get("grant_type") != "client_credentials":
                raise Refused("unsupported_grant_type", "only client_credentials is offered")
            self._client(form, call)
            scopes = self._scopes(form.get("scope"))
        except Refused as refused:
            return self.refuse(refused)
        value = secrets.token_urlsafe(32)
        self.given += 1
        self.tokens = {known: one for known, one in self.tokens.items() if one.ends > self.clock()}
        self.tokens[value] = Given(self.clock() + self.seconds, scopes)
        content = {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": self.seconds,
            "scope": " ".join(f"system/{type}.{letters}" for type, letters in scopes.items()),
        }
        return _json(200, content)

    def refuse(self, refused: Refused) -> Reply:
        """The error as RFC 6749 §5.2 has it."""
        self.refusals[refused.description] = self.refusals.get(refused.description, 0) + 1
        reply = _json(400, {"error": refused.error, "error_description": refused.description})
        reply.verdict = Verdict.UNAUTHORIZED
        return reply

    def permits(self, call: Call) -> str:
        """ "" where the call's bearer lets it do this, else the reason it is refused for."""
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        given = self.tokens.get(value) if scheme.lower() == "bearer" else None
        if given is None or given.ends <= self.clock():
            return "login"
        letters = given.scopes.get(call.type, "")
        return "" if LETTERS.get(call.interaction, "-") in letters else "forbidden"

    def expire(self) -> None:
        """No token given so far is good any more."""
        self.tokens.clear()

    def change(self, seconds: int | None, lag: float | None, on_unknown: bool | None) -> None:
        """What may change while it runs: the life of tokens to come, how long key sets are kept too long."""
        self.seconds = self.seconds if seconds is None else seconds
        self.on_unknown = self.on_unknown if on_unknown is None else on_unknown
        for keys in self.sets.values():
            keys.lag = keys.lag if lag is None else lag

    def _client(self, form: dict[str, str], call: Call) -> None:
        if "client_assertion" in form:
            self._signed(form, f"{call.base}/{PATH}")
            return
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, coded = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            pair = base64.b64decode(coded + "==").decode("utf-8", "replace").partition(":")
            client, secret = unquote_plus(pair[0]), unquote_plus(pair[2])
        if not secret or not hmac.compare_digest(self.known.get(client, "").encode(), secret.encode()):
            raise Refused("invalid_client", "unknown client or wrong secret")

    def _signed(self, form: dict[str, str], endpoint: str) -> None:
        """Raises Refused where any single thing about the assertion is not as it must be."""
        if form.get("client_assertion_type") != ASSERTION:
            raise Refused("invalid_request", "client_assertion_type")
        header, claims = _parts(form["client_assertion"])
        client, now = claims.get("iss"), self.clock()
        keys = self.sets.get(client) if isinstance(client, str) else None
        if keys is None or claims.get("sub") != client:
            raise Refused("invalid_client", "iss and sub must be a registered client")
        if header.get("alg") not in self.login.algorithms:
            raise Refused("invalid_client", "alg is not offered")
        if header.get("typ") != "JWT" or header.get("jku", keys.url) != keys.url:
            raise Refused("invalid_client", "typ must be JWT, jku the registered address")
        key = keys.keys.get(str(header.get("kid")))
        if key is None or key.get("alg", header["alg"]) != header["alg"]:
            raise Refused("invalid_client", "kid is not in the client's key set")
        try:
            jwt.decode(form["client_assertion"], import_key(key), algorithms=[header["alg"]])
        except (JoseError, ValueError):
            raise Refused("invalid_client", "the signature is not the key's") from None
        if claims.get("aud") != endpoint:
            raise Refused("invalid_client", "aud must be the token endpoint")
        ends, id = claims.get("exp"), claims.get("jti")
        if not isinstance(ends, int) or isinstance(ends, bool) or not now < ends <= now + LONGEST:
            raise Refused("invalid_client", "exp must be within five minutes")
        if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
            raise Refused("invalid_client", "jti must be there, 151 characters at most")
        self.used = {known: end for known, end in self.used.items() if end > now}
        if (str(client), id) in self.used:
            raise Refused("invalid_client", "jti was used before")
        self.used[str(client), id] = ends

    def _scopes(self, asked: str | None) -> dict[str, str]:
        """Type → letters, of what is asked for and offered. What the server does not know it leaves out."""
        if not asked:
            if self.login.scope == "required":
                raise Refused("invalid_scope", "scope is required")
            return dict.fromkeys(self.types, "cruds")
        granted: dict[str, str] = {}
        for token in asked.split():
            found = _SCOPE.fullmatch(token)
            if found is None or found[1] in self.login.refuses:
                raise Refused("invalid_scope", "not a scope a system may ask for here")
            needs = "permission-v1" if found[2] in _V1 else "permission-v2"
            if needs not in self.login.permissions:
                continue
            for type in self.types if found[1] == "*" else (found[1],):
                letters = set(granted.get(type, "")) | set(_V1.get(found[2], found[2]))
                granted |= {type: "".join(one for one in "cruds" if one in letters)} if type in self.types else {}
        if not granted:
            raise Refused("invalid_scope", "none of these is offered")
        return granted


def _form(call: Call) -> dict[str, str]:
    """The form's fields; Refused where one comes twice or it is no form."""
    if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused("invalid_request", "send application/x-www-form-urlencoded")
    found = parse_qs(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    if any(len(values) > 1 for values in found.values()):
        raise Refused("invalid_request", "a parameter stands twice")
    return {name: values[0] for name, values in found.items()}


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they are written; nothing is verified here."""
    try:
        head, body, _ = assertion.split(".")
        parts = [orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body)]
    except ValueError:
        raise Refused("invalid_client", "client_assertion is no JWT") from None
    if not all(isinstance(part, dict) for part in parts):
        raise Refused("invalid_client", "client_assertion is no JWT")
    return parts[0], parts[1]


def _json(status: int, content: dict[str, Any]) -> Reply:
    headers = [("content-type", "application/json"), ("cache-control", "no-store"), ("pragma", "no-cache")]
    return Reply(status, headers, orjson.dumps(content))
