"""One record as it was sent, opened: its kind's declarations read, what is never collected removed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import orjson

from bridge.errors import Problem, RecordError
from bridge.mappings.kinds import Kind
from bridge.model import AHEAD, Item


def open_record(
    record: dict[str, Any], kind: Kind, agency: str, program: str, zone: str, now: int, where: str = ""
) -> Item | Problem:
    """The item to keep, or why it is refused; the refusal names places and rules, never what stands there.

    Fields the kind never collects are removed first, before anything else reads the record (R24). The digest that
    recognises a resend is over the canonical JSON of what is left. `zone` is the agency's, for times without an offset;
    `where` is the record's place in what was sent.
    """
    kept = kind.strip(record)
    problems = kind.check(kept)
    try:
        opened = None if problems else kind.open(kept, zone)
    except RecordError as error:
        problems = list(error.problems)
    if problems or opened is None:
        return at(where, problems[0])
    if opened.when is not None and opened.when > now + AHEAD:
        field = ".".join(kind.when or ())
        rule = "the clinical time lies in the future"
        step = "correct the time at its source, or send the record when it has happened"
        return Problem("record-in-the-future", rule, where, field, step)
    try:
        raw = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        rule = "a number is larger than every reader of JSON can keep"
        return Problem("record-number", rule, where, next_step="write large numbers as text")
    return Item(
        agency=agency,
        program=opened.program or program,
        kind=kind.name,
        source_id=opened.source_id,
        version=str(kind.order(opened.version, zone)) if opened.version else "",
        subject=opened.subject,
        when=opened.when,
        final=opened.final or opened.void,  # a void record is complete: nothing should stand
        void=opened.void,
        digest=hashlib.sha256(raw).hexdigest(),
        raw=raw,
        practice=opened.practice,
        weight=opened.weight,
    )


def at(where: str, problem: Problem) -> Problem:
    """The problem, placed within what was sent."""
    return replace(problem, where=" ".join(place for place in (where, problem.where) if place))
