"""Every heading of the packs stands in Spanish beside its English, and a Spanish reader's document shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.documents.compose import Frame, compose
from bridge.documents.formats import render
from bridge.fhir.translation import URL
from bridge.mappings.cases import read_cases, translate_case
from bridge.mappings.load import available_packs, load, read_all
from bridge.mappings.translate import Translator
from bridge.model import Part

FILES = {path: text for path, text in read_all(available_packs()).items() if path.endswith(".yaml")}
GOLDEN = Path(__file__).parent / "care-plan.es.txt"
PLAN = "goals in the family's own words, with the caregiver as their source"


def headings(value: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a template that has a title, with its place."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from headings(inner, f"{place}.{index}")
    elif isinstance(value, dict):
        if "title" in value:
            yield place, value
        for key, inner in value.items():
            yield from headings(inner, f"{place}.{key}")


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, text in FILES.items():
        for name, part in (yaml.safe_load(text).get("emits") or {}).items():
            if part.get("resourceType") == "Composition":
                yield f"{path}: {name}", part


def test_every_heading_has_a_spanish_translation() -> None:
    found = [one for place, part in documents() for one in headings(part, place)]

    assert len(found) > 60
    assert [place for place, one in found if "translation('es', " not in str(one.get("_title"))] == []


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator(load(read_all(available_packs())))


def translated(translator: Translator) -> Iterator[tuple[str, tuple[Part, ...]]]:
    for case in read_cases(read_all(available_packs())):
        found, _ = translate_case(case, translator)
        yield case.name, found.parts if found is not None else ()


def test_a_heading_that_a_case_makes_says_something_in_spanish(translator: Translator) -> None:
    said: dict[str, str] = {}
    for _, parts in translated(translator):
        for part in parts:
            if part.type == "Composition":
                for _, one in headings(part.resource, ""):
                    (extension,) = one.get("_title", {"extension": [{}]})["extension"]
                    assert extension.get("url", URL) == URL
                    said[one["title"]] = extension["extension"][1]["valueString"] if extension else ""

    # A section that the agency named keeps its name.
    assert [title for title, spanish in said.items() if not spanish] == ["At home"]
    assert said["Goal (Active), in the words of the caregiver"] == "Meta (activa), en palabras de la persona cuidadora"
    assert said["In the words of the child"] == "En palabras del niño o la niña"


def test_r14_r15_a_spanish_reader_reads_spanish_headings_over_the_words_as_they_were_said(
    translator: Translator,
) -> None:
    frame = Frame(reference="DB-ABCDEFGHIJ23", agency="Riverside", language="es", zone="America/New_York")
    (parts,) = [parts for name, parts in translated(translator) if name == PLAN]

    made = render(compose(parts, frame), "text/plain")

    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        GOLDEN.write_bytes(made)
    assert made == GOLDEN.read_bytes()
