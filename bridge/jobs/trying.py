"""Records tried with a mapping: what would become of each, and nothing kept."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.documents import text
from bridge.documents.compose import Frame, compose
from bridge.errors import Problem, RecordError
from bridge.intake.reading import read_json, read_lines
from bridge.intake.rows import Limits, Row
from bridge.jobs.files import read
from bridge.jobs.trial import Trial
from bridge.mappings.functions import AgencyContext
from bridge.mappings.records import tidy
from bridge.model import Finding, Hold, Part, Severity, type_json

STDIN = "-"
UNREADABLE, REJECTED, VOID, HELD, MADE = STATES = ("unreadable", "rejected", "void", "held", "made")
"""What became of a record: no record at all, refused at the door, nothing should stand, it waits, it is FHIR."""


@dataclass(frozen=True, slots=True)
class Said:
    """One document as text: the note about one person with what was made beside it."""

    role: str
    about: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one record. `where` is its place in what was given, `never` counts the fields never collected."""

    where: str
    state: str
    problems: tuple[Problem, ...] = ()
    final: bool = True
    never: int = 0
    parts: tuple[Part, ...] = ()
    holds: tuple[Hold, ...] = ()
    findings: tuple[Finding, ...] = ()
    documents: tuple[Said, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nobody has to look at it."""
        errors = any(finding.severity is Severity.ERROR for finding in self.findings)
        return self.state in (VOID, MADE) and not errors

    def as_dict(self) -> type_json:
        """The same, for programs; the shape is stable."""
        return {
            "where": self.where,
            "state": self.state,
            "final": self.final,
            "never": self.never,
            "problems": [problem.as_dict() for problem in self.problems],
            "parts": [part.as_dict() for part in self.parts],
            "holds": [
                {
                    "reason": str(hold.reason),
                    "rule": hold.rule,
                    "next_step": hold.next_step,
                    "owner": str(hold.owner),
                    "waits_for": hold.waits_for,
                }
                for hold in self.holds
            ],
            "findings": [
                {
                    "code": one.code,
                    "severity": str(one.severity),
                    "part": one.part,
                    "path": one.path,
                    "rule": one.rule,
                }
                for one in self.findings
            ],
            "documents": [{"role": one.role, "about": one.about, "text": one.text} for one in self.documents],
        }


def tried(trial: Trial, row: Row | Problem) -> Tried:
    """What becomes of one record of a file."""
    if isinstance(row, Problem):
        return Tried(row.where, UNREADABLE, (row,))
    kind = trial.translator.mappings.kinds[trial.kind]
    kept = kind.strip(row.record)
    never = _fields(row.record) - _fields(kept)
    if problems := kind.check(kept):
        return Tried(row.where, REJECTED, tuple(problems), never=never)
    try:
        opened = kind.open(tidy(kept), trial.agency.timezone)
        made = trial.translator.translate(trial.kind, kept, trial.agency)
    except RecordError as error:
        return Tried(row.where, REJECTED, error.problems, never=never)
    final = opened.final or opened.void
    if opened.void or made.holds:
        return Tried(row.where, VOID if opened.void else HELD, final=final, never=never, holds=made.holds)
    return Tried(
        where=row.where,
        state=MADE,
        final=final,
        never=never,
        parts=made.parts,
        findings=tuple(trial.validator.check_all(made.parts)),
        documents=tuple(said(made.parts, trial.agency)),
    )


def said(parts: Sequence[Part], agency: AgencyContext) -> Iterator[Said]:
    """The documents these parts make: one for each person who has a note among them."""
    frame = Frame("(not sent)", agency.name, agency.timezone, agency.language, phone=agency.phone)
    for note in parts:
        if note.type == "Composition":
            beside = [part for part in parts if part.about == note.about and part.type != "Composition"]
            yield Said(note.role, note.about, text.render(compose([note, *beside], frame)).decode())


def records(sources: Sequence[Path], limits: Limits | None = None) -> Iterator[Row | Problem]:
    """Every record of these files, in order; `-` is standard input, JSON or a record a line."""
    for source in sources:
        yield from _standard_input(limits or Limits()) if str(source) == STDIN else read(source, limits=limits)


def _standard_input(limits: Limits) -> Iterator[Row | Problem]:
    head = sys.stdin.buffer.read(limits.file_bytes)
    lines = head.lstrip(b"\xef\xbb\xbf \t\r\n").splitlines()
    if len(lines) > 1 and lines[0].startswith(b"{") and lines[0].rstrip().endswith(b"}"):
        yield from read_lines(io.BytesIO(head), "standard input", limits)
    else:
        yield from read_json(head.decode("utf-8-sig", errors="surrogateescape"), "standard input", limits)


def _fields(value: Any) -> int:
    """How many fields an object has, at any depth and in any list; told without a walk that could be too deep."""
    count, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            count += len(one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return count
