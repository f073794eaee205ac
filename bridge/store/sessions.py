"""Who is signed in to the pages: one-time links and sessions, kept as hashes of their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from bridge.store import tables

session = tables.session
LINK, SESSION = "link", "session"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link or a session of one person, as they were known when it was made."""

    token_hash: str
    use: str
    user: str
    role: str
    agency: str
    expires_at: int


def give(connection: Connection, asked: Sequence[Ticket]) -> list[bool]:
    """Operation: the tickets are good until they expire."""
    for ask in asked:
        connection.execute(
            insert(session).values(
                token_hash=ask.token_hash, use=ask.use, user=ask.user, role=ask.role, agency=ask.agency,
                expires_at=ask.expires_at,
            )
        )  # fmt: skip
    return [True] * len(asked)


@dataclass(frozen=True, slots=True)
class Redeem:
    """A link's token for a session's; `until` is when the session ends."""

    link_hash: str
    session_hash: str
    now: int
    until: int


def redeem(connection: Connection, asked: Sequence[Redeem]) -> list[Ticket | None]:
    """Operation: the session a link opens, once; None where it was used, has expired or never was."""
    answers: list[Ticket | None] = []
    for ask in asked:
        connection.execute(delete(session).where(session.c.expires_at <= ask.now))
        mine = session.c.token_hash == ask.link_hash, session.c.use == LINK
        link = connection.execute(select(session).where(*mine)).first()
        if link is None or connection.execute(delete(session).where(*mine)).rowcount != 1:
            answers.append(None)
            continue
        opened = Ticket(ask.session_hash, SESSION, link.user, link.role, link.agency, ask.until)
        give(connection, [opened])
        answers.append(opened)
    return answers


def find(connection: Connection, token_hash: str, now: int) -> Ticket | None:
    """The session of this token, while it lasts."""
    row = connection.execute(
        select(session).where(session.c.token_hash == token_hash, session.c.use == SESSION, session.c.expires_at > now)
    ).first()
    return Ticket(**row._mapping) if row is not None else None


def end(connection: Connection, asked: Sequence[str]) -> list[bool]:
    """Operation: the sessions of these token hashes are over; False where there was none."""
    return [connection.execute(delete(session).where(session.c.token_hash == one)).rowcount == 1 for one in asked]
