"""HL7's own FHIRPath suite for R4, read in place from the Maven artefact org.hl7.fhir.testcases:fhir-test-cases.

It is not part of the project. `mvn dependency:get -Dartifact=org.hl7.fhir.testcases:fhir-test-cases:1.7.46` brings it
into the local Maven repository, where this test finds it; FHIR_TEST_CASES may name another copy.
"""

from __future__ import annotations

import json
import os
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bridge.mappings.fhirpath import EvaluationError, ExpressionError, Moment, Quantity, compile_expression
from bridge.mappings.fhirpath.values import bare, system
from tests.unit.mappings.fhirpath.r4_model import R4Model

_FOLDER = "org/hl7/fhir/testcases/"
_REPOSITORY = Path.home() / ".m2/repository/org/hl7/fhir/testcases/fhir-test-cases"

OUT_OF_SCOPE = {
    "refused by design": ("trace(", "now()", "today()", "conformsTo(", "defineVariable("),
    "not in N1": (".lowBoundary(", ".highBoundary(", ".precision(", ".comparable(", ".sort("),
}
DIFFERENT = {
    "testIif6": "N1 Singleton Evaluation: a single item that is no Boolean counts as true",
    "testPlusDate19": "0.1 's' on a date-time with milliseconds is 100 ms: seconds and milliseconds are one precision",
    "testPolymorphicsB": "valueQuantity is read as the JSON has it; N1 has no model to forbid it",
    "testFHIRPathAsFunction11": "N1 as: the type or a subclass thereof, and a code is a string",
    "testFHIRPathAsFunction16": "N1 ofType: the type or a subclass thereof, and a code is a string",
    "testCombine1": "the artefact's JSON of the code system lacks the repeated code that its XML has",
}
"""Cases answered otherwise, with the reason; an entry that is no longer needed fails the test."""


def _jar() -> Path | None:
    named = os.environ.get("FHIR_TEST_CASES")
    found = [Path(named)] if named else sorted(_REPOSITORY.glob("*/fhir-test-cases-*.jar"))
    return next((path for path in found if path.is_file()), None)


def _inputs(archive: zipfile.ZipFile, name: str) -> Any:
    stem = name.rpartition(".")[0]
    folders = ("r4/examples", "r4", "r5/examples", "r5")
    if stem == "observation-example":  # R4's JSON lacks an extension that its XML has
        folders = folders[::-1]
    for folder in folders:
        path = f"{_FOLDER}{folder}/{stem}.json"
        if path in archive.namelist():
            return json.loads(archive.read(path))
    return None


def _expected(kind: str | None, text: str) -> str:
    if kind in ("date", "dateTime", "time"):
        return text.removeprefix("@").removeprefix("T")
    return str(Decimal(text).normalize()) if kind in ("decimal", "integer") else text


def _given(item: object) -> str:
    value = system(item)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(Decimal(value).normalize())
    return str(value) if isinstance(value, str | Moment | Quantity) else json.dumps(bare(item))


def run_case(test: ElementTree.Element, data: Any) -> str:
    """ "" where our answer is the suite's, else what differs."""
    expression = test.find("expression")
    assert expression is not None
    invalid = expression.get("invalid")
    try:
        compiled = compile_expression(expression.text or "", model=R4Model(), variables={})
        items = compiled.evaluate(data)
    except (ExpressionError, EvaluationError) as error:
        return "" if invalid else f"error {error.code}"
    if invalid:
        return "no error"
    wanted = [_expected(output.get("type"), output.text or "") for output in test.findall("output")]
    if test.get("predicate") == "true":
        return "" if [("true" if items else "false")] == wanted else "predicate"
    given = [_given(item) for item in items]
    return "" if given == wanted or sorted(given) == sorted(wanted) else f"{len(given)} items for {len(wanted)}"


def outcomes(jar: Path) -> dict[str, tuple[str, str, str]]:
    """Every case of the suite: group, expression and what differs."""
    found: dict[str, tuple[str, str, str]] = {}
    with zipfile.ZipFile(jar) as archive:
        suite = ElementTree.fromstring(archive.read(f"{_FOLDER}r4/fhirpath/tests-fhir-r4.xml"))
        data: dict[str, Any] = {}
        for group in suite.findall("group"):
            for number, test in enumerate(group.findall("test")):
                name = test.get("inputfile", "patient-example.xml")
                data.setdefault(name, _inputs(archive, name))
                expression = test.findtext("expression") or ""
                if test.get("mode") in ("cda", "strict", "element"):
                    continue
                key = f"{group.get('name')}/{number}/{test.get('name')}"
                found[key] = (group.get("name", ""), expression, run_case(test, data[name]))
    return found


@pytest.mark.outside
def test_the_suite_of_hl7() -> None:
    jar = _jar()
    if jar is None:
        pytest.skip("the fhir-test-cases artefact is not in the local Maven repository")
    cases = outcomes(jar)
    skipped = tuple(word for words in OUT_OF_SCOPE.values() for word in words)
    judged = {key: case for key, case in cases.items() if not any(word in case[1] for word in skipped)}
    different = {key.rpartition("/")[2]: case for key, case in judged.items() if case[2]}
    assert len(judged) > 800
    assert {name: case for name, case in different.items() if name not in DIFFERENT} == {}
    assert DIFFERENT.keys() <= different.keys()
