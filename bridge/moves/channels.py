"""Whether a practice's hand-off works as a whole: one circuit for all workers of all processes.

What `moves.pacing` does for a FHIR connection. It is asked before each hand-over and hears what became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from bridge import log
from bridge.ehr.decide import back_off
from bridge.errors import BridgeError
from bridge.handoff import circuit
from bridge.handoff.over import Given, Hand
from bridge.store import leases
from bridge.store.ledger import Ledger
from bridge.store.writer import Operation

P = TypeVar("P")
R = TypeVar("R")
SECOND = 1_000_000
LOOK = SECOND
"""How old what is known of the ledger's word on a way may be."""

FIRST, LONGEST = 10 * SECOND, 600 * SECOND
"""When a way that was down is tried again: first, and at the latest."""

MEANWHILE = 2 * SECOND
"""How long something waits that came while another tries the way; and what a try may last beyond the way's own time."""


class Write(Protocol):
    """Writes to the ledger without blocking what is under way (`Line.write`)."""

    async def __call__(self, operation: Operation[P, R], parameter: P) -> R: ...


@dataclass(frozen=True, slots=True)
class Entrance:
    """Whether something may be handed over: not before `until`, if that is set. `tries`: it tries a way that was down,
    as nobody else does before then; 0 where the way works.
    """

    until: int | None = None
    tries: int = 0


FREE = Entrance()


class Channel:
    """One practice's way of handing over, as one process sees it."""

    def __init__(
        self, practice: str, way: str, hand: Hand, ledger: Ledger, write: Write, clock: Callable[[], int]
    ) -> None:
        self.practice = practice
        self.way = way
        self.hand = hand
        self.name = circuit.name_of(practice)
        self.state = leases.State()
        self._ledger = ledger
        self._write = write
        self._clock = clock
        self._streak = circuit.Streak()
        self._looked: int | None = None

    def closed(self) -> bool:
        """Whether nothing is handed over now."""
        now = self._clock()
        self._look(now)
        return self.state.closed_until > now

    async def enter(self) -> Entrance:
        """Whether something may be handed over now. One alone tries a way that was down, and only where the other side
        can be reached: nothing that may be lost leaves before.
        """
        now = self._clock()
        self._look(now)
        if self.state.closed_until > now:
            return Entrance(self.state.closed_until)
        if not self.state.failures:
            return FREE
        hold = await self.try_again()
        if not hold:
            return Entrance(self._clock() + MEANWHILE)
        if await self.hand.reach():
            return Entrance(await self._down(self.state.reason))
        return Entrance(tries=hold)

    async def try_again(self) -> int:
        """Until when nobody else tries the way; 0 where somebody does already, or it is not down."""
        now = self._clock()
        hold = now + 2 * int(self.hand.takes * SECOND) + MEANWHILE  # reached for, then given
        taken = await self._write(leases.try_again, (self.name, now, hold))
        self._looked = None
        return hold if taken else 0

    async def heard(self, control: str, given: Given, entrance: Entrance) -> int | None:
        """What became of a hand-over is taken into account, for all who use the way; until when it is down, if it is.
        Raises nothing.
        """
        now, found = self._clock(), circuit.cause(self.way, given)
        much = self._streak.add(found, control)
        if found is None:
            if self.state.failures or entrance.tries:
                await self._up()
            return None
        if entrance.tries:
            return await self._down(much or self._before(found))
        if self.state.closed_until > now:
            return self.state.closed_until
        return await self._down(much) if much is not None else None

    async def let_go(self, entrance: Entrance) -> None:
        """Nothing was handed over after all: another may try."""
        if entrance.tries:
            self._looked = None
            await self._safely(leases.end_probe, (self.name, entrance.tries, self._clock()))

    async def ask(self) -> bool:
        """A way that was down was reached for, with nothing handed over; False where that would not tell, or another
        tries it.
        """
        self._look(self._clock())
        if not circuit.reach_tells(self.state.reason) or not await self.try_again():
            return False
        if await self.hand.reach():
            await self._down(self.state.reason)
        else:
            await self._up()
        return True

    def _before(self, found: circuit.Cause) -> str:
        """The cause it is down for already, unless one failure is enough to say another: one alert for what fails now
        this way, now that."""
        return found.value if circuit.HANDLED[found].after == 1 else self.state.reason or found.value

    def _look(self, now: int) -> None:
        if self._looked is None or now >= self._looked + LOOK:
            self._looked = now
            with self._ledger.read() as connection:
                self.state = leases.connection_states(connection).get(self.name, leases.State())

    async def _down(self, reason: str) -> int:
        now, failures = self._clock(), self.state.failures + 1
        until = now + back_off(self.name, failures, FIRST, LONGEST)
        self.state = replace(self.state, closed_until=until, reason=reason, failures=failures)
        await self._safely(leases.set_circuit, leases.Circuit(self.name, until, reason, now))
        code = next((cause.name.lower() for cause in circuit.Cause if cause == reason), "")
        log.event("handoff-down", level=logging.WARNING, practice=self.practice, reason=code)
        return until

    async def _up(self) -> None:
        self.state = replace(self.state, closed_until=0, reason="", failures=0)
        await self._safely(leases.set_circuit, leases.Circuit(self.name, 0, "", self._clock()))
        log.event("handoff-up", practice=self.practice)

    async def _safely(self, operation: Operation[P, R], asked: P) -> None:
        """What became of a hand-over is not lost because what it says of the way could not be written down."""
        try:
            await self._write(operation, asked)
        except BridgeError as error:
            log.failure("channel-unwritten", error, practice=self.practice)
