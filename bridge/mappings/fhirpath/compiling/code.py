"""Python source under construction, each line with the position in the mapping it came from.

Only literals (through repr) and names made here are written; a record's or mapping's own words never become names.
Names are assigned once, so equal right-hand sides in reach of each other are computed once (`keep`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bridge.mappings.fhirpath.limits import DEPTH_OF_LOOPS
from bridge.mappings.fhirpath.problems import ExpressionError, Position

_INDENT = "    "
_BLOCKS = 60


class Code:
    """Lines, constants and temporary names of one module."""

    def __init__(self, position: Position) -> None:
        self.lines: list[str] = []
        self.positions: list[Position] = []
        self.constants: dict[str, object] = {}
        self.at = position
        self._depth = 0
        self._loops = 0
        self._count = 0
        self._kept: list[dict[str, str]] = [{}]
        self._shared: dict[tuple[type, object], str] = {}

    def line(self, text: str) -> None:
        """One more line at the present indentation and position."""
        self.lines.append(f"{_INDENT * self._depth}{text}")
        self.positions.append(self.at)

    def name(self, letter: str = "t") -> str:
        """A name nothing else has."""
        self._count += 1
        return f"{letter}{self._count}"

    def keep(self, expression: str) -> str:
        """A name that holds the value of a pure expression; the same one for the same expression in reach."""
        for known in self._kept:
            if expression in known:
                return known[expression]
        name = self.name()
        self.line(f"{name} = {expression}")
        self._kept[-1][expression] = name
        return name

    def spend(self, work: str) -> None:
        """Count work at run time, in line because every loop does."""
        self.line(f"q.left -= {work}")
        self.line("if q.left < 0: q.spend(0)")

    def spend_again(self, items: str) -> None:
        """Count a walk over items that happens once for each round of a loop; one walk alone is bounded by its list."""
        if self._loops:
            self.spend(f"len({items})")

    def spend_text(self, text: str) -> None:
        """Count what a function of a text costs in each round of a loop: a thousand characters as one item."""
        if self._loops and text.isidentifier():
            self.spend(f"len({text}) // 1000 if {text} is not None else 0")

    def constant(self, value: object) -> str:
        """A name for an object that source cannot write; the same one for the same object."""
        key = (type(value), value if isinstance(value, str | bytes | frozenset) else id(value))
        if key not in self._shared:
            self._shared[key] = self.name("K")
            self.constants[self._shared[key]] = value
        return self._shared[key]

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """The lines within stand under `header:`; what is kept there is out of reach after it."""
        if self._depth > _BLOCKS:
            raise self._too_deep()
        self.line(f"{header}:")
        self._depth += 1
        self._kept.append({})
        size = len(self.lines)
        yield
        if len(self.lines) == size:
            self.line("pass")
        self._kept.pop()
        self._depth -= 1

    @contextmanager
    def loop(self, header: str) -> Iterator[None]:
        """A block that repeats. Raises ExpressionError FP10 where loops nest too deeply."""
        self._loops += 1
        if self._loops > DEPTH_OF_LOOPS:
            raise self._too_deep()
        with self.block(header):
            yield
        self._loops -= 1

    def source(self) -> str:
        """All lines as one text."""
        return "\n".join(self.lines) + "\n"

    def _too_deep(self) -> ExpressionError:
        rule = f"loops nest at most {DEPTH_OF_LOOPS} deep, and conditions {_BLOCKS}"
        return ExpressionError("FP10", self.at, rule, "split it with {% assign %}")
