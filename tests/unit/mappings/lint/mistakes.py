"""The seeded mistakes beside this module: small sets of files without fault, one change each, and what lint says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from bridge.mappings.lint import Linted


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the files without it, and with it."""

    name: str
    topic: str
    right: dict[str, str]
    wrong: dict[str, str]
    expect: tuple[str, ...]


def mistakes() -> list[Mistake]:
    """All of them, by topic."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            change, files = one["change"], one["files"]
            before = files[change["file"]]
            after = before.replace(change["from"], change["to"]) if change["from"] else before + change["to"]
            assert before.count(change["from"]) == 1 or not change["from"], one["mistake"]
            wrong = {**files, change["file"]: after}
            found.append(Mistake(one["mistake"], path.stem, files, wrong, tuple(one["expect"])))
    return found


def told(found: Linted) -> tuple[str, ...]:
    """The findings, each in one line as it is printed."""
    return tuple(str(problem).replace("\n    → ", " → ") for problem in found.findings)
