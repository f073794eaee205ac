"""R24-R26 in cases: with which consents a record goes to whom, and what of it leaves."""

from __future__ import annotations

import pytest
import yaml

from bridge.errors import ConfigError, Problem
from bridge.fhir.definitions import load as definitions
from bridge.mappings.cases import judge, run_case
from bridge.mappings.cases.rewriting import rewritten
from bridge.mappings.lint import lint
from bridge.mappings.load import read_all
from bridge.mappings.translate import Translator
from bridge.release.trial import stated
from tests.unit.mappings.cases.one import FILE, NAME, only
from tests.unit.mappings.cases.test_judging import Silent
from tests.unit.mappings.small import loaded, pack

TO = 'recipient: { practice: elm, at: "2026-03-15" }'
GIVEN = 'consents: [ { person: K1, from: "2026-01-01" } ]'


def case_file(expect: str, *more: str) -> str:
    beside = "".join(f"    {one}\n" for one in more)
    return FILE[: FILE.index("    expect:")] + beside + f"    expect: {{ released: {expect} }}\n"


def told(expect: str, *more: str) -> list[str]:
    return [str(one) for one in run_case(only(case_file(expect, *more)), Translator(loaded()), stated)]


def test_r26_what_leaves_must_be_said_and_what_stays_may_be() -> None:
    assert told("{ K1: { visit: leaves } }", TO, GIVEN) == []
    assert told("{}", TO, GIVEN) == ["visit: released K1: expected nothing, found 'leaves'"]
    assert told("{}", TO) == []
    assert told("{ K1: { visit: stays } }", TO) == []
    assert told("{ K1: { visit: no consent of this person for this practice is recorded } }", TO) == []


def test_a_difference_names_the_person_the_part_and_both_rules() -> None:
    assert told("{ K1: { visit: leaves } }", TO) == [
        "visit: released K1: expected 'leaves', found 'no consent of this person for this practice is recorded'"
    ]
    assert told("{ K1: { visit: stays } }", TO, GIVEN) == ["visit: released K1: expected 'stays', found 'leaves'"]
    assert told("{ K1: { note: leaves } }", TO) == ["note: released K1: expected 'leaves', found nothing"]
    assert told("{ K2: { visit: leaves } }", TO) == ["visit: released K2: expected 'leaves', found nothing"]


def test_without_the_rules_of_release_the_expectation_does_not_hold() -> None:
    case = only(case_file("{ K1: { visit: leaves } }", TO, GIVEN))
    assert [one.place for one in run_case(case, Translator(loaded()))] == ["visit: released K1"]


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ((), "released", "a case that expects this names its `recipient`"),
        ((GIVEN,), "practice", "names the practice that would receive"),
        (("recipient: { practice: elm }",), "at", "says the day that counts, YYYY-MM-DD"),
        (('recipient: { practice: elm, at: "soon" }',), "at", "is a day, YYYY-MM-DD"),
        (("recipient: { practice: elm, at: '2026-01-01', part2: maybe }",), "part2", "is true or false"),
        ((TO, "consents: [ { person: K1 } ]"), "consents", "says whose records it is about (`person`) and `from`"),
        ((TO, "consents: [ { person: K1, from: '2026-01-01', classes: [legal] } ]"), "classes", "lists classes that"),
        ((TO, "consents: [ { person: K1, from: '2026-01-01', authority: aunt } ]"), "authority", "authority is one of"),
        ((TO, "consents: [ { person: K1, from: '2026-01-01', colour: red } ]"), "colour", "there is only authority"),
        ((TO, "consents: [ K1 ]"), "consents", "a consent is an object"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_key(more: tuple[str, ...], field: str, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        only(case_file("{}", *more))
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("case-shape", field)
    assert problem.rule.startswith(rule)


def test_consents_that_nothing_is_expected_of_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="expects what is `released`"):
        only(FILE + f"    {TO}\n")


def test_update_writes_what_leaves_and_keeps_the_words_that_hold() -> None:
    text = case_file("{ K1: { visit: stays }, K2: { visit: leaves } }", TO, GIVEN)
    problems: list[Problem] = []
    found = judge(only(text), Translator(loaded()), Silent(), stated)  # type: ignore[arg-type]
    (new,) = rewritten({NAME: text}, [found], problems).values()
    assert problems == []
    assert yaml.safe_load(new)["cases"][0]["expect"] == {"released": {"K1": {"visit": "leaves"}}}
    assert run_case(only(new), Translator(loaded()), stated) == []
    held = case_file("{ K1: { visit: stays }, K2: { visit: leaves } }", TO)
    found = judge(only(held), Translator(loaded()), Silent(), stated)  # type: ignore[arg-type]
    (new,) = rewritten({NAME: held}, [found], problems).values()
    assert yaml.safe_load(new)["cases"][0]["expect"] == {"released": {"K1": {"visit": "stays"}}}


def test_lint_knows_the_parts_that_a_chart_may_name() -> None:
    files = {**pack(), NAME: case_file("{ K1: { visti: leaves } }", TO)}
    (found,) = [one for one in lint(files, definitions()).errors if one.code == "case-part"]
    assert (found.field, found.next_step) == ("visti", "did you mean visit?")


def test_r24_r25_r26_are_stated_by_cases_of_both_packs() -> None:
    files = read_all(("ma-soc", "konote"))
    stating = {name for name, text in files.items() if name.endswith(".cases.yaml") and "released:" in text}
    assert {name.partition("/")[0] for name in stating} == {"ma-soc", "konote"}
