"""`bridge mappings` and `definitions add`: what turns records into FHIR, looked at before it is in force."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from bridge.cli import show
from bridge.cli.checked import subject_of
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.fhir.packages import add_package
from bridge.jobs.open import OWN_DEFINITIONS
from bridge.mappings.cases import read_cases
from bridge.mappings.editor import schemas
from bridge.mappings.load import Mappings, read_all
from bridge.mappings.load import load as load_mappings
from bridge.settings import Project, load

definitions = typer.Typer(help="FHIR profiles and value sets of a site's own.", no_args_is_help=True)


app = typer.Typer(help="What this project can take in; the schemas of its files.", invoke_without_command=True)


@app.callback()
def mappings(context: typer.Context, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """List what this project can take in: each kind of record, its mapping, tables and cases."""
    if context.invoked_subcommand is not None:
        return show.DONE
    _, files, found = read(project)
    cases = Counter(case.kind for case in read_cases(files))
    rows: list[dict[str, Any]] = [
        {
            "kind": kind.name,
            "title": kind.title,
            "mapping": found.mappings[kind.name].name if kind.name in found.mappings else None,
            "parts": [part.name for part in found.mappings[kind.name].parts] if kind.name in found.mappings else [],
            "tables": sorted(table.name for table in found.mappings[kind.name].tables.values())
            if kind.name in found.mappings
            else [],
            "cases": cases[kind.name],
        }
        for kind in found.kinds.values()
    ]
    if json:
        show.as_json({"hash": found.hash, "kinds": rows})
        return show.DONE
    for row in rows:
        made = f"by {row['mapping']}: {', '.join(row['parts'])}" if row["mapping"] else "kept; nothing is made of it"
        show.say(f"{row['kind']:<26} {row['title']}")
        show.say(f"{'':26} {made}; {row['cases']} cases")
    show.say(f"hash {found.hash[:12]}")
    return show.DONE


@app.command("schemas")
def write_schemas(
    directory: Annotated[Path, typer.Argument(help="The folder to write them into.")],
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Write the JSON Schemas of kind, mapping, table and case files, for an editor."""
    made = schemas(subject_of(project).valid.definitions)
    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in made.items():
        (directory / name).write_bytes(orjson.dumps(schema) + b"\n")
    if json:
        show.as_json({"directory": str(directory), "files": list(made)})
        return show.DONE
    show.say(f"{len(made)} schemas in {directory}. For an editor, as in .vscode/settings.json:")
    whole, tables = (str(directory / name) for name in ("bridge.schema.json", "table.schema.json"))
    show.as_json({"yaml.schemas": {whole: ["mappings/*.yaml", "cases/*.yaml"], tables: ["tables/*.yaml"]}})
    return show.DONE


@definitions.command("add")
def add(
    package: Annotated[Path, typer.Argument(help="A FHIR package (.tgz) for R4, its profiles with snapshots.")],
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Add a FHIR package: its profiles check records, and mappings may name its value sets and ConceptMaps."""
    loaded = load(project)
    added = add_package(package, loaded.directory / OWN_DEFINITIONS)
    if json:
        show.as_json(
            {
                "package": added.package,
                "file": str(added.file),
                "profiles": list(added.profiles),
                "value_sets": list(added.value_sets),
                "codes": str(added.codes),
                "listed": list(added.listed),
                "open": list(added.open),
                "concept_maps": list(added.concept_maps),
                "skipped": [{"name": one.name, "why": one.reason} for one in added.skipped],
                "uncovered": list(added.uncovered),
            }
        )
        return show.DONE
    show.say(f"{added.package}: {len(added.profiles)} profiles, {len(added.value_sets)} value sets in {added.file}")
    if added.listed or added.open or added.concept_maps:
        listed = (
            f"{len(added.listed)} value sets and {len(added.concept_maps)} ConceptMaps for mappings in {added.codes}"
        )
        show.say(f"  {listed}; {len(added.open)} value sets cannot be listed")
    for one in added.skipped:
        show.say(f"  left out: {one.name}: {one.reason}")
    if added.uncovered:
        show.say(f"  invariants kept and not checked: {', '.join(added.uncovered)}")
    return show.DONE


def read(project: Path) -> tuple[Project, dict[str, str], Mappings]:
    """The project, the files of its mappings with cases, and the mappings. Raises ConfigError with all problems."""
    loaded = load(project)
    files = read_all(loaded.packs, loaded.directory)
    return loaded, files, load_mappings(files)
