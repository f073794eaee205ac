"""`bridge serve`, `work`, `status` and `restored`: running the bridge and seeing where it stands."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bridge.api.app import doors
from bridge.cli import rehearsed, show
from bridge.cli.access import named
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, ShowValues
from bridge.cli.standing import handed_in_words, in_words, moment
from bridge.console import signing
from bridge.errors import ConfigError, Problem
from bridge.jobs import confirming, standing
from bridge.jobs import serve as running
from bridge.jobs.open import connected, open_line
from bridge.jobs.worker import Worker, system_clock
from bridge.moves import telling
from bridge.moves.line import Line
from bridge.settings import load
from bridge.store import leases, notices, recalls, suspending, views


def serve(
    project: ProjectDir = HERE,
    port: Annotated[int | None, typer.Option(help="Instead of the one in bridge.yaml; 0 = any free one.")] = None,
    sign_in: Annotated[str, typer.Option(help="Print a one-time sign-in link for this person of bridge.yaml.")] = "",
) -> int:
    """Run everything in one process: doors, page, workers and schedules, until stopped."""
    loaded = load(project)
    person = named(loaded, sign_in) if sign_in else None
    now = system_clock()
    with open_line(loaded, "serve", now) as line:
        path = signing.new_link(line, person, BY, now) if person is not None else ""

        def ready(bound: str) -> None:
            show.say(f"READY {bound}")
            if path:
                show.say(f"Sign in (once, for a day): {signing.address(loaded.server, path, bound)}")

        at = loaded.server.port if port is None else port
        asyncio.run(running.run(line, loaded.workers, doors(line, system_clock, loaded.server.host, at, ready)))
    return show.DONE


def work(
    project: ProjectDir = HERE,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when nothing is left to do.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every request that would be sent now.")] = False,
    practice: Annotated[list[str] | None, typer.Option(help="With --dry-run: to these practices alone.")] = None,
    show_values: ShowValues = False,
    json: AsJson = False,
) -> int:
    """Run one worker; start as many as you like, on any machine that reaches the ledger.

    A dry run sends nothing and writes nothing; what is due is shown request by request, with its values masked.
    """
    if (practice or show_values) and not dry_run:
        raise ConfigError(Problem("work-dry-run", "goes with --dry-run alone", "command line"))
    with open_line(load(project), "work", system_clock()) as line:
        if dry_run:
            return rehearsed.of_line(line, practice or [], json=json, show_values=show_values)
        if until_idle:
            asyncio.run(until_nothing_is_left(line))
            told(line, json)
        else:
            asyncio.run(running.run(line, 1))
    return show.DONE


async def until_nothing_is_left(line: Line) -> None:
    """One worker ran until what is left waits for a person or a time."""
    async with connected(line):
        running.settle_down()
        await confirming.listen(line, system_clock())
        await Worker(line).run(until_idle=True)


def status(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Where everything stands: records, entries by practice, what is held, connections that are down."""
    with open_line(load(project), BY, system_clock()) as line:
        told(line, json)
    return show.DONE


def told(line: Line, json: bool) -> None:
    """The ledger's counts, as JSON or as a page of text."""
    now = system_clock()
    with line.ledger.read() as connection:
        practices = views.practice_counts(connection)
        found: dict[str, Any] = {
            "records": views.record_counts(connection),
            "entries": views.entry_counts(connection),
            "holds": views.hold_counts(connection),
            "practices": practices,
            "consents_ending": sum(notices.count(connection, telling.ENDS_SOON).values()),
            "incidents": recalls.unseen(connection),
            "connections": [one.as_dict() for one in standing.standings(line, connection, now, practices)],
            "handoffs": [one.as_dict() for one in standing.handings(line.project, connection, now, practices)],
            "suspended": suspending.suspensions(connection),
            "failing": leases.failing(connection),
            "down": leases.closed_connections(connection, now),
        }
    if json:
        show.as_json(found)
        return
    show.say("records   " + counts(found["records"]))
    show.say("entries   " + counts(found["entries"]))
    show.say("held      " + counts(found["holds"]))
    if found["consents_ending"]:
        show.say(f"ending    {found['consents_ending']} consents end soon, and nothing follows them")
    if found["incidents"]:
        show.say(f"incidents {found['incidents']} not seen yet by both privacy contacts (`bridge recall --list`)")
    for name, of in found["failing"].items():
        show.say(f"failing   {name}: {of['failures']} times in a row, last at {utc(of['at'])}: {of['why']}")
    for practice, of in sorted(found["practices"].items()):
        behind = f"; {of['behind']} of those ready wait behind another" if of["behind"] else ""
        gathers = of["gathering"]
        if gathers["count"]:
            behind += f"; {gathers['count']} of those ready are roll-ups that wait for {utc(gathers['due'])} or later"
        waiting = "" if of["oldest"] is None else f"; the oldest waits {max(0, now - of['oldest']) // 1_000_000} s"
        show.say(f"  {practice}: {counts(of['entries'])}{behind}{waiting}")
    for practice, of in sorted(found["suspended"].items()):
        show.say(f"  {practice} is suspended since {moment(of['since'])}, by {of['by']}: {of['reason']}")
    for one in found["connections"]:
        for words in in_words(one):
            show.say(f"  connection {one['connection']} {words}")
    for one in found["handoffs"]:
        for words in handed_in_words(one):
            show.say(f"  hand-off to {one['practice']} ({one['way']}) {words}")


def utc(at: int) -> str:
    """The instant to the minute, UTC."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%MZ")


def counts(of: dict[str, int]) -> str:
    """The counts that are not zero, in words."""
    return ", ".join(f"{count} {name}" for name, count in of.items() if count) or "none"


def restored(
    reason: Annotated[str, typer.Option(help="What was restored, for the trail.")] = "backup",
    project: ProjectDir = HERE,
) -> int:
    """After a backup came back: from now on every first write looks in the chart before it creates."""
    now = system_clock()
    with open_line(load(project), "restored", now) as line:
        era = line.ledger.write(leases.new_era, (now, reason))
        with line.ledger.read() as connection:
            types = leases.looked_for(connection)
    show.say(f"era {era} begins; whatever is sent is looked for before")
    for practice, count in sorted(types.items()):
        show.say(f"  {practice}: {count} of what the ledger knows; more where agencies send again what came since")
    show.say("where an EHR cannot be searched, and where what stands differs and nobody knows why, a person is asked")
    return show.DONE
