"""One entry's turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.ehr.chart import Chart
from bridge.model import AnswerClass
from bridge.moves.leaving import Leaving
from bridge.moves.line import Line
from bridge.moves.matching import Matcher
from bridge.store import past_steps
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

    def in_a_row(self, kind: AnswerClass) -> int:
        """How many of the entry's latest answers were of this kind, of as many attempts as it made."""
        if not self.entry.attempts:
            return 0
        with self.line.ledger.read() as connection:
            return min(past_steps.in_a_row(connection, self.entry.id, kind), self.entry.attempts)
