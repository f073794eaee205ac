"""Signing in: a one-time link, then a session. The ledger keeps hashes of their tokens; the tokens are nowhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from bridge.access import Principal, principal_of
from bridge.moves.answering import note
from bridge.moves.line import SECOND, Line
from bridge.settings import Person, Server
from bridge.store import sessions

HOUR = 3600 * SECOND
LINK_LASTS = 24 * HOUR
SESSION_LASTS = 12 * HOUR
"""A working day; whoever is taken out of `bridge.yaml` is out at once."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, and the word that their forms must carry."""

    person: Person
    principal: Principal
    csrf: str


def new_link(line: Line, person: Person, by: str, now: int, lasts: int = LINK_LASTS) -> str:
    """A path that signs this person in, once and until it expires."""
    token = secrets.token_urlsafe(32)
    ticket = sessions.Ticket(digest(token), sessions.LINK, person.id, person.role, person.agency, now + lasts)
    line.ledger.write(sessions.give, ticket)
    note(line, person.agency, by, "sign-in-link", f"person {person.id}", now)
    return f"/console/sign-in/{token}"


def address(server: Server, path: str, bound: str = "") -> str:
    """A path of ours as people reach it: `server.url`, else where we listen (`bound`, once it is known)."""
    return (server.url or bound or f"http://{server.host}:{server.port}") + path


def sign_in(line: Line, token: str, now: int) -> str | None:
    """The new session's token for a link's; None where the link was used, has expired or never was."""
    session = secrets.token_urlsafe(32)
    opened = line.ledger.write(
        sessions.redeem, sessions.Redeem(digest(token), digest(session), now, now + SESSION_LASTS)
    )
    if opened is None:
        return None
    note(line, opened.agency, opened.user, "sign-in", f"person {opened.user}", now)
    return session


def visitor(line: Line, token: str, now: int) -> Visitor | None:
    """Who has this session's token; None once it expired, or where the person's rights are not what they were."""
    if not token:
        return None
    with line.ledger.read() as connection:
        found = sessions.find(connection, digest(token), now)
    person = line.project.people.get(found.user) if found is not None else None
    if found is None or person is None or (person.role, person.agency) != (found.role, found.agency):
        return None
    return Visitor(person, principal_of(person), csrf(token))


def sign_out(line: Line, token: str, who: Visitor, now: int) -> None:
    """The session is over."""
    line.ledger.write(sessions.end, digest(token))
    note(line, who.principal.agency, who.principal.name, "sign-out", f"person {who.person.id}", now)


def csrf(token: str) -> str:
    """The word that this session's forms carry: without the session's token nobody can make it."""
    return hmac.new(token.encode(), b"form", "sha256").hexdigest()


def digest(token: str) -> str:
    """What is kept of a token; tokens are random and long, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()
