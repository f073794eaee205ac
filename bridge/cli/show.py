"""What commands print: answers on standard output, problems on standard error, JSON where it was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import typer

from bridge.errors import Problem

DONE, FINDINGS, WRONG_USE = 0, 1, 2
"""Exit codes of every command."""


def say(text: str = "") -> None:
    """One line of the answer."""
    typer.echo(text)


def as_json(value: Any) -> None:
    """The whole answer as JSON."""
    # OPT_NON_STR_KEYS: the names of the ledger's columns are a subclass of str, which orjson takes for no string
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def problems(found: Iterable[Problem]) -> None:
    """Problems, one below the other, on standard error."""
    for problem in found:
        typer.secho("✗ ", fg="red", nl=False, err=True)
        typer.echo(str(problem), err=True)


def warnings(found: Iterable[Problem]) -> None:
    """What stops nothing, one below the other, on standard error."""
    for problem in found:
        typer.secho("! ", fg="yellow", nl=False, err=True)
        typer.echo(str(problem), err=True)
