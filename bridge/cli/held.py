"""`bridge held`: what waits for a person, and answering it."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir
from bridge.errors import ConfigError, Problem
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import HoldReason
from bridge.moves import answering
from bridge.settings import load
from bridge.store import views

app = typer.Typer(help="What waits for a person, and answering it.", no_args_is_help=True)
HoldId = Annotated[int, typer.Argument(help="The hold's number, as `bridge held list` shows it.")]


@app.command("list")
def list_holds(
    agency: Annotated[str, typer.Option(help="Only this agency's.")] = "",
    reason: Annotated[str, typer.Option(help="Only holds of this reason.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 50,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """What waits, oldest first: for what, whose turn it is, what to do."""
    known(reason)
    now = system_clock()
    with open_line(load(project), BY, now) as line, line.ledger.read() as connection:
        found = views.open_holds(connection, agency=agency or None, reason=reason or None, limit=limit)
        counts = views.hold_counts(connection, agency or None)
    if json:
        show.as_json({"counts": counts, "holds": [hold | {"overdue": hold["due_at"] <= now} for hold in found]})
        return show.DONE
    for hold in found:
        late = "  overdue" if hold["due_at"] <= now else ""
        show.say(f"{hold['id']:>8}  {hold['reason']:<10} {hold['owner']:<9} {hold['thing']}{late}")
        show.say(f"          {hold['rule']}")
        show.say(f"          → {hold['next_step']}")
    show.say(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing waits")
    return show.DONE


@app.command("show")
def show_hold(hold: HoldId, project: ProjectDir = HERE) -> int:
    """One hold with what it is about, as JSON."""
    with open_line(load(project), BY, system_clock()) as line:
        found = answering.one_hold(line, hold)
    show.as_json(found)
    return show.DONE


@app.command("retry")
def retry(
    hold: Annotated[int | None, typer.Argument(help="The hold's number; without it, all of --reason.")] = None,
    reason: Annotated[str, typer.Option(help="Every hold of this reason.")] = "",
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Look again at what is held; what is still missing holds it again."""
    known(reason)
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        count = answering.retry(line, hold, reason, BY, now)
    again(count, json)
    return show.DONE if count else show.FINDINGS


@app.command("answer")
def answer(
    hold: HoldId,
    stands: Annotated[str, typer.Option(help="It stands in the chart under this id of the EHR.")] = "",
    absent: Annotated[bool, typer.Option("--absent", help="It does not stand there; send it.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="It should not go; what stands stays.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Of a record or a guarded entry: send it as it is.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Of a record: it stays with the agency.")] = False,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """A person's decision: about what stands in a chart, or whether a record goes at all."""
    about_record = send or keep
    if sum((bool(stands), absent, drop, send, keep)) != 1:
        rule = "give one of --stands, --absent and --drop for an entry, or of --send and --keep for a record"
        raise ConfigError(Problem("hold-answer", rule, "command line"))
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        if send and answering.asks_to_read(answering.one_hold(line, hold)):
            done = answering.let_leave(line, hold, BY, now)
        elif about_record:
            done = answering.release_record(line, hold, send, BY, now)
        else:
            done = answering.decide(line, hold, stands, absent, drop, BY, now)
    if json:
        show.as_json({"answered": done})
    else:
        show.say("answered" if done else "it was answered before; nothing was changed")
    return show.DONE if done else show.FINDINGS


@app.command("row")
def row(
    agency: Annotated[str, typer.Argument(help="The agency's id.")],
    table: Annotated[str, typer.Argument(help="PACK/NAME of the table.")],
    code: Annotated[str, typer.Argument(help="The agency's code.")],
    display: Annotated[str, typer.Option(help="What it means, in words.")],
    system: Annotated[str, typer.Option(help="The code system of the target.")] = "",
    target: Annotated[str, typer.Option(help="The code it becomes; left out where none is known.")] = "",
    source: Annotated[str, typer.Option(help="Where this is written.")] = "decided by a person",
    start: Annotated[str, typer.Option("--from", help="The first day on which it holds, like 2026-01-05.")] = "",
    until: Annotated[str, typer.Option(help="The last day on which it holds.")] = "",
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Add a row to a code table; what waited for it runs again. A row of the same code and `--from` gives way."""
    now = system_clock()
    cells = {"system": system, "target": target, "display": display, "source": source, "from": start, "until": until}
    with open_line(load(project), BY, now) as line:
        count = answering.add_row(line, agency, table, code, cells, BY, now)
    again(count, json)
    return show.DONE


def again(count: int, json: bool) -> None:
    """How many run again."""
    if json:
        show.as_json({"again": count})
    else:
        show.say(f"{count} {'runs' if count == 1 else 'run'} again")


def known(reason: str) -> None:
    """Returns for a reason there is, or none. Raises ConfigError."""
    if reason and reason not in set(HoldReason):
        rule = f"no hold has this reason; there are {', '.join(HoldReason)}"
        raise ConfigError(Problem("hold-reason", rule, "command line", "--reason"))
