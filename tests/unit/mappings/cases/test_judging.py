"""Each output of a case is R4, US Core and what fhir.resources can parse; a wrong one is caught."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.fhir import definitions
from bridge.fhir.validate import Validator
from bridge.mappings.cases import judge, read_cases, swept
from bridge.mappings.lint import lint
from bridge.mappings.load import load
from bridge.mappings.rowplaces import RowPlaces
from bridge.mappings.translate import Translator
from bridge.mappings.watching import Watching
from tests.unit.mappings.small import TABLE, pack, with_part

CASES = """
kind: tiny/visit
record: { id: V1, child: K1, place: home }
cases:
  - name: it is
    expect: { parts: { visit: {} } }
"""


class Silent:
    """A validator that finds nothing."""

    def check_all(self, parts: object) -> tuple[()]:
        return ()


@pytest.fixture(scope="module")
def valid() -> Validator:
    return Validator(definitions.load())


def problems(mapping: str, valid: Any, cases: str = CASES) -> list[tuple[str, str, str]]:
    files = pack(mapping)
    (case,) = read_cases({"tiny/visit.cases.yaml": cases})
    return [(one.code, one.field, one.rule) for one in judge(case, Translator(load(files)), valid).problems()]


def observation(more: str) -> str:
    part = f"""
    visit:
      about: child
      resourceType: Observation
      code: {{ text: Mood }}
      subject: "{{{{ person('child') }}}}"
      effectiveDateTime: "2026-01-05"
      {more}
    """
    return with_part(part, tables="[]")


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SURVEY = f"category: [ {{ coding: [ {{ system: '{CATEGORY}', code: survey }} ] }} ]"
SCREENING = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"


def test_one_that_is_right_is_right(valid: Validator) -> None:
    assert problems(observation("status: final"), valid) == []


def test_r4_catches_a_code_outside_a_required_binding(valid: Validator) -> None:
    found = problems(observation("status: done"), valid)

    assert [field for _, field, _ in found] == ["it is: visit Observation.status"]


def test_us_core_catches_what_its_profile_wants(valid: Validator) -> None:
    profile = f"meta: {{ profile: ['{SCREENING}'] }}\n      status: final\n      valueString: Good"

    assert problems(observation(f"{profile}\n      {SURVEY}"), valid) == []
    (one,) = problems(observation(profile), valid)
    assert one[1] == "it is: visit Observation.category"


def test_fhir_resources_catches_what_it_cannot_parse(valid: Validator) -> None:
    mapping = observation("status: final\n      valueQuantity: { value: '{{ id }}' }")

    found = problems(mapping, Silent())

    assert [code for code, _, _ in found] == ["fhir-second-opinion"]
    assert found[0][1] == "it is: visit Observation.valueQuantity.value"
    assert "fhir-second-opinion" in [code for code, _, _ in problems(mapping, valid)]
    assert len(problems(mapping, valid)) > 1


def test_a_case_may_expect_findings_and_then_exactly_these(valid: Validator) -> None:
    mapping = observation("status: done")
    (found,) = problems(mapping, valid)
    expecting = CASES.replace("expect: {", f"expect: {{ findings: [ {{ part: visit, code: {found[0]} }} ],")

    said = problems(mapping, valid, expecting)

    assert [one for one in said if one[0] == "case-differs"] == []
    (missing,) = problems(observation("status: final"), valid, expecting)
    assert missing == ("case-differs", "it is: visit: finding", f"expected '{found[0]}', found nothing")


def test_r13_every_row_is_put_where_the_cases_look_its_table_up(valid: Validator) -> None:
    part = """
    visit:
      about: child
      resourceType: Observation
      status: "{{ %tables.lookup('place', place) }}"
      code: { text: Mood }
      subject: "{{ person('child') }}"
    """
    rows = ["home,urn:s,final,,equivalent,here,", "barn,urn:s,don,,equivalent,here,"]
    files = pack(with_part(part), table="\n".join([TABLE.splitlines()[0], *rows, ""]))
    watching = Watching()
    mappings = load(files, watching)

    found = list(swept(read_cases({"tiny/visit.cases.yaml": CASES}), mappings, valid, watching))

    assert [(table, row.code, one.path) for table, row, one in found] == [("tiny/place", "barn", "Observation.status")]


def test_each_row_of_a_code_is_put_where_its_table_is_looked_up_whatever_its_days(valid: Validator) -> None:
    part = """
    visit:
      about: child
      resourceType: Observation
      status: "{{ %tables.lookup('place', place) }}"
      code: { text: Mood }
      subject: "{{ person('child') }}"
    """
    rows = ["home,urn:s,final,,equivalent,here,,,", "home,urn:s,don,,equivalent,here,,2024-01-01,2024-12-31"]
    files = pack(with_part(part), table="\n".join([f"{TABLE.splitlines()[0]},from,until", *rows, ""]))
    watching = Watching()
    mappings = load(files, watching)
    places = RowPlaces(files)

    found = list(swept(read_cases({"tiny/visit.cases.yaml": CASES}), mappings, valid, watching))
    (linted,) = [one for one in lint(files).findings if one.code == "row-unbound"]

    assert [(row.target, one.path) for _, row, one in found] == [("don", "Observation.status")]
    assert places.where("tiny/place", "home", start="2024-01-01") == "tiny/tables/place.csv:3:1"
    assert linted.where == "tiny/tables/place.csv:3:12"
