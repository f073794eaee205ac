"""What is right and looks as if it were not: lint says nothing of it."""

from __future__ import annotations

import textwrap

import pytest

from bridge.mappings.lint import lint
from tests.unit.mappings.lint.mistakes import told

KIND = """
kind: tiny/visit
title: A visit
id: id
subject: child
people: { child: child, mother: mother }
schema:
  type: object
  additionalProperties: false
  required: [id, child]
  properties:
    id: { type: string, format: id }
    child: { type: string, format: id }
    mother: { type: array, items: { type: string, format: id } }
    state: { enum: [open, closed, lost] }
    who:
      type: array
      items:
        type: object
        additionalProperties: false
        properties: { state: { type: string, format: code } }
"""
TABLE = """code,system,target,display,equivalence,source,note
open,http://hl7.org/fhir/event-status,in-progress,,equivalent,here,
closed,http://hl7.org/fhir/event-status,completed,,equivalent,here,
"""
HEAD = """
mapping: visit
reads: tiny/visit
tables: [state]
emits:
  visit:
    about: child
    when: state != 'lost'
    resourceType: Communication
    status: "{{ %tables.lookup('state', state) }}"
    note: [ { text: "{{ who.state.join(', ') }}" } ]
"""


@pytest.mark.parametrize(
    "lines",
    [
        "",
        # a condition inside where() asks about another field of the same name
        "category: [ { text: \"{{ who.where(iif(state != 'lost', true, false)).state.first() }}\" } ]",
        # text beside a primitive
        '_status: { extension: [ { url: "urn:x", valueString: "{{ id }}" } ] }',
        # a list in a list is flattened, and so are all results
        "recipient: [ \"{[ person('mother', 'RelatedPerson') ]}\", [ \"{{ person('child') }}\" ] ]",
        # one branch each of a choice
        "\"{% if state = 'open' %}\": { payload: [ { contentString: a } ] }\n"
        '"{% else %}": { payload: [ { contentReference: { display: b } } ] }',
        # an object in pieces has what is required
        '"{% merge %}":\n  - { sent: 2026-01-05 }\n  - "{% if state.exists() %}": { received: 2026-01-05T10:00:00Z }',
        # a name used only by a later name, and one in a loop
        '"{% assign %}":\n  - one: "{{ id }}"\n  - two: "{{ %one }}"\n'
        'category:\n  - "{% for w in who %}": { text: "{{ %w.state & %two }}" }',
        # a number sign in a text is no comment, nor is a question in one
        'category: [ { text: "# ?? not a mark" } ]  # not ?? a mark',
    ],
)
def test_it_is_quiet(lines: str) -> None:
    mapping = HEAD + textwrap.indent(lines, "    ") + "\n"

    files = {"tiny/visit.kind.yaml": KIND, "tiny/visit.yaml": mapping, "tiny/tables/state.csv": TABLE}

    assert told(lint(files)) == ()


OTHER = """
  answer:
    about: child
    when: {when}
    resourceType: Communication
    status: completed
    inResponseTo: [ "{{{{ {reference} }}}}" ]
"""


@pytest.mark.parametrize(
    ("when", "reference", "quiet"),
    [
        ("state != 'lost'", "part('visit')", True),
        ("state = 'open' and state != 'lost'", "part('visit')", True),
        ("state = 'open'", "part('visit')", False),
        ("state.exists()", "iif(state != 'lost', part('visit'))", True),
        ("state.exists()", "iif(state = 'lost', part('visit'))", False),
        ("state.exists()", "iif(part('visit').exists(), part('visit'))", True),
        ("state.exists()", "iif(part('visit').empty(), part('visit'))", False),
    ],
)
def test_a_reference_is_sure_where_its_part_is(when: str, reference: str, quiet: bool) -> None:
    mapping = HEAD + OTHER.format(when=when, reference=reference)
    files = {"tiny/visit.kind.yaml": KIND, "tiny/visit.yaml": mapping, "tiny/tables/state.csv": TABLE}

    assert [one.code for one in lint(files).findings] == ([] if quiet else ["part-conditional"])


def test_what_a_parent_wrote_is_told_at_the_parent_s_place() -> None:
    parent = HEAD + "labels: [ { path: who, class: legal, when: state = } ]\n"
    child = "mapping: v\nreads: tiny/visit\nextends: tiny/visit\nlabels:\n  - { path: whose, class: legal, when: id }\n"
    files = {"tiny/visit.kind.yaml": KIND, "tiny/visit.yaml": parent, "tiny/tables/state.csv": TABLE}

    found = lint({**files, "project/v.yaml": child})

    assert [(one.code, one.where) for one in found.errors] == [
        ("mapping-label", "project/v.yaml:5:13"),
        ("condition-type", "project/v.yaml:5:40"),
        ("FP02", "tiny/visit.yaml:12:51"),
    ]
