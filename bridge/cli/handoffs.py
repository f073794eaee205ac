"""`bridge handoffs`: what was handed over and waits for confirmation, as pages, confirmed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, chosen
from bridge.errors import ConfigError, Problem
from bridge.handoff.opening import named
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.moves import confirming
from bridge.settings import load
from bridge.store import handoffs

app = typer.Typer(help="What was handed over to practices, and confirming it.", no_args_is_help=True)
SHOWN = ("reference", "practice", "agency", "kind", "thread", "updated_at", "should")
PracticeName = Annotated[str, typer.Argument(help="The practice's id.")]
References = Annotated[list[str], typer.Argument(help="Delivery references, as `bridge handoffs list` shows them.")]


@app.command("list")
def list_handoffs(
    practice: Annotated[str, typer.Option(help="Only this practice's.")] = "",
    agency: Annotated[str, typer.Option(help="Only this agency's.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 100,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """What was handed over and is not confirmed, the oldest first."""
    now = system_clock()
    loaded = load(project)
    names = [chosen(loaded.practices, practice, "practice").id] if practice else list(loaded.practices)
    with open_line(loaded, BY, now) as line, line.ledger.read() as connection:
        found = (handoffs.waiting(connection, name, agency=agency, limit=limit) for name in names)
        rows = sorted((row for rows in found for row in rows), key=lambda row: row["updated_at"])[:limit]
    if json:
        show.as_json({"waiting": [{name: row[name] for name in SHOWN} for row in rows]})
        return show.DONE
    for row in rows:
        days = (now - row["updated_at"]) // confirming.DAY
        what = row["kind"] if row["should"] else "a word that it should be disregarded"
        show.say(f"{row['reference']}  {row['practice']:<16} {days:>3} d  {what}")
    show.say(f"{len(rows)} {'waits' if len(rows) == 1 else 'wait'} for confirmation")
    return show.DONE


@app.command("print")
def print_pages(
    practice: PracticeName,
    references: References,
    to: Annotated[Path, typer.Option(help="The folder the pages are put into.", file_okay=False)],
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Put what was handed over last under these references into a folder, to be printed; nothing is overwritten."""
    with open_line(load(project), BY, system_clock()) as line:
        chosen(line.project.practices, practice, "practice")
        found = [confirming.pages(line, practice, reference) for reference in references]
    written = [to / named(over) for over in found]
    there = [path for path in written if path.exists()]
    if there:
        rule = "a file of this name is there already"
        raise ConfigError(
            Problem("handoff-file", rule, "command line", path.name, "name another folder") for path in there
        )
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, over in zip(written, found, strict=True):
        path.write_bytes(over.body)
    if json:
        show.as_json({"files": [path.name for path in written]})
    else:
        show.say("\n".join(map(str, written)))
    return show.DONE


@app.command("confirm")
def confirm(practice: PracticeName, references: References, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """They are in the charts: somebody at the practice said so."""
    return said(project, practice, references, handoffs.CONFIRMED, json)


@app.command("again")
def again(practice: PracticeName, references: References, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """They never came: each is handed over anew, under a new reference."""
    return said(project, practice, references, handoffs.AGAIN, json)


def said(project: Path, practice: str, references: list[str], verdict: str, json: bool) -> int:
    """What a person said of each; what nobody waits for is a finding."""
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        chosen(line.project.practices, practice, "practice")
        counts = [confirming.confirm(line, practice, one, verdict, BY, now) for one in references]
    unknown = counts.count(0)
    if json:
        show.as_json({"done": sum(counts), "unknown": unknown})
    else:
        show.say(f"{sum(counts)} done" + (f"; under {unknown} of the references nothing waits" if unknown else ""))
    return show.FINDINGS if unknown else show.DONE
