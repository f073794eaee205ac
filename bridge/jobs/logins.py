"""Logins of connections put together: what signs, what is asked for, and what becomes of each token call."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from bridge import log
from bridge.ehr import facts, scopes
from bridge.errors import LedgerError
from bridge.fhir import tls
from bridge.fhir.auth import Asked, given
from bridge.fhir.client import Client
from bridge.fhir.keyset import Signer
from bridge.fhir.pace import Pace
from bridge.fhir.tokens import Asking, Cache, Scopes, Sign, Tokens, Told
from bridge.moves import signing
from bridge.settings import ClientSecret, Connection, Project, Smart
from bridge.store import leases
from bridge.store.ledger import Ledger

GRANTED = (Smart, ClientSecret)

CALL = 0.45
"""Of a request's time, what one call for its login may take: configuration and token fit before it is up."""


class Logins:
    """Clients that sign in, sharing tokens; close it after them. `ledger` None: there are no keys to sign with."""

    def __init__(self, project: Project, ledger: Ledger | None, clock: Callable[[], int]) -> None:
        self.project = project
        self.clock = clock
        self._ledger = ledger
        self._cache = Cache()
        self._warned: set[str] = set()

    async def aclose(self) -> None:
        """Nothing is asked for any more."""
        await self._cache.aclose()

    def client(self, connection: Connection, pace: Pace | None = None) -> Client:
        """A client that talks to this connection and nothing else, at its pace. Raises ConfigError."""
        login, secure = connection.login, tls.context(connection.tls)
        auth = Asked(self.tokens(connection, login, secure, pace)) if isinstance(login, GRANTED) else given(login)
        at_once, timeout = max(8, connection.lanes), connection.timeout_seconds
        return Client(connection.base, auth, timeout, connections=at_once, secure=secure, pace=pace)

    def tokens(
        self, connection: Connection, login: Smart | ClientSecret, secure: ssl.SSLContext, pace: Pace | None = None
    ) -> Tokens:
        """The connection's tokens."""
        vendor = facts.of_project(connection.vendor, self.project.vendors)
        practices = [one for one in self.project.practices.values() if one.connection == connection.id]
        bases = [one.base for one in self.project.connections.values() if one.id != connection.id]

        async def told(what: Told) -> None:
            await asyncio.to_thread(self._told, connection.id, what)

        asking = Asking(
            base=connection.base,
            login=login,
            scopes=Scopes(*scopes.asked(practices, vendor)),
            secure=secure,
            sign=self._sign(connection.kind),
            told=told,
            algorithms=vendor.login.algorithms.value,
            foreign=frozenset(urlsplit(base).netloc for base in bases),
            timeout=connection.timeout_seconds * CALL,
            pace=pace,
        )
        return Tokens(asking, self._cache)

    def _sign(self, kind: str) -> Sign:
        async def sign(algorithms: Sequence[str]) -> Signer | None:
            if self._ledger is None:
                return None
            return await asyncio.to_thread(signing.signer, self._ledger, kind, algorithms, self.clock())

        return sign

    def _told(self, connection: str, what: Told) -> None:
        """The call is in the log, where it says something, and counted for all processes."""
        if what.code:
            log.event("login-failed", level=logging.WARNING, connection=connection, code=what.code, status=what.status)
        if what.missing and connection not in self._warned:
            self._warned.add(connection)
            log.event("scope-narrowed", level=logging.WARNING, connection=connection, count=len(what.missing))
        if self._ledger is None:
            return
        try:
            counted = leases.TokenCall(connection, what.called, bool(what.code), bool(what.missing))
            self._ledger.write(leases.count_token_calls, counted)
        except LedgerError as error:  # a login is not lost for a count
            log.failure("token-call-uncounted", error, connection=connection)
