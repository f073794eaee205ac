"""`bridge doctor`: can the ledger be opened, and does every connection work?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bridge.cli import show
from bridge.cli.examine import Check, connection_checks, ledger_check
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.cli.signing_in import sign_in
from bridge.ehr import facts
from bridge.errors import ConfigError, LedgerError, Problem
from bridge.fhir.tls import context
from bridge.handoff import opening
from bridge.jobs.logins import GRANTED, Logins
from bridge.jobs.worker import system_clock
from bridge.model import Request, Response
from bridge.moves.pacing import Pacer
from bridge.settings import Connection, Project, load
from bridge.settings.words import nearest
from bridge.store import leases
from bridge.store.keys import parse_key
from bridge.store.ledger import Ledger
from bridge.store.writer import Operation

P = TypeVar("P")
R = TypeVar("R")
MARKS = {True: "ok", False: "NO", None: "–"}


def doctor(
    connection: Annotated[list[str] | None, typer.Argument(help="Connections to try; all when none is named.")] = None,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Try the ledger and each connection: reachable, statement, clock, and the login step by step."""
    loaded = load(project)
    named = choose(loaded, connection or list(loaded.connections))
    chosen = [one for one in named if one.base]
    ledger = ledger_check(loaded)
    found = asyncio.run(examine(loaded, chosen, ledger.ok is not False and made(loaded)))
    handed = asyncio.run(reached(loaded, named))
    checked = [check for checks in found.values() for check in checks] + list(handed.values())
    good = ledger.ok is not False and all(check.ok is not False for check in checked)
    if json:
        handoffs = {name: check.as_dict() for name, check in handed.items()}
        connections = {name: {check.name: check.as_dict() for check in checks} for name, checks in found.items()}
        show.as_json({"ok": good, "ledger": ledger.as_dict(), "connections": connections, "handoffs": handoffs})
    else:
        tell("ledger", [ledger])
        for name, checks in found.items():
            tell(f"connection {name} ({loaded.connections[name].kind}, {loaded.connections[name].vendor})", checks)
        for name, check in handed.items():
            tell(f"practice {name}", [check])
    return show.DONE if good else show.FINDINGS


async def reached(project: Project, connections: list[Connection]) -> dict[str, Check]:
    """Whether those to whom documents are handed over can be reached, by practice; nothing is handed over.

    Raises ConfigError for certificates or a plug-in that cannot be used.
    """
    found = {}
    known = {one.id: one for one in connections}
    for name, practice in project.practices.items():
        wants, connection = practice.handoff, known.get(practice.connection)
        if wants is not None and connection is not None:
            wrong = await opening.opened(practice, wants, connection).reach()
            step = "see `handoff` of this practice in bridge.yaml, and ask who runs its interface" if wrong else ""
            found[name] = Check("hand-off", not wrong, wrong or f"{wants.way}: can be reached", step)
    return found


def choose(project: Project, names: list[str]) -> list[Connection]:
    """The connections of these names; ConfigError for those the project does not have."""
    known = project.connections
    unknown = [name for name in names if name not in known]
    if unknown:
        rule = "no connection has this id"
        raise ConfigError(Problem("unknown-name", rule, "command line", name, nearest(name, known)) for name in unknown)
    return [known[name] for name in dict.fromkeys(names)]


async def examine(project: Project, connections: list[Connection], with_ledger: bool) -> dict[str, list[Check]]:
    """The checks of each connection, by its id; tried side by side. Raises LedgerError, ConfigError."""
    ledger = Ledger(project.store.reveal(), parse_key(project.key.reveal())) if with_ledger else None
    logins = Logins(project, ledger, system_clock)
    paces = paces_of(project, connections, ledger) if ledger is not None else {}

    async def one(connection: Connection) -> list[Check]:
        signed: list[Check] = []
        login, pace = connection.login, paces.get(connection.id)
        if isinstance(login, GRANTED):
            tokens = logins.tokens(connection, login, context(connection.tls), pace)
            signed = await sign_in(project, ledger, tokens, connection)
        if any(check.ok is False for check in signed if check.name != "scopes"):
            unsigned = replace(connection, login=None)
            async with logins.client(unsigned, Unsigned(pace) if pace is not None else None) as client:
                checks = await connection_checks(client.send, time.time, with_login=None)
                return [*checks[:-1], *signed, checks[-1]]
        async with logins.client(connection, pace) as client:
            checks = await connection_checks(client.send, time.time, with_login=login is not None)
        return [*checks[:-1], *signed, checks[-1]]

    try:
        results = await asyncio.gather(*map(one, connections))
    finally:
        for pace in paces.values():
            await pace.give_back()
        await logins.aclose()
        if ledger is not None:
            ledger.close()
    return {connection.id: checks for connection, checks in zip(connections, results, strict=True)}


def paces_of(project: Project, connections: Sequence[Connection], ledger: Ledger) -> dict[str, Pacer]:
    """The pace of each connection; of none where the ledger has no tables yet, for then nobody sends anything."""
    try:
        with ledger.read() as connection:
            leases.connection_states(connection)
    except LedgerError:
        return {}
    return {one.id: pace_of(project, one, ledger) for one in connections}


def pace_of(project: Project, connection: Connection, ledger: Ledger) -> Pacer:
    """The connection's pace, as workers keep it: what is asked here is counted among theirs, waits as long as the EHR
    asked for, and opens a circuit again or closes it. That one is open does not keep a person from trying.
    """

    async def write(operation: Operation[P, R], parameter: P) -> R:
        return await asyncio.to_thread(ledger.write, operation, parameter)

    vendor = facts.of_project(connection.vendor, project.vendors)
    pace = Pacer(project, connection, vendor, ledger, write, system_clock)
    pace.probing = True
    return pace


class Unsigned:
    """A connection's pace for requests without its login: they are counted, and say nothing about the connection."""

    def __init__(self, pace: Pacer) -> None:
        self._pace = pace

    async def ready(self, request: Request) -> None:
        """As the connection's own."""
        await self._pace.ready(request)

    async def enter(self, request: Request | None) -> None:
        """As the connection's own."""
        await self._pace.enter(request)

    async def heard(self, request: Request, response: Response) -> None:
        """Nothing."""


def made(project: Project) -> bool:
    """Whether the ledger is there: looking does not make it."""
    url = project.store.reveal()
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


def tell(title: str, checks: list[Check]) -> None:
    """The checks in lines, with what to do about what failed."""
    show.say(title)
    for check in checks:
        show.say(f"  {MARKS[check.ok]:3}{check.name:11}{check.says}")
        if check.next_step and check.ok is not True:
            show.say(f"     {'':11}→ {check.next_step}")
