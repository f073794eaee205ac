"""The formats a document can be had in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bridge.documents import ccda, pdf, rtf, text, xhtml
from bridge.documents.content import Document
from bridge.errors import Problem

PDF: Final = "application/pdf"
RTF: Final = ("text/rtf", "application/rtf")
CCDA: Final = ("application/hl7-v3+xml", "application/cda+xml", "text/xml", "application/xml")
"""C-CDA goes by several names; which one an EHR takes is its vendor's fact."""

CCDA_FORMAT: Final = {
    "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
    "code": "urn:hl7-org:sdwg:ccda-structuredBody:2.1",
    "display": "For documents following C-CDA 2.1 constraints using a structured body.",
}
"""DocumentReference.content.format of a C-CDA (IHE FormatCode, as US Core binds it; seen 2026-11-22)."""

FORMATS: dict[str, Callable[[Document], bytes]] = {
    "text/plain": text.render,
    "application/xhtml+xml": xhtml.render,
    "text/html": xhtml.render_html,
    PDF: pdf.render,
    **dict.fromkeys(RTF, rtf.render),
    **dict.fromkeys(CCDA, ccda.render),
}
"""Content type without parameters → renderer. All text is UTF-8 but RTF's, which is ASCII."""

_SUFFIXES = {
    "text/plain": "txt",
    "application/xhtml+xml": "xhtml",
    "text/html": "html",
    PDF: "pdf",
    **dict.fromkeys(RTF, "rtf"),
    **dict.fromkeys(CCDA, "xml"),
}


def render(document: Document, mime: str) -> bytes:
    """The document in one of `FORMATS`. Raises KeyError for another, and for a PDF what `pdf.render` raises."""
    return FORMATS[mime](document)


def file_name(reference: str, mime: str) -> str:
    """What a file of this document is called: the delivery reference, never a name. Raises KeyError as `render`."""
    return f"{reference}.{_SUFFIXES[mime]}"


def missing(mime: str) -> Problem | None:
    """What must be installed before documents of this format can be made here; None where nothing is missing."""
    return pdf.missing() if mime == PDF else None
