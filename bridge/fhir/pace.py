"""What a connection's requests ask before they leave, and what hears of every answer: its pace."""

from __future__ import annotations

import math
from typing import Protocol

from bridge.model import Request, Response


class NotNow(Exception):
    """Nothing may leave for `wait` microseconds; `why` in words."""

    def __init__(self, wait: int, why: str) -> None:
        super().__init__(why)
        self.wait = max(0, wait)
        self.why = why

    @property
    def seconds(self) -> int:
        """The wait as Retry-After writes it."""
        return math.ceil(self.wait / 1_000_000)


class Pace(Protocol):
    """Budgets, circuit and concurrency of one connection."""

    async def ready(self, request: Request) -> None:
        """Something may leave now, as far as is known; nothing is counted. Raises NotNow."""

    async def enter(self, request: Request | None) -> None:
        """The request is counted and may leave; None is a call for the login. Raises NotNow."""

    async def heard(self, request: Request, response: Response) -> None:
        """What became of the request is taken into account. Raises nothing."""
