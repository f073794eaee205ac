"""`bridge draft`: from a source nobody described to files that wait for a person's decisions."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.errors import ConfigError, Problem
from bridge.jobs.sources import Source
from bridge.mappings.draft import MARK, Drafted, draft
from bridge.mappings.load import load as load_mappings
from bridge.mappings.load import read_packs
from bridge.settings import load

_KIND = re.compile(r"[a-z0-9][a-z0-9-]{0,39}/[a-z0-9][a-z0-9-]{0,39}")
_FOLDERS = {".csv": "", ".sql": "queries", ".cases.yaml": "cases", ".yaml": "mappings"}
_SHOWN = 40  # lines told one by one


def drafted(
    source: Annotated[Path, typer.Argument(help="A JSON, NDJSON, CSV or XLSX file; with --query, a folder.")],
    kind: Annotated[str, typer.Option(help="PACK/NAME; else made of the source's name.")] = "",
    into: Annotated[Path | None, typer.Option(help="A pack's folder; else the project's own folders.")] = None,
    query: Annotated[Path | None, typer.Option(help="An SQL file that makes one record a row of the folder.")] = None,
    codes: Annotated[list[str] | None, typer.Option(help="A field whose values are codes, not names or words.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Draft kind, mapping, tables and a case from a source; every guess is marked, and nobody's words are shown."""
    own = (project / "bridge.yaml").is_file()
    if into is None and not own:
        step = "name a folder with --into, or a project with --project"
        raise ConfigError(
            Problem("draft-where", "there is no project here to write into", "command line", "--into", step)
        )
    of = Source(source, query)
    name = kind or f"{_slug(into.resolve().name) if into is not None else 'project'}/{_slug(Path(of.name).stem)}"
    if not _KIND.fullmatch(name):
        rule = "a kind is named PACK/NAME, in small letters, digits and dashes"
        raise ConfigError(Problem("draft-kind", rule, "command line", "--kind"))
    taken = _tables_of(project) if own and into is None else frozenset()
    try:
        made = draft(of, name, of.name, fields=of.fields(), coded=codes or [], taken=taken)
    except ConfigError as error:
        raise ConfigError(of.problems or error.problems) from None
    places = {path: _place(path, into, project) for path in made.files}
    _write(places, made, force)
    if json:
        show.as_json(_answer(made, of, places))
    else:
        _told(made, of, places)
    return show.FINDINGS if of.problems or made.refused or made.problems else show.DONE


def _told(made: Drafted, of: Source, places: dict[str, Path]) -> None:
    show.problems([*of.problems[:_SHOWN], *made.problems])
    if len(of.problems) > _SHOWN:
        show.say(f"and {len(of.problems) - _SHOWN} more places that are no record")
    show.say(f"{of.name}: {made.records} records, {len(made.columns)} fields")
    width = min(32, max(len(column.dotted) for column in made.columns))
    for column in made.columns:
        stays = f"   stays ({column.stays})" if column.stays else ""
        show.say(f"  {column.dotted:<{width}}  {column.sort:<12} {column.facts}{stays}")
    if made.refused:
        show.say(f"{made.refused} of these records would be refused by the drafted kind")
    show.say("written:")
    waiting = Counter(path for path, _, _ in made.unsure())
    for path, place in places.items():
        show.say(f"  {place}" + (f"   {waiting[path]} lines wait for you" if waiting[path] else ""))
    show.say(f"Each waiting line ends in a comment `{MARK} reason`, in a table in a cell that begins with `??`.")
    mapping = next(place for path, place in places.items() if path == f"{made.kind.split('/')[-1]}.yaml")
    command = f"bridge try {shlex.quote(str(mapping))}"
    show.say(f"Next: {command} {shlex.quote(str(of.path if of.query is None else of.query))}")


def _answer(made: Drafted, of: Source, places: dict[str, Path]) -> dict[str, object]:
    return {
        "kind": made.kind,
        "records": made.records,
        "refused": made.refused,
        "fields": [
            {
                "path": column.dotted,
                "sort": str(column.sort),
                "why": column.why,
                "filled": column.node.filled,
                "distinct": column.node.distinct,
                "distinct_exact": column.node.distinct_known,
                "stays": column.stays,
                "label": column.label,
                "values": list(column.values),
                "rare": column.rare,
            }
            for column in made.columns
        ],
        "files": [str(place) for place in places.values()],
        "unsure": [{"file": str(places[path]), "line": line, "reason": reason} for path, line, reason in made.unsure()],
        "problems": [problem.as_dict() for problem in (*of.problems, *made.problems)],
    }


def _write(places: dict[str, Path], made: Drafted, force: bool) -> None:
    """Every file stands, or, where one was there before and `force` is not set, none was touched."""
    there = [place for place in places.values() if place.exists()]
    if there and not force:
        rule = "is there already and is not written over"
        step = "choose another --kind or --into, or say --force"
        raise ConfigError(Problem("draft-exists", rule, str(place), next_step=step) for place in there)
    for path, place in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(made.files[path], encoding="utf-8")


def _place(path: str, into: Path | None, project: Path) -> Path:
    if into is not None:
        return into / path
    ending = next(ending for ending in _FOLDERS if path.endswith(ending))
    return project / _FOLDERS[ending] / path


def _tables_of(project: Path) -> frozenset[str]:
    """The short names of the tables of this project's packs: a table of its own under one of them would overlay it."""
    tables = load_mappings(read_packs(load(project).packs)).tables
    return frozenset(name.split("/")[-1] for name in tables)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "source"
