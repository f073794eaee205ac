"""Which fields an expression of a mapping reads, found without running it."""

from __future__ import annotations

import pytest

from bridge.mappings.fhirpath.reads import Flow, Read
from bridge.mappings.template import Expression, Knowing

KNOWING = Knowing(
    variables={"goal": None, "made": None},
    origins={"goal": Flow(frozenset({"goals"})), "made": Flow(reads=frozenset({Read("words")}))},
)


@pytest.mark.parametrize(
    ("text", "read", "asked"),
    [
        ("a.b", "a.b", ""),
        ("a.where(c = 'x').d", "a.c a.d", ""),
        ("a.where(c.exists()).d.first()", "a.d", "a.c"),
        ("a.exists()", "", "a"),
        ("a.exists(b = 'x')", "a.b", "a"),
        ("a.count() > 1", "", "a"),
        ("a.select(b & c)", "a.b a.c", "a"),
        ("a.where($this = 'x')", "a", ""),
        ("iif(a, b, c)", "a b c", ""),
        ("coalesce(a, b)", "a b", ""),
        ("(a | b).c", "a.c b.c", ""),
        ("a.combine(b).c", "a.c b.c", ""),
        ("a[b].c", "a.c b", ""),
        ("(a as string).b", "a.b", ""),
        ("a in b", "a b", ""),
        ("narrative(a.b, c)", "a.b c", ""),
        ("a.where(person('child').exists()).b", "a.b", ""),
        ("%tables.lookup('t', a)", "a", ""),
        ("narrative(a).status", "a", ""),
        ("%goal.words", "goals.words", ""),
        ("%made", "words", ""),
        ("`a`.`b`", "a.b", ""),
        ("a.all(b = 1)", "a.b", "a"),
        ("'x' & 'y'", "", ""),
    ],
)
def test_the_fields_an_expression_reads_are_never_too_few(text: str, read: str, asked: str) -> None:
    found = Expression(text, KNOWING).flow.consumed()

    assert {one.path for one in found if one.whole} == set(read.split())
    assert {one.path for one in found if not one.whole} == set(asked.split())
