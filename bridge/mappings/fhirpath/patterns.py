"""Regular expressions that cannot run without end.

Python's engine tries every way a pattern can match, which may be exponentially many. So a repeated group may hold no
choice and nothing of varying length, references back and looking around are refused, the ways that choices and bounded
repetitions multiply to are few, and the rest, whose work grows with the text's length to the power of the open
repetitions, is only run on texts short enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.mappings.fhirpath.limits import LENGTH_OF_TEXT
from bridge.mappings.fhirpath.problems import Fault

LENGTH_OF_PATTERN = 250
_WORK = 50_000_000
_WAYS = 2**14
_MANY = 32
"""A repetition that may go further than this counts as open."""
_PARTS = re.compile(
    r"""\\(?P<escape>[1-9]|.)
    |(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    |(?P<open>\((?:\?(?P<flag>:|<[A-Za-z_]\w*>|P<[A-Za-z_]\w*>|.))?)
    |(?P<close>\))
    |(?P<repeat>(?:[*+?]|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\})(?P<extra>[?+]?))
    |(?P<choice>\|)|.""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_SET_OPERATION = re.compile(r"(?<!\\)\[|--|&&|~~|\|\|")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that may be run on a text of at most `longest` characters."""

    compiled: re.Pattern[str]
    longest: int


@dataclass(slots=True)
class _Group:
    open: int = 0
    ways: int = 1
    choices: int = 1

    @property
    def fixed(self) -> bool:
        return self.open == 0 and self.ways * self.choices == 1


def pattern_of(text: str) -> Pattern:
    """The pattern. Raises Fault FP11 where it is invalid or could run without end."""
    if len(text) > LENGTH_OF_PATTERN:
        raise _refused(f"a regular expression has at most {LENGTH_OF_PATTERN} characters")
    whole = _measured(text)
    power = whole.open + (0 if text.startswith("^") else 1)
    try:
        compiled = re.compile(re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", text), re.DOTALL)
    except (re.error, OverflowError, RecursionError):
        raise _refused("a regular expression must be one") from None
    return Pattern(compiled, _longest(whole.ways * whole.choices, power))


def check_subject(pattern: Pattern, text: str) -> None:
    """Nothing happens where the text is short enough. Raises Fault FE04."""
    if len(text) > pattern.longest:
        step = "begin it with ^, or take fewer * and + in it"
        raise Fault("FE04", f"this regular expression takes texts of at most {pattern.longest} characters", step)


def _longest(ways: int, power: int) -> int:
    return min(LENGTH_OF_TEXT, int((_WORK / ways) ** (1 / max(power, 1))))


def _measured(text: str) -> _Group:
    """How many open repetitions the pattern holds, and in how many ways the rest of it can match."""
    groups: list[_Group] = [_Group()]
    atom = _Group()
    for match in _PARTS.finditer(text):
        if match["repeat"]:
            _repeat(match, groups[-1], atom)
            atom = _Group()
        elif match["open"]:
            _check_flag(match["flag"])
            groups.append(_Group())
        elif match["close"]:
            if len(groups) == 1:
                raise _refused("every bracket of a regular expression has its partner")
            atom = groups.pop()
            groups[-1].open += atom.open
            groups[-1].ways *= atom.ways * atom.choices
        elif match["choice"]:
            groups[-1].choices += 1
        else:
            if match["set"] and _SET_OPERATION.search(match["set"][1:]):
                raise _refused("a set [ ] holds no other set and no doubled sign", r"write \[ for a bracket in a set")
            if match["escape"] and match["escape"] in "123456789":
                raise _refused("a regular expression does not refer back to what it matched")
            atom = _Group()
        if groups[-1].ways * groups[-1].choices > _WAYS:
            raise _refused("a regular expression holds few choices and few optional parts")
    return groups[0]


def _check_flag(flag: str | None) -> None:
    if flag and flag != ":" and not flag.endswith(">"):
        raise _refused("a regular expression does not look around or set flags")


def _repeat(match: re.Match[str], group: _Group, atom: _Group) -> None:
    least, most = _bounds(match)
    if most != 1 and not atom.fixed:
        raise _refused("a repeated group holds no choice and nothing of varying length")
    if most is None or (most > _MANY and most != least):
        group.open += 1
    else:
        group.ways *= most - least + 1


def _bounds(match: re.Match[str]) -> tuple[int, int | None]:
    sign = match["repeat"][0]
    if sign != "{":
        return (1 if sign == "+" else 0), (1 if sign == "?" else None)
    least = int((match["least"] or "0")[:6])
    return least, int(match["most"][:6]) if match["most"] else None if match["comma"] else least


def _refused(rule: str, step: str = "write it simpler, or test the text with startsWith(), contains() or in") -> Fault:
    return Fault("FP11", rule, step)
