"""Our XHTML narrative back to the plain words it was made from."""

from __future__ import annotations

from html.parser import HTMLParser

from bridge.documents.content import Line

_BLOCKS = frozenset(
    {"div", "p", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "blockquote", "pre"}
)


def paragraphs(div: str, language: str = "") -> tuple[Line, ...]:
    """The paragraphs of a FHIR narrative, each with its language; line breaks become line ends, the rest stays as said.

    `language` holds where the narrative names none. Markup that is not ours loses its tags, never its text.
    """
    reader = _Reader(language)
    reader.feed(div)
    reader.close()
    reader.end()
    return tuple(reader.found)


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
