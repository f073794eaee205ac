"""Broken and half-written mapping files, and what must hold for every one of them."""

from __future__ import annotations

import random
import re
import time
from functools import cache
from typing import Any

import yaml

from bridge.mappings.lint import lint
from bridge.mappings.lint.codes import CODES
from bridge.mappings.load import read_all
from tests.unit.mappings.lint.mistakes import mistakes

_PLACE = re.compile(r"[\w/.-]+:\d+:\d+")
_SIGNS = (
    "{{", "}}", "{%", "%}", "{[", ":", "- ", "#", "'", '"', "|", ">", "&a ", "*a", "!!int ", "[", "]", "{", "}", ",",
    "\n", "\t", "\x00", "\ud800", "é", "null", "?? ", "# ?? x", "%", "$this", "extends: tiny/visit\n", "each: goals\n",
    "  ",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, 7, -1.5, "", "x", "{{ place }}", "{[ topics ]}", [], {}, [None], [[1]], {"a": None}, {"": {}}, "a.b",
    "..", {"{% if place %}": {"text": "x"}}, {"{% for x in topics %}": "{{ %x }}"}, "x" * 3000, 10**30,
    float("inf"), ["{{ "],
)  # fmt: skip
_SLOW = 10.0


@cache
def _seeds() -> tuple[dict[str, str], ...]:
    pack = {path: text for path, text in read_all(["ma-soc"]).items() if "contact" in path or "team-role" in path}
    return (*(one.right for one in mistakes()), pack)


def check(chance: random.Random) -> str:
    """Break a set of files and lint it; how it ended. Raises AssertionError where a finding has no place."""
    files = dict(chance.choice(_seeds()))
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        file = chance.choice(sorted(files))
        files[file] = _mutated(files[file], file, chance)
    begun = time.monotonic()
    found = lint(files)
    assert time.monotonic() - begun < _SLOW, "slow"
    for problem in found.findings:
        assert _PLACE.fullmatch(problem.where), problem
        assert problem.code in CODES, problem
        assert problem.rule, problem
    return "clean" if not found.findings else "errors" if found.errors else "warnings"


def _mutated(text: str, file: str, chance: random.Random) -> str:
    if file.endswith(".yaml") and chance.random() < 0.5:
        try:
            tree = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            return text
        return str(yaml.safe_dump(_replaced(tree, chance), sort_keys=False, allow_unicode=True))
    lines = text.split("\n")
    place, line = chance.randrange(len(text) + 1), chance.randrange(len(lines))
    match chance.randrange(7):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + chance.choice(_SIGNS) + text[place:]
        case 2:
            return text[:place] + text[place + chance.randrange(1, 20) :]
        case 3:
            return "\n".join(lines[:line] + lines[line + 1 :])
        case 4:
            return "\n".join([*lines[: line + 1], chance.choice(lines), *lines[line + 1 :]])
        case 5:
            return "\n".join([*lines[:line], " " * chance.randrange(6) + lines[line].lstrip(), *lines[line + 1 :]])
    return "\n".join(
        [*lines[:line], lines[line].replace(":", chance.choice((": [", ": {", ":", ": -")), 1), *lines[line + 1 :]]
    )


def _replaced(tree: Any, chance: random.Random) -> Any:
    """The tree with one value, or one key, replaced."""
    if isinstance(tree, dict) and tree and chance.random() < 0.9:
        key = chance.choice(list(tree))
        if chance.random() < 0.1:
            other = chance.choice((*tree, "nothing", 7, None, True, "{% if x %}"))
            return {other if name == key else name: value for name, value in tree.items()}
        return {**tree, key: _replaced(tree[key], chance)}
    if isinstance(tree, list) and tree and chance.random() < 0.9:
        place = chance.randrange(len(tree))
        return [*tree[:place], _replaced(tree[place], chance), *tree[place + 1 :]]
    return chance.choice(_VALUES)
