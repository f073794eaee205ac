"""What a document says, before it has a format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """Some words, as they were said or as a fact. `label` is ours, in the document's language; `text` may have several
    lines and is in `language` ("" = the document's). `apart` says that another thing begins here.
    """

    text: str = field(repr=False)
    label: str = ""
    language: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One document. Every format shows, in this order: `ask`, `title`, `head`, `sections`, `foot`.

    `ask` is what the clinician should do, or that nothing is asked. `head` says when and by whom, `foot` whom to call,
    that the document may be incomplete, and the delivery `reference`.
    """

    language: str
    title: str
    ask: tuple[Line, ...]
    head: tuple[Line, ...]
    sections: tuple[Section, ...]
    foot: tuple[Line, ...]
    reference: str

    def lines(self) -> Iterator[Line]:
        """Every line in order, without headings: the facts of the document, to compare formats by."""
        yield from self.ask
        yield from self.head
        for section in self.sections:
            yield from section.lines
        yield from self.foot
