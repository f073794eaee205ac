"""`bridge accept`: an agency's records from files, with each item's fate. `bridge record`: one record's whole life."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, chosen
from bridge.cli.standing import moment
from bridge.console import telling
from bridge.errors import ConfigError, Problem
from bridge.jobs.collect import accept_rows
from bridge.jobs.files import Limits, read
from bridge.jobs.open import open_line
from bridge.jobs.standing import handings, standings
from bridge.jobs.worker import system_clock
from bridge.model import Fate
from bridge.settings import load
from bridge.store import browsing, views


def accept(
    source: Annotated[Path, typer.Argument(help="A JSON, NDJSON, CSV or XLSX file; with --query, a folder.")],
    agency: Annotated[str, typer.Option(help="Whose records these are; may be left out if there is one agency.")] = "",
    kind: Annotated[str, typer.Option(help="PACK/NAME; may be left out where items name their own.")] = "",
    query: Annotated[Path | None, typer.Option(help="An SQL file that makes one record a row of the folder.")] = None,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Take records in; what is good is kept even where something beside it is not."""
    loaded = load(project)
    of = chosen(loaded.agencies, agency, "agency")
    limits = Limits(record_bytes=loaded.limits.item_kib * 1024)
    fates: Counter[str] = Counter({fate.value: 0 for fate in Fate})
    rejected = []
    now = system_clock()
    with open_line(loaded, "command", now) as line:
        rows = read(source, query=query, folder=source if query else None, limits=limits)
        for accepted in accept_rows(line, of, kind, rows, now):
            fates[accepted.fate.value] += 1
            if accepted.problem is not None:
                rejected.append(accepted)
    if json:
        show.as_json({"fates": dict(fates), "rejected": [item.as_dict() for item in rejected]})
    else:
        show.say(", ".join(f"{count} {fate}" for fate, count in fates.items() if count) or "nothing to take")
        show.problems(item.problem for item in rejected if item.problem is not None)
    return show.FINDINGS if rejected else show.DONE


def record(
    record: Annotated[str, typer.Argument(help="Its number here, or AGENCY/PACK/KIND/ID with the agency's own id.")],
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Tell one record's whole life: received, held, sent, each attempt and each answer, and where it is now."""
    loaded, now = load(project), system_clock()
    with open_line(loaded, BY, now) as line, line.ledger.read() as connection:
        number = int(record) if record.isdigit() and len(record) < 19 else browsing.newest(connection, record)
        found = views.life(connection, number) if number is not None else None
        if found is None:
            step = "see the page, or `bridge held list`; of several versions each has its own number"
            raise ConfigError(Problem("record-unknown", "no record has this number or id", "command line", "", step))
        versions = browsing.versions(connection, found["record"]["thing"])
        counts = views.practice_counts(connection)
        down = {
            practice: "suspended" if practice in one.suspended else one.why
            for one in standings(line, connection, now, counts)
            for practice in one.practices
            if one.why or practice in one.suspended
        }
        down |= {one.practice: one.why for one in handings(loaded, connection, now, counts) if one.why}
    events = telling.tell(found, versions, loaded)
    stands = list(telling.standing(found, loaded, down, now, moment))
    if json:
        told = [{"at": moment(one.at), "text": one.text, "detail": one.detail} for one in events]
        show.as_json({"record": found["record"]["id"], "state": found["record"]["state"], "now": stands, "life": told})
        return show.DONE
    show.say(f"record {found['record']['id']}  {found['record']['kind']}  {found['record']['state']}")
    for event in events:
        show.say(f"{moment(event.at)}  {event.text}")
        if event.detail:
            show.say(f"{'':25}{event.detail}")
    for line_of_it in stands:
        show.say(f"now: {line_of_it}")
    return show.DONE
