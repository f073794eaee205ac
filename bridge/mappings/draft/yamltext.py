"""Lines of YAML as people write them: quoted only where they must be, and `# ??` where a person has to decide."""

from __future__ import annotations

import json
import re

MARK = "# ??"
"""What begins the comment on a line that a person has to decide; lint reports each until it is deleted."""
UNDECIDED = "??"
"""What begins a cell of a table that a person has to decide."""

_VALUES = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))  # some of them to older readers
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*[A-Za-z0-9_/]|[A-Za-z_]")


def quoted(text: str) -> str:
    """A text as a YAML scalar that reads back as the same text, in a flow as well as in a block."""
    if _PLAIN.fullmatch(text) and text.lower() not in _VALUES:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def braced(text: str) -> str:
    """A text that holds an expression: always in quotes, because YAML takes braces for its own."""
    return f'"{text}"'


def unsure(line: str, reason: str, ranked: str = "") -> str:
    """The line with the mark, the reason, and the guesses by rank."""
    told = f" ({ranked})" if ranked else ""
    return f"{line}  {MARK} {_one_line(reason + told)}"


def told(line: str, remark: str) -> str:
    """The line with a remark that asks nothing."""
    return f"{line}  # {_one_line(remark)}"


def commented(lines: list[str]) -> list[str]:
    """The lines as comments, at the indentation of the first."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    return [f"{line[:indent]}# {line[indent:]}" for line in lines]


def _one_line(text: str) -> str:
    return " ".join(text.split())
