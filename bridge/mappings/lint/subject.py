"""One mapping as the rules look at it: what was read, where it was written, and what each expression may give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridge.errors import Problem
from bridge.fhir.definitions import Definitions
from bridge.mappings.fhirpath import Position
from bridge.mappings.kinds import Kind
from bridge.mappings.mappingfile import Laid, RecordMapping
from bridge.mappings.rowplaces import RowPlaces
from bridge.mappings.source import Source

_MOST_NAMES = 12


@dataclass(slots=True)
class Subject:
    """One mapping with its kind, the FHIR definitions and the places of table rows; findings are added to `found`.

    `sound` says that nothing was wrong in its files: only then is what is missing there missing indeed.
    """

    laid: Laid
    kind: Kind
    kind_source: Source
    definitions: Definitions
    rows: RowPlaces
    sound: bool = True
    found: list[Problem] = field(default_factory=list)

    @property
    def mapping(self) -> RecordMapping:
        return self.laid.mapping

    @property
    def source(self) -> Source:
        return self.laid.source

    @property
    def parts(self) -> Mapping[str, str]:
        """The FHIR type of each part."""
        return {part.name: part.type for part in self.mapping.parts}

    def own(self, where: str) -> bool:
        """Does a place lie in the file itself: what a file that it extends says cannot be taken away here."""
        return where.startswith(f"{self.laid.chain[-1].source.file}:")

    def say(self, code: str, where: Position | str, rule: str, name: str = "", next_step: str = "") -> None:
        """Add a finding, once."""
        problem = Problem(code, rule, str(where), name, next_step)
        if problem not in self.found:
            self.found.append(problem)


def listed(names: Iterable[str]) -> str:
    """Names for a message, as many as one line takes."""
    known = list(names)
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return ", ".join(known[:_MOST_NAMES]) + more
