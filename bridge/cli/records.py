"""`bridge accept`: an agency's records from files, with each item's fate."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import HERE, AsJson, ProjectDir, chosen
from bridge.jobs.collect import accept_rows
from bridge.jobs.files import Limits, read
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import Fate
from bridge.settings import load


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
