"""One practice's chart as the line reaches it: the practice, its connection, the vendor, and what the server takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from bridge.ehr.capability import Capability, Learned
from bridge.ehr.facts import VendorFacts
from bridge.ehr.ways import Ways, shipped
from bridge.model import Failure, Request, Response, type_json
from bridge.settings import Connection, Practice


class Sender(Protocol):
    """What sends a request and brings its answer (`fhir.client.Client`)."""

    async def send(self, request: Request) -> Response: ...


class NoServer:
    """What stands where there is no FHIR server: nothing that is sent to it leaves."""

    async def send(self, request: Request) -> Response:
        """It was not sent."""
        return Response(failure=Failure.NOT_CONNECTED)


@dataclass(frozen=True, slots=True)
class Chart:
    """`capability` is None until the server's statement was read once; nothing is sent before."""

    practice: Practice
    connection: Connection
    vendor: VendorFacts
    client: Sender
    capability: Capability | None = None
    ways: Ways = field(default_factory=shipped)
    stated: str = ""  # the digest of the statement it knows
    lessons: Learned = frozenset()  # what was learned when it was loaded

    def knowing(self, statement: type_json, learned: Learned, digest: str = "") -> Chart:
        """The chart with what its server states and what its refusals taught. Raises DefinitionError."""
        asked = self.practice.asked
        capability = Capability.from_statement(statement, self.vendor, asked, learned)
        return replace(self, capability=capability, stated=digest, lessons=frozenset(learned))

    def without_server(self) -> Chart:
        """The chart itself; where there is no FHIR server, one that knows that none takes anything."""
        return self if self.serves else replace(self, capability=Capability(self.vendor, "no FHIR server", {}, {}))

    @property
    def serves(self) -> bool:
        """Whether there is a FHIR server at all."""
        return bool(self.connection.base)

    @property
    def planned(self) -> Capability:
        """What to plan with: the capability, or before any statement was read that documents are taken."""
        if self.capability is not None:
            return self.capability
        stated = {"DocumentReference": frozenset({"create"})}
        return Capability(self.vendor, "a statement not read yet", stated, {})

    @property
    def visibility_delay(self) -> int:
        """Microseconds after which a search shows what was accepted."""
        seconds = self.connection.visibility_delay_seconds
        return int((self.vendor.visibility_delay.value if seconds is None else seconds) * 1_000_000)
