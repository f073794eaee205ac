"""Pages that a person prints and takes, mails or faxes to the practice, and confirms afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bridge.handoff.over import Fate, Given, HandOver, Look


class Packet:
    """Nothing leaves by itself: the pages are in the ledger, and listed."""

    def __init__(self) -> None:
        self.takes = 0.0
        self.turns = asyncio.Semaphore(8)

    async def give(self, over: HandOver) -> Given:
        """It is listed: its step kept it."""
        return Given(Fate.GIVEN, "listed")

    async def look(self, over: HandOver) -> Look:
        """What a step kept is listed; of what none kept nothing is."""
        return Look.GIVEN if over.body else Look.ABSENT

    async def said(self, over: HandOver) -> str:
        """ "" : what a step kept is in the ledger."""
        return ""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """Nothing: a person confirms."""
        return {}

    async def reach(self) -> str:
        """ "" : a person is always reached."""
        return ""
