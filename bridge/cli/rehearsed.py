"""Requests that would be sent, told: `bridge try --practice` and `bridge work --dry-run`."""

from __future__ import annotations

import asyncio
import json as printing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import make_url

from bridge.cli import previewed, show
from bridge.cli.options import chosen
from bridge.ehr import capability
from bridge.errors import BridgeError, ConfigError, DefinitionError, Problem
from bridge.intake.rows import Row
from bridge.jobs.open import connected
from bridge.jobs.rehearsing import Rehearsed, rehearse
from bridge.jobs.scratch import bring, scratch
from bridge.jobs.trial import Asked, Trial
from bridge.jobs.worker import system_clock
from bridge.model import Response, type_json
from bridge.moves.line import Line
from bridge.sandbox import names
from bridge.sandbox.ehr import Ehr, Settings
from bridge.sandbox.statement import capability_statement
from bridge.settings import Project
from bridge.store import statements, views
from bridge.store.engine import sqlite_path
from bridge.store.keys import parse_key
from bridge.store.ledger import Ledger

MOST = 1_000
"""Charts that one dry run looks at."""

GIVEN = "taken as given: that the practice knows each person"
AGREED = ", and that the family agreed to all that one can agree to (--consents FILE says otherwise)"


@dataclass(frozen=True, slots=True)
class Asking:
    """What `bridge try --practice` was asked."""

    asked: Asked
    practice: str
    statement: Path | None
    consents: Path | None
    at: str
    show_values: bool


def of_records(asking: Asking, trial: Trial, rows: Sequence[Row | Problem], json: bool) -> int:
    """The requests that these records would become. Raises ConfigError outside a project, and where values of a real
    source are asked for."""
    project = asking.asked.project
    if project is None:
        rule, step = (
            "a practice and its EHR are named in a project",
            "run it in the project's folder, or name it with -p",
        )
        raise ConfigError(Problem("try-practice", rule, "command line", "--practice", step))
    chosen(project.practices, asking.practice, "practice")
    may_show(project, [asking.asked.agency.id], show_values=asking.show_values)
    to = previewed.recipient(asking.asked, trial, asking.practice, asking.consents, asking.at, system_clock())
    stated, whence = statement_of(project, asking.practice, asking.statement)
    good = [row for row in rows if isinstance(row, Row)]
    now = system_clock()
    with scratch(project, trial, asking.practice, stated) as line:
        fates = bring(line, trial, line.project.agencies[asking.asked.agency.id], asking.practice, good,
                      to.signed.consents if asking.consents is not None else None, now)  # fmt: skip
        found = asyncio.run(rehearse(line, system_clock, limit=MOST))
        gone_wrong = held_records(line)
    problems = [row for row in rows if isinstance(row, Problem)] + list(to.signed.problems)
    problems += [fate.problem for fate in fates if fate.problem is not None]
    agreed = "" if asking.consents is not None else AGREED
    more = {"statement": whence, "given": f"{GIVEN}{agreed}", "held_records": gone_wrong}
    tell(found, more, json=json, show_values=asking.show_values, problems=problems)
    return show.FINDINGS if problems or gone_wrong else show.DONE


def of_line(line: Line, practices: Sequence[str], *, json: bool, show_values: bool) -> int:
    """The requests that would leave now of what waits in the ledger."""
    for name in practices:
        chosen(line.project.practices, name, "practice")
    may_show(line.project, line.project.agencies, show_values=show_values)

    async def run() -> tuple[Rehearsed, list[str]]:
        async with connected(line):
            unread = sorted(name for name, chart in line.charts.items() if chart.capability is None)
            return await rehearse(line, system_clock, limit=MOST, practices=practices), unread

    found, unread = asyncio.run(run())
    tell(found, {"unread": unread}, json=json, show_values=show_values)
    return show.DONE


def may_show(project: Project, agencies: Iterable[str], *, show_values: bool) -> None:
    """Raises ConfigError where values are asked for and one of these agencies has real people."""
    real = sorted(name for name in agencies if project.agencies[name].source == "real")
    if show_values and real:
        rule = f"values are shown of synthetic sources alone, and {', '.join(real)} has real people"
        raise ConfigError(Problem("dry-run-values", rule, "command line", "--show-values", "leave it out"))


def statement_of(project: Project, practice: str, file: Path | None) -> tuple[type_json, str]:
    """The practice's EHR's statement and where it is from: the file, the one read last, or the sandbox's of its vendor.

    Raises ConfigError where there is none, DefinitionError where the file holds something else.
    """
    connection = project.connections[project.practices[practice].connection]
    if file is not None:
        try:
            return capability.read_statement(Response(200, body=file.read_bytes())), file.name
        except OSError:
            raise ConfigError(Problem("statement-missing", "this file cannot be read", str(file))) from None
        except DefinitionError as error:
            found = [Problem(one.code, one.rule, file.name, one.field, one.next_step) for one in error.problems]
            raise DefinitionError(found) from None
    if not connection.base:
        return {}, "none: there is no FHIR server"
    kept = read_last(project, connection.id)
    if kept is not None:
        return kept, "the statement that was read last"
    if connection.vendor in names():
        contracted = {"writeback": sorted(project.practices[practice].asked)}
        ehr = Ehr(connection.vendor, Settings())
        ehr = Ehr(connection.vendor, Settings(site=contracted)) if "writeback" in ehr.shape.site else ehr
        return capability_statement(ehr, connection.base), f"the sandbox's EHR shaped like {ehr.shape.title}"
    step = f"name a file with --statement, or read it with `bridge capabilities {practice}`"
    raise ConfigError(Problem("statement-unread", "what its EHR takes is not known", practice, "--statement", step))


def read_last(project: Project, connection: str) -> type_json | None:
    """What the ledger knows of a connection's statement; None without a ledger that can be read. None is made."""
    url = project.store.reveal()
    file = sqlite_path(make_url(url))
    if file is not None and not file.is_file():
        return None
    ledger = Ledger(url, parse_key(project.key.reveal()))
    try:
        with ledger.read() as reading:
            found = statements.known(reading).get(connection)
    except BridgeError:
        return None
    finally:
        ledger.close()
    stated: type_json | None = orjson.loads(found.content) if found is not None else None
    return stated


def held_records(line: Line) -> list[dict[str, Any]]:
    """What waits for somebody before anything of it could leave: records, and entries whose gate is shut."""
    with line.ledger.read() as connection:
        return [
            {"reason": hold["reason"], "rule": hold["rule"], "next_step": hold["next_step"]}
            for hold in views.open_holds(connection, limit=MOST)
        ]


def tell(
    found: Rehearsed, more: dict[str, Any], *, json: bool, show_values: bool, problems: Sequence[Problem] = ()
) -> None:
    """The requests in their order, what would be held, and what was taken as given."""
    if json:
        show.as_json(
            {
                "requests": [one.as_dict(show=show_values) for one in found.sent],
                "held": [one.as_dict() for one in found.waits],
                "charts": found.charts,
                "problems": [one.as_dict() for one in problems],
                **more,
            }
        )
        return
    for key in ("statement", "given"):
        if key in more:
            show.say(f"{key}: {more[key]}" if key == "statement" else more[key])
    for number, one in enumerate(found.sent, 1):
        said = one.as_dict(show=show_values)
        show.say(f"━━ {number}. {said['method']} {said['url']}")
        what = (
            f"{said['action']} of {said['entry']} of {said['record']}, by {said['route']}" if said["entry"] else "looks"
        )
        show.say(f"   to {said['practice']}: {what}")
        for label, text in (("because", said["because"]), ("causes", said["causes"])):
            if text:
                show.say(f"   {label}: {text}")
        for lost in said["loses"]:
            show.say(f"   loses: {lost}")
        for name, value in said["headers"].items():
            show.say(f"   {name}: {value}")
        if said["body"] is not None:
            body = said["body"]
            text = body if isinstance(body, str) else printing.dumps(body, indent=2, ensure_ascii=False)
            show.say("\n".join(f"   {line}" for line in text.splitlines()))
    for waits in found.waits:
        show.say(f"would be held for the {waits.hold.owner}: {waits.name} of {waits.thing}: {waits.hold.rule}")
        show.say(f"    → {waits.hold.next_step}")
    for one_record in more.get("held_records", ()):
        show.say(f"held before anything could leave ({one_record['reason']}): {one_record['rule']}")
        show.say(f"    → {one_record['next_step']}")
    for name in more.get("unread", ()):
        show.say(f"{name}: its EHR's statement was never read, so nothing is sent to it")
    show.problems(problems)
    show.say(f"{len(found.sent)} requests to {found.charts} charts; nothing was sent and nothing was written")
