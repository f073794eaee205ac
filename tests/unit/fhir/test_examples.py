"""The official examples of three releases of US Core, which other people say are valid."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.fhir.definitions import load
from bridge.fhir.packages import add_package
from bridge.fhir.validate import Validator
from bridge.model import Severity
from tests.unit.fhir.samples import ABSENT, PACKAGES, validator

pytestmark = [pytest.mark.outside, pytest.mark.skipif(not PACKAGES.is_dir(), reason=ABSENT)]

# Examples that really are wrong: (package, file name) and what is found.
WRONG = {
    ("us_core_311", "DiagnosticReport-cardiology-report.json"): {"fhir-format"},  # its hash is hexadecimal, not base64
}


def examples(package: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file name, resource) of a package's examples."""
    with tarfile.open(PACKAGES / f"{package}.tgz") as archive:
        for member in archive:
            name = member.name.removeprefix("package/example/")
            stream = archive.extractfile(member) if name != member.name and name.endswith(".json") else None
            resource = json.loads(stream.read()) if stream is not None else {}
            if "resourceType" in resource:
                yield name, resource


def wrong(checker: Validator, package: str) -> dict[tuple[str, str], set[str]]:
    """The codes of the errors found in each example that has any."""
    found = {}
    for name, resource in examples(package):
        codes = {finding.code for finding in checker.check(resource) if finding.severity is Severity.ERROR}
        if codes:
            found[package, name] = codes
    return found


def test_the_183_examples_of_6_1_0_have_no_errors_with_the_shipped_definitions() -> None:
    assert len(list(examples("us_core_610"))) == 183
    assert wrong(validator(), "us_core_610") == {}


@pytest.mark.parametrize(("package", "count"), [("us_core_311", 84), ("us_core_700", 214)])
def test_examples_of_another_release_with_that_package_added(package: str, count: int, tmp_path: Path) -> None:
    add_package(PACKAGES / f"{package}.tgz", tmp_path)
    assert len(list(examples(package))) == count
    expected = {place: codes for place, codes in WRONG.items() if place[0] == package}
    assert wrong(Validator(load(tmp_path)), package) == expected
