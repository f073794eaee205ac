"""A real agency's export through the whole line into a real HAPI FHIR server, and back out to be compared."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from bridge import consent
from bridge.documents.narrative import paragraphs
from bridge.model import EntryState, Part, type_json
from bridge.store import tables
from bridge.store.ledger import get_blobs
from tests.absent import absent
from tests.flow.konote import people
from tests.flow.konote.pilot import EVERYTHING, all_of, feed, konote_pilot
from tests.flow.pilot import Pilot

pytestmark = [pytest.mark.live, pytest.mark.outside, pytest.mark.slow, pytest.mark.timeout(600)]
DELIVERY = "urn:dyad-bridge:delivery"


@pytest.fixture(autouse=True)
def export() -> None:
    if not people.EXPORT.is_dir():
        absent(people.ABSENT)


@pytest.mark.parametrize("enable", [(), EVERYTHING], ids=["documents", "everything"])
def test_r1_the_export_arrives_whole_and_only_once(hapi: str, tmp_path: Path, enable: tuple[str, ...]) -> None:
    with konote_pilot(tmp_path, hapi, vendor="hapi", enable=enable) as (pilot, konote):
        konote.load(hapi)
        konote.permit(pilot)
        assert feed(pilot) == {"new": 1381}
        pilot.settle()
        asked = Counter(entry["resource_type"] for entry in pilot.entries())
        delivered = Counter(e["resource_type"] for e in pilot.entries() if e["state"] == EntryState.DELIVERED)
        states = Counter(entry["state"] for entry in pilot.entries())
        assert set(states) <= {"delivered", "held", "cancelled"}
        found = standing(hapi, pilot)
        assert {type: len(resources) for type, resources in found.items()} == delivered
        assert delivered["DocumentReference"] == 532
        assert set(asked) == {
            "DocumentReference",
            *(("Encounter", "Observation", "Goal", "CarePlan") if enable else ()),
        }
        compare(pilot, found)
        assert feed(pilot) == {"resend": 1381}
        pilot.settle()
        again = standing(hapi, pilot)
        assert {type: len(resources) for type, resources in again.items()} == delivered


def standing(base: str, pilot: Pilot) -> dict[str, dict[str, type_json]]:
    """What stands on the server of this ledger's deliveries: type → delivery reference → resource. No two share one."""
    ours = {entry["reference"] for entry in pilot.entries()}
    found: dict[str, dict[str, type_json]] = {}
    for type in {entry["resource_type"] for entry in pilot.entries()}:
        for resource in all_of(base, type):
            for identifier in resource.get("identifier", []):
                if identifier["system"] == DELIVERY and identifier["value"] in ours:
                    assert identifier["value"] not in found.get(type, {}), "delivered twice"
                    found.setdefault(type, {})[identifier["value"]] = resource
    return found


def compare(pilot: Pilot, found: dict[str, dict[str, type_json]]) -> None:
    """Every field of what was delivered stands as the canonical part has it; every released narrative verbatim."""
    parts = translations(pilot)
    stands = {(entry["record"], entry["name"]) for entry in pilot.entries() if entry["state"] == EntryState.DELIVERED}
    compared = 0
    for entry in pilot.entries():
        if entry["state"] != EntryState.DELIVERED:
            continue
        resource = found[entry["resource_type"]][entry["reference"]]
        assert resource["id"] == entry["stands_id"]
        own = parts[entry["record"]]
        if entry["route"] == "discrete":
            (part,) = (part for part in own if part.name == entry["name"])
            withheld = {f"{p.type}/{p.resource['id']}" for p in own if (entry["record"], p.name) not in stands}
            for key, value in consent.without(part.resource, withheld).items():
                if key not in ("id", "meta", "identifier", "text", "subject", "resourceType"):
                    assert same(resource.get(key), value), (part.type, key)
                    compared += 1
        else:
            attachment = resource["content"][0]["attachment"]
            text = base64.b64decode(attachment["data"]).decode()
            note = next(part for part in own if part.type == "Composition")
            for section, labels in zip(note.resource["section"], note.sections, strict=True):
                if labels <= {"ordinary"} and "text" in section:
                    for paragraph in paragraphs(section["text"]["div"]):
                        assert str(getattr(paragraph, "text", paragraph)) in text
                        compared += 1
    assert compared > 1000


def translations(pilot: Pilot) -> dict[int, list[Part]]:
    """The canonical parts of every record, decrypted."""
    with pilot.line.ledger.engine.connect() as connection:
        rows = connection.execute(select(tables.translation)).all()
        blobs = get_blobs(connection, pilot.line.ledger.keys, (row.parts_blob for row in rows))
    return {row.record: [Part.from_dict(kept) for kept in orjson.loads(blobs[row.parts_blob])] for row in rows}


def same(found: object, wanted: object) -> bool:
    """Whether what was read back says what was wanted; references were rewritten to the chart's own."""
    if isinstance(wanted, dict):
        if "reference" in wanted:
            return isinstance(found, dict) and ("reference" in found or "identifier" in found)
        return isinstance(found, dict) and all(same(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    return found == wanted
