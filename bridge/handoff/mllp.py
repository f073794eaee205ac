"""An interface engine's port: one message framed by MLLP, one acknowledgement.

Source: HL7 Transport Specification MLLP release 1 and 2 (start block 0x0B, end block 0x1C, carriage return), HL7 v2.5.1
2.9 (original and enhanced acknowledgement, tables 0008 and 0357); read 2026-11. A connection serves one message.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.handoff import er7
from bridge.handoff.mdm import Names, message
from bridge.handoff.over import Fate, Given, HandOver, Look

START, END = b"\x0b", b"\x1c\r"
LARGEST = 1_048_576  # bytes of an acknowledgement
TRANSIENT = frozenset({"206", "207"})  # table 0357: record locked, internal error
ACCEPTED, COMMITTED = frozenset({"AA"}), frozenset({"CA"})
REFUSED = frozenset({"AE", "AR", "CE", "CR"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine listens; `secure` None = plain TCP, for an engine on the same machine or behind a tunnel."""

    host: str
    port: int
    seconds: float
    secure: ssl.SSLContext | None = None


class Mllp:
    """One engine. `again`: what brought no answer is given again under the same control id; else a person says."""

    def __init__(self, endpoint: Endpoint, names: Names, at_once: int = 1, again: bool = True) -> None:
        self.endpoint = endpoint
        self.names = names
        self.again = again
        self.turns = asyncio.Semaphore(at_once)
        self.takes = endpoint.seconds

    async def give(self, over: HandOver) -> Given:
        """The message was sent, and what the engine said of it, or that it said nothing."""
        framed = START + message(over, self.names) + END
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self.endpoint.seconds):
                reader, writer = await self._open()
                writer.write(framed)
                await writer.drain()
                return await answer(reader, over.control)
        except (TimeoutError, OSError) as error:
            if writer is not None:
                return Given(Fate.LOST, "no-answer")
            return Given(Fate.LATER, "certificate" if isinstance(error, ssl.SSLError) else "not-connected")
        finally:
            if writer is not None:
                writer.transport.abort()

    async def look(self, over: HandOver) -> Look:
        """An engine cannot be asked: the same message again, or a person."""
        return Look.AGAIN if self.again else Look.PERSON

    async def said(self, over: HandOver) -> str:
        """ "" : an engine cannot be asked."""
        return ""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """Nothing: an engine says what it says when it is asked."""
        return {}

    async def reach(self) -> str:
        """ "" where the port takes a connection; nothing is sent."""
        try:
            async with asyncio.timeout(self.endpoint.seconds):
                _, writer = await self._open()
        except (TimeoutError, OSError) as error:
            return f"no connection ({type(error).__name__})"
        writer.transport.abort()
        return ""

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        end = self.endpoint
        named = end.host if end.secure is not None else None
        return await asyncio.open_connection(end.host, end.port, ssl=end.secure, server_hostname=named, limit=LARGEST)


async def answer(reader: asyncio.StreamReader, control: str) -> Given:
    """What the engine says of the message with this control id; of another it is not heard, and reading goes on."""
    while True:
        try:
            framed = await reader.readuntil(END)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return Given(Fate.LOST, "half-an-answer")
        said = framed.rpartition(START)[2].removesuffix(END)
        read = er7.acknowledgement(said)
        if read is None:
            return Given(Fate.LOST, "no-acknowledgement", said)
        if read.control == control:
            return Given(*meaning(read), kept=said)


def meaning(read: er7.Acknowledgement) -> tuple[Fate, str]:
    """What an acknowledgement means, and its codes."""
    code = " ".join((read.code, *read.errors))
    if read.code in ACCEPTED:
        return Fate.CONFIRMED, code
    if read.code in COMMITTED:
        return Fate.GIVEN, code
    if read.code in REFUSED:
        return (Fate.LATER if TRANSIENT.intersection(read.errors) else Fate.REFUSED), code
    return Fate.LOST, "unknown-code"
