"""The plain values of a project file, with guards, for rules that must be checked beside other mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import Problem
from bridge.settings.lines import Document, Path


class Tree:
    """The plain values of a document, with guards: what is not of the expected type is as if absent."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.root: Mapping[str, Any] = document.value if isinstance(document.value, dict) else {}

    def items(self, section: str) -> dict[str, Mapping[str, Any]]:
        """The items of a section that are mappings, by id."""
        found = self.root.get(section)
        return {key: item for key, item in found.items() if isinstance(item, dict)} if isinstance(found, dict) else {}

    def problem(self, code: str, path: Path, rule: str, next_step: str) -> Problem:
        """A problem at `path`."""
        return Problem(code, rule, self.document.where(path), ".".join(map(str, path)), next_step)


def texts(item: Mapping[str, Any], field: str) -> list[tuple[int, str]]:
    """The texts of a list, with their places."""
    found = item.get(field)
    return [(i, text) for i, text in enumerate(found) if isinstance(text, str)] if isinstance(found, list) else []
