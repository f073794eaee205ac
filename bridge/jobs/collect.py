"""Records from files through the door: `bridge accept` and watched folders."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from bridge import pipeline
from bridge.errors import Problem
from bridge.intake.rows import Row
from bridge.jobs.files import SUFFIXES, read
from bridge.jobs.patience import each
from bridge.model import Accepted
from bridge.moves.line import Line
from bridge.settings import Agency

BATCH = 500
DONE = "done"


def accept_rows(line: Line, agency: Agency, kind: str, rows: Iterable[Row | Problem], now: int) -> Iterator[Accepted]:
    """The fate of every row, in order, each batch durable before its answers are given."""
    numbered = enumerate(rows)
    while batch := list(islice(numbered, BATCH)):
        yield from pipeline.accept(line, agency, kind, batch, now)


def watch(line: Line, agency: Agency, clock: Callable[[], int]) -> int:
    """Every file under the agency's watched folder was taken: answered beside itself, then moved to `done/`.

    The folder's first two levels name the kind: `<watch>/<pack>/<name>/*.ndjson`; elsewhere each item names its own.
    A file still being written is left alone: one whose name starts with a dot or ends in `.part`.
    Returns how many files were taken. One that cannot be taken keeps back no other; then its error is raised.
    """
    if agency.watch is None or not agency.watch.is_dir():
        return 0
    return sum(each(sorted(agency.watch.rglob("*")), partial(take, line, agency, agency.watch, clock)))


def take(line: Line, agency: Agency, folder: Path, clock: Callable[[], int], path: Path) -> bool:
    """One file of a watched folder was taken; False where it is none to take."""
    inside = path.relative_to(folder)
    wanted = path.suffix.lower() in SUFFIXES and DONE not in inside.parts and not path.name.startswith(".")
    if not wanted or not path.is_file():
        return False
    kind = "/".join(inside.parts[:2]) if len(inside.parts) == 3 else ""
    answers = [accepted.as_dict() for accepted in accept_rows(line, agency, kind, read(path), clock())]
    answer(path, answers)
    move_away(path, folder / DONE / inside)
    return True


def answer(path: Path, answers: list[dict[str, object]]) -> None:
    """The answer stands beside the file, whole or not at all."""
    beside, part = path.with_name(path.name + ".answer"), path.with_name(path.name + ".answer.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump({"items": answers}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.replace(beside)


def move_away(path: Path, goal: Path) -> None:
    """The file is at `goal`, or beside an earlier one of the same name with a number."""
    goal.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    free = goal
    while free.exists():
        number += 1
        free = goal.with_name(f"{goal.stem}.{number}{goal.suffix}")
    path.replace(free)
