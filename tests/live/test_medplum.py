"""The whole line into a second real R4 engine that shares nothing with HAPI, by two workers at a time."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.ehr.delivery import SYSTEM as DELIVERY
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import EntryState
from tests.absent import absent
from tests.flow.campaign.caseload import AMENDED, VOID, Caseload, words
from tests.flow.konote.pilot import all_of
from tests.flow.pilot import Pilot, Site, pilot

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

HERE = Path(__file__).parent / "medplum"
PRACTICE = "maple"


@pytest.fixture(scope="module")
def medplum() -> Iterator[str]:
    """The FHIR base of the server; it ends with the module."""
    if shutil.which("node") is None:
        absent("Node.js is not installed (Debian: nodejs, npm)")
    if not (HERE / "node_modules" / "built").is_file():
        absent("the second test server is not built: bash tests/live/medplum/build.sh")
    with subprocess.Popen(
        ["node", "server.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            word, base = process.stdout.readline().split()
            assert word == "READY"
            yield base
        finally:
            process.stdin.close()
            process.wait(10)


def work(it: Pilot) -> None:
    """Two workers ran until nothing was left to do."""

    async def both() -> None:
        async with connected(it.line, it.clock):
            await asyncio.gather(*(Worker(it.line, it.clock).run(until_idle=True) for _ in range(2)))

    asyncio.run(both())


def standing(base: str, type: str) -> dict[str, dict[str, Any]]:
    """What stands of our deliveries, by delivery reference; no two share one."""
    found: dict[str, dict[str, Any]] = {}
    for resource in all_of(base, type):
        (reference,) = [item["value"] for item in resource["identifier"] if item["system"] == DELIVERY]
        assert reference not in found, "delivered twice"
        found[reference] = resource
    return found


def test_contacts_stand_as_they_were_said_last_and_only_once(medplum: str, tmp_path: Path) -> None:
    caseload = Caseload(lanes=8, contacts=3)
    for patient in caseload.patients:
        httpx.post(f"{medplum}/Patient", json=patient).raise_for_status()
    with pilot(tmp_path, [Site(PRACTICE, medplum, "generic", ("Encounter",))]) as it:
        caseload.permit(it, [PRACTICE])
        caseload.say(it, caseload.beginnings())
        work(it)
        assert it.counts()[EntryState.DELIVERED] == 2 * 24
        before = standing(medplum, "DocumentReference")
        caseload.say(it, [(f"c-{child}.1", AMENDED) for child in range(1, 9)])
        caseload.say(it, [(f"c-{child}.2", VOID) for child in range(1, 9)])
        work(it)
        it.settle()
        documents, encounters = standing(medplum, "DocumentReference"), standing(medplum, "Encounter")
        assert len(documents) == len(encounters) == 24
        for entry in it.entries():
            resource = (documents if entry["resource_type"] == "DocumentReference" else encounters)[entry["reference"]]
            contact = entry["thread"].rpartition("/")[2]
            if caseload.latest[contact] == VOID:
                assert entry["state"] == EntryState.RETRACTED
                assert resource["status"] == "entered-in-error"
                continue
            assert (entry["state"], entry["stands_id"]) == (EntryState.DELIVERED, resource["id"])
            if entry["name"] == "document":
                text = base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()
                assert words(contact, caseload.latest[contact]) in text
                changed = resource["meta"]["versionId"] != before[entry["reference"]]["meta"]["versionId"]
                assert changed == (caseload.latest[contact] == AMENDED)
        assert it.holds() == []


def test_what_it_refuses_is_refused_in_its_own_words(medplum: str) -> None:
    patient = httpx.post(f"{medplum}/Patient", json={"resourceType": "Patient", "active": True})
    address = patient.headers["location"].partition("/_history/")[0]
    stale = httpx.put(address, json=patient.json(), headers={"If-Match": 'W/"another"'})
    missing = httpx.post(f"{medplum}/Goal", json={"resourceType": "Goal"})
    assert [patient.status_code, stale.status_code, missing.status_code] == [201, 412, 400]
    assert "Goal.lifecycleStatus" in missing.text
