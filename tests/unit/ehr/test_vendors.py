"""What is shaped for a vendor is taken by an EHR shaped like it: create, look, correct, retract, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bridge import sandbox
from bridge.documents.formats import FORMATS
from bridge.ehr import facts, look, match, send
from bridge.ehr.answers import classify
from bridge.ehr.capability import Capability, read_statement
from bridge.ehr.search import Page, next_page, page
from bridge.ehr.shape import document
from bridge.fhir.client import Client
from bridge.model import Action, Answer, AnswerClass, Interaction, Request, Stands, type_json
from tests.unit.ehr.making import REFERENCE, context, encounter, note

DOCUMENT = "DocumentReference"
PATIENT = {
    "resourceType": "Patient",
    "id": "p1001",
    "identifier": [{"system": "urn:example:mrn", "value": "1001"}],
    "birthDate": "2021-01-01",
    "active": True,
}
SITES: dict[str, dict[str, Any]] = {"ecw": {"writeback": [DOCUMENT]}}
TAKING_DOCUMENTS = [("open", "open"), ("open", "generic"), ("epic", "epic"), ("oracle", "oracle"), ("ecw", "ecw")]
READ_ONLY = ["athena", "nextgen", "openemr", "ecw"]


@dataclass
class Practice:
    """One practice's EHR with one patient, and what it says it takes."""

    client: Client
    base: str
    vendor: str
    capability: Capability
    patient: str = ""

    async def ask(self, interaction: Interaction, request: Request, target: str = DOCUMENT) -> Answer:
        return classify(interaction, await self.client.send(request), self.capability.vendor, target)

    def shaped(self, title: str = "Contact note", update: bool = False, mime: str = "text/plain") -> type_json:
        wanted = context(self.vendor, patient_id=self.patient, update=update, mime=mime)
        made = document([encounter(), note(title=title)], wanted)
        assert made.sendable, made.findings
        return made.resource

    async def current(self, stands: Stands) -> send.Current:
        found = send.current(await self.client.send(send.read(DOCUMENT, stands.id)), DOCUMENT, stands.id)
        assert found is not None
        return found

    async def pages(self, way: look.Way) -> list[Page]:
        request: Request | None = look.request(way, self.capability, DOCUMENT, self.patient, REFERENCE)
        pages: list[Page] = []
        while request is not None:
            found = page(await self.client.send(request), DOCUMENT)
            assert found is not None
            pages.append(found)
            request = next_page(found, self.base)
        return pages


def at(shape: str, vendor: str, visit: Callable[[Practice], Awaitable[None]]) -> dict[str, Any]:
    """The visit happens at a practice with an EHR of this shape; what its audit counted."""

    async def run(running: sandbox.Running) -> None:
        async with Client(running.base_url) as client:
            statement = read_statement(await client.send(Request("GET", "metadata")))
            enabled = frozenset(SITES.get(shape, {}).get("writeback", ()))
            capability = Capability.from_statement(statement, facts.vendor(vendor), enabled)
            practice = Practice(client, running.base_url, vendor, capability)
            response = await client.send(match.by_identifier(capability, "urn:example:mrn", "1001"))
            found = match.candidates(response, "1001")
            assert found == (match.Candidate("p1001", "2021-01-01"),)
            practice.patient = found[0].id
            await visit(practice)

    with sandbox.start(shape, site=SITES.get(shape, {})) as running:
        assert httpx.post(f"{running.admin_url}/load", json=[PATIENT]).status_code == 201
        asyncio.run(run(running))
        counts: dict[str, Any] = httpx.get(f"{running.admin_url}/audit").json()
    return counts


@pytest.mark.parametrize(("shape", "vendor"), TAKING_DOCUMENTS)
def test_a_document_is_taken_found_corrected_and_retracted(shape: str, vendor: str) -> None:
    async def visit(practice: Practice) -> None:
        capability = practice.capability
        way = look.searchable(capability, DOCUMENT)
        before = look.found(await practice.pages(way), REFERENCE, capability)
        assert (before.stands, before.whole, way.proves_absence) == ((), True, True)

        first = practice.shaped()
        created = await practice.ask(Interaction.CREATE, send.request(Action.CREATE, first, capability))
        assert created.kind is AnswerClass.DONE
        assert created.stands is not None
        after = look.found(await practice.pages(way), REFERENCE, capability)
        assert [stands.id for stands in after.stands] == [created.stands.id]

        action = send.change(DOCUMENT, capability)
        if action is None or action is Action.SUPERSEDE:
            assert send.withdrawal(DOCUMENT, capability) is Action.DISREGARD
            return
        target = f"{DOCUMENT}/{created.stands.id}"
        second = practice.shaped("Contact note, corrected", update=True)
        change = send.request(action, second, capability, await practice.current(created.stands), first)
        assert (await practice.ask(Interaction.UPDATE, change, target)).kind is AnswerClass.DONE
        assert look.applied(await practice.current(created.stands), second)
        assert not look.applied(await practice.current(created.stands), first)
        assert (await practice.ask(Interaction.UPDATE, change, target)).kind is AnswerClass.CONFLICT

        assert send.withdrawal(DOCUMENT, capability) is Action.RETRACT
        standing = await practice.current(created.stands)
        retract = send.request(Action.RETRACT, {"resourceType": DOCUMENT}, capability, standing)
        assert (await practice.ask(Interaction.UPDATE, retract, target)).kind is AnswerClass.DONE
        gone = look.found(await practice.pages(way), REFERENCE, capability)
        assert (gone.stands, len(gone.withdrew)) == ((), 1)

    at(shape, vendor, visit)


@pytest.mark.parametrize(("shape", "vendor"), TAKING_DOCUMENTS)
def test_every_format_the_vendor_takes_is_taken_by_its_shape(shape: str, vendor: str) -> None:
    async def visit(practice: Practice) -> None:
        document_facts = practice.capability.vendor.document
        taken = document_facts.update_mimes.value or document_facts.mimes.value
        for mime in set(taken) & set(FORMATS):
            made = practice.shaped(mime=mime)
            assert made["content"][0]["attachment"]["contentType"].partition(";")[0] == mime
            answer = await practice.ask(Interaction.CREATE, send.request(Action.CREATE, made, practice.capability))
            assert answer.kind is AnswerClass.DONE, mime

    at(shape, vendor, visit)


@pytest.mark.parametrize("shape", READ_ONLY)
def test_where_no_document_is_taken_nothing_is_tried(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SITES, shape, {})

    async def visit(practice: Practice) -> None:
        allowed = practice.capability.allows(DOCUMENT, Interaction.CREATE)
        assert not allowed.yes
        assert allowed.because
        made = practice.capability
        refused = await practice.ask(Interaction.CREATE, send.request(Action.CREATE, {"resourceType": DOCUMENT}, made))
        assert refused.kind in (AnswerClass.UNSUPPORTED, AnswerClass.UNCLEAR)

    at(shape, shape, visit)
