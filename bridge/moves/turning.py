"""One entry's turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.ehr.chart import Chart
from bridge.moves.leaving import Leaving
from bridge.moves.line import Line
from bridge.moves.matching import Matcher
from bridge.store.lanes import EntryWork, LaneWork


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry's turn: everything its moves need."""

    line: Line
    chart: Chart
    lane: LaneWork
    entry: EntryWork
    matcher: Matcher
    leaving: Leaving
    clock: Callable[[], int]
