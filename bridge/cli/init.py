"""`bridge init`: a project folder to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import AsJson
from bridge.settings import load
from bridge.settings.starter import start
from bridge.store.keys import make_key_file


def init(
    directory: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    pack: Annotated[list[str] | None, typer.Option(help="A mapping pack to begin with; may be given twice.")] = None,
    json: AsJson = False,
) -> int:
    """Make a project folder: synthetic records, one agency, one practice, a sandbox EHR on this machine."""
    made = start(directory, list(dict.fromkeys(pack or ["ma-soc"])), make_key_file)
    project = load(directory)
    if json:
        show.as_json({"project": str(project.directory), "made": list(made), "agencies": list(project.agencies)})
        return show.DONE
    show.say(f"A project stands in {directory}:")
    for path in made:
        secret = "   (secret, readable by you alone)" if path.startswith("secrets/") else ""
        show.say(f"  {path}{secret}")
    show.say("secrets/ledger.key encrypts every record: keep a copy elsewhere, without it the ledger cannot be read.")
    show.say(f"Next: edit {directory / 'bridge.yaml'}, then `bridge doctor --project {directory}`.")
    return show.DONE
