"""A document as XHTML and as HTML: the same markup, readable without colours, images or styles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from bridge.documents.content import Document, Line
from bridge.documents.script import right_to_left

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters no XML document may hold (XML 1.0 §2.2); FHIR strings hold none of them either."""


def render(document: Document) -> bytes:
    """The document as application/xhtml+xml in UTF-8, well-formed; people's words are escaped, not touched."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_page(document)}'.encode()


def render_html(document: Document) -> bytes:
    """The document as text/html in UTF-8."""
    return f"<!DOCTYPE html>\n{_page(document)}".encode()


def words(text: str) -> str:
    """The text as it stands in markup: escaped, line ends as <br/>, carriage returns kept by name."""
    safe = escape(_NOT_XML.sub("�", text), quote=False)
    return safe.replace("\r", "&#13;").replace("\n", "<br/>")


def _page(document: Document) -> str:
    language = document.language
    parts = [
        f'<html xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">',
        f'<head><meta charset="utf-8"/><title>{words(document.name)}</title></head>',
        "<body>",
        *_lines(document.ask),
        f"<h1>{words(document.title)}</h1>",
        *_lines(document.head),
    ]
    for block in document.blocks():
        if block.heading:
            parts.append(f"<h{block.level}>{words(block.heading)}</h{block.level}>")
        parts.extend(_lines(block.lines))
    parts.extend(("<hr/>", *_lines(document.foot), "</body>", "</html>"))
    return "\n".join(parts) + "\n"


def _lines(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        tag = escape(line.language)
        said = f'<span lang="{tag}" xml:lang="{tag}">{words(line.text)}</span>' if tag else words(line.text)
        label = f"<strong>{words(line.label)}:</strong> " if line.label else ""
        toward = ' dir="rtl"' if right_to_left(line.text) and not label else ""
        yield f"<p{toward}>{label}{said}</p>"
