"""A document as RTF 1.9: styled headings, the language of every run, and nothing that a reader could run or fetch.

Everything that is not plain ASCII stands as `\\uN?` (UTF-16), so that the bytes mean the same whatever code page a
reader assumes. Control words as in the RTF Specification 1.9.1 (2008), "Unicode RTF", "Document Information".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bridge.documents.content import Document, Line
from bridge.documents.script import right_to_left

_LANGUAGES = {
    "en": 1033,
    "es": 2058,
    "pt": 1046,
    "fr": 1036,
    "ht": 1036,
    "vi": 1066,
    "zh": 2052,
    "ar": 1025,
    "ru": 1049,
}
"""Windows language ids (MS-LCID); Spanish as in Mexico. One that is missing is written without a language."""

_NO_PROOFING = 1024
_SPECIAL = {"\\": "\\\\", "{": "\\{", "}": "\\}", "\n": "\\line\n", "\t": "\\tab "}
_LINE_ENDS = re.compile("\r\n|\r|\n")
_FONTS = "{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}}"
_STYLES = (
    "{\\stylesheet{\\s0\\fs21 Normal;}{\\s1\\outlinelevel0\\b\\fs30 heading 1;}"
    "{\\s2\\outlinelevel1\\b\\fs25 heading 2;}{\\s3\\outlinelevel2\\b\\fs22 heading 3;}}"
)
_SIZES = {1: 30, 2: 25, 3: 22}


def render(document: Document) -> bytes:
    """The document as text/rtf, in ASCII; read back, people's words are what they were."""
    language = _language(document.language)
    parts = [
        f"{{\\rtf1\\ansi\\ansicpg1252\\uc1\\deff0\\deflang{language}",
        _FONTS,
        _STYLES,
        f"{{\\info{{\\title {escape(document.name)}}}{_created(document.date)}}}",
        "\\paperw12240\\paperh15840\\margl1134\\margr1134\\margt1134\\margb1134",
        *_lines(document.ask, language, bold=True),
        _heading(1, document.title, language),
        *_lines(document.head, language),
    ]
    for block in document.blocks():
        if block.heading:
            parts.append(_heading(block.level, block.heading, language))
        parts.extend(_lines(block.lines, language))
    parts.append("\\pard\\plain\\s0\\brdrt\\brdrs\\brdrw10\\sb120\\fs4\\par")
    parts.extend(_lines(document.foot, language))
    return ("\n".join(parts) + "\n}\n").encode("ascii")


def escape(text: str) -> str:
    """The text as it stands in RTF; every line end is one line break."""
    return "".join(map(_character, _LINE_ENDS.sub("\n", text)))


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if " " <= character <= "~":
        return character
    if character < " " or "\ud800" <= character <= "\udfff":
        character = "\ufffd"
    units = character.encode("utf-16-le")
    numbers = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(f"\\u{number}?" for number in numbers)


def _heading(level: int, text: str, language: int) -> str:
    style = f"\\pard\\plain\\s{level}\\outlinelevel{level - 1}\\sb160\\sa60\\keepn\\b\\fs{_SIZES[level]}"
    return f"{style}\\lang{language} {escape(text)}\\par"


def _lines(lines: Iterable[Line], language: int, bold: bool = False) -> Iterator[str]:
    for number, line in enumerate(lines):
        above = 120 if line.apart and number else 0
        toward = "\\rtlpar\\qr" if right_to_left(line.text) and not line.label else "\\ltrpar"
        run = "\\rtlch" if right_to_left(line.text) else "\\ltrch"
        weight = "\\b" if bold else ""
        spoken = _language(line.language) if line.language else language
        label = f"{{\\b {escape(line.label)}:}} " if line.label else ""
        text = f"{{{run}{weight}\\lang{spoken} {escape(line.text)}}}"
        yield f"\\pard\\plain\\s0{toward}\\sb{above}\\sa60\\fs21\\lang{language} {label}{text}\\par"


def _language(tag: str) -> int:
    return _LANGUAGES.get(tag.partition("-")[0].lower(), _NO_PROOFING)


def _created(date: str) -> str:
    found = re.match(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?", date)
    if found is None:
        return ""
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    return f"{{\\creatim\\yr{year}\\mo{month}\\dy{day}\\hr{hour}\\min{minute}}}"
