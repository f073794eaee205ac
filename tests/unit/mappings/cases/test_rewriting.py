"""An expectation written anew where it stands, with as little of the text changed as can be."""

from __future__ import annotations

import random

import pytest

from bridge.errors import Problem
from bridge.mappings.cases import Judgement, read_cases, translate_case
from bridge.mappings.cases.differences import differences, released
from bridge.mappings.cases.judging import judge
from bridge.mappings.cases.rewriting import flow, rewritten
from bridge.mappings.load import available_packs, load, read_all
from bridge.mappings.source import read
from bridge.mappings.translate import Translator
from bridge.release.trial import stated
from tests.unit.mappings.cases.one import FILE, NAME, only
from tests.unit.mappings.cases.test_judging import Silent
from tests.unit.mappings.small import loaded

PARTS = FILE[FILE.index("      parts:") :]


def updated(text: str) -> str:
    """The whole file after its one case was written anew."""
    problems: list[object] = []
    files = rewritten({NAME: text}, [judge(only(text), Translator(loaded()), Silent())], problems)  # type: ignore[arg-type]
    assert problems == []
    return files.get(NAME, text)


def test_a_case_that_holds_is_left_as_it_is() -> None:
    assert updated(FILE) == FILE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("visit: { is: { class.code: FLD } }  # why", "visit: { is: { class.code: HH } }  # why"),
        ("visit: { is: { class.code: FLD, class.cod: X } }", "visit: { is: { class.code: HH } }"),
        ("visit: { is: { class.cod: X }, about: K1 }", "visit: { about: K1 }"),
        ("visit: { about: K9, labels: [narrative, legal] }", "visit: { about: K1, labels: [ordinary] }"),
        ("visit: { has_not: [status, priority] }", "visit: { has_not: [priority] }"),
        ("visit: { is: { status: null, class.display: x } }",
         "visit: { is: { status: finished, class.display: home } }"),
        ("visit:\n          is:\n            # one\n            class.code: FLD   # two\n          about: K1",
         "visit:\n          is:\n            # one\n            class.code: HH   # two\n          about: K1"),
        ("visit:\n          is:\n            class.cod: FLD\n            class.code: HH\n          about: K1",
         "visit:\n          is:\n            class.code: HH\n          about: K1"),
        ("visit:\n          labels:\n            - legal\n            - narrative\n          about: K1",
         "visit:\n          labels: [ordinary]\n          about: K1"),
        ("visit:\n          labels:   # why\n            - legal\n          about: K1",
         "visit:\n          labels:   # why\n            [ordinary]\n          about: K1"),
        ("visit:\n          is:\n            class: { code: FLD }",
         "visit:\n          is:\n            class: { system: \"urn:place\", code: HH, display: home }"),
        ("visit:\n        other: { about: K1 }", "visit:"),
        ("visit:\n          about: |\n            K9\n          labels: [ordinary]",
         "visit:\n          about: K1\n          labels: [ordinary]"),
        ("other: {}  # gone", "visit: { about: K1, labels: [ordinary] }  # gone"),
    ],
)  # fmt: skip
def test_only_what_differs_is_changed(before: str, after: str) -> None:
    head, tail = FILE[: FILE.index("        visit:")], "\n# the end\n"
    if before.startswith("other"):
        made = updated(f"{head}        {before}{tail}")
        assert "about: K1, labels: [ordinary]" in made
        assert made.endswith(tail)
        return

    assert updated(f"{head}        {before}{tail}") == f"{head}        {after}{tail}"


@pytest.mark.parametrize(
    ("record", "expect"),
    [
        ("{ place: barn }", '{ holds: ["table:oak:tiny/place:barn"] }'),
        ("{ place: 7 }", "{ rejected: [place] }"),
        ("{ status: void }", "\n      parts: {}"),
    ],
)
def test_what_is_held_or_refused_is_expected_to_be(record: str, expect: str) -> None:
    text = FILE.replace("    expect:", f"    record: {record}\n    expect:")

    made = updated(text)

    assert made.startswith(text[: text.index("    expect:")])
    assert only(made).expect == only(text[: text.index("    expect:")] + f"    expect: {expect}\n").expect


def test_what_was_held_and_is_made_now_is_stated_by_person_and_labels() -> None:
    made = updated(FILE.replace(PARTS, "      holds: [x]   # no more\n"))

    assert made.endswith("    expect: { parts: { visit: { about: K1, labels: [ordinary] } } }   # no more\n")


def test_one_line_of_yaml_reads_back() -> None:
    value = {
        "plain": "a word", "odd": ["yes", "null", "true", "7", "2026-01-05", "", " x", "a: b", "#", "é — «ñ»", "a\nb",
        "it's", 'say "x"', 'it\'s "x"', "{x}", "-", "- x", "&a", "*a", "!x", "%", "@", "`", "|", ">"],
        "numbers": [1, -7, 62.5, True, False, None], "a: key": {}, "[": [],
    }  # fmt: skip

    assert read("", flow(value), []).value == value


def test_a_case_of_a_pack_is_written_anew_for_whatever_came_about() -> None:
    """Each of some cases with what came of another of its file: the new text expects that, and no other moves."""
    files = read_all(available_packs())
    translator = Translator(load(files))
    cases = read_cases(files)
    dice = random.Random(20261122)
    for case in dice.sample(cases, 25):
        other = dice.choice([one for one in cases if one.source.file == case.source.file])
        translation, refused = translate_case(other, translator)
        leaving = released(other, translator, translation, stated)
        found = differences(case, translation, refused, released=leaving)
        problems: list[Problem] = []
        judgement = Judgement(case, translation, tuple(refused), tuple(found), released=leaving)

        texts = rewritten(files, [judgement], problems)

        assert problems == []
        assert bool(texts) == bool(found)
        again = {one.name: one for one in read_cases({**files, **texts}) if one.kind == case.kind}
        assert differences(again.pop(case.name), translation, refused, released=leaving) == []
        assert [one.expect for one in cases if one.name in again and one.kind == case.kind] == [
            one.expect for one in again.values()
        ]
