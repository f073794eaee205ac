"""`holds:` in a mapping: a record that a person must see first waits, whatever could be made of it."""

from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.mappings import load
from bridge.mappings.translate import AgencyContext, Translator
from bridge.model import HoldReason, Owner
from tests.unit.mappings.small import line_of

KIND = """\
kind: p/visit
title: A visit
id: id
subject: client
people: { client: client }
agency_only: [kept]
schema:
  type: object
  additionalProperties: false
  required: [id, client]
  properties:
    id: { type: string, format: id }
    client: { type: string, format: id }
    how: { type: string, format: code }
    started: { type: string, format: moment }
    kept: { type: string, format: code }
"""
MAPPING = """\
mapping: visit
reads: p/visit
holds:
  - { when: "how = 'group'", reason: decision, rule: it is about a group, next_step: read it }
  - { when: started.empty(), reason: record, rule: it has no time, next_step: set one }
emits:
  encounter:
    about: client
    resourceType: Encounter
    status: finished
    subject: "{{ person('client') }}"
    period: { start: "{{ instant(started) }}" }
"""
AGENCY = AgencyContext(id="elm", name="Elm Street", program="default", timezone="America/Toronto")


def files(**changed: str) -> dict[str, str]:
    return {"p/visit.kind.yaml": KIND, "p/visit.yaml": MAPPING} | {
        f"p/{name}.yaml": text for name, text in changed.items()
    }


def test_a_record_that_meets_none_of_them_is_translated() -> None:
    translator = Translator(load.load(files()))

    made = translator.translate("p/visit", {"id": "1", "client": "7", "started": "2026-01-05"}, AGENCY)

    assert (len(made.parts), made.holds) == (1, ())


def test_a_record_is_held_for_every_reason_there_is_and_makes_nothing() -> None:
    translator = Translator(load.load(files()))

    made = translator.translate("p/visit", {"id": "1", "client": "7", "how": "group"}, AGENCY)

    assert made.parts == ()
    assert [(hold.reason, hold.rule, hold.next_step, hold.owner) for hold in made.holds] == [
        (HoldReason.DECISION, "it is about a group", "read it", Owner.AGENCY),
        (HoldReason.RECORD, "it has no time", "set one", Owner.AGENCY),
    ]


def test_what_a_parent_holds_a_child_cannot_let_go() -> None:
    child = "mapping: ours\nextends: p/visit\nreads: p/visit\nholds:\n  - { when: \"how = 'phone'\", reason: decision, "
    child += "rule: it was a call, next_step: read it }\n"
    translator = Translator(load.load(files(ours=child)))

    held = {
        how: [hold.rule for hold in translator.translate("p/visit", record, AGENCY).holds]
        for how in ("group", "phone", "visit")
        for record in [{"id": "1", "client": "7", "started": "2026-01-05", "how": how}]
    }

    assert held == {"group": ["it is about a group"], "phone": ["it was a call"], "visit": []}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{ when: how = 'group', reason: link, rule: r, next_step: n }", "mapping-hold"),
        ("{ when: how = 'group', reason: decision, rule: r }", "mapping-hold"),
        ("- just words", "mapping-hold"),
        ("{ when: how =, reason: decision, rule: r, next_step: n }", "FP02"),
        ("{ when: mood.exists(), reason: decision, rule: r, next_step: n }", "mapping-path"),
        ("{ when: kept.exists(), reason: decision, rule: r, next_step: n }", "mapping-agency-only"),
    ],
)
def test_a_hold_that_cannot_be_understood_is_refused_with_its_line(line: str, code: str) -> None:
    mapping = MAPPING.replace(
        "{ when: \"how = 'group'\", reason: decision, rule: it is about a group, next_step: read it }", line
    )

    with pytest.raises(ConfigError) as caught:
        load.load(files(visit=mapping))

    assert [(problem.code, line_of(problem)) for problem in caught.value.problems] == [(code, "p/visit.yaml:4")]


def test_a_record_that_a_person_decided_to_send_is_held_for_a_decision_no_more() -> None:
    translator = Translator(load.load(files()))
    record = {"id": "1", "client": "7", "how": "group", "started": "2026-01-05"}

    assert [hold.reason for hold in translator.translate("p/visit", record, AGENCY).holds] == [HoldReason.DECISION]
    made = translator.translate("p/visit", record, AGENCY, decided=True)

    assert (len(made.parts), made.holds) == (1, ())


def test_what_else_holds_it_still_does() -> None:
    translator = Translator(load.load(files()))

    made = translator.translate("p/visit", {"id": "1", "client": "7", "how": "group"}, AGENCY, decided=True)

    assert [hold.reason for hold in made.holds] == [HoldReason.RECORD]
