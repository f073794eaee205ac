"""`bridge capabilities`: what an EHR takes, why we believe so, and the ways of each kind of record into it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, chosen
from bridge.ehr import facts, ways
from bridge.ehr.capability import Capability, read_statement
from bridge.ehr.route import RANKS, Site
from bridge.errors import ConfigError, DefinitionError, Problem
from bridge.jobs import statements
from bridge.jobs.open import connected, open_line
from bridge.jobs.worker import system_clock
from bridge.model import Allowed, Interaction, Response
from bridge.moves.line import Line
from bridge.settings import Handoff, load
from bridge.settings.words import nearest

MARKS = {True: "yes", False: "no"}
SHORT = 12  # search parameters that are told in one line


@dataclass(frozen=True, slots=True)
class Unseen:
    """The site of a statement that no project names: nothing is enabled but what was asked for."""

    id: str
    enable: frozenset[str]
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
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Show what an EHR takes with the reason of each answer, and by which way each kind of record reaches it."""
    if (statement is None) == (not practice):
        rule = "name a practice, or the file of a statement with --statement"
        raise ConfigError(Problem("capabilities-which", rule, "command line"))
    changed: list[str] = []
    if statement is not None:
        wanted = frozenset(enable or ())
        unknown = sorted(wanted - set(RANKS))
        if unknown:
            rule = "the bridge writes no such type"
            step = nearest(unknown[0], RANKS)
            raise ConfigError(Problem("unknown-name", rule, "command line", f"--enable {unknown[0]}", step))
        site: Site = Unseen(statement.stem, wanted)
        capability = of_file(statement, vendor, wanted)
    else:
        with open_line(load(project), BY, system_clock()) as line:
            site = chosen(line.project.practices, practice, "practice")
            capability, changed = asyncio.run(asked(line, practice))
    answer = told(capability, site)
    if json:
        show.as_json(answer | {"changed": changed})
    else:
        say(capability, answer, changed)
    return show.DONE


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


async def asked(line: Line, practice: str) -> tuple[Capability, list[str]]:
    """What the practice's EHR states at this moment, and what is otherwise than when it was read before."""
    async with connected(line):
        chart = line.charts[practice]
        if not chart.serves:
            return chart.planned, []
        await statements.read(line, chart.connection.id, chart.client, system_clock())
        statements.load(line)
        after = line.charts[practice].capability
    if after is None:
        rule = "its EHR gave no statement that can be read, now or before"
        step = f"`bridge doctor {chart.connection.id}` says why"
        raise ConfigError(Problem("statement-unread", rule, f"practice {practice}", next_step=step))
    return after, [] if chart.capability is None else difference(chart.capability, after)


def difference(before: Capability, after: Capability) -> list[str]:
    """What one statement allows and the other does not, one line each."""
    was, now = ways.resources_of(before), ways.resources_of(after)
    return [
        f"{type} {interaction}: {MARKS[yes(was, type, interaction)]} before, {MARKS[yes(now, type, interaction)]} now"
        for type in sorted({*was, *now})
        for interaction in (one.value for one in Interaction)
        if yes(was, type, interaction) != yes(now, type, interaction)
    ]


def yes(resources: Mapping[str, Mapping[str, Allowed]], type: str, interaction: str) -> bool:
    """Whether the interaction is allowed; what is not named at all is not."""
    return type in resources and resources[type][interaction].yes


def told(capability: Capability, site: Site) -> dict[str, Any]:
    """The whole answer, as --json gives it."""
    kinds = ways.shipped().kinds
    return {
        "software": capability.software,
        "vendor": capability.vendor.vendor,
        "resources": {
            type: {name: {"allowed": one.yes, "because": one.because} for name, one in answers.items()}
            for type, answers in ways.resources_of(capability).items()
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
                for way in ways.ways_of(kind, capability, site)
            ]
            for kind in kinds
        },
    }


def say(capability: Capability, answer: Mapping[str, Any], changed: list[str]) -> None:
    """The answer for people: the ways first, then resource by resource."""
    show.say(f"{capability.software}; vendor facts: {capability.vendor.title}")
    for line in changed:
        show.say(f"changed since it was last read: {line}")
    show.say("\nHow each kind of record reaches this chart")
    for kind, found in answer["routes"].items():
        show.say(f"  {kind}: {ways.shipped().kinds[kind].title}")
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
