"""Options that several commands share, and the project they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bridge.errors import ConfigError, Problem
from bridge.settings.words import nearest

ProjectDir = Annotated[
    Path,
    typer.Option("--project", "-p", envvar="BRIDGE_PROJECT", help="The project folder.", show_default="this folder"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]

ShowValues = Annotated[bool, typer.Option("--show-values", help="Do not mask values; for synthetic sources alone.")]

HERE = Path(".")
BY = "command"
"""Who acted, in the trail, where it was somebody at the command line."""

Named = TypeVar("Named")


def chosen(known: Mapping[str, Named], name: str, what: str) -> Named:
    """The one of this name, or the only one there is. Raises ConfigError that names the known ones."""
    if not name and len(known) == 1:
        return next(iter(known.values()))
    if name in known:
        return known[name]
    rule = f"name the {what}: one of {', '.join(sorted(known))}" if not name else f"no {what} has this id"
    raise ConfigError(Problem("unknown-name", rule, "command line", f"--{what}", nearest(name, known) if name else ""))
