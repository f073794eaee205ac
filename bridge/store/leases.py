"""What workers must agree on besides lanes: scheduled runs, connections that are down, eras."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from bridge.store import persons, tables

lease, state = tables.lease, tables.connection_state
ERA_IDS = 1_000_000_000  # more than a ledger gives out between two backups


@dataclass(frozen=True, slots=True)
class Run:
    """One scheduled run: at most one worker, and not again before `every` microseconds after the last."""

    name: str
    owner: str
    now: int
    until: int
    every: int


def take_run(connection: Connection, asked: Sequence[Run]) -> list[bool]:
    """Operation: True where the asker may run it now."""
    answers = []
    for ask in asked:
        new = {"name": ask.name, "owner": "", "epoch": 0, "until": 0, "ran_at": None}
        connection.execute(persons.insert_ignore(connection, lease).values(**new))
        row = connection.execute(select(lease).where(lease.c.name == ask.name).with_for_update()).one()
        free = row.until <= ask.now and (row.ran_at is None or row.ran_at + ask.every <= ask.now)
        if free:
            connection.execute(
                update(lease)
                .where(lease.c.name == ask.name)
                .values(owner=ask.owner, epoch=lease.c.epoch + 1, until=ask.until, ran_at=ask.now)
            )
        answers.append(free)
    return answers


def end_run(connection: Connection, asked: Sequence[Run]) -> list[bool]:
    """Operation: the run is over; the next may begin when its time has come."""
    for ask in asked:
        connection.execute(update(lease).where(lease.c.name == ask.name, lease.c.owner == ask.owner).values(until=0))
    return [True] * len(asked)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A connection may not be used before `until`; 0 closes the circuit again."""

    connection: str
    until: int
    reason: str


def set_circuit(connection: Connection, asked: Sequence[Circuit]) -> list[int]:
    """Operation: circuits opened or closed; how many failures in a row each has had."""
    answers = []
    for ask in asked:
        connection.execute(persons.insert_ignore(connection, state).values(connection=ask.connection))
        failures = state.c.failures + 1 if ask.until else 0
        connection.execute(
            update(state)
            .where(state.c.connection == ask.connection)
            .values(closed_until=ask.until, reason=ask.reason, failures=failures)
        )
        answers.append(
            connection.execute(select(state.c.failures).where(state.c.connection == ask.connection)).scalar_one()
        )
    return answers


@dataclass(frozen=True, slots=True)
class TokenCall:
    """One attempt of a connection at a token; `called`: its token endpoint was asked."""

    connection: str
    called: bool
    failed: bool
    narrowed: bool  # less was granted than asked


def count_token_calls(connection: Connection, asked: Sequence[TokenCall]) -> list[bool]:
    """Operation: the attempts are counted, whichever process made them."""
    for ask in asked:
        connection.execute(persons.insert_ignore(connection, state).values(connection=ask.connection))
        connection.execute(
            update(state)
            .where(state.c.connection == ask.connection)
            .values(
                token_calls=state.c.token_calls + int(ask.called),
                token_failures=state.c.token_failures + int(ask.failed),
                token_narrowed=state.c.token_narrowed + int(ask.narrowed),
            )
        )
    return [True] * len(asked)


def token_calls(connection: Connection) -> dict[str, tuple[int, int, int]]:
    """Per connection: token calls, attempts that brought no token, calls that granted less than asked."""
    counted = state.c.token_calls, state.c.token_failures, state.c.token_narrowed
    rows = connection.execute(select(state.c.connection, *counted))
    return {row.connection: (row.token_calls, row.token_failures, row.token_narrowed) for row in rows}


CLOSED = select(state.c.connection, state.c.reason).where(state.c.closed_until > bindparam("now"))


def closed_connections(connection: Connection, now: int) -> dict[str, str]:
    """Connections that must not be used now, with the reason."""
    return {row.connection: row.reason for row in connection.execute(CLOSED, {"now": now})}


# ── what is in force ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Activation:
    """Something of the project that workers read from the ledger: `what` is `mappings` (files by path) or `settings`.

    `hash` tells one from another.
    """

    id: int
    what: str
    hash: str
    files: Mapping[str, str]
    now: int
    by: str


def activate(connection: Connection, asked: Sequence[Activation]) -> list[bool]:
    """Operation: these are in force; False where the same were already."""
    answers = []
    for ask in asked:
        latest = connection.execute(in_force(ask.what)).first()
        answers.append(latest is None or latest.hash != ask.hash)
        if answers[-1]:
            content = zlib.compress(json.dumps(dict(ask.files)).encode())
            connection.execute(
                insert(tables.activation).values(
                    id=ask.id,
                    what=ask.what,
                    hash=ask.hash,
                    content=content,
                    activated_at=ask.now,
                    activated_by=ask.by,
                )
            )
    return answers


def in_force(what: str) -> Select[Any]:
    """The newest activation of a sort."""
    activation = tables.activation
    return (
        select(activation.c.hash, activation.c.content)
        .where(activation.c.what == what)
        .order_by(activation.c.activated_at.desc(), activation.c.id.desc())
        .limit(1)
    )


def active_mappings(connection: Connection) -> dict[str, str]:
    """The files of the mappings in force, by path; empty when none were activated."""
    latest = connection.execute(in_force("mappings")).first()
    files: dict[str, str] = json.loads(zlib.decompress(latest.content)) if latest is not None else {}
    return files


def new_era(connection: Connection, asked: Sequence[tuple[int, str]]) -> list[int]:
    """Operation: `(now, reason)`: from here on the ledger cannot prove what was tried before (a backup came back).

    Every entry of which it knows nothing standing is looked for first, and no id given out after the backup was made
    is given out again.
    """
    answers = []
    for now, reason in asked:
        number = (connection.execute(select(func.max(tables.era.c.number))).scalar() or 0) + 1
        connection.execute(insert(tables.era).values(number=number, began_at=now, reason=reason))
        connection.execute(update(tables.entry).where(tables.entry.c.stands_id.is_(None)).values(look_first=True))
        given_out = tables.counter.c.name == "id"
        connection.execute(update(tables.counter).where(given_out).values(next=tables.counter.c.next + ERA_IDS))
        answers.append(number)
    return answers
