from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.mappings.cases import read_cases, run_case, value_at
from bridge.mappings.translate import Translator
from tests.unit.mappings.small import loaded

FILE = """
kind: tiny/visit
agency: { id: oak, program: pilot }
record: { id: V1, child: K1, place: home }
cases:
  - name: as it is
    expect:
      parts:
        visit: { about: K1, labels: [ordinary], is: { class.code: HH, "identifier[0].value": tiny/visit/V1/visit } }
"""


def differences(text: str) -> list[str]:
    translator = Translator(loaded())
    (case,) = read_cases({"tiny/visit.cases.yaml": text})
    return [str(one) for one in run_case(case, translator)]


def test_a_case_that_holds_has_no_differences() -> None:
    assert differences(FILE) == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("about: K1", "about: K2", "visit about: expected 'K2', found 'K1'"),
        ("[ordinary]", "[narrative]", "visit labels: expected ['narrative'], found ['ordinary']"),
        ("class.code: HH", "class.code: FLD", "visit.class.code: expected 'FLD', found 'HH'"),
        ("class.code: HH", "class.cod: HH", "visit.class.cod: expected 'HH', found None"),
        ("is: {", "has_not: [status], is: {", "visit.status: expected None, found 'finished'"),
        ("        visit: {", "        visti: {", "parts: expected ['visti'], found ['visit']"),
        ("    expect:", "    expect:\n      holds: [x]", "holds: expected ['x'], found []"),
        ("    expect:", "    record: { place: 7 }\n    expect:", "rejected: expected [], found ['place']"),
        ("    expect:", "    expect:\n      rejected: [place]", "rejected: expected ['place'], found []"),
    ],
)
def test_a_case_that_does_not_hold_says_where(old: str, new: str, difference: str) -> None:
    assert difference in differences(FILE.replace(old, new, 1))


def test_a_case_lays_its_record_over_the_base_and_may_add_rows() -> None:
    text = FILE.replace(
        "    expect:",
        "    record: { place: barn }\n"
        "    rows: { tiny/place: { barn: { system: 'urn:x', target: HH, display: B, source: s } } }\n"
        "    expect:",
    )

    assert differences(text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: tiny/visit\n", ""),
        ("name: as it is", "nam: as it is"),
        ("    expect:", "    expects: {}\n    expect:"),
        ("      parts:", "      part: {}\n      parts:"),
        ("about: K1", "abuot: K1"),
    ],
)
def test_a_case_file_that_cannot_be_used_is_named(old: str, new: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_cases({"tiny/visit.cases.yaml": FILE.replace(old, new, 1)})

    assert caught.value.problems[0].where.startswith("tiny/visit.cases.yaml:")


def test_paths_lead_through_lists() -> None:
    value = {"a": [{"b": 1}, {"c": 2}, {"b": [3, 4]}]}

    assert value_at(value, "a[0].b") == 1
    assert value_at(value, "a[*].b") == [1, [3, 4]]
    assert value_at(value, "a[2].b[1]") == 4
    assert value_at(value, "a[9].b") is None
    assert value_at(value, "a.b") is None
