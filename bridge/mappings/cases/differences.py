"""What a case expects against what came about, field path by field path. Cases are made-up data: values are told."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.mappings.cases.paths import NOTHING, found_at, nearest, steps_of
from bridge.mappings.cases.reading import Case, translate_case
from bridge.mappings.kinds import Kind
from bridge.mappings.source import Path
from bridge.mappings.translate import Translator
from bridge.model import Finding, Part, Translation

Stated = str | list[str]
"""Of a part what is said of its release, or of each of its sections."""
LEAVES, STAYS = "leaves", "stays"
Released = Mapping[str, Mapping[str, Stated]]
"""Person → part → `leaves`, or the rule by which it stays."""
Releasing = Callable[[Case, Kind, Sequence[Part]], Released]
"""How the parts of a case are released: given by whoever knows the rules (`bridge.release.trial.stated`)."""

_LONG = 72
_AROUND = 24


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a case came out otherwise than it says.

    `part` is "" for the record as a whole; `at` is the place of the expectation beneath `expect`; `hint` what may help.
    `expected` or `found` is NOTHING where there is no value.
    """

    part: str
    path: str
    expected: Any
    found: Any
    at: Path = ()
    hint: str = ""

    @property
    def rule(self) -> str:
        """What was expected, and what was found; of long texts the piece where they part."""
        expected, found = _shown(self.expected, self.found)
        return f"expected {expected}, found {found}"

    @property
    def place(self) -> str:
        """The part and the path in it."""
        return ": ".join(filter(None, (self.part, self.path)))

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers; a side where nothing is has no key."""
        sides = {"expected": self.expected, "found": self.found}
        told = {"part": self.part, "path": self.path, "hint": self.hint}
        return {key: value for key, value in told.items() if value} | {
            key: value for key, value in sides.items() if value is not NOTHING
        }


class ThePart:
    """Stands for a whole part in a difference."""

    def __repr__(self) -> str:
        return "this part"


THE_PART = ThePart()


def run_case(case: Case, translator: Translator, releasing: Releasing | None = None) -> list[Difference]:
    """Every difference between what a case expects and what comes about; none when it holds.

    Without `releasing` nothing is released, and a case that expects something of it does not hold.
    """
    translation, refused = translate_case(case, translator)
    return differences(case, translation, refused, released=released(case, translator, translation, releasing))


def released(
    case: Case, translator: Translator, translation: Translation | None, releasing: Releasing | None
) -> Released:
    """What of a case's parts leaves for its recipient; {} where it names none."""
    if translation is None or case.recipient is None or releasing is None:
        return {}
    return releasing(case, translator.mappings.kinds[case.kind], translation.parts)


def differences(
    case: Case,
    translation: Translation | None,
    refused: list[str],
    findings: Iterable[Finding] | None = None,
    released: Released | None = None,
) -> list[Difference]:
    """As `run_case`, of what came about already. `findings` are compared where they were looked for."""
    expect = case.expect
    if translation is None or expect.get("rejected"):
        return list(_entries("rejected", expect.get("rejected", []), refused, {}))
    rules = {hold.waits_for: hold.rule for hold in translation.holds}
    found = list(_entries("holds", expect.get("holds", []), [hold.waits_for for hold in translation.holds], rules))
    if found:
        return found  # the parts follow from it
    if "parts" in expect or "released" not in expect:
        found.extend(_parts(translation.parts, expect.get("parts", {})))
    if "released" in expect:
        found.extend(_released(expect["released"], released or {}))
    if findings is not None and "findings" in expect:
        found.extend(_findings(expect["findings"], list(findings)))
    return found


def compared(wanted: Any, got: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: each path, what was wanted and what is there. Lists of plain values are one value."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in dict.fromkeys((*wanted, *got)):
            beneath = f"{path}.{key}" if path else str(key)
            yield from compared(wanted.get(key, NOTHING), got.get(key, NOTHING), beneath)
    elif isinstance(wanted, list) and isinstance(got, list) and any(isinstance(one, dict | list) for one in wanted):
        for index in range(max(len(wanted), len(got))):
            one, other = (side[index] if index < len(side) else NOTHING for side in (wanted, got))
            yield from compared(one, other, f"{path}[{index}]")
    elif wanted != got or isinstance(wanted, bool) != isinstance(got, bool):
        yield path, wanted, got


def _entries(key: str, wanted: list[str], got: list[str], rules: Mapping[str, str]) -> Iterator[Difference]:
    """A list of keys, in any order."""
    missing, extra = Counter(wanted) - Counter(got), Counter(got) - Counter(wanted)
    for one in missing.elements():
        close = difflib.get_close_matches(one, extra, 1, 0.6)
        yield Difference("", key, one, NOTHING, (key, wanted.index(one)), f"nearest: {close[0]}" if close else "")
    for one in extra.elements():
        yield Difference("", key, NOTHING, one, (key,), rules.get(one, ""))


def _parts(parts: tuple[Part, ...], expected: Mapping[str, Any]) -> Iterator[Difference]:
    names = {part.name for part in parts}
    for name in expected:
        if name not in names:
            close = difflib.get_close_matches(name, names - set(expected), 1, 0.6)
            hint = f"the nearest part that comes about is {close[0]}" if close else ""
            yield Difference(name, "", THE_PART, NOTHING, ("parts", name), hint)
    for part in parts:
        if part.name in expected:
            yield from _part(part, expected[part.name])
        else:
            yield Difference(part.name, "", NOTHING, THE_PART, ("parts",))


def _part(part: Part, expected: Mapping[str, Any]) -> Iterator[Difference]:
    at: Path = ("parts", part.name)
    if "about" in expected and expected["about"] != part.about:
        yield Difference(part.name, "about", expected["about"], part.about, (*at, "about"))
    if "labels" in expected and sorted(expected["labels"]) != sorted(part.labels):
        yield Difference(part.name, "labels", sorted(expected["labels"]), sorted(part.labels), (*at, "labels"))
    if "sections" in expected:
        wanted = [sorted(one) for one in expected["sections"]]
        for path, one, other in compared(wanted, [sorted(one) for one in part.sections], "sections"):
            yield Difference(part.name, path, one, other, (*at, "sections"))
    if "whole" in expected:
        for path, one, other in compared(expected["whole"], part.resource, ""):
            yield Difference(part.name, path, one, other, (*at, "whole", *steps_of(path)))
    for path, wanted in (expected.get("is") or {}).items():
        got = found_at(part.resource, path)
        if got is NOTHING or (got == [] and "[*]" in path and wanted):
            if wanted is None:
                continue
            near = nearest(part.resource, path)
            hint = "there is nothing at this path" + (f"; the nearest is {near}" if near else "")
            yield Difference(part.name, path, wanted, NOTHING, (*at, "is", path), hint)
            continue
        for inner, one, other in compared(wanted, got, path):
            yield Difference(part.name, inner, one, other, (*at, "is", path))
    for index, path in enumerate(expected.get("has_not") or []):
        got = found_at(part.resource, path)
        if got is not NOTHING and got != []:
            yield Difference(part.name, path, NOTHING, got, (*at, "has_not", index))


def _released(wanted: Released, found: Released) -> Iterator[Difference]:
    """What leaves must be said; what stays is compared where something is said of it."""
    for person in dict.fromkeys((*wanted, *found)):
        stated, there = wanted.get(person, {}), found.get(person, {})
        for part in dict.fromkeys((*stated, *there)):
            at: Path = ("released", person, *([part] if part in stated else []))
            got = there.get(part, NOTHING)
            said = stated.get(part, NOTHING)
            if said is NOTHING and not leaves(got):
                continue
            for path, one, other in compared(said, as_stated(said, got), ""):
                yield Difference(part, f"released {person}{path}", one, other, at)


def as_stated(said: Any, got: Any) -> Any:
    """What came about, in the words of the expectation where that does not name the rule."""
    if isinstance(said, list) and isinstance(got, list):
        return [as_stated(said[index] if index < len(said) else NOTHING, one) for index, one in enumerate(got)]
    return STAYS if said == STAYS and got is not NOTHING and not leaves(got) else got


def leaves(said: Any) -> bool:
    """Whether a part, or one of its sections, leaves."""
    return LEAVES in (said if isinstance(said, list) else [said])


def _findings(wanted: list[dict[str, str]], found: list[Finding]) -> Iterator[Difference]:
    left = list(found)
    for index, one in enumerate(wanted):
        match = next((finding for finding in left if _is_it(finding, one)), None)
        if match is None:
            yield Difference(
                one["part"], f"finding {one.get('path', '')}".strip(), one["code"], NOTHING, ("findings", index)
            )
        else:
            left.remove(match)
    for finding in left:
        yield Difference(finding.part, f"finding {finding.path}", NOTHING, finding.code, ("findings",), finding.rule)


def _is_it(finding: Finding, wanted: Mapping[str, str]) -> bool:
    same = finding.part == wanted["part"] and finding.code == wanted["code"]
    return same and wanted.get("path", finding.path) == finding.path


def _shown(expected: Any, found: Any) -> tuple[str, str]:
    if isinstance(expected, str) and isinstance(found, str) and max(len(expected), len(found)) > _LONG:
        same = next(
            (index for index, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other),
            min(len(expected), len(found)),
        )
        begin = max(0, same - _AROUND)
        return _piece(expected, begin), f"{_piece(found, begin)} (from character {same + 1})"
    return repr(expected), repr(found)


def _piece(text: str, begin: int) -> str:
    end = begin + _LONG
    return ("…" if begin else "") + repr(text[begin:end]) + ("…" if end < len(text) else "")
