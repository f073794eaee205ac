"""A document as plain text: UTF-8, lines as they were said, nothing wrapped, nothing indented."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.documents.content import Document, Line


def render(document: Document) -> bytes:
    """The document as text/plain in UTF-8; people's words stand in it byte for byte."""
    blocks = [
        "\n".join(_lines(document.ask)),
        "\n".join((document.title, "=" * len(document.title), *_lines(document.head))),
    ]
    for block in document.blocks():
        under = "-" if block.level == 2 else "~"
        heading = (block.heading, under * len(block.heading)) if block.heading else ()
        blocks.append("\n".join((*heading, *_lines(block.lines))))
    blocks.append("\n".join(("--", *_lines(document.foot))))
    return ("\n\n".join(blocks) + "\n").encode()


def _lines(lines: Iterable[Line]) -> Iterator[str]:
    """One below the other; what begins another thing comes after an empty line."""
    for number, line in enumerate(lines):
        if line.apart and number:
            yield ""
        separator = ":\n" if "\n" in line.text else ": "
        yield f"{line.label}{separator}{line.text}" if line.label else line.text
