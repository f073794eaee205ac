"""What `bridge check` looks at, and what it finds there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bridge.ehr.wants import unfit
from bridge.errors import ConfigError, Problem
from bridge.fhir.validate import Validator
from bridge.jobs.open import validator, validator_of
from bridge.mappings.cases import Case, Coverage, Judgement, coverage_of, judge, read_cases, swept
from bridge.mappings.cases.coverage import idle_reasons
from bridge.mappings.lint import lint
from bridge.mappings.load import PACK, PROJECT, Mappings, digest, load, read_all, read_pack
from bridge.mappings.rowplaces import RowPlaces
from bridge.mappings.source import read
from bridge.mappings.translate import Translator
from bridge.mappings.watching import Watching
from bridge.release.trial import stated
from bridge.settings import load as load_project
from bridge.settings.load import FILE
from bridge.settings.words import nearest


@dataclass(frozen=True, slots=True)
class Subject:
    """A project with its packs, or one pack that is being worked on. `own` is what its own files begin with.

    `unfit` are formats of documents that a practice asks for and its EHR does not take.
    """

    directory: Path
    own: str
    packs: tuple[str, ...]
    files: Mapping[str, str] = field(repr=False)
    valid: Validator = field(repr=False)
    unfit: tuple[Problem, ...] = ()

    def path(self, file: str) -> Path | None:
        """Where one of its own files is; None for a file of an installed pack."""
        name = PurePosixPath(file)
        if name.parts[0] != self.own:
            return None
        inside = PurePosixPath(*name.parts[1:])
        folders = ("cases", "mappings") if self.own == PROJECT else ("",)
        return next((path for folder in folders if (path := self.directory / folder / inside).is_file()), None)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. Where the mappings cannot be loaded no case was run, and there is no coverage."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    hash: str
    counts: Mapping[str, int] = field(default_factory=dict)
    judgements: tuple[Judgement, ...] = ()
    beside: tuple[Problem, ...] = ()
    coverage: Coverage | None = None
    without_cases: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong: errors of lint, what the cases show and, beside them, the rows of the tables."""
        return (*self.errors, *(problem for one in self.judgements for problem in one.problems()), *self.beside)


def subject_of(directory: Path) -> Subject:
    """The project in a folder, or the pack where the folder is one. Raises ConfigError with every problem of it."""
    directory = directory.resolve()
    if (directory / PACK).is_file() and not (directory / FILE).is_file():
        return Subject(directory, directory.name, (directory.name,), read_pack(directory), validator())
    project = load_project(directory)
    files = read_all(project.packs, project.directory)
    return Subject(
        project.directory, PROJECT, tuple(project.packs), files, validator_of(project), tuple(unfit(project))
    )


def run(subject: Subject, only: Collection[str]) -> Checked:
    """Lint, then the cases; with `only`, of these kinds. Raises ConfigError for a name that is no kind and no file."""
    linted = lint(subject.files, subject.valid.definitions)
    watching = Watching()
    try:
        mappings = load(subject.files, watching)
    except ConfigError:
        if not linted.errors:
            raise
        return Checked(linted.errors, linted.warnings, digest(subject.files))
    kinds = chosen(subject, mappings, only)
    made = kinds & mappings.mappings.keys()
    cases = [case for case in _cases(subject.files, mappings) if case.kind in kinds]
    translator = Translator(mappings)
    judgements = tuple(judge(case, translator, subject.valid, stated) for case in cases)
    coverage = coverage_of(mappings, watching, subject.files, made)
    beside = [
        *(() if only else subject.unfit),
        *_rows(cases, mappings, subject, watching),
        *_idle(mappings, subject, coverage),
    ]
    warnings = linted.warnings
    if only:
        files = {file for file, text in subject.files.items() if kinds_of(file, text, mappings) & kinds}
        warnings = tuple(one for one in warnings if one.where.partition(":")[0] in files)
    counts = {
        "kinds": len(kinds),
        "tables": len(coverage.tables),
        "rows": sum(one.counts["rows"][1] for one in coverage.tables),
        "cases": len(cases),
    }
    without = tuple(sorted(made - {case.kind for case in cases}))
    return Checked(
        linted.errors, warnings, mappings.hash, counts, judgements, tuple(dict.fromkeys(beside)), coverage, without
    )


def chosen(subject: Subject, mappings: Mappings, only: Collection[str]) -> frozenset[str]:
    """The kinds of these names and files, all of them without any. Raises ConfigError for what is neither."""
    found: set[str] = set()
    problems = []
    for name in only:
        if name in mappings.kinds:
            found.add(name)
        elif (file := _file(subject, name)) in subject.files:
            found |= kinds_of(file, subject.files[file], mappings)
        else:
            rule = "is no kind (PACK/NAME), and no file of this project or its packs"
            problems.append(Problem("unknown-name", rule, "command line", name, nearest(name, mappings.kinds)))
    if problems:
        raise ConfigError(problems)
    return frozenset(found if only else mappings.kinds)


def kinds_of(file: str, text: str, mappings: Mappings) -> frozenset[str]:
    """The kinds that a file is about: declares it, reads it, has its cases, or is a table of its mapping."""
    if file.endswith(".csv"):
        stem = PurePosixPath(file).stem
        return frozenset(
            kind
            for kind, mapping in mappings.mappings.items()
            if any(table.name.rpartition("/")[2] == stem for table in mapping.tables.values())
        )
    value = read(file, text, []).value
    named = {str(value.get(key)) for key in ("kind", "reads")} if isinstance(value, dict) else set()
    return frozenset(named & mappings.kinds.keys())


def _file(subject: Subject, name: str) -> str:
    """The file's name in the set, from that or from its path on the disk."""
    path = Path(name).resolve()
    if name in subject.files or not path.is_relative_to(subject.directory):
        return name
    inside = path.relative_to(subject.directory).parts
    if subject.own == PROJECT and inside[:1] in (("cases",), ("mappings",)):
        inside = inside[1:]
    return str(PurePosixPath(subject.own, *inside))


def _rows(cases: list[Case], mappings: Mappings, subject: Subject, watching: Watching) -> Iterator[Problem]:
    step = "correct the row, or the mapping that puts it there"
    places = RowPlaces(subject.files)
    for table, row, finding in swept(cases, mappings, subject.valid, watching):
        rule = f"in {finding.part} {finding.path}: {finding.rule}"
        yield Problem(finding.code, rule, places.where(table, row.code, start=row.start) or table, row.code, step)


def _idle(mappings: Mappings, subject: Subject, coverage: Coverage) -> Iterator[Problem]:
    for one in idle_reasons(subject.files, mappings, coverage):
        rule = "a case reaches this place, or the mapping has none of this name"
        yield Problem("case-not-covered", rule, one.where, one.place, "take the line out, or correct the place")


def _cases(files: Mapping[str, str], mappings: Mappings) -> list[Case]:
    cases = read_cases(files)
    unknown = {case.source.where(("kind",)): case.kind for case in cases if case.kind not in mappings.mappings}
    if unknown:
        rule = "a case names a kind that nothing is made of"
        raise ConfigError(
            Problem("case-kind", rule, where, name, nearest(name, mappings.mappings)) for where, name in unknown.items()
        )
    return cases
