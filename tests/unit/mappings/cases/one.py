"""One case over the tiny pack, to be changed by the tests."""

from __future__ import annotations

from bridge.mappings.cases import Case, read_cases, run_case
from bridge.mappings.translate import Translator
from tests.unit.mappings.small import loaded

NAME = "tiny/visit.cases.yaml"
FILE = """
kind: tiny/visit
agency: { id: oak, program: pilot }
record: { id: V1, child: K1, place: home }
cases:
  - name: as it is
    expect:
      parts:
        visit: { about: K1, labels: [ordinary], is: { class.code: HH, "identifier[0].value": tiny/visit/V1/visit } }
"""


def only(text: str = FILE) -> Case:
    (case,) = read_cases({NAME: text})
    return case


def differences(text: str) -> list[str]:
    translator = Translator(loaded())
    return [f"{one} ({one.hint})" if one.hint else str(one) for one in run_case(only(text), translator)]
