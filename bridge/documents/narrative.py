"""Our XHTML narrative back to the plain words it was made from."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from bridge.documents.content import Line

_BLOCKS = frozenset(
    {"div", "p", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "blockquote", "pre"}
)
_OPENING = re.compile(
    r'<div xmlns="http://www\.w3\.org/1999/xhtml"(?: xml:lang="([A-Za-z0-9-]+)" lang="(?:[A-Za-z0-9-]+)")?><p>'
)
_CLOSING = "</p></div>"


def paragraphs(div: str, language: str = "") -> tuple[Line, ...]:
    """The paragraphs of a FHIR narrative, each with its language; line breaks become line ends, the rest stays as said.

    `language` holds where the narrative names none. Markup that is not ours loses its tags, never its text.
    """
    found = _ours(div, language)
    if found is not None:
        return found
    reader = _Reader(language)
    reader.feed(div)
    reader.close()
    reader.end()
    return tuple(reader.found)


def _ours(div: str, language: str) -> tuple[Line, ...] | None:
    """The same for what our mappings write (paragraphs of words and line breaks), 20 times faster; else None."""
    opening = _OPENING.match(div)
    if opening is None or not div.endswith(_CLOSING):
        return None
    said = [one.split("<br/>") for one in div[opening.end() : -len(_CLOSING)].split("</p><p>")]
    if any("<" in line for lines in said for line in lines):
        return None
    texts = ("\n".join(map(unescape, lines)) for lines in said)
    return tuple(Line(text, language=opening[1] or language) for text in texts if text.strip())


class _Reader(HTMLParser):
    def __init__(self, language: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Line] = []
        self._languages: list[tuple[str, str]] = [("", language)]
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._text.append("\n")
            return
        if tag in _BLOCKS:
            self.end()
        named = dict(attrs)
        language = named.get("xml:lang") or named.get("lang") or self._languages[-1][1]
        self._languages.append((tag, language))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.end()
        if any(tag == opened for opened, _ in self._languages[1:]):
            while self._languages.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def end(self) -> None:
        """What was read so far is a paragraph, unless it is only the space between tags."""
        text = "".join(self._text)
        self._text.clear()
        if text.strip():
            self.found.append(Line(text, language=self._languages[-1][1]))
