"""A case's expectation written anew in the text of its file: only what differs, so that comments and layout stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bridge.errors import Problem
from bridge.mappings.cases.differences import Released, as_stated, compared, leaves
from bridge.mappings.cases.judging import Judgement
from bridge.mappings.cases.paths import NOTHING, found_at
from bridge.mappings.source import read
from bridge.model import Finding, Part

_PLAIN = re.compile(r"[^\W\d][\w./-]*(?: [\w./-]+)*")
_WORDS = ("null", "true", "false")


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def expectation(judgement: Judgement) -> dict[str, Any]:
    """What the case would have to expect: what it states now, with what came about instead of what did not.

    A record that is held or refused is expected to be. A part it did not name is stated by whom it is about and its
    labels.
    """
    translation, stated = judgement.translation, judgement.case.expect
    if translation is None:
        return {"rejected": list(judgement.refused)}
    if translation.holds:
        return {"holds": sorted(hold.waits_for for hold in translation.holds)}
    made = {part.name: part for part in translation.parts}
    parts = stated.get("parts", {})
    names = [*(name for name in parts if name in made), *(name for name in made if name not in parts)]
    found: dict[str, Any] = {}
    if "parts" in stated or "released" not in stated:
        found["parts"] = {name: _stated(made[name], parts.get(name)) for name in names}
    if "released" in stated:
        found["released"] = _released(stated["released"], judgement.released)
    if "findings" in stated:
        found["findings"] = [_finding(one) for one in judgement.findings]
    return found


def rewritten(files: Mapping[str, str], judgements: Iterable[Judgement], problems: list[Problem]) -> dict[str, str]:
    """The new text of each case file in which an expectation changes; what cannot be written is added to `problems`."""
    texts: dict[str, str] = {}
    for one in judgements:
        if not one.differences:
            continue
        file, wanted = one.case.source.file, expectation(one)
        text = texts.get(file, files[file])
        new = _with_expectation(text, one.case.path, dict(one.case.expect), wanted)
        if new is None:
            rule = "this expectation cannot be written anew where it stands"
            problems.append(Problem("case-update", rule, one.case.place(), one.case.name, "change it by hand"))
        else:
            texts[file] = new
    return {file: text for file, text in texts.items() if text != files[file]}


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        pairs = [f"{flow(str(key))}: {flow(inner)}" for key, inner in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value not in _WORDS
        if not plain and '"' in value and "'" not in value and value.isprintable():
            return f"'{value}'"
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if value is None or isinstance(value, bool | int | float) else str(value)


def _stated(part: Part, stated: Mapping[str, Any] | None) -> dict[str, Any]:
    if stated is None:
        found: dict[str, Any] = {"about": part.about, "labels": sorted(part.labels)}
        return found | ({"sections": [sorted(one) for one in part.sections]} if part.sections else {})
    now: dict[str, Any] = dict(stated)
    if "about" in stated:
        now["about"] = part.about
    if "labels" in stated and sorted(stated["labels"]) != sorted(part.labels):
        now["labels"] = sorted(part.labels)
    if "sections" in stated and [sorted(one) for one in stated["sections"]] != [sorted(one) for one in part.sections]:
        now["sections"] = [sorted(one) for one in part.sections]
    if "whole" in stated:
        now["whole"] = part.resource
    if "is" in stated:
        now["is"] = {}
        for path, wanted in stated["is"].items():
            got = found_at(part.resource, path)
            if got is NOTHING and wanted is None:
                now["is"][path] = None
            elif got is not NOTHING and (got != [] or wanted == []):
                now["is"][path] = got
    if "has_not" in stated:
        now["has_not"] = [path for path in stated["has_not"] if found_at(part.resource, path) in (NOTHING, [])]
    return {key: value for key, value in now.items() if value not in ({}, []) or stated.get(key) == value}


def _released(stated: Released, there: Released) -> dict[str, Any]:
    """What leaves of each chart, and of what stays whatever the case said something of."""
    found: dict[str, Any] = {}
    for person in (*stated, *(one for one in there if one not in stated)):
        said, got = stated.get(person, {}), there.get(person, {})
        chart = {part: as_stated(said[part], got[part]) for part in said if part in got}
        chart |= {part: one for part, one in got.items() if part not in said and leaves(one)}
        if chart or (person in stated and not said):
            found[person] = chart
    return found


def _finding(finding: Finding) -> dict[str, str]:
    return {"part": finding.part, "code": finding.code, "path": finding.path}


def _with_expectation(text: str, path: tuple[str | int, ...], old: Any, new: Any) -> str | None:
    """The text with the expectation of one case replaced, as little of it as can be; None where that does not read."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    found = _child(root, (*path, "expect"))
    if found is None:
        return None
    key, node = found
    least: list[_Edit] = []
    _edits(text, key, node, old, new, least)
    for edits in (least, [_replaced(text, key, node, new)]):
        made = text
        for edit in sorted(edits, key=lambda one: one.start, reverse=True):
            made = made[: edit.start] + edit.text + made[edit.end :]
        if _reads(text, made, path, new):
            return made
    return None


def _reads(before: str, after: str, path: tuple[str | int, ...], wanted: Any) -> bool:
    """Whether the new text says what is wanted there, and else what it said before."""
    problems: list[Problem] = []
    old, new = read("", before, problems).value, read("", after, problems).value
    if problems:
        return False
    index = path[-1]
    said = new["cases"][index].pop("expect")
    old["cases"][index].pop("expect")
    for key in ("parts", "released"):
        if isinstance(said.get(key), dict):
            said[key] = {str(name): inner or {} for name, inner in said[key].items()}
    return old == new and not list(compared(wanted, said, ""))


def _child(node: yaml.Node | None, path: tuple[str | int, ...]) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and the value at a path that ends in a key."""
    key = None
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            key, node = next(((one, value) for one, value in node.value if one.value == step), (None, None))
        else:
            return None
    return None if key is None or node is None else (key, node)


def _edits(text: str, key: yaml.Node, node: yaml.Node, old: Any, new: Any, found: list[_Edit]) -> None:
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return
    if (
        not (isinstance(node, yaml.MappingNode) and isinstance(old, dict) and isinstance(new, dict))
        or not old.keys() & new.keys()
        or (node.flow_style and old.keys() != new.keys())
    ):
        found.append(_replaced(text, key, node, new))
        return
    for inner_key, inner in node.value:
        name = inner_key.value
        if name in new:
            _edits(text, inner_key, inner, old.get(name), new[name], found)
        else:
            found.append(_Edit(_line_start(text, inner_key), _line_end(text, inner) + 1, ""))
    added = [name for name in new if name not in old]
    if added:
        indent = " " * node.value[0][0].start_mark.column
        place = _line_end(text, node)
        found.append(_Edit(place, place, "".join(f"\n{indent}{flow(name)}: {flow(new[name])}" for name in added)))


def _replaced(text: str, key: yaml.Node, node: yaml.Node, new: Any) -> _Edit:
    """A value in one line, beside its key where nothing stands between them."""
    colon = text.index(":", key.end_mark.index) + 1
    start, end = node.start_mark.index, _end(text, node)
    if not text[colon:start].strip():
        return _Edit(colon, max(end, colon), f" {flow(new)}")
    return _Edit(start, end, flow(new))


def _end(text: str, node: yaml.Node) -> int:
    """Where the text of a node ends: a block ends with the last thing in it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    return (
        len(text[: node.end_mark.index].rstrip())
        if node.end_mark.index > node.start_mark.index
        else node.end_mark.index
    )


def _line_start(text: str, node: yaml.Node) -> int:
    return text.rfind("\n", 0, node.start_mark.index) + 1


def _line_end(text: str, node: yaml.Node) -> int:
    end = text.find("\n", _end(text, node))
    return len(text) if end < 0 else end
