"""`bridge access`: who may sign in to the pages, and the one-time links they come in by."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir
from bridge.console import signing
from bridge.errors import ConfigError, Problem
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.settings import Person, Project, load
from bridge.settings.words import nearest

app = typer.Typer(help="Who may sign in to the pages.", no_args_is_help=True)


@app.command("people")
def people(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Who may sign in, as bridge.yaml says."""
    found = load(project).people
    if json:
        show.as_json(
            [
                {"id": one.id, "name": one.name, "role": one.role, "agency": one.agency, "practice": one.practice}
                for one in found.values()
            ]
        )
        return show.DONE
    for one in found.values():
        show.say(f"{one.id:<20} {one.role:<16} {one.agency or one.practice:<20} {one.name}")
    if not found:
        show.say("nobody; name them under `people` in bridge.yaml")
    return show.DONE


@app.command("link")
def link(
    person: Annotated[str, typer.Argument(help="The person's id in bridge.yaml.")],
    hours: Annotated[int, typer.Option(min=1, max=168, help="How long the link may be used.")] = 24,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Print a link that signs this person in, once. Give it to nobody else."""
    loaded = load(project)
    who = named(loaded, person)
    now = system_clock()
    with open_line(loaded, BY, now) as line:
        path = signing.new_link(line, who, BY, now, hours * signing.HOUR)
    address = signing.address(loaded.server, path)
    if json:
        show.as_json({"link": address, "hours": hours})
    else:
        show.say(address)
    return show.DONE


def named(project: Project, person: str) -> Person:
    """The person of this id. Raises ConfigError."""
    if person in project.people:
        return project.people[person]
    step = nearest(person, project.people) if project.people else "name them under `people` in bridge.yaml"
    raise ConfigError(Problem("unknown-name", "nobody has this id", "command line", "PERSON", step))
