"""`bridge recall`: what went to a wrong chart is listed, taken back, and both privacy contacts are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.moves import recalling
from bridge.moves.line import Line
from bridge.settings import load
from bridge.store import recalls

SHOWN = ("entry", "thread", "name", "resource_type", "action", "patient", "begun_at", "stands_id", "state", "reference")

BACK = {
    "marked": "marked entered-in-error",
    "superseded": "a new document asks to disregard it",
    "handed": "a word to disregard it is handed over",
    "packet": "a page to take there asks to disregard it",
    "person": "the practice is asked to withdraw it",
    "unread": "as its EHR lets us: `bridge capabilities` reads what that is",
    "looked": "looked for, then as what is found",
    "nothing": "nothing of it stands",
}
"""What a recall does about a document."""


def recall(
    practice: Annotated[str, typer.Option(help="The practice's id.")] = "",
    person: Annotated[str, typer.Option(help="AGENCY/PERSON, by the agency's id.")] = "",
    since: Annotated[str, typer.Option(help="Only what was sent from this instant on.", show_default="all")] = "",
    chart: Annotated[str, typer.Option(help="The EHR's Patient id it went to, where it went to several.")] = "",
    reason: Annotated[str, typer.Option(help="wrong-chart or content.")] = recalls.WRONG_CHART,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what went there.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the incidents there were.")] = False,
    lift: Annotated[int, typer.Option(help="The recall of this incident was the mistake.", show_default="")] = 0,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Take back all that went to a wrong chart, and open the incident for both privacy contacts."""
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        if listed:
            return incidents(line, json)
        if lift:
            done = recalling.lift(line, lift, BY, now)
            told(line, [], {"lifted": done}, json, "lifted" if done else "it was lifted before; nothing was changed")
            return show.DONE if done else show.FINDINGS
        agency, _, source = person.partition("/")
        asked = recalling.Asked(
            agency, source, practice, recalling.instant_of(since, "command line", "--since"), chart, reason
        )
        if dry_run:
            steps = recalling.went(line, asked)
            told(line, steps, {"incident": None, "marked": 0}, json, f"{len(steps)} went there; nothing was changed")
            return show.DONE
        steps, done_now = recalling.recall(line, asked, BY, now)
        said = f"incident {done_now.incident}: {done_now.entries} marked now, {len(steps)} went there"
        told(line, steps, {"incident": done_now.incident, "marked": done_now.entries}, json, said)
    return show.DONE


def told(line: Line, steps: Sequence[dict[str, Any]], result: dict[str, Any], json: bool, said: str) -> None:
    """The steps, one a line or as JSON, the first of each document with what a recall does about it; what was done."""
    backs = {step["id"]: back.value for step, back in recalling.documents(line, steps)}
    if json:
        went = [{name: step[name] for name in SHOWN} | {"back": backs.get(step["id"])} for step in steps]
        show.as_json({**result, "went": went})
        return
    for step in steps:
        when = datetime.fromtimestamp(step["begun_at"] / 1_000_000).astimezone().isoformat(timespec="seconds")
        there = f"{step['resource_type']}/{step['stands_id']}" if step["stands_id"] else "its answer was lost"
        back = f"  → {BACK[backs[step['id']]]}" if step["id"] in backs else ""
        to = f"{step['action']:<8} Patient/{step['patient']}"
        show.say(f"{when}  {to}  {there}  {step['reference']}  {step['state']}{back}")
    show.say(said)


def incidents(line: Line, json: bool) -> int:
    """Every incident, and how many of its notices nobody has seen yet."""
    with line.ledger.read() as connection:
        found = recalls.incidents(connection)
    if json:
        show.as_json({"incidents": found})
    else:
        for one in found:
            state = "lifted" if one["lifted_at"] else f"{one['unseen']} of 2 not seen yet"
            show.say(
                f"{one['id']:>8}  {one['reason']:<11} {one['agency']} → {one['practice']}  {one['entries']}  {state}"
            )
        show.say(f"{len(found)} incidents")
    return show.DONE
