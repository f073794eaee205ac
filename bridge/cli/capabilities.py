"""`bridge capabilities`: what an EHR takes, why we believe so, and the ways of each kind of record into it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, chosen
from bridge.cli.stated import Stated, asked, forgotten, say_changes, say_learned
from bridge.ehr import facts
from bridge.ehr.capability import Capability, read_statement
from bridge.ehr.ladder import kinds_of, resources_of, ways_of
from bridge.ehr.route import Site
from bridge.ehr.ways import Ways, shipped
from bridge.errors import ConfigError, DefinitionError, Problem
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import Response
from bridge.settings import Handoff, load
from bridge.settings.words import nearest

MARKS = {True: "yes", False: "no"}
SHORT = 12  # search parameters that are told in one line


@dataclass(frozen=True, slots=True)
class Unseen:
    """The site of a statement that no project names: nothing is enabled but what was asked for."""

    id: str
    enable: frozenset[str]
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    handoff: Handoff | None = None


def capabilities(
    practice: Annotated[str, typer.Argument(help="A practice of the project; left out with --statement.")] = "",
    statement: Annotated[
        Path | None, typer.Option(help="A CapabilityStatement's file, of a server never seen.")
    ] = None,
    vendor: Annotated[str, typer.Option(help="With --statement: whose EHR it is.")] = facts.GENERIC,
    enable: Annotated[
        list[str] | None, typer.Option(help="With --statement: a FHIR type the site would enable.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the EHR now, not from what was read last.")] = False,
    changes: Annotated[bool, typer.Option("--changes", help="Only what its statement said otherwise at last.")] = False,
    forget: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="TYPE INTERACTION", help="A refusal that was learned counts no more."),
    ] = None,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Show what an EHR takes with the reason of each answer, and by which way each kind of record reaches it."""
    if (statement is None) == (not practice):
        rule = "name a practice, or the file of a statement with --statement"
        raise ConfigError(Problem("capabilities-which", rule, "command line"))
    if statement is not None:
        if refresh or changes or forget:
            rule = "a statement's file has no practice to ask, and nothing was learned of it"
            raise ConfigError(Problem("capabilities-which", rule, "command line", next_step="name a practice"))
        site, stated = unseen(statement, vendor, frozenset(enable or ()))
    else:
        with open_line(load(project), BY, system_clock()) as line:
            site = chosen(line.project.practices, practice, "practice")
            if forget:
                forgotten(line, practice, *forget, now=system_clock())
            stated = asyncio.run(asked(line, practice, refresh=refresh))
    if changes:
        say_changes(stated, json=json)
        return show.DONE
    answer = told(stated.capability, site, stated.ways)
    if json:
        show.as_json(answer | stated.as_dict())
    else:
        say(stated, answer)
    return show.DONE


def unseen(statement: Path, vendor: str, wanted: frozenset[str]) -> tuple[Site, Stated]:
    """The site and the capability of a server that no project names. Raises ConfigError and DefinitionError."""
    ways = shipped()
    unknown = sorted(wanted - set(ways.types))
    if unknown:
        rule = "the bridge writes no such type"
        step = nearest(unknown[0], ways.types)
        raise ConfigError(Problem("unknown-name", rule, "command line", f"--enable {unknown[0]}", step))
    return Unseen(statement.stem, wanted), Stated(of_file(statement, vendor, wanted), ways)


def of_file(path: Path, vendor: str, enable: frozenset[str]) -> Capability:
    """The capability a statement's file gives. Raises ConfigError and DefinitionError, with the file's name."""
    known = facts.vendor(vendor)
    try:
        body = path.read_bytes()
    except OSError:
        step = "name the file that the server's /metadata gave"
        raise ConfigError(Problem("statement-missing", "this file cannot be read", str(path), next_step=step)) from None
    try:
        return Capability.from_statement(read_statement(Response(200, body=body)), known, enable)
    except DefinitionError as error:
        found = [Problem(one.code, one.rule, path.name, one.field, one.next_step) for one in error.problems]
        raise DefinitionError(found) from None


def told(capability: Capability, site: Site, ways: Ways) -> dict[str, Any]:
    """The whole answer, as --json gives it."""
    return {
        "software": capability.software,
        "vendor": capability.vendor.vendor,
        "resources": {
            type: {name: {"allowed": one.yes, "because": one.because} for name, one in answers.items()}
            for type, answers in resources_of(capability, ways).items()
        },
        "search": {type: sorted(names) for type, names in sorted(capability.parameters.items()) if names},
        "routes": {
            kind: [
                {
                    "route": way.route,
                    "enabled": way.enabled,
                    "because": way.because,
                    "causes": way.causes,
                    "loses": list(way.loses),
                }
                for way in ways_of(kind, capability, site, ways)
            ]
            for kind in kinds_of(ways)
        },
    }


def say(stated: Stated, answer: Mapping[str, Any]) -> None:
    """The answer for people: the ways first, then resource by resource."""
    show.say(f"{stated.capability.software}; vendor facts: {stated.capability.vendor.title}")
    for line in stated.changed:
        show.say(f"changed since it was last read: {line}")
    say_learned(stated)
    show.say("\nHow each kind of record reaches this chart")
    titles = kinds_of(stated.ways)
    for kind, found in answer["routes"].items():
        show.say(f"  {kind}: {titles[kind]}")
        for way in found:
            show.say(f"    {'→' if way['enabled'] else '·'} {way['route']}: {way['because']}")
            if way["enabled"]:
                for name in ("causes", "loses"):
                    said = [way[name]] if isinstance(way[name], str) else way[name]
                    for one in filter(None, said):
                        show.say(f"        {name}: {one}")
    show.say("\nWhat it takes")
    for type, answers in answer["resources"].items():
        show.say(f"  {type}")
        for name, one in answers.items():
            show.say(f"    {MARKS[one['allowed']]:<4}{name:<12} {one['because']}")
        parameters = answer["search"].get(type, [])
        if parameters:
            more = f" and {len(parameters) - SHORT} more" if len(parameters) > SHORT else ""
            show.say(f"        searched by {', '.join(parameters[:SHORT])}{more}")
