"""Which source paths flow into which element: what labels stand on."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.mappings.fhirpath import Read
from bridge.mappings.fpml import compile_template, covers, leaves


def _flows(template: Any, **options: Any) -> dict[str, tuple[set[str], set[str]]]:
    found: dict[str, tuple[set[str], set[str]]] = {}
    for leaf in leaves(compile_template(template).template, **options):
        reads, control = found.setdefault(leaf.target, (set(), set()))
        reads |= {read.path if read.whole else f"{read.path}?" for read in leaf.reads}
        control |= {read.path if read.whole else f"{read.path}?" for read in leaf.control}
    return found


@pytest.mark.parametrize(
    ("template", "flows"),
    [
        ({"status": "finished", "a": "{{ place }}"}, {"status": (set(), set()), "a": ({"place"}, set())}),
        ({"p": {"start": "{{ started }}"}}, {"p.start": ({"started"}, set())}),
        ({"x": "{{ a }}/{{ b.c }}"}, {"x": ({"a", "b.c"}, set())}),
        ({"x": ["{[ goals.where(done).title ]}"]}, {"x": ({"goals.done", "goals.title"}, set())}),
        ({"x": {"{% if stress > 5 %}": {"y": 1}, "{% else %}": {"z": "{{ a }}"}}},
         {"x.y": (set(), {"stress"}), "x.z": ({"a"}, {"stress"})}),
        ({"x": {"{% for g in goals %}": {"t": "{{ %g.title }}", "c": 1}}},
         {"x.t": ({"goals.title"}, {"goals?"}), "x.c": (set(), {"goals?"})}),
        ({"x": {"{% for i, g in goals.where(ok) %}": "{{ %i }}"}}, {"x": ({"goals.ok", "goals?"}, {"goals.ok",
         "goals?"})}),
        ({"{% assign %}": [{"n": "{{ narrative }}"}, {"m": "{{ %n.upper() }}"}], "x": "{{ %m }}", "y": 1},
         {"x": ({"narrative"}, set()), "y": (set(), set())}),
        ({"{% assign %}": [{"o": {"a": "{{ secret }}", "b": 1}}], "x": "{{ %o.b }}"}, {"x": ({"secret"}, set())}),
        ({"{% assign %}": [{"g": "{[ goals.where(ok) ]}"}], "x": {"{% for y in %g %}": "{{ %y.title }}"}},
         {"x": ({"goals.ok", "goals.title"}, {"goals.ok", "goals?"})}),
        ({"{% merge %}": [{"a": "{{ b }}"}, {"{% if c %}": {"d": "{{ e }}"}}]}, {"a": ({"b"}, set()), "d": ({"e"},
         {"c"})}),
        ({"x": "{{ caregiver }}"}, {"x": ({"caregiver"}, set())}),
        ({"x": "{{ goals.exists() }}"}, {"x": ({"goals?"}, set())}),
        ({"{% if a %}": {"{% if b %}": {"x": 1}}}, {"x": (set(), {"a", "b"})}),
        ({"x": [{"y": 1}, {"y": "{{ a }}"}]}, {"x.y": ({"a"}, set())}),
    ],
)  # fmt: skip
def test_flows(template: Any, flows: dict[str, tuple[set[str], set[str]]]) -> None:
    assert _flows(template) == flows


def test_a_variable_of_the_caller_comes_from_a_path() -> None:
    assert _flows({"x": "{{ %item.title }}"}, origins={"item": "goals"}) == {"x": ({"goals.title"}, set())}


def test_leaves_keep_their_place_in_the_template() -> None:
    template = {"section": [{"text": {"div": "{{ a }}"}}, {"text": {"div": "{{ b }}"}}, {"title": "t"}]}
    found = leaves(compile_template(template).template)
    assert [leaf.path for leaf in found] == [("section", 0, "text", "div"), ("section", 1, "text", "div"),
                                             ("section", 2, "title")]  # fmt: skip
    assert [leaf.expression for leaf in found] == ["a", "b", ""]
    assert found[0].sources == {Read("a")}


@pytest.mark.parametrize(
    ("label", "read", "answer"),
    [
        ("a", Read("a"), True), ("a", Read("a.b"), True), ("a.b", Read("a"), True),
        ("a.b", Read("a", whole=False), False),
        ("a", Read("ab"), False), ("ab", Read("a"), False), ("a", Read(""), True), ("a", Read("", whole=False), False),
        ("a.b", Read("a.c"), False), ("a", Read("a.b", whole=False), True),
    ],
)  # fmt: skip
def test_a_label_stands_on_a_path_and_all_beneath(label: str, read: Read, answer: bool) -> None:
    assert covers(label, read) is answer
