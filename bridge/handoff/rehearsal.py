"""A hand-over that is not made: it takes everything, and remembers exactly what would have been given."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bridge.handoff.over import Fate, Given, HandOver, Look


class Rehearsal:
    """For dry runs: nothing leaves."""

    def __init__(self) -> None:
        self.given: list[HandOver] = []
        self.takes = 0.0
        self.turns = asyncio.Semaphore(1)

    async def give(self, over: HandOver) -> Given:
        """It would be given."""
        self.given.append(over)
        return Given(Fate.GIVEN, "rehearsed")

    async def look(self, over: HandOver) -> Look:
        """What was lost would be asked of a person."""
        return Look.PERSON

    async def said(self, over: HandOver) -> str:
        """ "" : nothing was given."""
        return ""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """Nothing."""
        return {}

    async def reach(self) -> str:
        """ "" : nobody is reached for."""
        return ""
