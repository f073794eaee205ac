"""`bridge tables`: code tables listed, and written or read as FHIR ConceptMaps."""

from __future__ import annotations

import json as json_text
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml

from bridge.cli import show
from bridge.cli.mappings import read
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.errors import ConfigError, Problem
from bridge.fhir.opinion import second_opinion
from bridge.jobs.open import validator_of
from bridge.mappings import conceptmap
from bridge.mappings.tablefile import as_csv
from bridge.model import Severity
from bridge.settings import load
from bridge.settings.words import nearest

app = typer.Typer(help="Code tables: what an agency's codes are called in FHIR.", no_args_is_help=True)

MOST = 32 * 1024 * 1024
"""Bytes of the largest ConceptMap that is read."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)?")
Name = Annotated[str, typer.Argument(help="PACK/NAME of the table.")]


@app.command("list")
def list_tables(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """List the code tables in force: rows, version, and the ConceptMap each is, if it is one."""
    _, _, mappings = read(project)
    rows: list[dict[str, Any]] = [
        {
            "table": table.name,
            "rows": len(list(table.every())),
            "version": table.version,
            "title": table.about.title,
            "url": table.about.url,
            "used_by": sorted(kind for kind, one in mappings.mappings.items() if table in one.tables.values()),
        }
        for table in sorted(mappings.tables.values(), key=lambda table: table.name)
    ]
    if json:
        show.as_json({"tables": rows})
        return show.DONE
    for row in rows:
        used = ", ".join(row["used_by"]) or "no mapping"
        show.say(f"{row['table']:<30} {row['rows']:>5} rows  {row['version']}  {row['title'] or row['url']}".rstrip())
        show.say(f"{'':30} read by {used}")
    return show.DONE


@app.command("export")
def export(
    name: Name,
    into: Annotated[Path | None, typer.Option(help="The file to write; else it is printed.")] = None,
    project: ProjectDir = HERE,
) -> int:
    """Write a table as a FHIR R4 ConceptMap. Rows that a ConceptMap cannot carry are told and left out."""
    loaded, _, mappings = read(project)
    table = mappings.tables.get(name)
    if table is None:
        rule = "no table in force has this name"
        raise ConfigError(Problem("unknown-name", rule, "command line", "NAME", nearest(name, mappings.tables)))
    made, problems = conceptmap.export(table)
    wrong = [one for one in validator_of(loaded).check(made) if one.severity is Severity.ERROR]
    for finding in (*wrong, *second_opinion(made)):
        problems.append(Problem(finding.code, finding.rule, table.name, finding.path))
    text = json_text.dumps(made, ensure_ascii=False, indent=2)
    if into is None:
        show.say(text)
    else:
        written(into, text + "\n")
    show.problems(problems)
    return show.FINDINGS if problems else show.DONE


@app.command("import")
def import_map(
    file: Annotated[Path, typer.Argument(help="A FHIR ConceptMap in JSON (R4, or R5 where it says the same).")],
    name: Annotated[str, typer.Argument(help="NAME of a table of the project's own, or PACK/NAME to lie over that.")],
    source: Annotated[str, typer.Option(help="Where rows were taken from that do not say it.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Put it in place of the file there is.")] = False,
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Make a table of the project from a ConceptMap. What a table cannot say is told and left out, never guessed."""
    loaded = load(project)
    if not _NAME.fullmatch(name):
        rule = "a table's name has small letters, digits and dashes, with PACK/ before it where it is a pack's"
        raise ConfigError(Problem("table-name", rule, "command line", "NAME"))
    target = loaded.directory / "tables" / f"{name}.csv"
    beside = target.with_suffix(".yaml")
    if not replace and (target.exists() or beside.exists()):
        rule = "there is a table of this name already"
        raise ConfigError(Problem("table-exists", rule, str(target), next_step="take another name, or --replace it"))
    taken = conceptmap.take(resource_in(file), name, file.name, source)
    rows = list(taken.table.every())
    if rows:
        written(target, as_csv(rows))
        said = {key: value for key, value in asdict(taken.table.about).items() if value}
        if said:
            written(beside, yaml.safe_dump(said, allow_unicode=True, sort_keys=False))
        else:
            beside.unlink(missing_ok=True)
    if json:
        problems = [problem.as_dict() for problem in taken.problems]
        show.as_json({"file": str(target) if rows else None, "rows": len(rows), "problems": problems})
    else:
        count = f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}"
        show.say(f"{count} in {target}" if rows else "no row could be taken; nothing was written")
        show.problems(taken.problems)
    return show.FINDINGS if taken.problems or not rows else show.DONE


def resource_in(file: Path) -> Any:
    """The JSON in a file. Raises ConfigError that names it."""
    try:
        if file.stat().st_size > MOST:
            rule = f"a ConceptMap has at most {MOST >> 20} MiB"
            raise ConfigError(Problem("conceptmap-too-large", rule, str(file)))
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise ConfigError(Problem("conceptmap-unreadable", "this file cannot be read", str(file))) from error
    except orjson.JSONDecodeError as error:
        place = f"{file}:{error.lineno}"
        step = "take the JSON form of the ConceptMap"
        raise ConfigError(Problem("conceptmap-unreadable", "a ConceptMap is JSON", place, next_step=step)) from None


def written(path: Path, text: str) -> None:
    """The file holds the text, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, encoding="utf-8", newline="\n")
    half.replace(path)
