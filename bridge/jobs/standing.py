"""How each connection stands: what waits for it and how long, how fast it goes, what is left, why it is down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection

from bridge.ehr import circuit, facts, hours
from bridge.handoff import circuit as handoff
from bridge.moves.line import Line
from bridge.moves.pacing import most_of, quiet_until, zone_of
from bridge.settings import Project
from bridge.store import alerts, budgets, leases, suspending, telling, views

SECOND = 1_000_000
MINUTES = 5
"""Whole minutes over which the rate is taken."""


@dataclass(frozen=True, slots=True)
class Left:
    """Of a budget: how much is left, and of how much."""

    left: int
    most: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection; instants in microseconds, ages in seconds."""

    connection: str
    practices: tuple[str, ...]
    state: str  # up | down | trying
    why: str  # of a connection not used now
    since: int | None
    until: int | None  # when it is tried or used again
    next_step: str
    waiting: int  # ready, being sent, or not known whether it arrived
    unknown: int
    oldest_seconds: int | None
    holds: Mapping[str, int]
    rate: float  # requests a minute
    minute: Left | None
    day: Left | None
    documents: Left | None
    learned: bool  # the minute's budget is lower than was thought
    at_once: int
    suspended: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    full: tuple[str, ...] = field(default=())  # practices with as many open entries as they may have

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers."""
        return asdict(self)


def standings(
    line: Line, connection: Connection, now: int, practices: Mapping[str, Mapping[str, Any]]
) -> list[Standing]:
    """Every connection of the project, as the ledger has it now; `practices` are its counts (`views.practice_counts`),
    which cost the most and are wanted beside this.
    """
    full = views.full_practices(connection, practices, line.project.limits.planned_entries)
    states, used = leases.connection_states(connection), budgets.used(connection)
    told, stopped = alerts.open_alerts(connection), suspending.suspensions(connection)
    held = views.holds_by_practice(connection)
    found = []
    for name, known in sorted(line.project.connections.items()):
        here = tuple(sorted(one for one, of in line.project.practices.items() if of.connection == name))
        state = states.get(name, leases.State())
        most = most_of(known.pace, facts.of_project(known.vendor, line.project.vendors).pace)
        if state.learned_per_minute and state.learned_at > now - budgets.LEARNED_LASTS:
            learned = min(most.minute or state.learned_per_minute, state.learned_per_minute)
        else:
            learned = None
        spent, minute = used.get(name, {}), budgets.minute_of(now)
        today = hours.day_of(zone_of(line.project, known), now)[0]
        counts = [practices[one] for one in here if one in practices]
        oldest = min((of["oldest"] for of in counts if of["oldest"] is not None), default=None)
        before = [spent.get((budgets.MINUTES, minute - back * budgets.MINUTE), 0) for back in range(1, MINUTES + 1)]
        closed = state.closed(now)
        found.append(
            Standing(
                connection=name,
                practices=here,
                state="down" if state.closed_until > now else "trying" if state.failures else "up",
                why=closed or (state.reason if state.failures else ""),
                since=told[name].opened_at if name in told else None,
                until=max(state.closed_until, state.not_before) if closed else None,
                next_step=circuit.next_step(state.reason) if state.failures else "",
                waiting=sum(map(on_the_way, counts)),
                unknown=sum(of["entries"]["unknown"] for of in counts),
                oldest_seconds=max(0, now - oldest) // SECOND if oldest is not None else None,
                holds=summed(held.get(one, {}) for one in here),
                rate=sum(before) / MINUTES,
                minute=left(learned or most.minute, spent.get((budgets.MINUTES, minute), 0)),
                day=left(most.day, spent.get((budgets.DAYS, today), 0)),
                documents=left(most.documents, spent.get((budgets.DOCUMENTS, today), 0)),
                learned=learned is not None,
                at_once=state.at_once or known.lanes,
                suspended=tuple(one for one in here if one in stopped),
                quiet=tuple(one for one in here if quiet_until(line.project, one, now) is not None),
                full=tuple(one for one in here if one in full),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Handing:
    """One practice's hand-off; instants in microseconds, ages in seconds. `waiting` is all that waits for the
    practice, whichever way it goes.
    """

    practice: str
    way: str
    state: str  # up | down | trying
    why: str
    since: int | None
    until: int | None
    next_step: str
    waiting: int
    oldest_seconds: int | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers."""
        return asdict(self)


def handings(
    project: Project, connection: Connection, now: int, practices: Mapping[str, Mapping[str, Any]]
) -> list[Handing]:
    """Every practice that is handed documents by a way that can be down; `practices` as in `standings`."""
    states, told = leases.connection_states(connection), alerts.open_alerts(connection)
    found = []
    for practice, known in sorted(project.practices.items()):
        if known.handoff is None or known.handoff.way == "packet":
            continue
        name = handoff.name_of(practice)
        state, counts = states.get(name, leases.State()), practices.get(practice)
        oldest = counts["oldest"] if counts is not None else None
        found.append(
            Handing(
                practice=practice,
                way=known.handoff.way,
                state="down" if state.closed_until > now else "trying" if state.failures else "up",
                why=state.reason if state.failures else "",
                since=told[name].opened_at if name in told else None,
                until=state.closed_until if state.closed_until > now else None,
                next_step=handoff.next_step(state.reason) if state.failures else "",
                waiting=on_the_way(counts) if counts is not None else 0,
                oldest_seconds=max(0, now - oldest) // SECOND if oldest is not None else None,
            )
        )
    return found


def on_the_way(counts: Mapping[str, Any]) -> int:
    """How many of a practice's entries go, of its counts: those behind another of their record move with that one."""
    return int(sum(counts["entries"][one] for one in telling.ON_THE_WAY) - counts["behind"])


def left(most: int | None, taken: int) -> Left | None:
    """What is left of a budget, where there is one."""
    return Left(max(0, most - taken), most) if most is not None else None


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name, over all."""
    found: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            found[name] = found.get(name, 0) + count
    return found
