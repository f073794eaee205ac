from __future__ import annotations

import re

import pytest

from bridge.errors import Problem
from bridge.mappings.fpml.text import within
from bridge.mappings.source import read


def test_every_value_keeps_its_line() -> None:
    problems: list[Problem] = []

    source = read("a.yaml", "one: 1\ntwo:\n  - x\n  - { y: z }\n", problems)

    assert source.value == {"one": 1, "two": ["x", {"y": "z"}]}
    assert source.where(("two", 1, "y")) == "a.yaml:4:7"
    assert source.where(("two", 1, "y", "deeper")) == "a.yaml:4:7"
    assert not problems


def test_only_core_values_are_read_as_values() -> None:
    source = read("a.yaml", "[no, on, yes, 2026-01-05, 010, 1_000, true, 7, -1.5, null]", [])

    assert source.value == ["no", "on", "yes", "2026-01-05", "010", "1_000", True, 7, -1.5, None]


def test_a_key_written_twice_is_a_problem_at_its_line() -> None:
    problems: list[Problem] = []

    read("a.yaml", "one: 1\none: 2\n", problems)

    assert [(problem.code, problem.where, problem.field) for problem in problems] == [
        ("yaml-duplicate-key", "a.yaml:2:1", "one")
    ]


def test_an_expression_without_quotes_says_so() -> None:
    problems: list[Problem] = []

    read("a.yaml", "one:\n  two: {{ words }}\n", problems)

    assert [(problem.code, problem.where) for problem in problems] == [("yaml-unquoted", "a.yaml:2:9")]


def test_what_is_not_yaml_names_the_line() -> None:
    problems: list[Problem] = []

    assert read("a.yaml", "one: 1\ntwo: [\n", problems).value is None
    assert read("b.yaml", "one: !!python/object:os.system x\n", problems).value is None

    assert [(problem.code, problem.where) for problem in problems] == [
        ("yaml-unreadable", "a.yaml:3:1"),
        ("yaml-unreadable", "b.yaml:1:6"),
    ]


def test_a_child_is_laid_over_its_parent_with_the_lines_of_both() -> None:
    parent = read("parent.yaml", "a:\n  b: 1\n  c: [1]\n  d: 2\n", [])
    child = read("child.yaml", "a:\n  c: [2, 3]\n  d: null\n  e: 4\n", [])

    both = parent.override(child)

    assert both.value == {"a": {"b": 1, "c": [2, 3], "e": 4}}
    assert both.where(("a", "b")) == "parent.yaml:2:3"
    assert both.where(("a", "c", 1)) == "child.yaml:2:10"
    assert both.where(("a", "e")) == "child.yaml:4:3"
    assert parent.value == {"a": {"b": 1, "c": [1], "d": 2}}


WRITTEN = """a: "x''y{{ plaec }}"
b: 'it''s {{ plaec }}'
c: >-
  one {{ place &
  plaec }}
d: |
    foo
      bar {{ plaec }}
e: "tab\\t\\u0041 \\
   {{ plaec }}"
f: word word
   {{ plaec }}
g: ["{{ plaec }}"]
"""


def test_a_place_inside_a_text_is_the_place_in_the_file_however_it_is_written() -> None:
    source = read("a.yaml", WRITTEN, [])
    lines = WRITTEN.splitlines()

    for path, value in [
        *(((key,), text) for key, text in source.value.items() if key != "g"),
        (("g", 0), "{{ plaec }}"),
    ]:
        known = source.place(path)
        assert known is not None
        place = within(value, value.index("plaec"), known.value)
        assert lines[place.line - 1][place.column - 1 :].startswith("plaec"), path


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a: " + "[" * 900 + "]" * 900,
        "&a [*a]",
        "a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c]\n"
        "e: &e [*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e]\n",
        "a: !!timestamp x",
        "a: !!binary x",
        "a: !!int x",
        "a: " + "9" * 5000,
        "a: \x00",
    ],
)
def test_what_no_mapping_holds_is_a_problem_with_a_place(text: str) -> None:
    problems: list[Problem] = []

    read("a.yaml", text, problems)

    assert [problem.code for problem in problems] == ["yaml-unreadable"]
    assert re.fullmatch(r"a\.yaml:\d+:\d+", problems[0].where)


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.system [id]\n", "a: !!set { b }\n", "a: !x b\n"])
def test_a_tag_is_refused_at_its_place_whatever_it_stands_on(text: str) -> None:
    problems: list[Problem] = []

    read("a.yaml", text, problems)

    assert [(one.code, one.rule, one.where) for one in problems] == [
        ("yaml-unreadable", "a mapping knows no tags", "a.yaml:1:4")
    ]
