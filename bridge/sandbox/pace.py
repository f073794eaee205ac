"""How many requests an EHR answers in a minute or a day: counted by the clock's own minutes and days, UTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bridge.sandbox.call import Call
from bridge.sandbox.shape import Ceiling

SECONDS = {"minute": 60, "day": 86_400}


@dataclass(slots=True)
class Pace:
    """One ceiling: `most` requests of its kind in each span, as it is counted so far."""

    row: Ceiling
    most: int
    clock: Callable[[], float] = time.time
    span: int = 0
    count: int = 0

    def beyond(self, call: Call) -> bool:
        """Whether this request comes after the last one that is answered in its span; else it counts."""
        if self.row.interactions and call.interaction not in self.row.interactions:
            return False
        if self.row.types and call.type not in self.row.types:
            return False
        now = int(self.clock() // SECONDS[self.row.each])
        if now != self.span:
            self.span, self.count = now, 0
        self.count += 1
        return self.count > self.most
