"""Which paths an expression reads, found without running it."""

from __future__ import annotations

import pytest

from bridge.mappings.fhirpath import Reading, reads
from bridge.mappings.fhirpath.parser import parse
from bridge.mappings.fhirpath.shapes import root_shape


def _read(text: str, reading: Reading | None = None) -> set[str]:
    found = reads(parse(text), reading)
    return {read.path if read.whole else f"{read.path}?" for read in found}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("place", {"place"}), ("a.b.c", {"a.b.c"}), ("Patient.name.given", {"name.given"}), ("'x'", set()),
        ("{}", set()),
        ("a & b.c", {"a", "b.c"}), ("a[0].b", {"a.b"}), ("a[n].b", {"a.b", "n"}), ("a | b", {"a", "b"}),
        ("goals.where(status = 'x').title", {"goals.status", "goals.title"}), ("goals.exists()", {"goals?"}),
        ("goals.exists(status = 'x')", {"goals?", "goals.status"}), ("goals.count() > 1", {"goals?"}),
        ("goals.select(title & %context.place)", {"goals?", "goals.title", "place"}), ("goals.select('x')", {"goals?"}),
        ("goals.where(%resource.done).first().title", {"done", "goals.title"}), ("iif(a, b, c.d)", {"a", "b", "c.d"}),
        ("a.as(Quantity).unit", {"a.unit"}), ("a is Quantity", {"a?"}), ("a.upper().length()", {"a"}),
        ("caregiver", {"caregiver"}), ("$this", {""}), ("%context", {""}), ("descendants().x", {"", "*.x"}),
        ("a.children()", {"a", "a.*"}), ("repeat(item).text", {"?", "item", "item.text", "item.item.text"}),
        ("a.aggregate($total + $this.n, 0)", {"a?", "a.n"}), ("a.union(b)", {"a", "b"}), ("coalesce(a, b)", {"a", "b"}),
        ("a.exclude(b)", {"a", "b"}), ("birth.extension('u').value", {"birth.extension.value"}),
        ("a.resolve().b", {"a"}),
        ("%item.title", set()), ("a.select($index)", {"a?"}), ("%tables.lookup('x', place)", {"place"}),
        ("-(a + b)", {"a", "b"}), ("a.take(n)", {"a", "n"}), ("a.memberOf('u')", {"a"}), ("a.join(b)", {"a", "b"}),
    ],
)  # fmt: skip
def test_reads(text: str, paths: set[str]) -> None:
    assert _read(text) == paths


def test_a_choice_means_the_fields_of_the_schema() -> None:
    schema = {"type": "object", "properties": {"valueString": {"type": "string"}, "valueInteger": {"type": "integer"},
                                               "Thing": {"type": "object", "properties": {}}}}  # fmt: skip
    reading = Reading(shape=root_shape(schema))
    assert _read("value", reading) == {"valueString", "valueInteger"}
    assert _read("Thing.x", reading) == {"Thing.x"}
