"""Expression text to tokens, each with its offset (FHIRPath N1, "Lexical elements")."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

from bridge.mappings.fhirpath.limits import TEXT_OF_EXPRESSION
from bridge.mappings.fhirpath.problems import ExpressionError, Position


class Kind(StrEnum):
    """What a token is."""

    NAME = "a name"
    QUOTED = "a name in backticks"
    STRING = "a string"
    NUMBER = "a number"
    MOMENT = "a date or time"
    SPECIAL = "$this, $index or $total"
    SIGN = "a sign"
    END = "the end of the expression"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its value (strings and names without quotes and escapes) and where it begins."""

    kind: Kind
    text: str
    start: int


class Source:
    """An expression's text, which knows the position of every offset in it."""

    def __init__(self, text: str, origin: Position) -> None:
        self.text = text
        self.origin = origin
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, offset: int) -> Position:
        """The position of the character at `offset`."""
        line = bisect_right(self._lines, offset)
        return self.origin.moved(line, offset - self._lines[line - 1] + 1)


_TIME = r"\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?"
_TOKENS = re.compile(
    rf"""(?P<skip>[ \r\n\t]+|//[^\n]*|/\*.*?\*/)
    |(?P<moment>@T{_TIME}|@\d{{4}}(?:-\d\d(?:-\d\d)?)?(?:T(?:{_TIME}(?:Z|[+-]\d\d:\d\d)?)?)?)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<quoted>`(?:\\.|[^`\\])*`)
    |(?P<string>'(?:\\.|[^'\\])*')
    |(?P<special>\$[a-z]+)
    |(?P<sign><=|>=|!=|!~|/(?!\*)|[-+*&|<>=~.,()\[\]{{}}%])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"\\": "\\", "/": "/", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "`": "`", "'": "'", '"': '"'}
_SPECIALS = ("$this", "$index", "$total")


def tokens(source: Source) -> list[Token]:
    """All tokens of the source, ending with one of kind END. Raises ExpressionError FP01, FP02, FP03 or FP10."""
    text = source.text
    if len(text) > TEXT_OF_EXPRESSION:
        rule = f"an expression has at most {TEXT_OF_EXPRESSION} characters"
        raise ExpressionError("FP10", source.position(0), rule, "split it with {% assign %}")
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        match = _TOKENS.match(text, offset)
        if match is None:
            raise _unexpected(source, offset)
        if match.lastgroup != "skip":
            found.append(_token(source, match))
        offset = match.end()
    found.append(Token(Kind.END, "", len(text)))
    return found


def _token(source: Source, match: re.Match[str]) -> Token:
    group, text, start = str(match.lastgroup), match.group(), match.start()
    if group in ("quoted", "string"):
        return Token(Kind[group.upper()], _unescape(source, text[1:-1], start + 1), start)
    if group == "special" and text not in _SPECIALS:
        rule = "only $this, $index and $total begin with a dollar sign"
        raise ExpressionError("FP02", source.position(start), rule, "write %name for a variable")
    return Token(Kind[group.upper()], text, start)


def _unescape(source: Source, text: str, start: int) -> str:
    def one(match: re.Match[str]) -> str:
        what = match.group(1)
        if len(what) == 5:
            return chr(int(what[1:], 16))
        if what not in _ESCAPES:
            rule = "a backslash in a string is followed by one of \\ / f n r t ' ` \" or u and four hex digits"
            raise ExpressionError("FP03", source.position(start + match.start()), rule, "write \\\\ for a backslash")
        return _ESCAPES[what]

    if "\\" not in text:
        return text
    try:  # \\ud83d\\ude00 is one character
        return _ESCAPE.sub(one, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        rule = "\\u names a character; half of a surrogate pair is none"
        raise ExpressionError("FP03", source.position(start), rule, "write both halves, or the character") from None


def _unexpected(source: Source, offset: int) -> ExpressionError:
    place, sign = source.position(offset), source.text[offset]
    if source.text.startswith("/*", offset):
        return ExpressionError("FP02", place, "a comment that begins with /* ends with */", "close the comment")
    if sign in "'`":
        return ExpressionError("FP02", place, f"what begins with {sign} ends with {sign}", f"add the closing {sign}")
    if sign == "@":
        rule = "a date or time is written @2026-01-31, @2026-01-31T10:30:00Z or @T10:30"
        return ExpressionError("FP03", place, rule, "write it with all its digits")
    if sign == '"':
        return ExpressionError("FP01", place, "a string stands in single quotes", "write 'text'")
    return ExpressionError("FP01", place, "an expression has no such character here", "take it out, or quote it")
