"""`bridge practices`: which there are, and suspending one while the others go on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir
from bridge.cli.standing import moment
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.moves import suspending as moves
from bridge.settings import load
from bridge.store import suspending, views

app = typer.Typer(help="The practices, and suspending one while the others go on.", no_args_is_help=True)
PracticeId = Annotated[str, typer.Argument(help="The practice's id in bridge.yaml.")]


@app.command("list")
def list_practices(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Every practice: its connection, what waits for it, whether it is suspended."""
    with open_line(load(project), BY, system_clock()) as line, line.ledger.read() as connection:
        stopped, counts = suspending.suspensions(connection), views.practice_counts(connection)
        found: list[dict[str, Any]] = [
            {
                "practice": name,
                "connection": known.connection,
                "waiting": sum(counts[name]["entries"][one] for one in WAITING) if name in counts else 0,
                "most": line.project.limits.planned_entries,
                "suspended": stopped.get(name),
            }
            for name, known in sorted(line.project.practices.items())
        ]
    if json:
        show.as_json(found)
        return show.DONE
    for one in found:
        stop = one["suspended"]
        why = f"; suspended since {moment(stop['since'])}, by {stop['by']}: {stop['reason']}" if stop else ""
        show.say(f"{one['practice']}: {one['waiting']} of at most {one['most']} waiting at {one['connection']}{why}")
    return show.DONE


WAITING = ("ready", "sending", "unknown")


@app.command("suspend")
def suspend(
    practice: PracticeId,
    reason: Annotated[str, typer.Option(help="Why, for those who see it; no names of people.")] = "as asked",
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Send nothing to a practice from now on; what is accepted for it waits, and the others go on."""
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        done = moves.suspend(line, practice, reason[:200], BY, now)
    answered("suspended" if done else "it was suspended before; nothing was changed", done, json)
    return show.DONE


@app.command("resume")
def resume(practice: PracticeId, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Send to a practice again: what waited goes now, in its order."""
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        done = moves.resume(line, practice, BY, now)
    answered("what waited goes now" if done else "it was not suspended; nothing was changed", done, json)
    return show.DONE


def answered(words: str, done: bool, json: bool) -> None:
    """What became of it."""
    if json:
        show.as_json({"changed": done})
    else:
        show.say(words)
