"""`bridge sandbox`: an EHR of invented data on this machine, to try against."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from bridge import sandbox as ehrs
from bridge.cli import show
from bridge.errors import ConfigError, Problem

PORT = 8090
"""Where a new project folder expects it (`settings/starter.yaml`)."""


def sandbox(
    shape: Annotated[str, typer.Argument(help="Which EHR it resembles, or a file that describes one.")] = "open",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 = any free one.")] = PORT,
    bearer_env: Annotated[str, typer.Option(help="Environment variable with the token clients must send.")] = "",
    visibility_delay: Annotated[float, typer.Option(min=0, help="Seconds until searches see a write.")] = 0.0,
    faults: Annotated[str, typer.Option(help="A schedule of faults: SEED:RATE[:FAULT=WEIGHT[/SECONDS],…].")] = "",
    smart: Annotated[
        list[str] | None, typer.Option(help="A client that signs in, CLIENT=JWKS_URL; then everybody must.")
    ] = None,
) -> int:
    """Serve a sandbox EHR on 127.0.0.1 until stopped. Holds invented data only, in memory."""
    bearer = os.environ.get(bearer_env) if bearer_env else None
    if bearer_env and not bearer:
        raise ConfigError(Problem("secret-missing", "this environment variable is empty", "command line", bearer_env))
    try:
        plan = ehrs.parse_plan(faults) if faults else None
    except ValueError:
        rule = "must be SEED:RATE or SEED:RATE:FAULT=WEIGHT,…"
        raise ConfigError(Problem("sandbox-faults", rule, "command line", "--faults")) from None
    try:
        clients = dict(ehrs.parse_client(text) for text in smart or ())
    except ValueError:
        rule = "must be CLIENT=JWKS_URL"
        raise ConfigError(Problem("sandbox-smart", rule, "command line", "--smart")) from None
    try:
        ehrs.serve(
            shape, port, bearer=bearer, visibility_delay=visibility_delay, faults=plan, smart=clients, ready=announce
        )
    except ehrs.ShapeError as error:
        raise ConfigError(Problem("sandbox-shape", str(error), "command line", "SHAPE")) from None
    except OSError as error:
        rule = f"nobody can listen at this port ({error.strerror or type(error).__name__})"
        raise ConfigError(Problem("server-address", rule, "command line", "--port", "choose another, or 0")) from None
    return show.DONE


def announce(running: ehrs.Running) -> None:
    """The FHIR base, once it answers."""
    show.say(f"READY {running.base_url}")
