"""Access tokens of connections: asked for once for all who wait, renewed before they end, for one origin alone."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from bridge.errors import BridgeError, Problem
from bridge.fhir import discovery, grant
from bridge.fhir.exchange import Unanswered, exchange
from bridge.fhir.grant import NoLogin, Token
from bridge.fhir.keyset import PREFERRED, Signer
from bridge.fhir.pace import NotNow, Pace
from bridge.settings import ClientSecret, Smart

AGAIN = 1.0
"""Seconds after a refused token was renewed, or a token call failed, in which no other token is asked for."""

CONFIGURED, DOUBTED = 3600.0, 60.0
"""Seconds a SMART configuration is used before it is read again; the second where tokens fail."""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Sign = Callable[[Sequence[str]], Awaitable[Signer | None]]
"""Gives the key that signs now, by the first of these algorithms that has one."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one attempt at a token. `code` is "" where one came; `missing` was asked for and not granted.

    `called` says that the token endpoint was asked; without a configuration or a key it is not.
    """

    code: str = ""
    status: int = 0
    missing: tuple[str, ...] = ()
    called: bool = False


@dataclass(frozen=True, slots=True)
class Scopes:
    """What is asked for, as each version of SMART writes it; "" = nothing is sent."""

    v1: str
    v2: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Everything a connection's token calls need. `algorithms` are those its vendor takes.

    `foreign` are the hosts of other connections: no EHR has tokens fetched for it at another's. `timeout` is seconds
    for one call; `pace` counts each of them. `clock` is the time of day, `ticks` this process's own.
    """

    base: str
    login: Smart | ClientSecret
    scopes: Scopes
    secure: ssl.SSLContext
    sign: Sign
    told: Callable[[Told], Awaitable[None]]
    algorithms: Sequence[str] = PREFERRED
    foreign: frozenset[str] = frozenset()
    timeout: float = 10.0
    transport: httpx.AsyncBaseTransport | None = None
    pace: Pace | None = None
    clock: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic


class Slot:
    """One token for all who share it."""

    def __init__(self) -> None:
        self.token: Token | None = None
        self.coming: asyncio.Task[Token] | None = None
        self.not_before = 0.0
        self.renewed_at = -AGAIN
        self.why: NoLogin | None = None


class Cache:
    """The tokens of one process, by FHIR origin, token endpoint, client and scopes."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, str, str, str], Slot] = {}

    def slot(self, base: str, endpoint: str, client: str, scope: str) -> Slot:
        """The place of this token. The origin is in the key, so that no token is sent to another."""
        parts = urlsplit(base)
        key = (f"{parts.scheme}://{parts.netloc}", endpoint, client, " ".join(sorted(scope.split())))
        return self._slots.setdefault(key, Slot())

    async def aclose(self) -> None:
        """No call is under way any more, and no token kept."""
        coming = [slot.coming for slot in self._slots.values() if slot.coming is not None]
        self._slots.clear()
        for task in coming:
            task.cancel()
            with suppress(asyncio.CancelledError, NoLogin, NotNow):
                await task


class Tokens:
    """The tokens of one connection."""

    def __init__(self, asking: Asking, cache: Cache) -> None:
        self._asking = asking
        self._cache = cache
        self._known: discovery.Configuration | None = None
        self._read_again = 0.0
        self._why: NoLogin | None = None
        self._configuring = asyncio.Lock()
        self._place: tuple[discovery.Configuration, Slot] | None = None

    async def current(self) -> str:
        """A token that has not ended. Raises NoLogin."""
        configuration = await self.configuration()
        slot, now = self._slot(configuration), self._asking.ticks()
        token = slot.token
        if token is not None and now < token.renew:
            return token.value
        if token is not None and now < token.ends:  # early: nobody waits for the new one, and its failure costs nothing
            if slot.coming is None and now >= slot.not_before:
                self._begin(slot, configuration)
            return token.value
        return (await self._come(slot, configuration)).value

    async def renewed(self, refused: str) -> str | None:
        """Another token than the one the EHR refused; None where one was just renewed. Raises NoLogin."""
        configuration = await self.configuration()
        slot = self._slot(configuration)
        token = slot.token
        if token is not None and token.value != refused:
            return token.value
        if slot.coming is None:
            now = self._asking.ticks()
            if token is not None and now < slot.renewed_at + AGAIN:
                return None
            slot.token, slot.renewed_at = None, now
        return (await self._come(slot, configuration)).value

    async def configuration(self) -> discovery.Configuration:
        """Where tokens are had: as the settings say, else as the EHR states. Raises NoLogin."""
        if self._known is not None and self._asking.ticks() < self._read_again:
            return self._known
        async with self._configuring:
            now = self._asking.ticks()
            if now >= self._read_again:
                try:
                    self._known, self._why = await self._configure(), None
                    self._read_again = self._asking.ticks() + CONFIGURED
                except NoLogin as error:
                    self._why = error
                    self._read_again = self._asking.ticks() + (AGAIN if self._known is None else DOUBTED)
                    await self._asking.told(Told(error.problem.code, error.status))
            if self._known is None:
                raise self._why or NoLogin(Problem("login-unreachable", "the EHR's SMART configuration was never read"))
            return self._known

    def scope(self, configuration: discovery.Configuration) -> str:
        """What is asked for here."""
        given = self._asking.login.scope
        return given if given is not None else (self._asking.scopes.v2 if configuration.v2 else self._asking.scopes.v1)

    def algorithms(self, configuration: discovery.Configuration) -> list[str]:
        """What may sign here, best first; nothing where no key does."""
        login = self._asking.login
        if isinstance(login, ClientSecret):
            return []
        return grant.usable(login.algorithm, self._asking.algorithms, configuration.algorithms)

    def granted(self, configuration: discovery.Configuration) -> str | None:
        """The scopes the last token came with, where the server said."""
        token = self._slot(configuration).token
        return token.scope if token is not None else None

    def _slot(self, configuration: discovery.Configuration) -> Slot:
        """The place of the token for this configuration, remembered: every request asks for it."""
        if self._place is None or self._place[0] is not configuration:
            asking, endpoint = self._asking, configuration.token_endpoint
            slot = self._cache.slot(asking.base, endpoint, asking.login.client_id, self.scope(configuration))
            self._place = configuration, slot
        return self._place[1]

    async def _come(self, slot: Slot, configuration: discovery.Configuration) -> Token:
        """The token all wait for together; who is cancelled meanwhile does not end it for the others."""
        if slot.coming is None and slot.why is not None and self._asking.ticks() < slot.not_before:
            raise slot.why
        return await asyncio.shield(slot.coming or self._begin(slot, configuration))

    def _begin(self, slot: Slot, configuration: discovery.Configuration) -> asyncio.Task[Token]:
        task = slot.coming = asyncio.create_task(self._fetch(slot, configuration))
        task.add_done_callback(_heard)
        return task

    async def _fetch(self, slot: Slot, configuration: discovery.Configuration) -> Token:
        called = False
        try:
            proof = await self._proof(configuration)
            called = True
            slot.token, slot.why = await self._ask(configuration, proof), None
            return slot.token
        except NoLogin as error:
            slot.why, slot.not_before = error, self._asking.ticks() + AGAIN
            self._read_again = min(self._read_again, self._asking.ticks() + DOUBTED)  # it may have moved
            await self._asking.told(Told(error.problem.code, error.status, called=called))
            raise
        finally:
            slot.coming = None

    async def _ask(self, configuration: discovery.Configuration, proof: grant.Proof) -> Token:
        endpoint, scope = configuration.token_endpoint, self.scope(configuration)
        fields, headers = proof
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {}), **fields}
        asked = self._asking.ticks()
        status, told, body = await self._exchange("POST", endpoint, headers | FORM, urlencode(form).encode())
        try:
            token = grant.read_token(status, body, asked)
        except NoLogin as error:
            error.after = told.get("retry-after", "")
            raise
        await self._asking.told(Told("", status, grant.missing_scopes(scope, token.scope), called=True))
        return token

    async def _proof(self, configuration: discovery.Configuration) -> grant.Proof:
        """What says who we are, fresh for each call."""
        login = self._asking.login
        if isinstance(login, ClientSecret):
            return grant.by_secret(login)
        algorithms = self.algorithms(configuration)
        try:
            signer = await self._asking.sign(algorithms)
        except BridgeError as error:
            raise NoLogin(error.problems[0]) from None
        if signer is None:
            raise NoLogin(grant.no_key(algorithms))
        return grant.by_key(signer, login.client_id, configuration.token_endpoint, self._asking.clock())

    async def _configure(self) -> discovery.Configuration:
        base, url = self._asking.base, self._asking.login.token_url
        try:
            answer = await self._exchange("GET", f"{base.rstrip('/')}/{discovery.PATH}", {}, b"")
            stated = discovery.read(base, *answer)
        except NoLogin as error:
            stated = error.problem
        if url is not None:
            return discovery.at(url, stated)
        if isinstance(stated, Problem):
            raise NoLogin(stated)
        problem = self._elsewhere(stated.token_endpoint)
        if problem is not None:
            raise NoLogin(problem)
        return stated

    def _elsewhere(self, endpoint: str) -> Problem | None:
        """Why nothing is sent to the endpoint an EHR states."""
        there, base = urlsplit(endpoint), urlsplit(self._asking.base)
        if there.netloc != base.netloc and there.netloc in self._asking.foreign:
            rule = "the EHR names a token endpoint at the host of another connection"
        elif isinstance(self._asking.login, ClientSecret) and there[:2] != base[:2]:
            rule = "a client secret goes to the origin of `base`, or where `token_url` says, and nowhere else"
        else:
            return None
        step = "ask the EHR's team; write it as `token_url` if it is meant"
        return Problem("login-elsewhere", rule, discovery.PATH, "token_endpoint", step)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        asking = self._asking
        if asking.pace is not None:
            await asking.pace.enter(None)
        try:
            return await exchange(
                method, url, headers, body, secure=asking.secure, timeout=asking.timeout, transport=asking.transport
            )
        except Unanswered as error:
            what = "SMART configuration" if method == "GET" else "token endpoint"
            step = "see that it runs and that the network lets it through; what waits is sent when it answers again"
            rule = f"the {what} did not answer" + (" in time" if error.late else "")
            raise NoLogin(Problem("login-unreachable", rule, next_step=step)) from None


def _heard(task: asyncio.Task[Token]) -> None:
    """A failure that nobody waits for is told already."""
    if not task.cancelled():
        task.exception()
