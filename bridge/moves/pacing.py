"""One connection's pace in this process: what may leave now, and what every answer teaches all processes.

Budgets, waits and circuits are in the ledger. Here is what was granted of them, and what is seen between two looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from bridge import log
from bridge.ehr import circuit, hours
from bridge.ehr.facts import PaceFacts, VendorFacts
from bridge.ehr.outcome import issues
from bridge.ehr.received import json_object, retry_after
from bridge.errors import BridgeError
from bridge.fhir.pace import NotNow
from bridge.model import Failure, Request, Response
from bridge.moves.width import Width
from bridge.settings import Connection, PaceSettings, Project
from bridge.store import budgets, leases
from bridge.store.ledger import Ledger
from bridge.store.writer import Operation

P = TypeVar("P")
R = TypeVar("R")
SECOND = 1_000_000
LOOK = SECOND
"""How old what is known of the ledger's word on this connection may be."""

TELL = 5 * SECOND
"""How often requests without a budget are counted in the ledger."""

SHARE, LARGEST = 20, 64
"""A grant is this part of a minute's budget, and this many requests at the most."""

MEANWHILE = SECOND
"""How long something waits that came while another tries the connection."""

DOCUMENTS = "DocumentReference"
ASKED_TO_WAIT = "it asked us to wait"
TOO_MANY = (429,)


class Write(Protocol):
    """Writes to the ledger without blocking the requests under way (`Line.write`)."""

    async def __call__(self, operation: Operation[P, R], parameter: P) -> R: ...


def most_of(pace: PaceSettings, known: PaceFacts) -> budgets.Most:
    """A connection's budgets: the site's where it says one, else the vendor's."""
    return budgets.Most(
        pace.per_minute or known.per_minute.value,
        pace.per_day or known.per_day.value,
        pace.documents_per_day or known.documents_per_day.value,
    )


def zone_of(project: Project, connection: Connection) -> str:
    """The zone in which a connection's days begin."""
    practices = [one for _, one in sorted(project.practices.items()) if one.connection == connection.id]
    return connection.pace.timezone or (practices[0].timezone if practices else "UTC")


class Pacer:
    """What `fhir.client` asks before a request leaves and tells afterwards (`fhir.pace.Pace`)."""

    def __init__(
        self,
        project: Project,
        connection: Connection,
        vendor: VendorFacts,
        ledger: Ledger,
        write: Write,
        clock: Callable[[], int],
    ) -> None:
        self.name = connection.id
        self.most = most_of(connection.pace, vendor.pace)
        self.width = Width(connection.lanes)
        self.probing = False
        self.state = leases.State()
        self._ledger = ledger
        self._write = write
        self._clock = clock
        self._zone = zone_of(project, connection)
        self._spent_today = frozenset(vendor.pace.spent_today.value)
        self._streak = circuit.Streak()
        self._looked: int | None = None
        self._grant: budgets.Grant | None = None
        self._left = self._documents = 0  # of the grant; below 0 what was used without a budget
        self._told_at = 0
        self._asking: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._shown = self.width.most

    # ── before ────────────────────────────────────────────────────────────────────────────────────────────────────
    async def ready(self, request: Request) -> None:
        """Something may leave now, as far as is known; nothing is counted. Raises NotNow."""
        self._open(request, self._clock())

    async def enter(self, request: Request | None) -> None:
        """The request is counted and may leave; None is a call for the login. Raises NotNow."""
        now = self._clock()
        self._open(request, now)
        document = request is not None and request.path.partition("/")[0] == DOCUMENTS
        if not self._spend(now, document):
            async with self._alone():
                if not self._spend(self._clock(), document):
                    await self._ask(self._clock(), document)

    def _open(self, request: Request | None, now: int) -> None:
        """Neither a wait nor the circuit keeps it back; a down connection is tried by one lane, and by its statement.

        Raises NotNow.
        """
        self._look(now)
        state = self.state
        if state.not_before > now:
            raise NotNow(state.not_before - now, state.because)
        tries = self.probing or request is None or request.path == circuit.STATEMENT
        if state.failures and not tries:
            raise NotNow(max(state.closed_until - now, MEANWHILE), state.reason)

    @property
    def limited(self) -> bool:
        """Whether a budget of requests or documents is known."""
        return any((self.most.minute, self.most.day, self.most.documents, self.state.learned_per_minute))

    def _spend(self, now: int, document: bool) -> bool:
        """One of what was granted is spent; False where nothing is left or its time is over."""
        grant = self._grant
        if grant is None or now >= grant.until or budgets.minute_of(now) != grant.minute:
            return False
        if self.limited:
            if self._left < 1 or (document and self.most.documents is not None and self._documents < 1):
                return False
        elif now >= self._told_at + TELL:
            return False
        self._left -= 1
        self._documents -= document
        return True

    def _alone(self) -> asyncio.Lock:
        """One asks for all who need a grant; a lock belongs to the loop it was waited for in."""
        loop = asyncio.get_running_loop()
        if self._asking is None or self._asking[0] is not loop:
            self._asking = loop, asyncio.Lock()
        return self._asking[1]

    async def _ask(self, now: int, document: bool) -> None:
        """A new grant, of which one is spent. Raises NotNow; the ledger says so to every other worker too."""
        day, tomorrow = hours.day_of(self._zone, now)
        wanted, documents = self._wanted()
        ask = budgets.Ask(self.name, now, day, tomorrow, self.most, wanted, documents, self._back())
        grant = await self._write(budgets.take, ask)
        self._grant, self._told_at = grant, now
        self._left, self._documents = (grant.requests, grant.documents) if self.limited else (0, 0)
        if self.limited and grant.requests < 1:
            self.state = replace(self.state, not_before=grant.until, because=grant.because)
            raise NotNow(grant.until - now, grant.because)
        if document and self.most.documents is not None and grant.documents < 1:
            raise NotNow(tomorrow - now, "the day's requests for documents are spent")
        self._left -= 1
        self._documents -= document

    def _wanted(self) -> tuple[int, int]:
        """How many requests, how many of them for documents, one grant is of."""
        if not self.limited:
            return 0, 0
        known = [one for one in (self.most.minute, self.state.learned_per_minute) if one]
        requests = max(1, min(LARGEST, *(one // SHARE for one in known))) if known else LARGEST
        documents = max(1, min(requests, self.most.documents // SHARE)) if self.most.documents else 0
        return requests, documents

    def _back(self) -> budgets.Back | None:
        """What is left of the grant before, or was used without one."""
        if self._grant is None:
            return None
        left = budgets.Back(self._grant.minute, self._grant.day, self._left, self._documents)
        self._left = self._documents = 0
        return left

    async def give_back(self) -> None:
        """Nothing that was granted here and not used is lost to others; call it when nothing is sent any more."""
        back = self._back()
        if back is None or not (back.requests or back.documents):
            return
        now = self._clock()
        day, tomorrow = hours.day_of(self._zone, now)
        await self._safely(budgets.take, budgets.Ask(self.name, now, day, tomorrow, self.most, 0, 0, back))

    def _look(self, now: int) -> None:
        """What every process knows of this connection, at most `LOOK` old."""
        if self._looked is None or now >= self._looked + LOOK:
            self._looked = now
            with self._ledger.read() as connection:
                self.state = leases.connection_states(connection).get(self.name, leases.State())
            if self.state.learned_per_minute and self.state.learned_at <= now - budgets.LEARNED_LASTS:
                self.state = replace(self.state, learned_per_minute=None)

    # ── after ─────────────────────────────────────────────────────────────────────────────────────────────────────
    async def heard(self, request: Request, response: Response) -> None:
        """What became of the request is taken into account, for all who use the connection. Raises nothing."""
        if response.failure is Failure.NOT_NOW:
            return
        now = self._clock()
        after = retry_after(response, now) if "retry-after" in response.headers else None
        many = response.status in TOO_MANY or response.why == "login-later"
        if many or response.status == 503 or response.failure is Failure.LOST:
            self.width.halve(now)
        elif response.failure is None:
            self.width.grow()
        if many or (after is not None and (response.status == 503 or response.failure is Failure.NO_LOGIN)):
            await self._hold_off(response, after, now)
        elif self._spent_today and response.status >= 400 and self._spent_today & codes(response):
            today = hours.day_of(self._zone, now)[0]
            spent = budgets.TooMany(self.name, now, 0, "", documents_of=today)
            await self._safely(budgets.too_many, spent)
            self._documents = 0
        await self._circuit(request, response, None if many else after, now)
        if self.width.now != self._shown:
            self._shown = self.width.now
            await self._safely(budgets.keep_width, (self.name, self._shown))

    async def _hold_off(self, response: Response, after: int | None, now: int) -> None:
        """Every worker waits as long as the EHR said, or to the top of the next minute where it did not."""
        next_minute = budgets.minute_of(now) + budgets.MINUTE + budgets.MARGIN
        until = next_minute if after is None else now + after
        learn = response.status in TOO_MANY and after is None
        self.state = replace(self.state, not_before=max(until, self.state.not_before), because=ASKED_TO_WAIT)
        await self.give_back()  # what was granted was too much, and what was sent is to be known
        self._grant = None
        await self._safely(budgets.too_many, budgets.TooMany(self.name, now, until, ASKED_TO_WAIT, learn))
        log.event("asked-to-wait", connection=self.name, status=response.status, seconds=(until - now) // SECOND)

    async def _circuit(self, request: Request, response: Response, after: int | None, now: int) -> None:
        """The circuit opens where the connection does not work as a whole, and closes when it does again."""
        found = self._streak.add(request, response)
        if self.probing and self.state.failures:  # nobody else tries it: one failure says that it is still down
            found = circuit.fails(self.state.reason, request, response)
        elif self.state.closed_until > now:  # what left before has failed for the same cause
            found = None
        if found is not None:
            failures = self.state.failures + 1
            until = circuit.opens_until(self.name, found, failures, after, now)
            self.state = replace(self.state, closed_until=until, reason=found.value, failures=failures)
            self.probing = False
            await self._safely(leases.set_circuit, leases.Circuit(self.name, until, found.value, now))
            log.event("connection-down", level=logging.WARNING, connection=self.name, reason=found.name.lower())
        elif self.state.failures and circuit.works(self.state.reason, request, response):
            self.state = replace(self.state, closed_until=0, reason="", failures=0)
            self.probing = False
            await self._safely(leases.set_circuit, leases.Circuit(self.name, 0, "", now))
            log.event("connection-up", connection=self.name)

    async def _safely(self, operation: Operation[P, R], asked: P) -> None:
        """An answer is not lost because what it says of the connection could not be written down."""
        try:
            await self._write(operation, asked)
        except BridgeError as error:
            log.failure("pace-unwritten", error, connection=self.name)


def codes(response: Response) -> set[str]:
    """The vendor's codes in an answer."""
    return {code for issue in issues(json_object(response.body), "") for code in issue.details}


def quiet_until(project: Project, practice: str, now: int) -> int | None:
    """When the practice's quiet hours end; None where it is in none."""
    known = project.practices[practice]
    wanted: Sequence[str] = project.connections[known.connection].pace.quiet_hours
    return hours.quiet_until(wanted, known.timezone, now) if wanted else None
