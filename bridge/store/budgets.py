"""What each connection may still be asked: budgets shared by all workers of all processes, taken in grants.

A grant is taken before its requests leave and ends with its minute, so that what a stopped process left of it is lost
with the minute and never spent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, update

from bridge.store import persons, tables

budget, state = tables.budget, tables.connection_state
SECOND = 1_000_000
MINUTE, DAY = 60 * SECOND, 86_400 * SECOND
MARGIN = SECOND
"""Nothing leaves so close to the ends of a minute with a budget: the EHR's clock is another than ours, and what leaves
at the end of one minute arrives in the next."""

KEPT_MINUTES, KEPT_DAYS = 60 * MINUTE, 3 * DAY
LEARNED_LASTS = 60 * MINUTE
"""A budget that was learned is forgotten after this: others may have been asking too, and it takes more by then."""

LEARNED_SHARE = 9, 10
"""Of what was sent in a minute that it called too many, the share that is sent from then on."""

LEARNED_FROM = 20
"""Requests of a minute below which "too many" says nothing about a minute: they came too fast, one after another."""

MINUTES, DAYS, DOCUMENTS = "minute", "day", "documents"
SPENT_MINUTE = "the minute's requests are spent"
SPENT_DAY = "the day's requests are spent"


@dataclass(frozen=True, slots=True)
class Most:
    """A connection's budgets; None = none is known."""

    minute: int | None = None
    day: int | None = None
    documents: int | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """What is left of a grant, given back to the spans that begin so; below 0 what was used without one."""

    minute: int
    day: int
    requests: int
    documents: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A process wants so many requests, so many of them for documents. `day` and `tomorrow` bound the site's day."""

    connection: str
    now: int
    day: int
    tomorrow: int
    most: Most
    requests: int
    documents: int
    back: Back | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What may leave until `until`; where it is nothing, `until` is when to ask again and `because` says why.

    `minute` and `day` are the spans it was taken from.
    """

    requests: int
    documents: int
    minute: int
    day: int
    until: int
    because: str = ""


TAKEN = select(budget.c.span, budget.c.begins, budget.c.taken).where(budget.c.connection == bindparam("of"))
CHANGE = (
    update(budget)
    .where(
        budget.c.connection == bindparam("of"), budget.c.span == bindparam("in_span"),
        budget.c.begins == bindparam("at"),
    )
    .values(taken=budget.c.taken + bindparam("more"))
)  # fmt: skip


def minute_of(now: int) -> int:
    """When this minute began, by the clocks of the world."""
    return now - now % MINUTE


def take(connection: Connection, asked: Sequence[Ask]) -> list[Grant]:
    """Operation: what each may send, taken from the budgets of all."""
    found: dict[int, Grant] = {}
    for index in sorted(range(len(asked)), key=lambda one: asked[one].connection):  # rows are locked in this order
        found[index] = take_one(connection, asked[index])
    return [found[index] for index in range(len(asked))]


def take_one(connection: Connection, ask: Ask) -> Grant:
    """One grant; the connection is not used by anybody before the time that this says there is none left."""
    connection.execute(persons.insert_ignore(connection, state).values(connection=ask.connection))
    row = connection.execute(select(state).where(state.c.connection == ask.connection).with_for_update()).one()
    if ask.back is not None:
        for span, begins, count in (
            (MINUTES, ask.back.minute, ask.back.requests),
            (DAYS, ask.back.day, ask.back.requests),
            (DOCUMENTS, ask.back.day, ask.back.documents),
        ):
            add(connection, ask.connection, span, begins, -count)
    minute = minute_of(ask.now)
    most = row.learned_per_minute if row.learned_at is not None and row.learned_at > ask.now - LEARNED_LASTS else None
    per_minute = min((one for one in (most, ask.most.minute) if one is not None), default=None)
    begins, ends = (minute, minute + MINUTE) if per_minute is None else (minute + MARGIN, minute + MINUTE - MARGIN)
    taken = {(one.span, one.begins): one.taken for one in connection.execute(TAKEN, {"of": ask.connection})}
    in_minute = left(per_minute, taken.get((MINUTES, minute), 0))
    in_day = left(ask.most.day, taken.get((DAYS, ask.day), 0))
    documents = min(ask.documents, left(ask.most.documents, taken.get((DOCUMENTS, ask.day), 0)))
    if in_day <= 0:
        return spent(connection, ask, minute, ask.tomorrow, SPENT_DAY)
    if in_minute <= 0 or not begins <= ask.now < ends:
        start = begins if ask.now < begins else begins + MINUTE
        return spent(connection, ask, minute, start, SPENT_MINUTE)
    requests = min(ask.requests, in_minute, in_day)
    for span, begins, count in (
        (MINUTES, minute, requests),
        (DAYS, ask.day, requests),
        (DOCUMENTS, ask.day, documents),
    ):
        add(connection, ask.connection, span, begins, count)
    if (MINUTES, minute) not in taken:
        forget(connection, ask)
    return Grant(requests, documents, minute, ask.day, ends)


def left(most: int | None, taken: int) -> int:
    """What is left of a budget; more than anybody asks for where there is none."""
    return 1 << 30 if most is None else max(0, most - taken)


def add(connection: Connection, name: str, span: str, begins: int, count: int) -> None:
    """So many more were taken of this span, fewer where `count` is below 0."""
    if count:
        new = {"connection": name, "span": span, "begins": begins, "taken": 0}
        connection.execute(persons.insert_ignore(connection, budget).values(**new))
        connection.execute(CHANGE, {"of": name, "in_span": span, "at": begins, "more": count})


def spent(connection: Connection, ask: Ask, minute: int, again: int, because: str) -> Grant:
    """Nobody claims a lane of it before `again`."""
    hold_off(connection, ask.connection, again, because)
    return Grant(0, 0, minute, ask.day, again, because)


def forget(connection: Connection, ask: Ask) -> None:
    """The spans that nobody looks at any more are gone."""
    for kept, spans in ((KEPT_MINUTES, (MINUTES,)), (KEPT_DAYS, (DAYS, DOCUMENTS))):
        old = budget.c.begins < ask.now - kept
        connection.execute(delete(budget).where(budget.c.connection == ask.connection, budget.c.span.in_(spans), old))


def hold_off(connection: Connection, name: str, until: int, because: str) -> None:
    """No lane of the connection is claimed before `until`, or before what was said until now if that is later."""
    connection.execute(persons.insert_ignore(connection, state).values(connection=name))
    later = state.c.connection == name, state.c.not_before < until
    connection.execute(update(state).where(*later).values(not_before=until, because=because))


@dataclass(frozen=True, slots=True)
class TooMany:
    """The EHR said "too many", or that a day's ceiling is reached.

    `until` is what it asked for, or ours where it said nothing; `learn`: the minute's budget is lower than was thought.
    `documents_of`: the day of which nothing is left for documents.
    """

    connection: str
    now: int
    until: int
    because: str
    learn: bool = False
    documents_of: int | None = None


def too_many(connection: Connection, asked: Sequence[TooMany]) -> list[bool]:
    """Operation: every worker waits as long, and sends less from then on where nobody said how much is too many."""
    for ask in sorted(asked, key=lambda one: one.connection):
        if ask.documents_of is not None:
            add(connection, ask.connection, DOCUMENTS, ask.documents_of, 1 << 29)
            continue
        hold_off(connection, ask.connection, ask.until, ask.because)
        if ask.learn:
            of = budget.c.connection == ask.connection, budget.c.span == MINUTES
            sent = connection.execute(
                select(func.max(budget.c.taken)).where(*of, budget.c.begins == minute_of(ask.now))
            )
            count = sent.scalar() or 0
            if count < LEARNED_FROM:
                continue
            most = count * LEARNED_SHARE[0] // LEARNED_SHARE[1]
            connection.execute(
                update(state)
                .where(state.c.connection == ask.connection)
                .values(learned_per_minute=most, learned_at=ask.now)
            )
    return [True] * len(asked)


def keep_width(connection: Connection, asked: Sequence[tuple[str, int]]) -> list[bool]:
    """Operation: `(connection, requests at a time)` as a process has it now, for people to see."""
    for name, at_once in sorted(asked):
        connection.execute(persons.insert_ignore(connection, state).values(connection=name))
        connection.execute(update(state).where(state.c.connection == name).values(at_once=at_once))
    return [True] * len(asked)


def used(connection: Connection) -> dict[str, dict[tuple[str, int], int]]:
    """Per connection: (span, its beginning) → what was taken."""
    found: dict[str, dict[tuple[str, int], int]] = {}
    for row in connection.execute(select(budget)):
        found.setdefault(row.connection, {})[row.span, row.begins] = row.taken
    return found
