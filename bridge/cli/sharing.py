"""`bridge links`: what practices say of who is who; and the taking in of lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir
from bridge.jobs import rosters
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.moves import answering
from bridge.moves.line import Line
from bridge.settings import load

links = typer.Typer(help="The practices' own identifiers for the families' members.", no_args_is_help=True)
Roster = Annotated[Path, typer.Argument(help="A CSV file.")]
Importer = Callable[[Line, Path, str, int], rosters.Imported]


@links.command("import")
def import_links(roster: Roster, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Import a practice's roster: agency,person,practice,system,value."""
    return imported(rosters.import_links, "links", roster, project, json)


def imported(importer: Importer, what: str, roster: Path, project: Path, json: bool) -> int:
    """The roster's rows taken, told in counts and problems."""
    now = system_clock()
    with open_line(load(project), "command", now) as line:
        result = importer(line, roster, BY, now)
        for agency in line.project.agencies if result.new else ():
            answering.note(line, agency, BY, f"import-{what}", f"new {result.new} known {result.known}", now)
    if json:
        problems = [problem.as_dict() for problem in result.problems]
        show.as_json({"new": result.new, "known": result.known, "problems": problems})
    else:
        show.say(f"{result.new} new, {result.known} known already, {len(result.problems)} not taken")
        show.problems(result.problems)
    return show.FINDINGS if result.problems else show.DONE
