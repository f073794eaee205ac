"""What an EHR takes changes while records wait: they are planned anew, by the next way, or held with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from bridge import sandbox
from bridge.ehr import facts
from bridge.ehr.chart import Chart
from bridge.jobs import statements
from bridge.jobs.worker import Worker
from bridge.model import Request, Response, type_json
from bridge.store import statements as kept
from tests.flow.pilot import SYSTEM, Pilot, Site, pilot
from tests.flow.test_line import Ehr, contact
from tests.unit.ehr.making import ALL, statement

NOTHING = statement(Patient=(("read",), ("identifier",)))
DOCUMENTS = statement(Patient=(ALL, ("identifier",)), DocumentReference=(ALL, ("patient",)))
BOTH = statement(Patient=(ALL, ()), DocumentReference=(ALL, ("patient",)), Encounter=(ALL, ("patient",)))


class Stated:
    """An EHR that only states what it takes."""

    def __init__(self) -> None:
        self.statement: type_json = NOTHING

    async def send(self, request: Request) -> Response:
        """Its statement, whatever was asked."""
        return Response(200, {}, orjson.dumps(self.statement))


@contextmanager
def planning(folder: Path, **more: Any) -> Iterator[tuple[Pilot, Stated]]:
    """A practice that knows the child, whose EHR is only planned for."""
    ehr = Stated()
    with pilot(folder, [Site("maple", "http://127.0.0.1:9/fhir", enable=("Encounter",), **more)]) as bridge:
        practice, connection = bridge.line.project.practices["maple"], bridge.line.project.connections["maple-ehr"]
        bridge.line.charts["maple"] = Chart(practice, connection, facts.vendor("generic"), ehr)
        bridge.links("maple", {"c-1": "M-1"})
        bridge.consents("c-1,maple,2026-01-01,,yes")
        yield bridge, ehr


def states(bridge: Pilot, ehr: Stated, said: type_json) -> dict[str, str]:
    """The states of what should stand by its type, once the EHR states this and what is due was planned."""
    ehr.statement = said
    asyncio.run(statements.refresh(bridge.line, bridge.clock()))
    worker = Worker(bridge.line, bridge.clock)
    while worker.translate_some():
        pass
    return {entry["resource_type"]: entry["state"] for entry in bridge.entries()}


def test_what_waited_for_a_way_goes_the_one_that_was_opened_and_the_other_way_round(tmp_path: Path) -> None:
    with planning(tmp_path) as (bridge, ehr):
        bridge.accept("ma-soc/contact", contact())
        assert states(bridge, ehr, NOTHING) == {"DocumentReference": "held"}
        (hold,) = bridge.holds()
        assert (hold["reason"], hold["owner"]) == ("capability", "practice")
        assert states(bridge, ehr, DOCUMENTS) == {"DocumentReference": "ready"}
        assert states(bridge, ehr, BOTH) == {"DocumentReference": "ready"}, "what may go is left as it was planned"
        bridge.accept("ma-soc/contact", contact(updated_at="2026-03-08T10:00:00-05:00"))
        assert states(bridge, ehr, BOTH) == {"DocumentReference": "ready", "Encounter": "ready"}
        assert states(bridge, ehr, DOCUMENTS) == {"DocumentReference": "ready", "Encounter": "cancelled"}
        assert bridge.holds() == []
        assert states(bridge, ehr, NOTHING) == {"DocumentReference": "held", "Encounter": "cancelled"}
        assert "does not list create of DocumentReference" in bridge.holds()[0]["rule"]
        assert states(bridge, ehr, BOTH) == {"DocumentReference": "ready", "Encounter": "ready"}


def test_what_a_refusal_taught_another_process_counts_here_and_can_be_forgotten(tmp_path: Path) -> None:
    with planning(tmp_path) as (bridge, ehr):
        bridge.accept("ma-soc/contact", contact())
        assert states(bridge, ehr, BOTH) == {"DocumentReference": "ready", "Encounter": "ready"}
        line, now = bridge.line, bridge.clock()
        line.ledger.write(kept.learn, kept.Lesson("maple-ehr", "Encounter", "create", "405", now))
        assert states(bridge, ehr, BOTH) == {"DocumentReference": "ready", "Encounter": "cancelled"}
        assert ("Encounter", "create") in line.charts["maple"].lessons
        assert line.ledger.write(kept.forget, ("maple-ehr", "Encounter", "create"))
        statements.load(line, now)
        assert line.charts["maple"].lessons == frozenset()


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", orjson.dumps({"resourceType": "Bundle"})])
def test_what_is_no_statement_leaves_the_last_one_in_force(tmp_path: Path, body: bytes) -> None:
    with planning(tmp_path) as (bridge, ehr):
        bridge.accept("ma-soc/contact", contact())
        assert states(bridge, ehr, DOCUMENTS) == {"DocumentReference": "ready"}
        before = bridge.line.charts["maple"].stated

        async def no_statement(request: Request) -> Response:
            return Response(200, {}, body)

        ehr.send = no_statement  # type: ignore[method-assign]
        asyncio.run(statements.refresh(bridge.line, bridge.clock()))
        assert bridge.line.charts["maple"].stated == before
        assert bridge.entries()[0]["state"] == "ready"


def test_a_contact_amended_to_an_earlier_start_is_corrected_at_oracle_too(tmp_path: Path) -> None:
    """Its attachment.creation must not go backwards there, which is the sandbox's rule as it is the vendor's."""
    patient = {
        "resourceType": "Patient", "active": True, "identifier": [{"system": SYSTEM, "value": "M-1"}],
        "name": [{"family": "Ejemplo"}], "birthDate": "2021-04-09",
    }  # fmt: skip
    with sandbox.start("oracle") as ehr:
        httpx.post(f"{ehr.admin_url}/load", json=[patient]).raise_for_status()
        with pilot(tmp_path, [Site("maple", ehr.base_url, vendor="oracle")]) as bridge:
            bridge.links("maple", {"c-1": "M-1"})
            bridge.consents("c-1,maple,2026-01-01,,yes")
            bridge.accept("ma-soc/contact", contact())
            bridge.settle()
            earlier = {"started": "2026-03-01T09:00:00-05:00", "ended": "2026-03-01T09:30:00-05:00"}
            bridge.accept(
                "ma-soc/contact", contact(status="amended", updated_at="2026-03-08T10:00:00-05:00", **earlier)
            )
            bridge.settle()
            assert [(entry["state"], entry["stands_version"] is not None) for entry in bridge.entries()] == [
                ("delivered", True)
            ]
            assert bridge.holds() == []
            (document,) = Ehr(ehr).stored("DocumentReference")
    assert document["content"][0]["attachment"]["creation"] == "2026-03-01T10:00:00-05:00"
    assert document["context"]["period"]["start"] == "2026-03-01T09:00:00-05:00"
