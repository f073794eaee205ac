"""A document as tagged PDF (PDF/UA-1): headings, languages and reading order in it, fonts embedded, black on white.

Typeset by typst from page.typ, with the fonts that typst and the package manimgx-fonts bring and no others, so that the
same document is the same bytes on every machine. Its date is the document's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import orjson

from bridge.documents.content import Document, Line
from bridge.documents.script import right_to_left
from bridge.documents.words import Words
from bridge.errors import ConfigError, Problem

if TYPE_CHECKING:
    import typst

PACKAGES = ("typst", "manimgx_fonts")
CJK = "manimgx_fonts_cjk"  # Chinese, Japanese and Korean: 100 MB more, used where it is installed
FONTS = ("Noto Sans",)
STANDARD: Final = "ua-1"
LONGEST = 40  # characters after which a word without spaces may break
_LINE_ENDS = re.compile("\r\n|\r|\n")
_LANGUAGE = re.compile("[a-z]{2,3}")
_ONE_AT_A_TIME = Lock()


class Unshowable(ValueError):
    """The fonts at hand have no sign for a character of the text: the page would show a box in its place."""


def missing() -> Problem | None:
    """What is wrong where a PDF cannot be made here; None where it can."""
    absent = [name for name in PACKAGES if find_spec(name) is None]
    if not absent:
        return None
    rule = f"a document as PDF needs the packages typst and manimgx-fonts; not installed: {', '.join(absent)}"
    return Problem("document-package", rule, next_step="pip install 'dyad-bridge[documents]'")


def render(document: Document) -> bytes:
    """The document as application/pdf: the same document gives the same bytes.

    Raises ConfigError where the extra `documents` is not installed, and Unshowable where its fonts lack a character of
    the text: no page is better than one with boxes on it.
    """
    problem = missing()
    if problem is not None:
        raise ConfigError(problem)
    import typst

    try:
        with _ONE_AT_A_TIME:
            compiler, page = _typesetter()
            made = compiler.compile(
                page,
                format="pdf",
                pdf_standards=[STANDARD],
                timestamp=_moment(document.date),
                sys_inputs={"data": orjson.dumps(_data(document)).decode()},
            )
    except typst.TypstError as error:
        found = "could not be displayed" in str(error)
        # Its message quotes the text: it is not passed on.
        if found:
            raise Unshowable("the fonts at hand lack a sign for a character of this document") from None
        raise ValueError("typst could not typeset this document") from None
    if not isinstance(made, bytes):
        raise ValueError("typst made no single file")
    return made


@cache
def _typesetter() -> tuple[typst.Compiler, bytes]:
    """One for the process, and the page it sets: fonts are read once. It takes one document at a time."""
    import typst

    folders = [path for path in map(_folder, (PACKAGES[1], CJK)) if path is not None]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=folders)
    return typst.Compiler(font_paths=fonts), files("bridge.documents").joinpath("page.typ").read_bytes()


def _folder(package: str) -> Path | None:
    found = find_spec(package)
    return Path(found.origin).parent if found is not None and found.origin else None


def _data(document: Document) -> dict[str, Any]:
    """What page.typ shows."""
    language = document.language
    return {
        "fonts": FONTS,
        "language": language,
        "name": document.name,
        "title": document.title,
        "authors": list(document.authors) or [document.frame.agency],
        "reference": document.reference,
        "dated": bool(document.date),
        "page": Words(language)("page"),
        "ask": _lines(document.ask, language),
        "head": _lines(document.head, language),
        "blocks": [
            {"level": block.level, "heading": block.heading, "lines": _lines(block.lines, language)}
            for block in document.blocks()
        ],
        "foot": _lines(document.foot, language),
    }


def _lines(lines: Iterable[Line], language: str) -> list[dict[str, Any]]:
    return [
        {
            "label": line.label,
            "text": [_pieces(text) for text in _LINE_ENDS.split(line.text)],
            "language": _tag(line.language) or language,
            "rtl": right_to_left(line.text),
            "apart": line.apart and number > 0,
        }
        for number, line in enumerate(lines)
    ]


def _pieces(text: str) -> list[str]:
    """The text cut where a line may break though there is no space; put together they are the text. A tab, which no
    font draws, is a space here.
    """
    text = text.replace("\t", " ")
    if len(text) <= LONGEST or not re.search(rf"\S{{{LONGEST},}}", text):
        return [text]
    return re.findall(rf"\S{{1,{LONGEST}}}\s*|\s+", text)


def _tag(language: str) -> str:
    """The language without region or script, which is all that typst takes; "" where it is none."""
    plain = language.partition("-")[0].lower()
    return plain if _LANGUAGE.fullmatch(plain) else ""


def _moment(date: str) -> datetime:
    """The document's own date as an instant; 1970-01-01 where it has none, for never is a clock asked."""
    try:
        found = datetime.fromisoformat(date)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
