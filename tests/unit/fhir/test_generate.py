"""The shipped definitions are what the generator makes of the packages, and nothing more than is needed."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from bridge.fhir import definitions, generate, terminology
from bridge.fhir.packages import write
from tests.unit.fhir.samples import ABSENT, PACKAGES, US_CORE

DATA = Path(definitions.__file__).parent / "data"


@pytest.mark.outside
@pytest.mark.skipif(not PACKAGES.is_dir(), reason=ABSENT)
def test_the_shipped_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    made = generate.make(PACKAGES / "hl7.fhir.r4.core-4.0.1.tgz", PACKAGES / "us_core_610.tgz")
    for name, document in made.items():
        write(document, tmp_path / name)
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


def test_called_wrongly_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["one.tgz"]) == 2
    assert "python -m bridge.fhir.generate" in capsys.readouterr().err


def test_the_shipped_files_are_small_and_hold_no_prose() -> None:
    assert sum(path.stat().st_size for path in DATA.glob("*.json")) < 400_000
    for path in DATA.glob("*.json"):
        words = [text for text in strings(orjson.loads(path.read_bytes())) if text.count(" ") > 2]
        expressions = {text for key, (_, text) in orjson.loads(path.read_bytes())["invariants"].items()}
        assert set(words) <= expressions


def test_the_notice_names_the_packages_and_the_terminologies() -> None:
    notice = (DATA / "NOTICE").read_text()
    loaded = definitions.load()
    assert all(package.replace("#", " ") in notice for package in loaded.packages)
    for system in ("http://loinc.org", "http://snomed.info/sct"):
        codes = {code for value_set in loaded.value_sets.values() for code in value_set.codes.get(system, ())}
        assert {code for code in codes if code not in notice} == set()
    for members in terminology.shipped().value_sets.values():
        for system, listed in members.items():
            assert system.startswith(generate.HL7) or {code for code in listed if code not in notice} == set()
    fixed = orjson.dumps(orjson.loads((DATA / "us-core.json").read_bytes())["profiles"]).decode()
    loinc = {part.split('"')[0] for part in fixed.split('"system":"http://loinc.org","code":"')[1:]}
    assert {code for code in loinc if code not in notice} == set()


def test_us_core_8_adds_to_must_support() -> None:
    loaded = definitions.load()
    assert "expressedBy" in loaded.profiles[US_CORE + "us-core-goal"].must_support
    assert "contributor" in loaded.profiles[US_CORE + "us-core-careplan"].must_support


def strings(value: object) -> list[str]:
    """Every string of a JSON document, names included."""
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in (name, *strings(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [value] if isinstance(value, str) else []
