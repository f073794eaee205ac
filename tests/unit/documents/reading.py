"""What a document says, read back out of each format by other hands than those that wrote it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape

from lxml import etree
from pypdf import PdfReader
from striprtf.striprtf import rtf_to_text

from bridge.documents.formats import CCDA, FORMATS, PDF, RTF

CDA = {"c": "urn:hl7-org:v3"}


def text(body: bytes) -> str:
    return body.decode()


def markup(body: bytes) -> str:
    """The text of the page, tags taken off by hand."""
    page = body.decode().partition("<body>")[2]
    return unescape(re.sub(r"<[^>]+>", "", page.replace("<br/>", "\n")))


def rtf(body: bytes) -> str:
    """As striprtf reads it; it leaves UTF-16's pairs apart."""
    read: str = rtf_to_text(body.decode("ascii"))  # type: ignore[no-untyped-call]
    return read.encode("utf-16", "surrogatepass").decode("utf-16")


def pdf(body: bytes) -> str:
    """As pypdf copies it, spaces and line ends made one space: a page wraps lines."""
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    return spaced(re.sub(r"\n?DB-[A-Z2-9]+(?: |\n)*(?:Page|Página) \d+ / \d+", "", "\n".join(pages)))


def ccda(body: bytes) -> str:
    """Title and narrative of every section, in their order."""
    tree = etree.fromstring(body)
    lines = [tree.findtext("c:title", "", CDA)]
    for node in tree.xpath("//c:section/c:title | //c:paragraph", namespaces=CDA):
        for end in node.iterfind(".//c:br", CDA):
            end.tail = "\n" + (end.tail or "")
        lines.append("".join(node.itertext()))
    return "\n".join(lines)


def spaced(said: str) -> str:
    """With one space for every run of spaces and line ends."""
    return " ".join(said.split())


READERS: dict[str, Callable[[bytes], str]] = {
    "text/plain": text,
    "application/xhtml+xml": markup,
    "text/html": markup,
    PDF: pdf,
    **dict.fromkeys(RTF, rtf),
    **dict.fromkeys(CCDA, ccda),
}
assert set(READERS) == set(FORMATS)
