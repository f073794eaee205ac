"""A set of mappings loaded to be checked: it remembers which values, branches and table rows its cases reached.

`load(files, Watching())` compiles every mapping with marks. The set in force is loaded without, and has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.mappings.fhirpath import REGISTRY, Registry
from bridge.mappings.fhirpath.compiling.coverage import Watch
from bridge.mappings.functions import FUNCTIONS, Functions, Values

LOOK_UPS = frozenset(name for name, function in FUNCTIONS.items() if function.on == "tables")


class MappingWatch(Watch):
    """What the cases reached of one mapping. `functions` are ours, which note the rows that are looked up."""

    def __init__(self, rows: set[tuple[str, str, str]]) -> None:
        super().__init__()
        self._rows = rows
        self.functions: Registry = REGISTRY.extended(
            replace(one, call=self._noting(one.call)) if one.name in LOOK_UPS and one.call is not None else one
            for one in FUNCTIONS.values()
        )

    def _noting(self, call: Callable[..., object]) -> Callable[..., object]:
        def noted(functions: Functions, table: Values, codes: Values) -> object:
            name = functions.tables[str(table[0])].name
            self._rows.update((name, str(code), functions.day) for code in codes)
            return call(functions, table, codes)

        return noted


class Watching:
    """The watches of a set of mappings by their names, and the (full table name, code, day) that were looked up."""

    def __init__(self) -> None:
        self.mappings: dict[str, MappingWatch] = {}
        self.rows: set[tuple[str, str, str]] = set()

    def of(self, mapping: str) -> MappingWatch:
        """The watch of one mapping."""
        return self.mappings.setdefault(mapping, MappingWatch(self.rows))
