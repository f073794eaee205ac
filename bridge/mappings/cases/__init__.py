"""Cases beside a mapping: a record, and what must come of it. `bridge check` and the tests run them all.

reading      a `*.cases.yaml` → Case
recipients   to whom a case goes, and with which consents
paths        paths into a resource, and the nearest one where there is none
differences  what a case expects against what came about, field path by field path
judging      every case: its differences, and its parts as FHIR twice over
coverage     what the cases reach of each mapping and table
rewriting    a case's expectation written anew in the text of its file
"""

from __future__ import annotations

from bridge.mappings.cases.coverage import Coverage, coverage_of
from bridge.mappings.cases.differences import Difference, run_case
from bridge.mappings.cases.judging import Judgement, judge, swept
from bridge.mappings.cases.paths import value_at
from bridge.mappings.cases.reading import Case, read_cases, translate_case

__all__ = [
    "Case",
    "Coverage",
    "Difference",
    "Judgement",
    "coverage_of",
    "judge",
    "read_cases",
    "run_case",
    "swept",
    "translate_case",
    "value_at",
]
