from __future__ import annotations

from bridge.mappings.cases import coverage_of, read_cases, run_case
from bridge.mappings.cases.coverage import Coverage, idle_reasons
from bridge.mappings.load import Mappings, load
from bridge.mappings.translate import Translator
from bridge.mappings.watching import Watching
from tests.unit.mappings.small import TABLE, pack

MAPPING = """
mapping: visit
reads: tiny/visit
tables: [place]
holds:
  - { when: flag = true, reason: decision, rule: somebody looks, next_step: look }
emits:
  visit:
    about: child
    when: place.exists()
    resourceType: Encounter
    status: "{{ iif(status = 'open', 'in-progress', 'finished') }}"
    class: "{{ %tables.coding('place', place) }}"
    priority:
      "{% if version > 1 %}": { text: Again }
  step:
    about: child
    each: steps
    resourceType: Goal
    description: { text: "{{ %item.text }}" }
    note: { "{% for step in %item.where(done = true) %}": { text: "Done: {{ %step.text }}" } }
labels:
  - { path: steps.text, class: narrative, when: version > 2 }
  - { path: steps.text, class: ordinary }
"""
CASES = """
kind: tiny/visit
record: { id: V1, child: K1, version: 1 }
cases:
  - name: no place
    expect: { parts: {} }
"""
FULL = """
  - name: at home, again, with what was done
    record:
      { place: home, version: 3, status: open, steps: [ { id: a, text: One, done: true }, { id: b, done: false } ] }
    expect: { parts: {} }
  - name: at home
    record: { place: barn, steps: [ { id: a, text: One } ] }
    expect: { parts: {} }
  - name: looked at
    record: { flag: true }
    expect: { holds: [] }
"""
ROWS = TABLE + "barn,urn:place,FLD,barn,equivalent,here,\n"


def covered(cases: str) -> tuple[Mappings, dict[str, str], Coverage]:
    files = {**pack(MAPPING, table=ROWS), "tiny/visit.cases.yaml": cases}
    watching = Watching()
    mappings = load(files, watching)
    for case in read_cases(files):
        run_case(case, Translator(mappings))
    return mappings, files, coverage_of(mappings, watching, files)


def missed(cases: str) -> list[str]:
    return [str(one) for one in covered(cases)[2].missed()]


def test_what_no_case_reaches_is_listed_by_its_line() -> None:
    assert missed(CASES) == [
        "tiny/visit.yaml:6:13: holds.0.when: no case makes this true",
        "tiny/visit.yaml:10:11: visit.when: no case makes this true",
        "tiny/visit.yaml:11:19: visit.resourceType: no case gives this a value",
        "tiny/visit.yaml:12:17: visit.status: no case gives this a value",
        "tiny/visit.yaml:12:17: visit.status: no case makes this true",
        "tiny/visit.yaml:12:17: visit.status: no case makes this false",
        "tiny/visit.yaml:13:16: visit.class: no case gives this a value",
        "tiny/visit.yaml:15:14: visit.priority.{% if version > 1 %}: no case makes this true",
        "tiny/visit.yaml:15:14: visit.priority.{% if version > 1 %}: no case makes this false",
        "tiny/visit.yaml:15:31: visit.priority.{% if version > 1 %}: no case gives this a value",
        "tiny/visit.yaml:18:11: step.each: no case has an entry here",
        "tiny/visit.yaml:19:19: step.resourceType: no case gives this a value",
        "tiny/visit.yaml:20:30: step.description.text: no case gives this a value",
        "tiny/visit.yaml:21:29: step.note.{% for step in %item.where(done = true) %}: no case has an entry here",
        "tiny/visit.yaml:21:29: step.note.{% for step in %item.where(done = true) %}: no case is without an entry here",
        "tiny/visit.yaml:21:68: step.note.{% for step in %item.where(done = true) %}.text: no case gives this a value",
        "tiny/visit.yaml:23:49: labels.0.when: no case makes this true",
        "tiny/visit.yaml:23:49: labels.0.when: no case makes this false",
        "tiny/tables/place.csv:2:1: home: no case looks this row up",
        "tiny/tables/place.csv:3:1: barn: no case looks this row up",
    ]


def test_when_all_is_reached_nothing_is_listed() -> None:
    _, _, coverage = covered(CASES + FULL)

    assert missed(CASES + FULL) == []
    assert str(coverage) == "7/7 lines, 14/14 branches, 2/2 rows"
    assert str(coverage.mappings[0]) == "7/7 lines, 14/14 branches"


def test_a_reason_why_no_case_can_is_told_and_an_idle_one_found() -> None:
    more = ["not_covered:", "  - { place: visit.class, reason: it is so }", "  - { place: visit.x, reason: it was so }"]
    mappings, files, coverage = covered(CASES.replace("cases:", "\n".join([*more, "cases:"])))

    assert "tiny/visit.yaml:13:16: visit.class: no case gives this a value (it is so)" in map(str, coverage.missed())
    (idle,) = idle_reasons(files, mappings, coverage)
    assert (idle.place, idle.where.split(":")[1]) == ("visit.x", "6")
