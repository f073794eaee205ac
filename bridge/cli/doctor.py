"""`bridge doctor`: can the ledger be opened, and does every connection work?"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.examine import Check, connection_checks, ledger_check
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.errors import ConfigError, Problem
from bridge.fhir.auth import login
from bridge.fhir.client import Client
from bridge.settings import Connection, Project, load
from bridge.settings.words import nearest

MARKS = {True: "ok", False: "NO", None: "–"}


def doctor(
    connection: Annotated[list[str] | None, typer.Argument(help="Connections to try; all when none is named.")] = None,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Try the ledger and each connection: reachable, login, statement, clock."""
    loaded = load(project)
    chosen = choose(loaded, connection or list(loaded.connections))
    ledger = ledger_check(loaded)
    found = asyncio.run(examine(chosen))
    good = ledger.ok is not False and all(check.ok is not False for checks in found.values() for check in checks)
    if json:
        connections = {name: {check.name: check.as_dict() for check in checks} for name, checks in found.items()}
        show.as_json({"ok": good, "ledger": ledger.as_dict(), "connections": connections})
    else:
        tell("ledger", [ledger])
        for name, checks in found.items():
            tell(f"connection {name} ({loaded.connections[name].kind}, {loaded.connections[name].vendor})", checks)
    return show.DONE if good else show.FINDINGS


def choose(project: Project, names: list[str]) -> list[Connection]:
    """The connections of these names; ConfigError for those the project does not have."""
    known = project.connections
    unknown = [name for name in names if name not in known]
    if unknown:
        rule = "no connection has this id"
        raise ConfigError(Problem("unknown-name", rule, "command line", name, nearest(name, known)) for name in unknown)
    return [known[name] for name in dict.fromkeys(names)]


async def examine(connections: list[Connection]) -> dict[str, list[Check]]:
    """The checks of each connection, by its id; tried side by side."""

    async def one(connection: Connection) -> list[Check]:
        async with Client(connection.base, login(connection.bearer), connection.timeout_seconds) as client:
            return await connection_checks(client.send, time.time, with_login=connection.bearer is not None)

    results = await asyncio.gather(*map(one, connections))
    return {connection.id: checks for connection, checks in zip(connections, results, strict=True)}


def tell(title: str, checks: list[Check]) -> None:
    """The checks in lines, with what to do about what failed."""
    show.say(title)
    for check in checks:
        show.say(f"  {MARKS[check.ok]:3}{check.name:11}{check.says}")
        if check.next_step and check.ok is False:
            show.say(f"     {'':11}→ {check.next_step}")
