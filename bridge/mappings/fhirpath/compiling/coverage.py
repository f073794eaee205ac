"""Which places of a mapping a record reaches: what a case covers.

Only checking compiles with a Watch. Compiled code then says at each place that it was reached; without one, not a line
of it differs.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.mappings.fhirpath.problems import Position

SEEN = "SEEN"
"""What compiled code calls, with the number of a mark, where it is watched."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that a record can reach: a value that is given, or one way a decision can go.

    `kind` is "value", "if", "for", "iif" or a name of the caller's, `way` what became of it ("" for a value), `part`
    the template it stands in.
    """

    kind: str
    position: Position
    way: str = ""
    part: str = ""


class Watch:
    """The marks of what is compiled with it, and which of them were reached since."""

    def __init__(self) -> None:
        self.marks: dict[Mark, int] = {}
        self.reached: set[int] = set()
        self.part = ""

    def mark(self, kind: str, position: Position, way: str = "") -> int:
        """The number of a mark; the same one for the same place."""
        return self.marks.setdefault(Mark(kind, position, way, self.part), len(self.marks))
