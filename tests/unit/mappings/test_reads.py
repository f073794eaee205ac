from __future__ import annotations

import pytest

from bridge.mappings.expressions import parse
from bridge.mappings.reads import Reads, Variable

VARIABLES = {
    "goal": Variable(frozenset({("goals",)})),
    "made": Variable(made_of=frozenset({("words",)})),
    "tables": Variable(),
}


def reads(text: str) -> Reads:
    return Reads(VARIABLES, frozenset({"narrative", "lookup"}), frozenset({("steps", "done")})).of(parse(text))


def dotted(paths: object) -> set[str]:
    return {".".join(path) for path in paths}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "read", "asked"),
    [
        ("a.b", "a.b", ""),
        ("a.where(c = 'x').d", "a.c a.d", ""),
        ("a.where(c.exists()).d.first()", "a.d", "a.c"),
        ("a.exists()", "", "a"),
        ("a.exists(b = 'x')", "a.b", "a"),
        ("a.count() > 1", "", "a"),
        ("a.select(b & c)", "a.b a.c", ""),
        ("a.select($this.b)", "a.b", ""),
        ("a.where($this = 'x')", "a", ""),
        ("iif(a, b, c)", "a b c", ""),
        ("coalesce(a, b)", "a b", ""),
        ("(a | b).c", "a.c b.c", ""),
        ("a.combine(b).c", "a.c b.c", ""),
        ("a[b].c", "a.c b", ""),
        ("a is string", "a", ""),
        ("(a as string).b", "a.b", ""),
        ("a in b", "a b", ""),
        ("-a + b", "a b", ""),
        ("narrative(a.b, c)", "a.b c", ""),
        ("%tables.lookup('t', a)", "a", ""),
        ("narrative(a).status", "a", ""),
        ("%goal.words", "goals.words", ""),
        ("%made", "words", ""),
        ("`a`.`b`", "a.b", ""),
        ("a.all(b = 1)", "a a.b", ""),
        ("'x' & 'y'", "", ""),
    ],
)
def test_the_fields_an_expression_reads_are_never_too_few(text: str, read: str, asked: str) -> None:
    found = reads(text)

    assert (dotted(found.read), dotted(found.asked)) == (set(read.split()), set(asked.split()))
    assert found.wrong == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a.trace('x')", "trace() may not be used: it prints what the record holds"),
        ("a.sum()", "sum() may not be used: fhirpathpy answers wrong"),
        ("a.avg()", "avg() may not be used: fhirpathpy answers wrong"),
        ("now()", "now() may not be used: a mapping knows no clock"),
        ("a.select(today())", "today() may not be used: a mapping knows no clock"),
        ("a.children()", "there is no function children()"),
        ("a.descendants()", "there is no function descendants()"),
        ("a.repeat(b)", "there is no function repeat()"),
        ("a.resolve()", "there is no function resolve()"),
        ("steps.where(done)", "where() by a bare true/false field keeps the false ones: write `field = true`"),
        ("steps.where($this.done).id", "where() by a bare true/false field keeps the false ones: write `field = true`"),
        ("steps.exists(done)", "exists() by a bare true/false field keeps the false ones: write `field = true`"),
        ("%nobody", "nothing here is called %nobody"),
        ("$this", "this reads the whole record: name the field"),
    ],
)
def test_what_may_not_stand_in_a_mapping_is_said(text: str, rule: str) -> None:
    assert rule in reads(text).wrong


def test_a_comparison_of_a_true_false_field_is_fine() -> None:
    assert reads("steps.where(done = true)").wrong == []


def test_the_calls_of_our_functions_are_listed_with_their_literals() -> None:
    (call,) = reads("%tables.lookup('place', a.b)").calls

    assert (call.name, call.arguments) == ("lookup", ("place", None))
