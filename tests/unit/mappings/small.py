"""A pack small enough to read in a test, and the ways tests take it apart."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from bridge.errors import ConfigError, Problem
from bridge.mappings.load import Mappings, load
from bridge.mappings.translate import AgencyContext, Translator
from bridge.model import Translation

AGENCY = AgencyContext("oak", "Oak Street", "pilot", "America/New_York")

KIND = """
kind: tiny/visit
title: A visit
id: id
version: version
version_as: integer
subject: child
people: { child: child, mother: mother }
when: at
void: { path: status, in: [void] }
never: [secret]
agency_only: [worry]
schema:
  type: object
  additionalProperties: false
  required: [id, child]
  properties:
    id: { type: string, format: id }
    version: { type: integer }
    status: { enum: [open, void] }
    child: { type: string, format: id }
    mother: { type: string, format: id }
    at: { type: string, format: moment }
    place: { type: string, format: code }
    words: { type: string }
    mood: { type: string }
    flag: { type: boolean }
    worry: { type: string }
    steps:
      type: array
      items:
        type: object
        additionalProperties: false
        properties:
          id: { type: string, format: id }
          text: { type: string }
          done: { type: boolean }
"""
TABLE = """code,system,target,display,equivalence,source,note
home,urn:place,HH,home,equivalent,here,
"""
MAPPING = """
mapping: visit
reads: tiny/visit
tables: [place]
emits:
  visit:
    about: child
    resourceType: Encounter
    status: finished
    class: "{{ %tables.coding('place', place) }}"
    subject: "{{ person('child') }}"
labels:
  - { path: words, class: narrative }
  - { path: mood, class: caregiver-health, about: mother }
  - { path: steps.text, class: narrative }
"""


def pack(mapping: str = MAPPING, kind: str = KIND, table: str = TABLE, **more: str) -> dict[str, str]:
    """The files of the pack; more files by path with `__` for `/` and a final `_csv` or `_yaml` for the ending."""
    files = {"tiny/visit.kind.yaml": kind, "tiny/visit.yaml": mapping, "tiny/tables/place.csv": table}
    for name, text in more.items():
        stem, _, ending = name.rpartition("_")
        files[f"{stem.replace('__', '/')}.{ending}"] = text
    return files


def with_part(part: str, labels: str = "", tables: str = "[place]") -> str:
    """The mapping with one part of its own in place of the Encounter; its first line is line 6 of the file."""
    body = textwrap.indent(textwrap.dedent(part).strip(), "    ")
    kept = MAPPING[MAPPING.index("labels:") :].rstrip() + "\n" + labels
    return f"\nmapping: visit\nreads: tiny/visit\ntables: {tables}\nemits:\n{body}\n{kept}"


def problems(files: dict[str, str]) -> tuple[Problem, ...]:
    """What is wrong with the files."""
    with pytest.raises(ConfigError) as caught:
        load(files)
    return caught.value.problems


def line_of(problem: Problem) -> str:
    """The file:line of a problem, without its column."""
    return problem.where.rpartition(":")[0]


def loaded(mapping: str = MAPPING, **more: str) -> Mappings:
    return load(pack(mapping, **more))


def translated(record: dict[str, Any], mapping: str = MAPPING) -> Translation:
    base = {"id": "V1", "child": "K1", "place": "home"}
    return Translator(loaded(mapping)).translate("tiny/visit", {**base, **record}, AGENCY)
