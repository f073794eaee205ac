"""Documents judged by others: veraPDF for PDF/UA-1, the CDA R2 schema and HL7's Schematron for C-CDA R2.1."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from bridge.documents.formats import PDF, render
from bridge.documents.words import LANGUAGES
from tests.absent import absent
from tests.live.schematron import Schematron
from tests.unit.documents.making import DOCUMENTS

pytestmark = pytest.mark.live

HERE = Path(__file__).parent / "documents"
TARGET = HERE / "target"
RECOMMENDED = {
    "an address, a phone or its use that the bridge was not told": (
        *("81-7290", "81-7293", "81-7295", "1198-5375", "1198-7995", "1198-7998"),
    ),
    "of the patient only what the receiver's chart needs: no marital status, no languages": ("1198-5303", "1198-5406"),
    "authors are named, as in every format; no provider number or taxonomy code is known of them": (
        *("1098-31671", "1198-14842", "1198-14847", "1198-16787", "1198-16822", "1198-32882"),
    ),
    "nobody signs for the family or the practice, and no reviewer or recipient is claimed": (
        *("1198-5579", "1198-31677", "1198-31895", "1198-31910", "1198-31993"),
    ),
    "a care plan documents no visit of the practice's": ("1198-32004",),
    "a section or an entry that stands for nothing the document tells": (
        *("1098-30785", "1198-28763", "1198-29596", "1198-30483", "1198-30996", "1198-32730", "81-14451"),
    ),
    "the document's authors are the author of what is in it": ("1198-31147", "1198-31546"),
    "corrections are told apart by the receiving resource, not by a version number here": ("1198-32321", "1198-32322"),
    "where an agency knows only the day": ("81-10079", "81-10128"),
}
"""What C-CDA R2.1 says SHOULD be there and is not, by its conformance number, and why."""


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Without the judges there is nothing to ask."""
    if not (TARGET / "built").is_file():
        absent("what judges documents is not built: bash tests/live/documents/build.sh")


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(TARGET / "cda/schema/cdar2/infrastructure/cda/CDA.xsd"))


def rules(phase: str) -> Schematron:
    folder = TARGET / "schematron"
    return Schematron(folder / "Consolidation.sch", folder / "voc.xml", phase)


@pytest.fixture(scope="module")
def errors() -> Iterator[Schematron]:
    found = rules("errors")
    yield found
    assert found.checked > 5_000


def test_every_pdf_is_accessible(tmp_path: Path) -> None:
    """PDF/UA-1 (ISO 14289-1) by veraPDF 1.26.1: every kind, in both languages."""
    names = []
    for name, make in DOCUMENTS.items():
        for language in LANGUAGES:
            path = tmp_path / f"{name}.{language}.pdf"
            path.write_bytes(render(make(language), PDF))
            names.append(str(path))
    command = ["java", "-cp", f"{TARGET}/lib/*", str(HERE / "Check.java"), *names]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110).stdout.splitlines()
    assert [line for line in said if line.startswith("BROKEN")] == []
    checked = {line.split()[1]: int(line.split()[2]) for line in said if line.startswith("CHECKED")}
    assert set(checked) == set(names)
    assert min(checked.values()) > 500


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_ccda_is_valid(name: str, language: str, schema: etree.XMLSchema, errors: Schematron) -> None:
    """The CDA R2 schema, and every SHALL of C-CDA R2.1 that its Schematron tests."""
    body = render(DOCUMENTS[name](language), "text/xml")
    assert schema.validate(etree.fromstring(body)), [error.message for error in schema.error_log]
    assert errors.broken(body) == []


def test_the_judge_of_ccda_sees_what_is_wrong(errors: Schematron) -> None:
    body = render(DOCUMENTS["plan"]("en"), "text/xml")
    broken = errors.broken(body.replace(b'root="2.16.840.1.113883.10.20.22.2.60"', b'root="1.2.3"'))
    assert any("Goals Section" in message for message in broken)
    assert any("CONF:1198-5259" in one for one in errors.broken(body.replace(b"<confidentialityCode", b"<x")))


def test_what_the_specification_only_recommends_is_known() -> None:
    warnings = rules("warnings")
    said = {message for make in DOCUMENTS.values() for message in warnings.broken(render(make("en"), "text/xml"))}
    numbers = {found[1] for message in said if (found := re.search(r"CONF:([0-9-]+)", message))}
    assert numbers == {number for known in RECOMMENDED.values() for number in known}
