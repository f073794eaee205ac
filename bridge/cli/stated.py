"""What one practice's EHR stated: as it was read last or is read now, how it changed, and what its refusals taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bridge.cli import show
from bridge.ehr.capability import Capability
from bridge.ehr.difference import Difference
from bridge.ehr.ways import Ways
from bridge.errors import ConfigError, Problem
from bridge.jobs import statements
from bridge.jobs.open import connected
from bridge.jobs.worker import system_clock
from bridge.moves.line import Line
from bridge.store import statements as kept

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Stated:
    """A capability with its history. `changed` is what is otherwise than when it was read before, in this run."""

    capability: Capability
    ways: Ways
    changed: tuple[Difference, ...] = ()
    known: kept.Known | None = None
    lessons: Sequence[kept.Lesson] = ()

    @property
    def last(self) -> tuple[Difference, ...]:
        """What was otherwise when the statement changed at last."""
        return tuple(Difference(**change) for change in self.known.changes) if self.known else ()

    def as_dict(self) -> dict[str, Any]:
        """As --json gives it, beside the capability itself."""
        known = self.known
        return {
            "changed": [str(one) for one in self.changed],
            "statement": {"read_at": known.read_at, "changed_at": known.changed_at, "digest": known.digest}
            if known
            else None,
            "changes": [one.as_dict() for one in self.last],
            "learned": [
                {"type": one.type, "interaction": one.interaction, "because": one.because, "at": one.learned_at}
                for one in self.lessons
            ],
        }


async def asked(line: Line, practice: str, *, refresh: bool) -> Stated:
    """What the practice's EHR states: as it was read last, or now where it never was or `refresh` says so.

    Raises ConfigError where no statement could be read, now or before.
    """
    async with connected(line):
        chart = line.charts[practice]
        if not chart.serves:
            return Stated(chart.planned, chart.ways)
        name = chart.connection.id
        before = digest_of(line, name)
        if refresh or chart.capability is None:
            await statements.read(line, name, chart.client, system_clock())
            statements.load(line, system_clock())
        after = line.charts[practice]
    if after.capability is None:
        rule = "its EHR gave no statement that can be read, now or before"
        step = f"`bridge doctor {name}` says why"
        raise ConfigError(Problem("statement-unread", rule, f"practice {practice}", next_step=step))
    with line.ledger.read() as connection:
        known, lessons = kept.known(connection)[name], kept.lessons(connection).get(name, ())
    found = Stated(after.capability, after.ways, (), known, lessons)
    return found if before in ("", known.digest) else replace(found, changed=found.last)


def digest_of(line: Line, connection: str) -> str:
    """What tells the connection's last statement from others; "" where none was read."""
    with line.ledger.read() as reading:
        return kept.digests(reading).get(connection, "")


def forgotten(line: Line, practice: str, type: str, interaction: str, *, now: int) -> None:
    """The refusal counts no more, and what waited for it is planned anew. Raises ConfigError where none was learned."""
    connection = line.project.practices[practice].connection
    if not line.ledger.write(kept.forget, (connection, type, interaction)):
        with line.ledger.read() as reading:
            known = [f"{one.type} {one.interaction}" for one in kept.lessons(reading).get(connection, ())]
        rule, step = "no such refusal was learned", f"learned are: {', '.join(known) or 'none'}"
        raise ConfigError(Problem("unlearned", rule, "command line", "--forget", step))
    sharing = [one.id for one in line.project.practices.values() if one.connection == connection]
    statements.reopen(line, sharing, now, "forgotten")


def say_learned(stated: Stated) -> None:
    """What refusals taught, and how that is forgotten."""
    for one in stated.lessons:
        show.say(f"learned {day(one.learned_at)}: {one.type} {one.interaction} {one.because}")
    if stated.lessons:
        show.say("  → after the EHR's team opened it: --forget TYPE INTERACTION")


def say_changes(stated: Stated, *, json: bool) -> None:
    """What the statement said otherwise when it changed at last, one line each."""
    if json:
        show.as_json(stated.as_dict())
        return
    if stated.known is None or not stated.last:
        show.say("the statement is as it was when it was first read")
        return
    show.say(f"changed {day(stated.known.changed_at)}, read {day(stated.known.read_at)}")
    for one in stated.last:
        show.say(f"  {one}")


def day(instant: int) -> str:
    """The day and minute of an instant (microseconds UTC), in UTC."""
    return f"{datetime.fromtimestamp(instant / SECOND, UTC):%Y-%m-%d %H:%M} UTC"
