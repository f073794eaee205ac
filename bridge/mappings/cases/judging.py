"""Every case judged: what comes of its record against what it says, and its parts as FHIR twice over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bridge.errors import Problem
from bridge.fhir.opinion import second_opinion
from bridge.fhir.validate import Validator
from bridge.mappings.cases.differences import Difference, Released, Releasing, differences, released
from bridge.mappings.cases.reading import Case, translate_case
from bridge.mappings.load import Mappings
from bridge.mappings.tables import Row
from bridge.mappings.translate import Translator
from bridge.mappings.watching import Watching
from bridge.model import Finding, Part, Severity, Translation

STEP = "correct the mapping, or what the case expects"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one case: its translation (or the fields it was refused for), and what is wrong with it.

    `findings` are what validation says of the parts of a finished record; `invalid` those that no case expects and that
    are errors, with fhir.resources' own.
    """

    case: Case
    translation: Translation | None
    refused: tuple[str, ...]
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...] = ()
    invalid: tuple[Finding, ...] = ()
    released: Released = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """What is wrong, each with the line it stands against. The values in it are the case's own."""
        for one in self.differences:
            field = f"{self.case.name}: {one.place}"
            yield Problem("case-differs", one.rule, self.case.place(*one.at), field, one.hint or STEP)
        for finding in self.invalid:
            place = f"{finding.part} {finding.path}".strip()
            yield Problem(
                finding.code, finding.rule, self.case.where, f"{self.case.name}: {place}", "correct the mapping"
            )


def judge(case: Case, translator: Translator, valid: Validator, releasing: Releasing | None = None) -> Judgement:
    """One case judged, its release by `releasing`. Raises RecordError for a kind that nothing is made of."""
    translation, refused = translate_case(case, translator)
    kind = translator.mappings.kinds[case.kind]
    draft = kind.final is not None and not kind.final.holds(case.record)  # may be unfinished, and is not sent
    parts = translation.parts if translation is not None and not draft else ()
    findings = tuple(valid.check_all(parts))
    leaving = released(case, translator, translation, releasing)
    differing = differences(case, translation, refused, findings, leaving)
    expected = "findings" in case.expect
    errors = tuple(one for one in findings if one.severity is Severity.ERROR and not expected)
    invalid = (*errors, *_second(parts))
    return Judgement(case, translation, tuple(refused), tuple(differing), findings, invalid, leaving)


def swept(
    cases: Iterable[Case], mappings: Mappings, valid: Validator, watching: Watching
) -> Iterator[tuple[str, Row, Finding]]:
    """Every row of every table, put where the cases look its table up: (table, row, what is wrong with the part).

    `mappings` were loaded with `watching`, whose rows are lost. A table that no case looks up is not tried. Each row is
    tried once for each set of parts that a table serves; of a code with rows of several days, all of them.
    """
    translator = Translator(mappings)
    tried: set[tuple[str, str, frozenset[str], str, str]] = set()
    for case in cases:
        watching.rows.clear()
        before, _ = translate_case(case, translator)
        if before is None or not before.parts:
            continue
        looked_up = sorted({(table, code) for table, code, _ in watching.rows})
        known = {_key(one) for one in valid.check_all(before.parts)}
        names = frozenset(part.name for part in before.parts)
        for table, code in looked_up:
            given = case.rows.get(table)
            for row in mappings.tables[table].every() if given is None or code not in given.rows else ():
                key = (case.kind, table, names, row.code, row.start)
                if key in tried or (row.code == code and not row.dated):
                    continue
                tried.add(key)
                made, _ = translate_case(case, Translator(_with_row(mappings, case.kind, table, code, row)))
                for finding in valid.check_all(made.parts) if made is not None else ():
                    if finding.severity is Severity.ERROR and _key(finding) not in known:
                        yield table, row, finding


def _with_row(mappings: Mappings, kind: str, table: str, code: str, row: Row) -> Mappings:
    """The same mappings in which a code means what another row of its table says."""
    known = mappings.tables[table]
    meant = replace(row, code=code, start="", until="")
    dated = {name: rows for name, rows in known.dated.items() if name != code}
    other = replace(known, rows={**known.rows, code: meant}, dated=dated)
    mapping = mappings.mappings[kind]
    tables = {name: other if one.name == table else one for name, one in mapping.tables.items()}
    return replace(mappings, mappings={**mappings.mappings, kind: replace(mapping, tables=tables)})


def _key(finding: Finding) -> tuple[str, str, str]:
    return (finding.code, finding.part, finding.path)


def _second(parts: Iterable[Part]) -> Iterator[Finding]:
    for part in parts:
        yield from (replace(finding, part=part.name) for finding in second_opinion(part.resource))
