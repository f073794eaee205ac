"""What changes in an EHR behind its clients' backs: a delivery filed again, two charts made one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import orjson

from bridge.sandbox.call import Call
from bridge.sandbox.ehr import Ehr
from bridge.sandbox.parameters import identifiers, literal, references
from bridge.sandbox.paths import Json, readdressed
from bridge.sandbox.store import Entry

PATIENT = "Patient"


def close(ehr: Ehr, seconds: float) -> None:
    """No write is taken for so many seconds."""
    ehr.closed_until = time.monotonic() + seconds


def closed(ehr: Ehr) -> bool:
    """Whether no write is taken now."""
    return time.monotonic() < ehr.closed_until


def file_again(ehr: Ehr, entry: Entry) -> Entry:
    """The same content is there once more, filed again by the practice's own side; `copy_of` says which."""
    rest = {key: value for key, value in entry.now.resource.items() if key != "id"}
    return ehr.store.create(rest, loaded=True, copy_of=entry.id)


def named(ehr: Ehr, call: Call) -> str:
    """The id of the Patient that a request names: the one it reads, or the one that what it writes is about."""
    if call.type == PATIENT:
        return call.id
    try:
        resource = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return ""
    found = references(ehr.parameters.patient(call.type), resource, PATIENT) if isinstance(resource, dict) else ()
    return next(iter(found), "")


def marks(ehr: Ehr, call: Call) -> Iterator[str]:
    """A digest of each identifier in the request's body, in what it reads, or of the one that it searches for."""
    parameter, held = ehr.parameters.identifier(call.type), ehr.store.get(call.type, call.id)
    found = [f"{system}|{value}" for system, value in identifiers(parameter, held.now.resource)] if held else []
    if call.interaction in ("create", "update"):
        try:
            resource = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            resource = None
        pairs = identifiers(parameter, resource) if isinstance(resource, dict) else ()
        found += [f"{system}|{value}" for system, value in pairs]
    elif call.interaction == "search-type":
        found += [value for name, value in call.parameters(False) if name == "identifier"]
    for text in dict.fromkeys(found):
        yield hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def merge(ehr: Ehr, id: str) -> str:
    """The Patient is inactive and replaced by a new one with the same identifiers, to whom all that was about it now
    belongs; the new one's id, "" where there is no such active Patient.

    R4 says of a merge only that `link` names the other Patient (hl7.org/fhir/R4/patient-definitions.html#Patient.link);
    the rest is ours: the old Patient keeps no identifier, so that a search for one finds the Patient in use.
    """
    old = ehr.store.get(PATIENT, id)
    if old is None or id in ehr.merged:
        return ""
    content = {key: value for key, value in old.now.resource.items() if key not in ("id", "meta", "link")}
    replaces = {"other": {"reference": f"{PATIENT}/{id}"}, "type": "replaces"}
    survivor = ehr.store.create({**content, "active": True, "link": [replaces]}, loaded=True)
    link = {"other": {"reference": f"{PATIENT}/{survivor.id}"}, "type": "replaced-by"}
    rest = {key: value for key, value in old.now.resource.items() if key not in ("identifier", "link")}
    ehr.store.replace(old, {**rest, "active": False, "link": [link]})
    ehr.merged[id] = survivor.id
    addresses = {f"{PATIENT}/{id}": f"{PATIENT}/{survivor.id}"}
    for kind in ehr.shape.resources:
        for entry in list(ehr.store.of_patient(kind, id)) if kind != PATIENT else ():
            if any(one == id for one in references(ehr.parameters.patient(kind), entry.now.resource, PATIENT)):
                ehr.store.replace(entry, readdressed(entry.now.resource, addresses))
    return survivor.id


def gone(ehr: Ehr, call: Call, resource: Json) -> str:
    """The element of a resource that names a Patient who was merged into another; "" where none does."""
    for name in ("subject", "patient", "for"):
        kind, id = literal(resource.get(name))
        if kind == PATIENT and id in ehr.merged:
            return f"{call.type}.{name}"
    return ""
