"""`bridge try`: what a mapping makes of records, shown; nothing is kept and nothing is sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
import yaml

from bridge.cli import show
from bridge.cli.options import HERE, AsJson, ProjectDir, chosen
from bridge.errors import BridgeError, ConfigError, Problem
from bridge.jobs.trial import OUTSIDE, Asked, Trial, opened
from bridge.jobs.trying import HELD, STATES, STDIN, UNREADABLE, Tried, records, tried
from bridge.mappings.functions import AgencyContext
from bridge.model import Severity
from bridge.settings import Project, load

EVERY = 0.5
"""Seconds between two looks at the files that --watch watches: a dozen of them, so looking costs nothing."""

_LINE = "─" * 100


def attempt(
    mapping: Annotated[str, typer.Argument(help="A kind or mapping by name, or a mapping's file.")],
    record: Annotated[list[Path], typer.Argument(help="JSON, NDJSON, CSV or XLSX files; - for standard input.")],
    agency: Annotated[str, typer.Option(help="Whose records these are: its name and time zone are used.")] = "",
    pack: Annotated[
        list[str] | None, typer.Option(help="A pack that comes with the bridge, beside the project's.")
    ] = None,
    resources: Annotated[bool, typer.Option("--resources", help="Show each part whole, as YAML.")] = False,
    first: Annotated[int | None, typer.Option(min=1, help="Try so many records and no more.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again whenever a mapping, table, kind or record file changes.")
    ] = False,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Try records with a mapping: documents, parts, labels, findings and holds. No server and no ledger is needed.

    What the records hold is shown, because you gave them; it is in no problem's text and in no log.
    """
    if watch and STDIN in map(str, record):
        raise ConfigError(Problem("try-watch", "standard input cannot be read again", "command line", "--watch"))

    def once() -> int:
        trial = opened(_asked(mapping, agency, pack or [], project))
        return _show((tried(trial, row) for row in islice(records(record), first)), trial, resources, json)

    return _again(once, lambda: _watched(mapping, record, project)) if watch else once()


def _asked(mapping: str, agency: str, packs: list[str], directory: Path) -> Asked:
    project = load(directory) if (directory / "bridge.yaml").is_file() else None
    return Asked(mapping, packs, project, _agency(project, agency))


def _agency(project: Project | None, name: str) -> AgencyContext:
    if project is None:
        return replace(OUTSIDE, id=name or OUTSIDE.id)
    if not name and len(project.agencies) > 1:
        name = next(iter(project.agencies))
    known = chosen(project.agencies, name, "agency")
    return AgencyContext(known.id, known.name, known.program, known.timezone, known.language, known.phone)


def _show(found: Iterable[Tried], trial: Trial, resources: bool, json: bool) -> int:
    counts: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    answers, well = [], True
    for one in found:
        counts[one.state] += 1
        well = well and one.well
        if json:
            answers.append(one.as_dict())
        else:
            _tell(one, resources)
    if json:
        head = {"kind": trial.kind, "mapping": trial.mapping, "hash": trial.translator.mappings.hash}
        show.as_json({**head, "agency": trial.agency.id, "counts": dict(counts), "records": answers})
    else:
        told = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no records"
        show.say(f"{trial.kind} by {trial.mapping}, for the agency {trial.agency.id}: {told}")
    return show.DONE if well else show.FINDINGS


def _tell(one: Tried, resources: bool) -> None:
    """One record as a person reads it: the document first, then the parts, then what is wrong or waited for."""
    notes = [] if one.final else ["unfinished: kept, and not sent"]
    notes += [f"{one.never} fields never collected"] if one.never else []
    show.say(f"━━ {one.where}: " + "; ".join([one.state, *notes]))
    for document in one.documents:
        show.say(f"── document about the {document.role} {document.about} ".ljust(100, "─"))
        show.say(document.text.rstrip("\n"))
        show.say(_LINE)
    for part in one.parts:
        sections = "; sections: " + " | ".join(", ".join(sorted(classes)) for classes in part.sections)
        labels = ", ".join(sorted(part.labels)) + (sections if part.sections else "")
        show.say(f"  {part.name}: {part.type} about the {part.role} {part.about}; {labels}")
        if resources:
            whole = yaml.safe_dump(part.resource, sort_keys=False, allow_unicode=True, width=120)
            show.say("".join(f"    {line}\n" for line in whole.splitlines()).rstrip("\n"))
    advice = [finding for finding in one.findings if finding.severity is Severity.INFORMATION]
    if advice and not resources:
        show.say(f"  {len(advice)} elements are left out that profiles like to see (--resources names them)")
    for finding in one.findings:
        if finding in advice and not resources:
            continue
        place = f"{finding.part} {finding.path}".strip()
        show.say(f"  {finding.severity}: {place}: {finding.rule} [{finding.code}]")
    if one.state == HELD:
        for hold in one.holds:
            show.say(f"  held for the {hold.owner} ({hold.reason}): {hold.rule}")
            show.say(f"    waits for {hold.waits_for}")
            show.say(f"    → {hold.next_step}")
    show.problems(one.problems if one.state == UNREADABLE else _placed(one))


def _placed(one: Tried) -> Iterator[Problem]:
    for problem in one.problems:
        yield replace(problem, where=f"{one.where} {problem.where}".strip())


Stamps = dict[Path, tuple[int, int]]


def _watched(mapping: str, record: list[Path], directory: Path) -> Stamps:
    """When each watched file was last written, and how long it is."""
    files = [directory / "bridge.yaml", *record]
    try:
        files += Asked(mapping, [], _project(directory), OUTSIDE).watched()
    except ConfigError:
        files += [*(directory / "mappings").rglob("*.yaml"), *(directory / "tables").rglob("*.csv")]
    return {file: (stat.st_mtime_ns, stat.st_size) for file in files if file.is_file() and (stat := file.stat())}


def _project(directory: Path) -> Project | None:
    return load(directory) if (directory / "bridge.yaml").is_file() else None


def _again(once: Callable[[], int], stamps: Callable[[], Stamps]) -> int:
    """Runs until it is interrupted; a mistake in a file is told, and the next change tried."""
    before: Stamps | None = None
    code = show.DONE
    try:
        while True:
            now = stamps()
            if now != before:
                before = now
                code = _told(once)
                show.say("watching; Ctrl-C ends it")
            time.sleep(EVERY)
    except KeyboardInterrupt:
        return code


def _told(once: Callable[[], int]) -> int:
    try:
        return once()
    except BridgeError as error:
        show.problems(error.problems)
        return show.WRONG_USE
