"""`bridge demo`: a synthetic caseload through the line, a summary, and a page to open."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.api.app import doors
from bridge.cli import show
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.console import signing
from bridge.demo import counts, ehrs, folder, run, told
from bridge.demo.calendar import Calendar
from bridge.demo.caseload import FAMILIES, SEED, Caseload, caseload, never_collected, staying
from bridge.demo.cast import Cast, cast_of, own_cast
from bridge.demo.display import watching
from bridge.errors import ConfigError, Problem
from bridge.jobs import serve as jobs
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import Fate
from bridge.moves.line import Line
from bridge.settings import Project, load

FILE = "bridge.yaml"
PACK = "ma-soc"
LOOPBACK = "127.0.0.1"


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the summary; --json does so too.")] = False,
    directory: Annotated[Path | None, typer.Option("--dir", help="Keep the project here: new, or empty.")] = None,
    families: Annotated[int, typer.Option(help="How many families.")] = FAMILIES,
    seed: Annotated[int, typer.Option(help="Which families.")] = SEED,
    port: Annotated[int, typer.Option(help="Where the page is; 0 = any free one.")] = 0,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Show a synthetic caseload going through: three agencies, four practices, EHRs on this machine.

    In a project folder, with that project's agencies, practices and mappings; its ledger and its EHRs stay untouched.
    """
    start = time.monotonic()
    quiet_log()
    own = load(project) if project != HERE or (project / FILE).is_file() else None
    cast = own_cast() if own is None else known(own)
    today = datetime.now(UTC).date()
    whole = caseload(cast, today, families, seed)
    with (
        ended_in_order(),
        place(directory) as at,
        ehrs.running({site.id: site.shape for site in cast.sites}) as running,
    ):
        bases = {name: ehr.base for name, ehr in running.items()}
        made = folder.make(at, cast, bases, Calendar(today).date(0), None if own is None else own.directory)
        for name, charts in whole.charts.items():
            running[name].load(charts)
        with open_line(made, "demo", system_clock()) as line:
            fates, counted = through(line, cast, whole, running, start, json)
            if json:
                show.as_json(counted.answer)
                for text in counted.wrong:
                    typer.echo(text, err=True)
            else:
                looked_for = len(never_collected(whole)) + len(staying(whole))
                for text in told.summary(cast, whole, fates, counted, looked_for, running):
                    show.say(text)
            if not once and not json:
                serve(line, port, directory)
    return show.FINDINGS if counted.wrong else show.DONE


def through(
    line: Line, cast: Cast, whole: Caseload, running: dict[str, ehrs.Ehr], start: float, quiet: bool
) -> tuple[Counter[Fate], counts.Counts]:
    """Everything went through: the fates at the door, and the counts."""
    with watching(sum(1 for _ in whole.records), quiet) as display:
        fates = asyncio.run(run.run(line, whole, running, display))
    never = never_collected(whole) | staying(whole)
    return fates, counts.counted(line, cast, running, never, time.monotonic() - start)


def serve(line: Line, port: int, directory: Path | None) -> None:
    """The doors and the pages are open until Ctrl-C."""
    people = [line.project.people[name] for name in (folder.staff_of(line.project), folder.ENGINEER)]
    paths = {person.name: signing.new_link(line, person, "demo", system_clock()) for person in people}

    def say(text: str) -> None:
        bound = text.removeprefix("READY ")
        show.say("\nOpen a page; each link signs in once, within a day:")
        for name, path in paths.items():
            show.say(f"  as {name}:\n    {signing.address(line.project.server, path, bound)}")
        show.say(f"Ctrl-C stops everything{f'; the project stays in {directory}' if directory else ''}.")

    asyncio.run(jobs.run(line, line.project.workers, doors(line, system_clock, LOOPBACK, port, say)))


def known(project: Project) -> Cast:
    """The project's cast. Raises ConfigError where no caseload can be invented for its packs."""
    if PACK not in project.packs:
        rule = f"caseloads can be invented for the pack {PACK} alone, and this project has other packs"
        step = f"add {PACK} to `packs`, or run `bridge demo` outside the project folder"
        raise ConfigError(Problem("demo-pack", rule, FILE, "packs", step))
    return cast_of(project)


@contextmanager
def place(directory: Path | None) -> Iterator[Path]:
    """The folder to work in: the one asked for, or one that is gone afterwards."""
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="bridge-demo-") as name:
        yield Path(name)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, so that the sandboxes end with it."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def quiet_log() -> None:
    """Ordinary events would tear the display; what is wrong is still logged, and so is all of it at a lower level."""
    ours = logging.getLogger("bridge")
    if ours.level == logging.INFO:
        ours.setLevel(logging.WARNING)
