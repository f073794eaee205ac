"""The trail: plain rows, sealed in batches for each tenant by a hash chain."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bridge.store import tables
from bridge.store.ledger import slices

audit, audit_seal = tables.audit, tables.audit_seal


@dataclass(frozen=True, slots=True)
class Line:
    """Who did what to which object, in ids and codes."""

    id: int
    agency: str
    at: int
    actor: str
    action: str
    object: str


def note(connection: Connection, asked: Sequence[Line]) -> list[bool]:
    """Operation: the lines stand in the trail."""
    connection.execute(
        insert(audit),
        [
            {"id": a.id, "agency": a.agency, "at": a.at, "actor": a.actor, "action": a.action, "object": a.object}
            for a in asked
        ],
    )
    return [True] * len(asked)


@dataclass(frozen=True, slots=True)
class Seal:
    """Seal what one tenant's trail has gathered."""

    id: int
    agency: str
    now: int


def seal(connection: Connection, asked: Sequence[Seal]) -> list[int]:
    """Operation: the unsealed lines of each tenant are bound to the seal before; how many were sealed."""
    answers = []
    for ask in asked:
        rows = connection.execute(
            select(audit).where(audit.c.agency == ask.agency, audit.c.seal.is_(None)).order_by(audit.c.id)
        ).all()
        last = connection.execute(
            select(audit_seal).where(audit_seal.c.agency == ask.agency).order_by(audit_seal.c.number.desc()).limit(1)
        ).first()
        if rows:
            number, before = (last.number + 1, last.hash) if last is not None else (1, "")
            connection.execute(
                insert(audit_seal).values(
                    id=ask.id,
                    agency=ask.agency,
                    number=number,
                    rows=len(rows),
                    hash=chain(before, rows),
                    sealed_at=ask.now,
                )
            )
            for some in slices(row.id for row in rows):
                connection.execute(update(audit).where(audit.c.id.in_(some)).values(seal=ask.id))
        answers.append(len(rows))
    return answers


def chain(before: str, rows: Sequence[Row[Any]]) -> str:
    """The hash of a seal: the one before it and every line, in order."""
    digest = hashlib.sha256(before.encode())
    for row in rows:
        fields = [getattr(row, name) for name in ("id", "agency", "at", "actor", "action", "object")]
        digest.update("\x1f".join(str(field) for field in fields).encode() + b"\x1e")
    return digest.hexdigest()


def broken(connection: Connection, agency: str) -> list[int]:
    """The numbers of the seals whose lines are not what was sealed."""
    wrong, before = [], ""
    seals = connection.execute(
        select(audit_seal).where(audit_seal.c.agency == agency).order_by(audit_seal.c.number)
    ).all()
    for sealed in seals:
        rows = connection.execute(select(audit).where(audit.c.seal == sealed.id).order_by(audit.c.id)).all()
        if chain(before, rows) != sealed.hash or len(rows) != sealed.rows:
            wrong.append(sealed.number)
        before = sealed.hash
    return wrong
