"""What workers must agree on besides lanes: scheduled runs, connections that are down, eras."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, or_, select, update

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
    why: str = ""  # where it failed; "" = it did not


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
        mine = lease.c.name == ask.name, lease.c.owner == ask.owner
        connection.execute(update(lease).where(*mine).values(until=0, **said(ask.why, ask.now)))
    return [True] * len(asked)


@dataclass(frozen=True, slots=True)
class Went:
    """What workers do all the time did what it should, or failed (`why`)."""

    name: str
    why: str
    now: int


def went(connection: Connection, asked: Sequence[Went]) -> list[bool]:
    """Operation: that it failed is counted, or over."""
    for ask in asked:
        new = {"name": ask.name, "owner": "", "epoch": 0, "until": 0}
        connection.execute(persons.insert_ignore(connection, lease).values(**new))
        connection.execute(update(lease).where(lease.c.name == ask.name).values(**said(ask.why, ask.now)))
    return [True] * len(asked)


def said(why: str, now: int) -> dict[str, Any]:
    """The columns that say how it went."""
    return {"failures": lease.c.failures + 1 if why else 0, "why": why, "failed_at": now if why else None}


def failing(connection: Connection) -> dict[str, dict[str, Any]]:
    """What runs by itself and failed the last time: how often in a row, when last, and where in our code."""
    rows = connection.execute(select(lease).where(lease.c.failures > 0).order_by(lease.c.name))
    return {row.name: {"failures": row.failures, "at": row.failed_at, "why": row.why} for row in rows}


@dataclass(frozen=True, slots=True)
class Circuit:
    """A connection may not be used before `until`; 0 closes the circuit again."""

    connection: str
    until: int
    reason: str
    now: int = 0


def set_circuit(connection: Connection, asked: Sequence[Circuit]) -> list[int]:
    """Operation: circuits opened or closed; how many failures in a row each has had. One alert stands for each cause:
    it ends with another, or when the circuit closes.
    """
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
        alert(connection, ask)
    return answers


def alert(connection: Connection, ask: Circuit) -> None:
    """The connection's alert is of this cause, or closed where there is none any more."""
    alerts = tables.alert
    of = alerts.c.connection == ask.connection, tables.OPEN_ALERT
    if ask.until and connection.execute(select(alerts.c.cause).where(*of, alerts.c.cause == ask.reason)).first():
        return
    connection.execute(update(alerts).where(*of).values(closed_at=ask.now))
    if ask.until:
        new = {"connection": ask.connection, "opened_at": ask.now, "cause": ask.reason}
        connection.execute(persons.insert_ignore(connection, alerts).values(**new))


PROBE = (
    update(state)
    .where(state.c.connection == bindparam("of"), state.c.failures > 0, state.c.closed_until <= bindparam("at"))
    .values(closed_until=bindparam("hold"))
)


def take_probe(connection: Connection, name: str, now: int, until: int) -> bool:
    """Whether the asker may try the connection; nobody else does before `until`."""
    return connection.execute(PROBE, {"of": name, "at": now, "hold": until}).rowcount == 1


def try_again(connection: Connection, asked: Sequence[tuple[str, int, int]]) -> list[bool]:
    """Operation: `(connection, now, until)`: whether the asker may try it; nobody else does before `until`."""
    return [take_probe(connection, *ask) for ask in asked]


def end_probe(connection: Connection, asked: Sequence[tuple[str, int, int]]) -> list[bool]:
    """Operation: `(connection, until, now)`: a try that asked nothing of the EHR is over; another may follow."""
    answers = []
    for name, until, now in asked:
        mine = state.c.connection == name, state.c.failures > 0, state.c.closed_until == until
        answers.append(connection.execute(update(state).where(*mine).values(closed_until=now)).rowcount == 1)
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


CLOSED = select(state.c.connection, state.c.reason, state.c.because, state.c.closed_until, state.c.not_before).where(
    or_(state.c.closed_until > bindparam("now"), state.c.not_before > bindparam("now"))
)


def closed_connections(connection: Connection, now: int) -> dict[str, str]:
    """Connections that must not be used now, with the reason: their circuit is open, or their pace allows no more."""
    rows = connection.execute(CLOSED, {"now": now})
    return {row.connection: row.reason if row.closed_until > now else row.because for row in rows}


@dataclass(frozen=True, slots=True)
class State:
    """How a connection stands, for those who send to it: times in microseconds, 0 = never."""

    closed_until: int = 0
    reason: str = ""
    failures: int = 0
    not_before: int = 0
    because: str = ""
    learned_per_minute: int | None = None
    learned_at: int = 0
    at_once: int | None = None

    def closed(self, now: int) -> str:
        """Why it must not be used now; "" where it may."""
        return self.reason if self.closed_until > now else self.because if self.not_before > now else ""

    def half_open(self, now: int) -> bool:
        """Whether one request may try it again now, and no other."""
        return self.failures > 0 and not self.closed(now)


def connection_states(connection: Connection) -> dict[str, State]:
    """How each connection that was ever used stands."""
    return {
        row.connection: State(
            row.closed_until, row.reason, row.failures, row.not_before, row.because, row.learned_per_minute,
            row.learned_at or 0, row.at_once,
        )
        for row in connection.execute(STATES)
    }  # fmt: skip


STATES = select(
    state.c.connection, state.c.closed_until, state.c.reason, state.c.failures, state.c.not_before, state.c.because,
    state.c.learned_per_minute, state.c.learned_at, state.c.at_once,
)  # fmt: skip


SUSPENDED = select(tables.suspension.c.practice)


def suspended(connection: Connection) -> frozenset[str]:
    """Practices to which nothing is sent now."""
    return frozenset(connection.execute(SUSPENDED).scalars())


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


def looked_for(connection: Connection) -> dict[str, int]:
    """How many entries of each practice are looked for before anything of them is sent."""
    entry = tables.entry
    query = select(entry.c.practice, func.count()).where(entry.c.look_first).group_by(entry.c.practice)
    return {str(practice): int(count) for practice, count in connection.execute(query)}


def new_era(connection: Connection, asked: Sequence[tuple[int, str]]) -> list[int]:
    """Operation: `(now, reason)`: from here on the ledger cannot prove what was tried before (a backup came back).

    Every entry is looked for before it is sent, and no id given out after the backup was made is given out again.
    """
    answers = []
    for now, reason in asked:
        number = (connection.execute(select(func.max(tables.era.c.number))).scalar() or 0) + 1
        connection.execute(insert(tables.era).values(number=number, began_at=now, reason=reason))
        connection.execute(update(tables.entry).values(look_first=True))
        given_out = tables.counter.c.name == "id"
        connection.execute(update(tables.counter).where(given_out).values(next=tables.counter.c.next + ERA_IDS))
        answers.append(number)
    return answers
