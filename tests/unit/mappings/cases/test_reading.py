from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.mappings.cases import read_cases
from tests.unit.mappings.cases.one import FILE, NAME


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        ("kind: tiny/visit\n", "", 2, "a case file names its `kind` and lists its `cases`"),
        ("name: as it is", "nam: as it is", 6, "a case has a `name` and says what to `expect`"),
        ("kind: tiny", "kinds: x\nkind: tiny", 2, "there is only agency, cases, kind, not_covered, record"),
        ("    expect:", "    expects: {}\n    expect:", 7,
         "there is only agency, consents, expect, name, proves, recipient, record, rows"),
        ("      parts:", "      part: {}\n      parts:", 8, "there is only findings, holds, parts, rejected, released"),
        ("about: K1", "abuot: K1", 9, "there is only about, has_not, is, labels, sections, whole"),
        ("about: K1", "about: [K1]", 9, "is text"),
        ("labels: [ordinary]", "labels: ordinary", 9, "is a list"),
        ("{ id: oak,", "{ idd: oak,", 3, "there is only id, language, name, phone, program, timezone"),
        ("record: { id: V1, child: K1, place: home }", "record: [1]", 4, "is an object"),
        ("    expect:", "    rows: { tiny/place: { barn: { targt: HH } } }\n    expect:", 7,
         "this row has a target exactly when its equivalence is not `unmatched`"),
        ("    expect:", "    rows: { tiny/place: { barn: { target: 7 } } }\n    expect:", 7,
         "the cells of a row are text"),
        ("cases:", "not_covered: [ { place: x } ]\ncases:", 5,
         "a place that no case can reach is written {place: …, reason: …}"),
        ("      parts:", "      holds: x\n      parts:", 8, "is a list"),
        ("      parts:", "      findings: [x]\n      parts:", 8,
         "an expected finding is written {part: …, code: …}, with `path` where it matters"),
    ],
)  # fmt: skip
def test_a_case_file_that_cannot_be_used_is_named(old: str, new: str, line: int, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_cases({NAME: FILE.replace(old, new, 1)})

    (problem,) = caught.value.problems
    assert (problem.where.split(":")[:2], problem.rule, problem.code) == ([NAME, str(line)], rule, "case-shape")


def test_an_expectation_says_something_and_no_two_cases_share_a_name() -> None:
    text = FILE + "  - { name: as it is, expect: {} }\n"

    with pytest.raises(ConfigError) as caught:
        read_cases({NAME: text})

    assert [problem.rule for problem in caught.value.problems] == [
        "another case of this file has this name",
        "says at least one of parts, released, holds, rejected, findings",
    ]


def test_what_is_no_yaml_is_told_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_cases({NAME: FILE.replace("{ id: oak", "{ id: oak: x", 1)})

    assert [problem.code for problem in caught.value.problems] == ["yaml-unreadable"]


def test_a_projects_case_stands_in_place_of_a_packs_of_its_name() -> None:
    files = {NAME: FILE, "project/visit.cases.yaml": FILE, "project/more.cases.yaml": FILE.replace("as it", "as she")}

    assert [case.source.file for case in read_cases(files)] == ["project/more.cases.yaml", "project/visit.cases.yaml"]
