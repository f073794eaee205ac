"""Narratives read back: what our mappings write is read without a parser, and says the same."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.documents import narrative
from bridge.documents.content import Line
from bridge.documents.narrative import paragraphs

XHTML = "http://www.w3.org/1999/xhtml"
WORDS = st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1), min_size=1)


def div(said: Sequence[Sequence[str]], language: str = "") -> str:
    """As the mappings write it: paragraphs, each of lines."""
    spoken = f' xml:lang="{language}" lang="{language}"' if language else ""
    inner = "".join(f"<p>{'<br/>'.join(map(escape, lines))}</p>" for lines in said)
    return f'<div xmlns="{XHTML}"{spoken}>{inner}</div>'


def parsed(markup: str, language: str = "") -> tuple[Line, ...]:
    """What the parser for anybody's markup finds."""
    reader = narrative._Reader(language)
    reader.feed(markup)
    reader.close()
    reader.end()
    return tuple(reader.found)


@given(WORDS, st.sampled_from(["", "es", "pt-BR"]))
def test_what_we_write_is_read_as_the_parser_reads_it(said: list[list[str]], language: str) -> None:
    markup = div(said, language)
    assert narrative._ours(markup, "en") == parsed(markup, "en") == paragraphs(markup, "en")


@given(WORDS)
def test_words_come_back_as_they_were_said(said: list[list[str]]) -> None:
    whole = ["\n".join(lines) for lines in said]
    assert [line.text for line in paragraphs(div(said))] == [text for text in whole if text.strip()]


@pytest.mark.parametrize(
    "markup",
    [
        f'<div xmlns="{XHTML}"><p>one</p><ul><li>two</li></ul></div>',
        f'<div xmlns="{XHTML}"><p>one <b>two</b></p></div>',
        f'<div xmlns="{XHTML}" xml:lang="es"><p>uno</p></div>',
        f'<div xmlns="{XHTML}"><p>one</p> <p>two</p></div>',
        f'<div xmlns="{XHTML}"><p>one<!-- two --></p></div>',
        "<div><p>one</p></div>",
    ],
)
def test_other_markup_goes_to_the_parser(markup: str) -> None:
    assert narrative._ours(markup, "") is None
    assert paragraphs(markup) == parsed(markup) != ()
