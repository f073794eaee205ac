"""A project opened: its ledger at the newest version, its mappings in force, a client for each connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

from bridge.ehr import facts, presets, ways
from bridge.ehr.chart import Chart, NoServer
from bridge.ehr.wants import unfit
from bridge.errors import ConfigError
from bridge.fhir import definitions
from bridge.fhir.validate import Validator
from bridge.handoff import opening
from bridge.jobs import statements
from bridge.jobs.logins import Logins
from bridge.jobs.worker import system_clock
from bridge.mappings import load as mappings
from bridge.mappings.lint import drafts
from bridge.mappings.translate import Translator
from bridge.moves.channels import Channel
from bridge.moves.line import Line
from bridge.moves.pacing import Pacer
from bridge.release import cadence, settings_key
from bridge.settings import Project
from bridge.store import holds, leases
from bridge.store import statements as kept
from bridge.store.keys import parse_key
from bridge.store.ledger import Ledger

OWN_DEFINITIONS = "definitions"
"""The folder of a project in which `bridge definitions add` puts a site's own profiles."""


def open_ledger(project: Project) -> Ledger:
    """The project's ledger, its tables at the newest version. Raises ConfigError, LedgerError."""
    ledger = Ledger(project.store.reveal(), parse_key(project.key.reveal()))
    ledger.migrate()
    return ledger


@cache
def validator(*folders: str) -> Validator:
    """One validator a process for each set of definitions: compiling it is the cost."""
    return Validator(definitions.load(*map(Path, folders)))


def validator_of(project: Project) -> Validator:
    """The one the line uses: with the definitions that the site added."""
    own = project.directory / OWN_DEFINITIONS
    return validator(*([str(own)] if own.is_dir() else []))


@contextmanager
def open_line(project: Project, by: str, now: int) -> Iterator[Line]:
    """The line without connections, for what needs no EHR; the project folder's mappings are in force from here on.

    Raises ConfigError with every problem of the mappings. What was held by the practices' settings is looked at again.
    """
    ledger = open_ledger(project)
    try:
        files, checked = activate(project, ledger, by, now)
        with ledger.read() as connection:
            active = leases.active_mappings(connection)
        in_force = checked if active == files else mappings.load(active)  # reading them is most of a start's time
        line = Line(project, ledger, Translator(in_force), validator_of(project))
        yield line
    finally:
        ledger.close()


def activate(project: Project, ledger: Ledger, by: str, now: int) -> tuple[dict[str, str], mappings.Mappings]:
    """The project folder's packs and mappings are checked, kept in the ledger and in force there; both are returned.

    Raises ConfigError with every problem of them, or of the kinds that practices want gathered; a draft of which a
    line is undecided is never in force.
    """
    files = mappings.read_packs(project.packs, project.directory)
    if undecided := list(drafts.unsure(files)):
        raise ConfigError(undecided)
    checked = mappings.load(files)
    if unknown := list(cadence.unfit(project.practices, checked.kinds)):
        raise ConfigError(unknown)
    new = leases.Activation(ledger.ids.take(), "mappings", checked.hash, files, now, by)
    changed = ledger.write(leases.activate, new)
    settings = leases.Activation(ledger.ids.take(), "settings", project.hash, {}, now, by)
    other_settings = ledger.write(leases.activate, settings)
    if changed:
        ledger.write(holds.arrive, holds.Arrival(tuple(f"mapping:{kind}" for kind in checked.kinds), now, "activation"))
    if other_settings:
        keys = tuple(settings_key(name) for name in project.practices)
        into = statements.ways_into(project.practices)
        ledger.write(kept.replan, kept.Replan(now, beginnings=into))
        ledger.write(holds.arrive, holds.Arrival(keys, now, "settings", into))
    return files, checked


@asynccontextmanager
async def connected(line: Line, clock: Callable[[], int] = system_clock) -> AsyncIterator[Line]:
    """The line with a client for each connection, signed in, and what the ledger knows of their statements.

    Raises ConfigError where a practice asks for documents that its EHR does not take or that cannot be made here.
    """
    problems = list(unfit(line.project))
    if problems:
        raise ConfigError(problems)
    logins = Logins(line.project, line.ledger, clock)
    served = {name: connection for name, connection in line.project.connections.items() if connection.base}
    line.paces = {
        name: Pacer(
            line.project, one, facts.of_project(one.vendor, line.project.vendors), line.ledger, line.write, clock
        )
        for name, one in served.items()
    }
    clients = {name: logins.client(connection, line.paces[name]) for name, connection in served.items()}
    try:
        for name, practice in line.project.practices.items():
            connection = line.project.connections[practice.connection]
            known = facts.of_project(connection.vendor, line.project.vendors)
            vendor = presets.of_site(known, practice)
            client, own = clients.get(connection.id, NoServer()), ways.of_project(line.project.ways)
            line.charts[name] = Chart(practice, connection, vendor, client, ways=own).without_server()
            if practice.handoff is not None:
                hand = line.hands[name] = opening.opened(practice, practice.handoff, connection)
                line.channels[name] = Channel(name, practice.handoff.way, hand, line.ledger, line.write, clock)
        await asyncio.to_thread(statements.load, line, clock())
        yield line
    finally:
        for client in clients.values():
            await client.aclose()
        await logins.aclose()
        for pace in line.paces.values():
            await pace.give_back()
