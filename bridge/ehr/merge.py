"""Correcting what stands without undoing what others wrote: read, compare, merge. No sparse PUT ever leaves."""

from __future__ import annotations

from typing import Any

from bridge.model import type_json

_SERVERS_OWN = frozenset({"id", "meta", "resourceType", "text", "identifier"})

_ADDED = frozenset({"url", "size", "hash", "creation", "id", "display", "extension"})
"""What servers add to an element they were sent."""

IN_ERROR = {
    "CarePlan": "status",
    "CareTeam": "status",
    "Communication": "status",
    "DocumentReference": "status",
    "Encounter": "status",
    "Goal": "lifecycleStatus",
    "Observation": "status",
    "QuestionnaireResponse": "status",
    "ServiceRequest": "status",
    "Task": "status",
}
"""Where each type says entered-in-error; Condition says it in verificationStatus."""

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def can_be_in_error(kind: str) -> bool:
    """Whether a resource of this type can be marked as entered in error, and so be taken back."""
    return kind in IN_ERROR or kind == "Condition"


def contains(found: Any, wanted: Any) -> bool:
    """Whether everything wanted stands in what was found; servers may add, and may put lists in another order."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(contains(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(contains(item, value) for item in found) for value in wanted)
    return bool(found == wanted)


def agrees(found: Any, wanted: Any) -> bool:
    """Whether nothing found says otherwise than wanted; a server may leave out what it does not keep."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(agrees(found[key], value) for key, value in wanted.items() if key in found)
    if isinstance(wanted, list) and isinstance(found, list):
        return all(any(agrees(item, value) for item in found) for value in wanted)
    return bool(found == wanted)


def says_more(found: Any, sent: Any) -> bool:
    """Whether something stands in what was found that we did not send, beside what servers add by themselves."""
    if isinstance(sent, dict) and isinstance(found, dict):
        if any(key not in sent and key not in _ADDED for key in found):
            return True
        return any(says_more(found[key], value) for key, value in sent.items() if key in found)
    if isinstance(sent, list) and isinstance(found, list):
        return any(not any(agrees(item, value) and not says_more(item, value) for value in sent) for item in found)
    return False


def conflicts(current: type_json, ours: type_json, sent: type_json) -> tuple[str, ...]:
    """The elements both sides changed: `sent` is what we last wrote, `current` what stands, `ours` what should.

    Asked where the version may have moved since we wrote. What a server dropped or moved (an attachment's data behind a
    url) was changed by nobody; what both changed alike is no conflict. An element that we did not send before, and they
    have, is one where ours says otherwise.
    """
    found = []
    for key in {**sent, **ours}:
        if key in _SERVERS_OWN or key not in current or ours.get(key) == sent.get(key):
            continue
        theirs = key not in sent or not agrees(current[key], sent[key]) or says_more(current[key], sent[key])
        alike = key in ours and agrees(current[key], ours[key]) and not says_more(current[key], ours[key])
        if theirs and not alike:
            found.append(key)
    return tuple(sorted(found))


def merge(current: type_json, ours: type_json, sent: type_json | None = None) -> type_json:
    """What stands, with our elements in it: theirs stay, ours replace ours, identifiers and meta add up.

    With what we `sent` last, an element that we did not change stays as it stands now, and one that we no longer have
    goes. Without it every element of ours is put, and nothing of what stands goes.
    """
    before = {key: value for key, value in (sent or {}).items() if key not in _SERVERS_OWN}
    gone = {key for key in before if key not in ours}
    put = {key: value for key, value in ours.items() if key not in current or before.get(key) != value}
    merged = {key: value for key, value in current.items() if key not in gone} | put
    merged["identifier"] = _union(current.get("identifier"), ours.get("identifier"))
    merged["meta"] = _meta(current.get("meta"), ours.get("meta", {}))
    merged["id"] = current["id"]
    return {key: value for key, value in merged.items() if value not in (None, [], {})}


def entered_in_error(current: type_json) -> type_json:
    """What stands, marked as entered in error and otherwise as it was read: no clinical content is added.

    Raises ValueError for a type that cannot say so.
    """
    kind = current.get("resourceType", "")
    marked = {**current, "meta": _meta(current.get("meta"), {})}
    if kind == "Condition":  # FHIR con-5: then there is no clinicalStatus
        marked["verificationStatus"] = {"coding": [{"system": VERIFICATION, "code": "entered-in-error"}]}
        marked.pop("clinicalStatus", None)
    elif kind in IN_ERROR:
        marked[IN_ERROR[kind]] = "entered-in-error"
        if kind == "DocumentReference":
            marked["docStatus"] = "entered-in-error"
    else:
        raise ValueError(f"{kind or 'this'} is no type the bridge writes")
    return {key: value for key, value in marked.items() if value not in (None, [], {})}


def is_in_error(resource: type_json) -> bool:
    """Whether the resource is marked as entered in error."""
    kind = resource.get("resourceType", "")
    if kind == "Condition":
        status = resource.get("verificationStatus")
        codings = status.get("coding") if isinstance(status, dict) else None
        said = codings if isinstance(codings, list) else []
        return any(isinstance(one, dict) and one.get("code") == "entered-in-error" for one in said)
    return bool(resource.get(IN_ERROR.get(kind, "status")) == "entered-in-error")


def _union(current: Any, ours: Any) -> Any:
    if not isinstance(current, list) or not isinstance(ours, list):
        return ours or current
    return [*current, *(item for item in ours if not any(contains(found, item) for found in current))]


def _meta(current: Any, ours: type_json) -> type_json:
    found = current if isinstance(current, dict) else {}
    kept = {key: value for key, value in found.items() if key not in ("versionId", "lastUpdated")}
    return {**kept, **{key: _union(kept.get(key), value) for key, value in ours.items()}}
