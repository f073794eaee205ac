"""`bridge check --update`: what came about, written into the failing cases of the folder that is being worked on."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.cli.checked import Subject
from bridge.errors import Problem
from bridge.mappings.cases import Judgement
from bridge.mappings.cases.rewriting import rewritten


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that was written anew, and in what."""

    path: Path
    diff: str


def updated(subject: Subject, judgements: Sequence[Judgement]) -> tuple[list[Changed], list[Problem]]:
    """Writes the failing cases of the subject's own files; those of an installed pack are told instead.

    A file is replaced whole, or not at all.
    """
    problems: list[Problem] = []
    own: list[Judgement] = []
    packs: dict[str, int] = defaultdict(int)
    for one in judgements:
        if not one.differences:
            continue
        if subject.path(one.case.source.file) is None:
            packs[one.case.source.file] += 1
        else:
            own.append(one)
    for file, count in packs.items():
        rule = f"{count} failing cases belong to an installed pack, and stay as they are"
        step = "write a case of the same name in cases/, it stands in the pack's place (a pack's author: --project)"
        problems.append(Problem("case-update", rule, file, next_step=step))
    changed = []
    for file, text in rewritten(subject.files, own, problems).items():
        if (path := subject.path(file)) is not None:
            before = subject.files[file].splitlines(keepends=True)
            after = text.splitlines(keepends=True)
            _write(path, text)
            changed.append(Changed(path, "".join(difflib.unified_diff(before, after, str(path), str(path)))))
    return changed, problems


def _write(path: Path, text: str) -> None:
    """The file with this text, in the line ends and with the permissions that it has."""
    if b"\r\n" in path.read_bytes():
        text = text.replace("\n", "\r\n")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
    os.chmod(name, path.stat().st_mode)
    os.replace(name, path)
