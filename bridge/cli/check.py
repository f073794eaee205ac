"""`bridge check`: lint, then every case, validated as FHIR twice over, and what the cases cover."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from bridge.cli import show
from bridge.cli.checked import Checked, Subject, run, subject_of
from bridge.cli.options import HERE, AsJson, ProjectDir
from bridge.cli.updating import Changed, updated
from bridge.errors import Problem
from bridge.mappings.cases.coverage import Covered
from bridge.mappings.lint.order import in_order

_STRICT = typer.Option("--strict", help="Warnings are findings, too.")
_UPDATE = typer.Option("--update", help="Write what came about into the failing cases of this folder.")
_ONLY = typer.Argument(metavar="[FILE|KIND]…", help="Only these kinds, named as PACK/NAME or by one of their files.")


def check(
    only: Annotated[list[str] | None, _ONLY] = None,
    project: ProjectDir = HERE,
    strict: Annotated[bool, _STRICT] = False,
    update: Annotated[bool, _UPDATE] = False,
    json: AsJson = False,
) -> int:
    """Check mappings and tables at both ends, and every case; say what the cases cover."""
    subject = subject_of(project)
    found = run(subject, only or [])
    changed: list[Changed] = []
    refused: list[Problem] = []
    if update and not found.errors:
        changed, refused = updated(subject, found.judgements)
        if changed:
            subject = subject_of(project)
            found = run(subject, only or [])
    problems = in_order((*found.problems, *refused, *(found.warnings if strict else ())))
    warnings = () if strict else found.warnings
    code = show.WRONG_USE if found.coverage is None else show.FINDINGS if problems else show.DONE
    if json:
        show.as_json(_answer(subject, found, problems, warnings, changed))
        return code
    show.problems(problems)
    show.warnings(warnings)
    for one in changed:
        show.say(one.diff)
    if update and found.errors:
        show.say("no case was updated: what lint reports comes first")
    _cover(found)
    show.say(_summary(found, problems, warnings))
    return code


def _answer(
    subject: Subject, found: Checked, problems: Iterable[Problem], warnings: Iterable[Problem], changed: list[Changed]
) -> dict[str, Any]:
    listed = [problem.as_dict() for problem in problems]
    return {
        "ok": not listed,
        "packs": list(subject.packs),
        **{key: found.counts.get(key) for key in ("kinds", "tables", "rows", "cases")},
        "hash": found.hash,
        "problems": listed,
        "warnings": [problem.as_dict() for problem in warnings],
        "differences": [
            {"case": one.case.name, "kind": one.case.kind, "where": one.case.place(*difference.at)}
            | difference.as_dict()
            for one in found.judgements
            for difference in one.differences
        ],
        "without_cases": list(found.without_cases),
        "coverage": None if found.coverage is None else found.coverage.as_dict(),
        "updated": [{"file": str(one.path), "diff": one.diff} for one in changed],
    }


def _cover(found: Checked) -> None:
    """What the cases reach: a line for each mapping and table, beneath it what they do not."""
    if found.coverage is None:
        return
    for one in found.coverage.mappings:
        show.say(f"{one.name:<32} {one}")
        for missed in one.missed:
            show.say(f"  {missed}")
    for one in found.coverage.tables:
        show.say(f"{one.name:<32} {one}{_codes(one)}")
    for kind in found.without_cases:
        show.say(f"{kind} has no case")


def _codes(table: Covered) -> str:
    return f"; no case looks up {', '.join(missed.place for missed in table.missed)}" if table.missed else ""


def _summary(found: Checked, problems: Iterable[Problem], warnings: Iterable[Problem]) -> str:
    many, few = len(list(problems)), len(list(warnings))
    also = f", {few} warnings" if few else ""
    ends = f"{many} findings{also}" if many else f"all is well{also}"
    if found.coverage is None:
        return f"{ends}; no case was run"
    counts = found.counts
    said = f"{counts['kinds']} kinds, {counts['tables']} tables with {counts['rows']} rows, {counts['cases']} cases"
    return f"{said} that cover {found.coverage}: {ends}"
