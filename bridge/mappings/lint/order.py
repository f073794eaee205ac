"""Findings in the order in which a person goes through the files."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.errors import Problem


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each once, by file, line and column."""
    return tuple(sorted(dict.fromkeys(problems), key=_key))


def _key(problem: Problem) -> tuple[str, int, int, str, str]:
    file, line, column = (*problem.where.rsplit(":", 2), "", "")[:3]
    if not (line.isdecimal() and column.isdecimal()):
        return problem.where, 0, 0, problem.code, problem.field
    return file, int(line), int(column), problem.code, problem.field
