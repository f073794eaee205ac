"""Who wrote it, who sent it, for whom: one canonical Provenance for each person a translation is about.

Everybody whom the document names is an author, the family partner as much as the clinician (R16); the bridge transmits,
for the agency. Built from the document's own authors, so no mapping has to say it twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bridge.mappings.canonical import agency_system
from bridge.mappings.identity import stable_id
from bridge.model import Part, type_json

NAME = "provenance"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
US_CORE_PARTICIPANT = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type"
PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"
UNTARGETED = frozenset({"Composition", "Consent", "Patient", "Provenance", "RelatedPerson"})
"""What no chart gets as it is: a document is targeted by what it says, a person is nobody's writing."""


def with_origin(
    parts: Sequence[Part], agency: str, agency_name: str, kind: str, source_id: str, received: int
) -> tuple[Part, ...]:
    """The parts, and for each person with a document and something else beside it the Provenance of that.

    `received` (microseconds) is when the agency's record was taken in: what FHIR calls recorded.
    """
    return (*parts, *origins(parts, agency, agency_name, kind, source_id, received))


def origins(
    parts: Sequence[Part], agency: str, agency_name: str, kind: str, source_id: str, received: int
) -> Iterator[Part]:
    """The Provenances alone."""
    for note in parts:
        if note.type != "Composition":
            continue
        written = [part for part in parts if part.about == note.about and part.type not in UNTARGETED]
        if not written:
            continue
        name = NAME if note.name == "note" else f"{NAME}-{note.name}"
        resource = {
            "resourceType": "Provenance",
            "id": stable_id(agency, kind, source_id, name),
            "meta": {**{key: note.resource["meta"][key] for key in ("source", "tag")}, "profile": [PROFILE]},
            "target": [{"reference": f"{part.type}/{part.resource['id']}"} for part in written],
            "recorded": datetime.fromtimestamp(received // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "agent": [*authors(note.resource, agency_name), transmitter(agency, agency_name)],
        }
        yield Part(name, note.about, note.role, resource)


def authors(note: type_json, agency_name: str) -> Iterator[type_json]:
    """An agent for each author of the document, all alike."""
    for author in note.get("author", []):
        if author.get("display") or author.get("reference"):
            yield agent(PARTICIPANT, "author", "Author", dict(author), agency_name)


def transmitter(agency: str, agency_name: str) -> type_json:
    """The bridge, sending for the agency."""
    device = {
        "type": "Device",
        "identifier": {"system": agency_system(agency), "value": "bridge"},
        "display": f"Dyad Bridge of {agency_name}",
    }
    return agent(US_CORE_PARTICIPANT, "transmitter", "Transmitter", device, agency_name)


def agent(system: str, code: str, display: str, who: type_json, agency_name: str) -> type_json:
    """One agent, acting for the agency."""
    return {
        "type": {"coding": [{"system": system, "code": code, "display": display}]},
        "who": who,
        "onBehalfOf": {"type": "Organization", "display": agency_name},
    }
