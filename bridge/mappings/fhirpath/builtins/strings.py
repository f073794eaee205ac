"""String functions (FHIRPath N1, "String Manipulation" and "Additional String Functions")."""

from __future__ import annotations

import base64
import binascii
import html
import re
from functools import lru_cache

from bridge.mappings.fhirpath.limits import LENGTH_OF_TEXT
from bridge.mappings.fhirpath.patterns import Pattern, check_subject, pattern_of
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.registry import Example, Function, Style
from bridge.mappings.fhirpath.values import Items, system

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\d))", re.ASCII)
_NOT_TEXT = "the input or an argument is not a string"


def substring(text: str, start: int, length: int | None = None) -> str | None:
    """From `start`, at most `length` characters; None where it begins outside."""
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def replace(text: str, pattern: str, substitution: str) -> str:
    """Every `pattern` replaced; an empty one stands between all characters. Raises Fault FE04."""
    if len(text) + (text.count(pattern)) * len(substitution) > LENGTH_OF_TEXT:
        raise _too_long()
    return text.replace(pattern, substitution)


@lru_cache(maxsize=256)
def _pattern(text: str) -> Pattern:
    return pattern_of(text)


def matches(text: str, pattern: str) -> bool:
    """Is the pattern found anywhere. Raises Fault FP11, FE04."""
    found = _pattern(pattern)
    check_subject(found, text)
    return found.compiled.search(text) is not None


def matches_full(text: str, pattern: str) -> bool:
    """Does the pattern match the whole text. Raises Fault FP11, FE04."""
    found = _pattern(pattern)
    check_subject(found, text)
    return found.compiled.fullmatch(text) is not None


def replace_matches(text: str, pattern: str, substitution: str) -> str:
    """Every match replaced; $1 and ${name} stand for its groups. Raises Fault FP11, FE04."""
    found = _pattern(pattern)
    check_subject(found, text)
    parts: list[str] = []
    end = size = 0
    for match in found.compiled.finditer(text) if pattern else ():
        parts += (text[end : match.start()], _filled(match, substitution))
        end = match.end()
        size += len(parts[-1])
        if size > LENGTH_OF_TEXT:
            raise _too_long()
    return "".join((*parts, text[end:]))


def _filled(match: re.Match[str], substitution: str) -> str:
    groups = match.groupdict()

    def one(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name in groups:
            return groups[name] or ""
        if name.isdigit() and int(name) <= match.re.groups:
            return match[int(name)] or ""
        return reference[0]

    return _REFERENCE.sub(one, substitution)


def split(text: str, separator: str) -> list[str]:
    """The parts between separators; an empty separator gives the characters."""
    return text.split(separator) if separator else list(text)


def join(items: Items, separator: Items | None = None) -> str | None:
    """The texts of a collection with a separator between them, None of nothing. Raises Fault FE01, FE02, FE04."""
    if not items:
        return None
    if separator is not None and len(separator) > 1:
        raise Fault("FE01", "join() takes one separator")
    between = system(separator[0]) if separator else ""
    texts = [system(item) for item in items]
    if not isinstance(between, str) or not all(isinstance(text, str) for text in texts):
        raise Fault("FE02", "join() joins strings", "convert each with select(toString())")
    if sum(len(str(text)) + len(between) for text in texts) > LENGTH_OF_TEXT:
        raise _too_long()
    return between.join(str(text) for text in texts)


def encode(text: str, form: str) -> str | None:
    """The text as hex, base64 or urlbase64 of its UTF-8; None for another form."""
    data = text.encode()
    match form:
        case "hex":
            return data.hex()
        case "base64":
            return base64.b64encode(data).decode()
        case "urlbase64":
            return base64.urlsafe_b64encode(data).decode()
    return None


def decode(text: str, form: str) -> str | None:
    """What encode() gave, as text again; None where it cannot be."""
    try:
        match form:
            case "hex":
                return bytes.fromhex(text).decode()
            case "base64":
                return base64.b64decode(text, validate=True).decode()
            case "urlbase64":
                return base64.urlsafe_b64decode(text).decode()
    except (binascii.Error, ValueError):
        return None
    return None


def escape(text: str, form: str) -> str | None:
    """The text made safe for html or json; None for another form."""
    if form == "html":
        return html.escape(text, quote=True)
    if form == "json":
        return text.translate(_JSON)
    return None


def unescape(text: str, form: str) -> str | None:
    """What escape() gave, as text again; None for another form."""
    if form == "html":
        return html.unescape(text)
    if form == "json":
        for sign, written in reversed(_JSON_PAIRS):
            text = text.replace(written, sign)
        return text
    return None


_JSON_PAIRS = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\f", "\\f"))
_JSON = str.maketrans(dict(_JSON_PAIRS))


def _too_long() -> Fault:
    return Fault("FE04", f"a text has at most {LENGTH_OF_TEXT} characters")


def _text(name: str, usage: str, call: object, more: tuple[str, ...], gives: str, *examples: Example, least: int = -1,
          failures: tuple[str, ...] = ()) -> Function:  # fmt: skip
    return Function(
        name, usage, Style.VALUE, call,  # type: ignore[arg-type]
        least=len(more) if least < 0 else least, most=len(more), takes=("String", *more), gives=gives,
        failures=(_NOT_TEXT, *failures), examples=examples,
    )  # fmt: skip


_PATTERN = ("the pattern is invalid, or could run without end", "the text is too long for this pattern")
_E = Example
STRINGS: tuple[Function, ...] = (
    _text("indexOf", "indexOf(substring)", str.find, ("String",), "Integer", _E("'abcdefg'.indexOf('bc')", (1,)),
          _E("'abcdefg'.indexOf('x')", (-1,)), _E("{}.indexOf('x')", ())),
    _text("lastIndexOf", "lastIndexOf(substring)", str.rfind, ("String",), "Integer",
          _E("'abcabc'.lastIndexOf('bc')", (4,))),
    _text("substring", "substring(start [, length])", substring, ("Integer", "Integer"), "String",
          _E("'abcdefg'.substring(1, 2)", ("bc",)), _E("'abcdefg'.substring(7, 1)", ()), least=1),
    _text("startsWith", "startsWith(prefix)", str.startswith, ("String",), "Boolean",
          _E("'abcdefg'.startsWith('abc')", (True,)), _E("'abc'.startsWith('')", (True,))),
    _text("endsWith", "endsWith(suffix)", str.endswith, ("String",), "Boolean",
          _E("'abcdefg'.endsWith('efg')", (True,))),
    _text("contains", "contains(substring)", str.__contains__, ("String",), "Boolean",
          _E("'abc'.contains('b')", (True,)), _E("'abc'.contains('d')", (False,))),
    _text("upper", "upper()", str.upper, (), "String", _E("'AbC'.upper()", ("ABC",))),
    _text("lower", "lower()", str.lower, (), "String", _E("'AbC'.lower()", ("abc",))),
    _text("replace", "replace(pattern, substitution)", replace, ("String", "String"), "String",
          _E("'abcdefg'.replace('cde', '123')", ("ab123fg",)), _E("'abc'.replace('', 'x')", ("xaxbxcx",)),
          failures=("the result is too long",)),
    _text("matches", "matches(regex)", matches, ("String",), "Boolean",
          _E("'N8000123'.matches('^N[0-9]{7}$')", (True,)), failures=_PATTERN),
    _text("matchesFull", "matchesFull(regex)", matches_full, ("String",), "Boolean",
          _E("'ab'.matchesFull('a')", (False,)), failures=_PATTERN),
    _text("replaceMatches", "replaceMatches(regex, substitution)", replace_matches, ("String", "String"), "String",
          _E("'11/30/72'.replaceMatches('(?<m>[0-9]+)/(?<d>[0-9]+)', '${d}-${m}')", ("30-11/72",)), failures=_PATTERN),
    _text("length", "length()", len, (), "Integer", _E("'abc'.length()", (3,)), _E("{}.length()", ())),
    _text("toChars", "toChars()", list, (), "Strings", _E("'abc'.toChars()", ("a", "b", "c"))),
    _text("split", "split(separator)", split, ("String",), "Strings", _E("'a,b'.split(',')", ("a", "b"))),
    Function("join", "join([separator])", Style.COLLECTION, join, 0, 1, gives="String", single=True,
             failures=("an item is not a string",), examples=(_E("('a' | 'b').join(', ')", ("a, b",)),)),
    _text("trim", "trim()", str.strip, (), "String", _E("' a '.trim()", ("a",))),
    _text("encode", "encode(format)", encode, ("String",), "String", _E("'test'.encode('base64')", ("dGVzdA==",))),
    _text("decode", "decode(format)", decode, ("String",), "String", _E("'dGVzdA=='.decode('base64')", ("test",))),
    _text("escape", "escape(target)", escape, ("String",), "String", _E("'a<b'.escape('html')", ("a&lt;b",))),
    _text("unescape", "unescape(target)", unescape, ("String",), "String", _E("'a&lt;b'.unescape('html')", ("a<b",))),
)  # fmt: skip
