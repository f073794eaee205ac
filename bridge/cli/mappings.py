"""`bridge check`, `mappings` and `definitions add`: what turns records into FHIR, looked at before it is in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import show
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.ehr.wants import unfit
from bridge.errors import ConfigError, Problem
from bridge.fhir.opinion import second_opinion
from bridge.fhir.packages import add_package
from bridge.fhir.validate import Validator
from bridge.jobs.open import OWN_DEFINITIONS, validator
from bridge.mappings.cases import Case, read_cases, run_case, translate_case
from bridge.mappings.load import Mappings, read_all
from bridge.mappings.load import load as load_mappings
from bridge.mappings.translate import Translator
from bridge.model import Severity
from bridge.settings import Project, load
from bridge.settings.words import nearest

definitions = typer.Typer(help="FHIR profiles and value sets of a site's own.", no_args_is_help=True)


def check(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Check the project: settings, mappings and tables, and every case, validated as FHIR twice over."""
    loaded, files, mappings = read(project)
    cases = read_cases(files)
    unknown = sorted({case.kind for case in cases} - set(mappings.kinds))
    if unknown:
        rule = "a case names a kind that there is not"
        raise ConfigError(
            Problem("case-kind", rule, field=name, next_step=nearest(name, mappings.kinds)) for name in unknown
        )
    translator, valid = Translator(mappings), validator_of(loaded)
    found = [*unfit(loaded), *(problem for case in cases for problem in judged(case, translator, valid))]
    without = sorted(set(mappings.mappings) - {case.kind for case in cases})
    if json:
        show.as_json(
            {
                "ok": not found,
                "packs": list(loaded.packs),
                "kinds": len(mappings.kinds),
                "cases": len(cases),
                "hash": mappings.hash,
                "problems": [problem.as_dict() for problem in found],
                "without_cases": without,
            }
        )
    else:
        show.problems(found)
        kinds, rows = len(mappings.kinds), sum(len(table.rows) for table in mappings.tables.values())
        show.say(f"{kinds} kinds, {len(mappings.tables)} tables with {rows} rows, {len(cases)} cases")
        for kind in without:
            show.say(f"  {kind} has no case")
        show.say("all is well" if not found else f"{len(found)} findings")
    return show.FINDINGS if found else show.DONE


def judged(case: Case, translator: Translator, valid: Validator) -> Iterator[Problem]:
    """What is wrong with a case: another outcome than it says, or parts that are no FHIR. Its values are made up."""
    step = "correct the mapping, or what the case expects"
    for difference in run_case(case, translator):
        yield Problem("case-differs", str(difference), case.where, case.name, step)
    kind = translator.mappings.kinds[case.kind]
    if kind.final is not None and not kind.final.holds(case.record):
        return  # a draft may be unfinished, and is not sent
    translation, _ = translate_case(case, translator)
    parts = translation.parts if translation is not None else ()
    for finding in valid.check_all(parts):
        if finding.severity is Severity.ERROR:
            where = f"{finding.part} {finding.path}".strip()
            yield Problem(finding.code, finding.rule, case.where, f"{case.name}: {where}", "correct the mapping")
    for part in parts:
        for finding in second_opinion(part.resource):
            yield Problem(finding.code, finding.rule, case.where, f"{case.name}: {part.name} {finding.path}")


def mappings(project: ProjectDir = HERE, json: AsJson = False) -> int:
    """List what this project can take in: each kind of record, its mapping, tables and cases."""
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


@definitions.command("add")
def add(
    package: Annotated[Path, typer.Argument(help="A FHIR package (.tgz) with snapshots, for R4.")],
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Add a FHIR package's profiles and value sets to the project; records are checked against them from now on."""
    loaded = load(project)
    added = add_package(package, loaded.directory / OWN_DEFINITIONS)
    if json:
        show.as_json(
            {
                "package": added.package,
                "file": str(added.file),
                "profiles": list(added.profiles),
                "value_sets": list(added.value_sets),
                "skipped": [{"name": one.name, "why": one.reason} for one in added.skipped],
                "uncovered": list(added.uncovered),
            }
        )
        return show.DONE
    show.say(f"{added.package}: {len(added.profiles)} profiles, {len(added.value_sets)} value sets in {added.file}")
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


def validator_of(project: Project) -> Validator:
    """The validator the line would use."""
    own = project.directory / OWN_DEFINITIONS
    return validator(*([str(own)] if own.is_dir() else []))
