"""A practice to which nothing is sent for now, and its going on: somebody's decision, in the trail."""

from __future__ import annotations

from bridge.errors import ConfigError, Problem
from bridge.moves.line import Line
from bridge.settings.words import nearest
from bridge.store import audit, suspending


def suspend(line: Line, practice: str, reason: str, by: str, now: int) -> bool:
    """No step begins for the practice any more; what is accepted for it is kept and planned, as far as its bound.

    False where it was suspended before. Raises ConfigError where the project has no such practice.
    """
    known(line, practice)
    done = line.ledger.write(suspending.suspend, suspending.Suspend(practice, reason, by, now))
    note(line, "suspend", practice, by, now, done)
    return done


def resume(line: Line, practice: str, by: str, now: int) -> bool:
    """The practice is sent to again, what waited longest first; False where it was not suspended.

    Raises ConfigError where the project has no such practice.
    """
    known(line, practice)
    done = line.ledger.write(suspending.resume, practice)
    note(line, "resume", practice, by, now, done)
    return done


def note(line: Line, action: str, practice: str, by: str, now: int, done: bool) -> None:
    """Who did it stands in the trail, where anything changed."""
    if done:
        line.ledger.write(audit.note, audit.Line(line.ledger.ids.take(), "", now, by, action, f"practice {practice}"))


def known(line: Line, practice: str) -> None:
    """Returns for a practice of the project. Raises ConfigError."""
    if practice not in line.project.practices:
        names = line.project.practices
        rule = f"no practice has this id; there are {', '.join(sorted(names))}"
        raise ConfigError(Problem("unknown-name", rule, "command line", "PRACTICE", nearest(practice, names)))
