"""The formats a document can be had in."""

from __future__ import annotations

from collections.abc import Callable

from bridge.documents import text, xhtml
from bridge.documents.content import Document

FORMATS: dict[str, Callable[[Document], bytes]] = {
    "text/plain": text.render,
    "application/xhtml+xml": xhtml.render,
    "text/html": xhtml.render_html,
}
"""Content type without parameters → renderer. All are UTF-8."""


def render(document: Document, mime: str) -> bytes:
    """The document in one of `FORMATS`. Raises KeyError for another."""
    return FORMATS[mime](document)
