"""Lines of a draft that nobody decided about yet: `# ?? reason` in YAML, a cell that begins with `??` in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from bridge.errors import Problem

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*\?\?[ \t]*(.*)$", re.MULTILINE)
_CELL = re.compile(r"(?:^|(?<=,))\s*\"?\s*\?\?", re.MULTILINE)
_STEP = "decide, correct the line, and delete the mark"


def unsure(files: Mapping[str, str]) -> Iterator[Problem]:
    """One problem for each line that is marked."""
    for file, text in files.items():
        if file.endswith(".yaml"):
            yield from _in_yaml(file, text)
        elif file.endswith(".csv"):
            for found in _CELL.finditer(text):
                start = found.end() - 2
                yield _problem(file, text, start, "nobody has decided about this cell of the draft yet")


def _in_yaml(file: str, text: str) -> Iterator[Problem]:
    texts: list[tuple[int, int]] | None = None
    for found in _COMMENT.finditer(text):
        if texts is None:
            texts = _texts(text)
        if any(start <= found.start() < end for start, end in texts):
            continue
        reason = found[1].strip()
        rule = "nobody has decided about this line of the draft yet"
        yield _problem(file, text, found.start(), f"{rule}: {reason}" if reason else rule)


def _problem(file: str, text: str, start: int, rule: str) -> Problem:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Problem("draft-unsure", rule, f"{file}:{line}:{column}", next_step=_STEP)


def _texts(text: str) -> list[tuple[int, int]]:
    """Where the texts of a YAML file stand, in which a number sign begins no comment; up to where it breaks off."""
    found: list[tuple[int, int]] = []
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.ScalarToken) and not token.plain:
                start = token.start_mark.index
                if token.style in ("|", ">"):  # what follows the sign on its own line may be a comment
                    start = text.find("\n", start)
                found.append((start, token.end_mark.index))
    except (yaml.YAMLError, ValueError, RecursionError):
        return found
    return found
