"""Our signing keys in the ledger: public parts as EHRs read them, private parts encrypted under the ledger's key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bridge.store import tables

signing_key = tables.signing_key


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to keep. `replaces` is the one it follows; 0 = it must be the first of its kind and algorithm."""

    id: int
    kind: str
    algorithm: str
    kid: str
    public: str
    private: bytes = field(repr=False)  # encrypted
    wrapping_key: str
    made_at: int
    signs_from: int
    replaces: int = 0


def add(connection: Connection, asked: Sequence[NewKey]) -> list[bool]:
    """Operation: the keys are published from here on; False where another than `replaces` is the newest by now."""
    answers = []
    for ask in asked:
        same = signing_key.c.kind == ask.kind, signing_key.c.algorithm == ask.algorithm
        newest = (
            select(signing_key.c.id)
            .where(*same, signing_key.c.retired_at.is_(None))
            .order_by(signing_key.c.signs_from.desc(), signing_key.c.id.desc())
            .limit(1)
        )
        answers.append((connection.execute(newest).scalar() or 0) == ask.replaces)
        if answers[-1]:
            connection.execute(
                insert(signing_key).values(
                    id=ask.id, kind=ask.kind, algorithm=ask.algorithm, kid=ask.kid, public=ask.public,
                    private=ask.private, wrapping_key=ask.wrapping_key, made_at=ask.made_at,
                    signs_from=ask.signs_from,
                )
            )  # fmt: skip
    return answers


def retire(connection: Connection, asked: Sequence[tuple[int, int]]) -> list[bool]:
    """Operation: `(id, now)`: not published any more, its private part destroyed; False where it was retired before."""
    answers = []
    for id, now in asked:
        here = signing_key.c.id == id, signing_key.c.retired_at.is_(None)
        changed = connection.execute(update(signing_key).where(*here).values(retired_at=now, private=b""))
        answers.append(changed.rowcount == 1)
    return answers


def all_keys(connection: Connection) -> list[Row[Any]]:
    """Every key without its private part, oldest first."""
    shown = (
        signing_key.c.id, signing_key.c.kind, signing_key.c.algorithm, signing_key.c.kid, signing_key.c.public,
        signing_key.c.made_at, signing_key.c.signs_from, signing_key.c.retired_at,
    )  # fmt: skip
    return list(connection.execute(select(*shown).order_by(signing_key.c.id)))


def private_of(connection: Connection, id: int) -> bytes:
    """The encrypted private part of a key; empty once it was retired."""
    found = connection.execute(select(signing_key.c.private).where(signing_key.c.id == id)).scalar()
    return found or b""
