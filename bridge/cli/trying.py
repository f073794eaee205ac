"""`bridge try`: what a mapping makes of records, shown; nothing is kept and nothing is sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
import yaml

from bridge.cli import previewed, rehearsed, show
from bridge.cli.options import HERE, AsJson, ProjectDir, ShowValues, chosen
from bridge.errors import BridgeError, ConfigError, Problem
from bridge.jobs.previewing import Charted, Recipient
from bridge.jobs.previewing import previewed as preview
from bridge.jobs.trial import OUTSIDE, Asked, Trial, opened
from bridge.jobs.trying import HELD, STATES, STDIN, UNREADABLE, Tried, records, tried
from bridge.jobs.worker import system_clock
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
    recipient: Annotated[str, typer.Option(help="Show what would leave to this practice, and why.")] = "",
    consents: Annotated[
        Path | None, typer.Option(help="Consents: a CSV list, FHIR Consents, or the agency's own records of them.")
    ] = None,
    at: Annotated[str, typer.Option(help="The day that counts, YYYY-MM-DD.", show_default="today")] = "",
    practice: Annotated[str, typer.Option(help="Print every request that would be sent to this practice.")] = "",
    statement: Annotated[
        Path | None, typer.Option(help="With --practice: its EHR's CapabilityStatement.", show_default="the last read")
    ] = None,
    show_values: ShowValues = False,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Try records with a mapping: documents, parts, labels, findings and holds. No server and no ledger is needed.

    With a recipient: what of each would leave to that practice, by which rule and consent, as it would get it. What the
    records hold is shown, because you gave them; it is in no problem's text and in no log. With a practice: the
    requests, in their order, with their way and what it loses; values are masked there.
    """
    if (consents is not None or at) and not (recipient or practice):
        raise ConfigError(Problem("try-recipient", "says nothing without a practice", "command line", "--recipient"))
    if practice and (recipient or watch):
        rule = "shows requests, and goes with neither --recipient nor --watch"
        raise ConfigError(Problem("try-practice", rule, "command line", "--practice"))
    if watch and STDIN in map(str, record):
        raise ConfigError(Problem("try-watch", "standard input cannot be read again", "command line", "--watch"))

    def once() -> int:
        asked = _asked(mapping, agency, pack or [], project)
        trial, rows = opened(asked), islice(records(record), first)
        if practice:
            asking = rehearsed.Asking(asked, practice, statement, consents, at, show_values)
            return rehearsed.of_records(asking, trial, list(rows), json)
        if not recipient:
            return _show((tried(trial, row) for row in rows), trial, resources, json)
        to = previewed.recipient(asked, trial, recipient, consents, at, system_clock())
        return _preview((preview(trial, row, to) for row in rows), trial, to, json)

    files = [*record, *([consents] if consents is not None else [])]
    return _again(once, lambda: _watched(mapping, files, project)) if watch else once()


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


def _preview(found: Iterable[tuple[Tried, Sequence[Charted]]], trial: Trial, to: Recipient, json: bool) -> int:
    """As `_show`, of what would leave, and nothing of what would not but its classes and rule.

    Without a consent that is a preview like any other, and no finding.
    """
    counts: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    answers, well = [], not to.signed.problems
    if not json:
        previewed.told_of_consents(to)
    for one, charts in found:
        counts[one.state] += 1
        well = well and one.well
        if json:
            known = {key: value for key, value in one.as_dict().items() if key not in ("parts", "documents")}
            answers.append({**known, "charts": [chart.as_dict() for chart in charts]})
            continue
        _head(one)
        for chart in charts:
            previewed.told(chart, to)
        _waits(one)
    if json:
        head = {"kind": trial.kind, "mapping": trial.mapping, "hash": trial.translator.mappings.hash}
        asked = {"recipient": to.practice.id, "at": to.now, "consents": len(to.signed.consents)}
        wrong = [problem.as_dict() for problem in to.signed.problems]
        more = {"elsewhere": to.signed.elsewhere, "problems": wrong, "counts": dict(counts), "records": answers}
        show.as_json({**head, "agency": trial.agency.id, **asked, **more})
    else:
        told = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no records"
        show.say(previewed.NOT_KNOWN)
        show.say(f"{trial.kind} by {trial.mapping}, from the agency {trial.agency.id} to {to.practice.id}: {told}")
    return show.DONE if well else show.FINDINGS


def _head(one: Tried) -> None:
    """Which record, and what became of it."""
    notes = [] if one.final else ["unfinished: kept, and not sent"]
    notes += [f"{one.never} fields never collected"] if one.never else []
    show.say(f"━━ {one.where}: " + "; ".join([one.state, *notes]))


def _tell(one: Tried, resources: bool) -> None:
    """One record as a person reads it: the document first, then the parts, then what is wrong or waited for."""
    _head(one)
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
    _waits(one)


def _waits(one: Tried) -> None:
    """What the record waits for, and what is wrong with it."""
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
