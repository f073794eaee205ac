"""A step becomes one request. Corrections are built on what was just read, and name its version where it has one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote

import orjson

from bridge.ehr.capability import Capability
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.merge import entered_in_error, merge
from bridge.ehr.received import ID, VERSION, etag, json_object
from bridge.ehr.recognise import own
from bridge.model import Action, Answer, AnswerClass, Interaction, Request, Response, Stands, type_json

ONCE = "If-None-Exist"


@dataclass(frozen=True, slots=True)
class Current:
    """A resource as it stands now, just read."""

    resource: type_json = field(repr=False)
    version: str = ""

    @property
    def stands(self) -> Stands:
        return Stands(str(self.resource["id"]), self.version)


CHANGES: Final = {
    "update": (Action.UPDATE, Action.REPLACE, Action.SUPERSEDE),
    "replace": (Action.REPLACE, Action.UPDATE, Action.SUPERSEDE),
    "supersede": (Action.SUPERSEDE,),
    "none": (),
}
"""How a document is corrected, by what the vendor's facts say is best: the first that is open."""

WITHDRAWN: Final = {"update": (Action.RETRACT, Action.DISREGARD), "note": (Action.DISREGARD,), "none": ()}
"""How one is taken back, likewise."""


def change(type: str, capability: Capability) -> Action | None:
    """How a correction reaches what stands: UPDATE, REPLACE (a new document that names the old), SUPERSEDE (one that
    says so in its words alone), or None: no way."""
    return next((way for way in CHANGES[capability.vendor.correction.value] if _open(way, type, capability)), None)


def withdrawal(type: str, capability: Capability) -> Action | None:
    """How what stands is taken back: RETRACT (marked entered-in-error), DISREGARD (a document that asks to disregard
    it), or None: no way."""
    return next((way for way in WITHDRAWN[capability.vendor.retraction.value] if _open(way, type, capability)), None)


def _open(action: Action, type: str, capability: Capability) -> bool:
    """Whether the server takes it: what is changed is read first, what is new is a document."""
    if action in (Action.UPDATE, Action.RETRACT):
        return capability.allows(type, Interaction.UPDATE).yes and capability.allows(type, Interaction.READ).yes
    if action is Action.REPLACE and not capability.vendor.document.relates_to.value:
        return False
    return type == "DocumentReference" and capability.allows(type, Interaction.CREATE).yes


def read(type: str, id: str) -> Request:
    """Reading what stands, fresh. Raises ValueError for an id no path can carry."""
    return Request("GET", f"{type}/{_id(id)}", {"Cache-Control": "no-cache"})


def current(response: Response, type: str, id: str) -> Current | None:
    """What a successful read says stands; None where it is not that resource."""
    resource = json_object(response.body)
    if resource is None or resource.get("resourceType") != type or resource.get("id") != id:
        return None
    meta = resource.get("meta")
    version = meta.get("versionId", "") if isinstance(meta, dict) else ""
    return Current(resource, etag(response) or (version if isinstance(version, str) else ""))


def request(
    action: Action,
    resource: type_json,
    capability: Capability,
    stands: Current | Stands | None = None,
    sent: type_json | None = None,
    *,
    anyway: bool = False,
) -> Request:
    """The request of one step. What is posted says, where the server knows to, that it is created only where nothing
    with its delivery reference is there, so that a request which is carried out late finds what was sent after it;
    not so `anyway`, where a person said that it is not there.

    CREATE, SUPERSEDE and DISREGARD post `resource`. REPLACE posts it naming what stands. UPDATE puts it merged over
    what was just read, where `sent` is what we wrote there last. RETRACT puts what was just read, marked
    entered-in-error; of `resource` only its type is looked at. Raises ValueError where UPDATE or RETRACT come without
    what was just read, where the EHR wants a version and none is known, and for REPLACE without anything standing.
    """
    kind = str(resource["resourceType"])
    once = {} if anyway else _only_once(resource, capability)
    if action in (Action.CREATE, Action.SUPERSEDE, Action.DISREGARD):
        return Request("POST", kind, once, body=orjson.dumps(resource))
    if action is Action.REPLACE:
        if stands is None:
            raise ValueError("a replacement names what it replaces")
        old = stands.stands.id if isinstance(stands, Current) else stands.id
        target = {"reference": f"{kind}/{_id(old)}"}
        replacing = {**resource, "relatesTo": [{"code": "replaces", "target": target}]}
        return Request("POST", kind, once, body=orjson.dumps(replacing))
    if not isinstance(stands, Current):
        raise ValueError("an update is built on what was just read")
    whole = entered_in_error(stands.resource) if action is Action.RETRACT else merge(stands.resource, resource, sent)
    return Request(
        "PUT", f"{kind}/{_id(stands.stands.id)}", _if_match(stands, kind, capability), body=orjson.dumps(whole)
    )


def matched(request: Request, answer: Answer) -> Answer:
    """The answer to this request: a server asked to create only what is not there says 200 where it was there before.

    By what it stands, and that it is what was posted now, a look says.
    """
    if answer.kind is not AnswerClass.DONE or answer.status != 200 or ONCE not in request.headers:
        return answer
    return replace(answer, kind=AnswerClass.DUPLICATE, code="stood-before", stands=None)


def _only_once(resource: type_json, capability: Capability) -> dict[str, str]:
    mine = own(resource)
    if not mine or not capability.creates_once(str(resource["resourceType"])):
        return {}
    return {ONCE: f"identifier={quote(f'{SYSTEM}|{mine[0]}', safe='')}"}


def _if_match(stands: Current, kind: str, capability: Capability) -> dict[str, str]:
    if VERSION.fullmatch(stands.version):
        return {"If-Match": f'W/"{stands.version}"'}
    if stands.version:
        raise ValueError("the version it is to change is none a header can carry")
    if capability.needs_version(kind):
        raise ValueError("this EHR wants the version it is to change, and the read gave none")
    return {}


def _id(id: str) -> str:
    if not ID.fullmatch(id):
        raise ValueError("not an id a path can carry")
    return id
