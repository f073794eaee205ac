"""A practice's own referral to the agency, as it sends it: FHIR R4, opened and checked, with not a value in a refusal.

A ServiceRequest that contains its Patient, a Bundle (collection, transaction or batch) of both, or a Task whose focus
is the ServiceRequest. Pure: JSON in, what the door needs to know out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bridge.errors import Problem
from bridge.mappings import moments
from bridge.model import Finding, Severity, type_json

KIND = "practice/referral"
BUNDLES = frozenset({"collection", "transaction", "batch"})
STANDING = frozenset({"active", "on-hold", "completed"})
TAKEN_BACK = frozenset({"revoked", "entered-in-error"})
TASK_TAKEN_BACK = {"cancelled": "revoked", "entered-in-error": "entered-in-error"}
Number = tuple[str, str]
"""An identifier: its system and its value."""
Check = Callable[[type_json], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Referral:
    """One version of one referral. `number` is the practice's own of the referral, `patient` those of whom it is about.

    `version` is `meta.lastUpdated` in microseconds, "" where it has none; `digest` the SHA-256 of the canonical JSON.
    """

    number: Number = field(repr=False)
    patient: tuple[Number, ...] = field(repr=False)
    status: str
    version: str
    digest: str
    raw: bytes = field(repr=False)

    @property
    def void(self) -> bool:
        """Whether the practice took it back."""
        return self.status in TAKEN_BACK


def open_referral(resource: Any, check: Check, where: str = "body") -> Referral | Problem:
    """The referral, or the first thing that is wrong with it: a place and a rule, never a value.

    `check` finds what is no FHIR R4 in a resource.
    """
    if not isinstance(resource, dict) or resource.get("resourceType") not in ("ServiceRequest", "Task", "Bundle"):
        rule = "a referral is a ServiceRequest, a Task whose focus is one, or a Bundle of one with its Patient"
        return problem("form", rule, where, "resourceType")
    errors = [one for one in check(resource) if one.severity is Severity.ERROR and not of_siblings(one)]
    if errors:
        rule = f"{errors[0].rule} [{errors[0].code}]"
        return problem("fhir", rule, where, errors[0].path, "correct it where it is made, and send it again")
    if resource["resourceType"] == "Bundle" and resource.get("type") not in BUNDLES:
        return problem("bundle", f"a Bundle of a referral is one of {', '.join(sorted(BUNDLES))}", where, "Bundle.type")
    inside = dict(resources(resource))
    tasks = [one for one in inside.values() if one["resourceType"] == "Task"]
    requests = {id(one): one for one in inside.values() if one["resourceType"] == "ServiceRequest"}
    focused = [found for task in tasks if (found := target(task.get("focus"), inside, task)) is not None]
    asked = list({id(one): one for one in focused if id(one) in requests}.values()) if tasks else [*requests.values()]
    if len(asked) != 1:
        rule = "there must be exactly one ServiceRequest, and where there is a Task it must be its focus"
        return problem("request", rule, where, "ServiceRequest", "send each referral by itself")
    return of_request(asked[0], tasks, inside, resource, where)


def of_siblings(found: Finding) -> bool:
    """Whether it is only that a contained resource refers to another: what a Task contains does (FHIR R4, ref-1, has it
    of the whole), and where it leads is looked at here."""
    return found.code == "ref-1" and ".contained[" in found.path


def of_request(
    request: type_json, tasks: Sequence[type_json], inside: Mapping[str, type_json], whole: type_json, where: str
) -> Referral | Problem:
    """What there is to know of one ServiceRequest and the Patient it is about."""
    number = next(numbers(request.get("identifier")), None) or own_id(request)
    if number is None:
        rule = "a referral needs the practice's own number: an identifier with system and value, or the EHR's id"
        return problem("number", rule, where, "ServiceRequest.identifier", "without it a resend cannot be told")
    subject = request.get("subject", {})
    about = target(subject, inside, request)
    known = about is not None and about["resourceType"] == "Patient"
    patient = tuple(numbers(about.get("identifier") if known and about is not None else [subject.get("identifier")]))
    if not known and not patient:
        rule = "the Patient must come along (contained, or in the Bundle), or be named by an identifier"
        return problem("patient", rule, where, "ServiceRequest.subject")
    status = next((TASK_TAKEN_BACK[one["status"]] for one in tasks if one.get("status") in TASK_TAKEN_BACK), "")
    status = status or str(request.get("status", ""))
    if status not in STANDING | TAKEN_BACK:
        rule = f"a referral that is sent has one of the statuses {', '.join(sorted(STANDING | TAKEN_BACK))}"
        return problem("status", rule, where, "ServiceRequest.status", "send it once it is signed")
    raw = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)
    updated = [str(one.get("meta", {}).get("lastUpdated", "")) for one in (request, *tasks)]
    version = max((moments.to_microseconds(one, "UTC") for one in updated if one), default=0)
    return Referral(number, patient, status, str(version) if version else "", hashlib.sha256(raw).hexdigest(), raw)


def problem(code: str, rule: str, where: str, field: str, step: str = "") -> Problem:
    """A refusal of one referral."""
    return Problem(f"referral-{code}", rule, where, field, step or "see docs/referrals.md")


def resources(resource: type_json) -> Iterator[tuple[str, type_json]]:
    """Every resource of a referral by what refers to it: an address, `Type/id`, and `#id` for what is contained."""
    listed = resource.get("entry", []) if resource["resourceType"] == "Bundle" else [{"resource": resource}]
    for entry in listed:
        one = entry.get("resource")
        if not isinstance(one, dict):
            continue
        named = [entry.get("fullUrl"), f"{one['resourceType']}/{one['id']}" if "id" in one else None]
        yield from ((str(name), one) for name in named if name)
        if not any(named):
            yield f"!{id(one)}", one
        for inner in one.get("contained", []):
            yield f"{id(one)}#{inner.get('id')}", inner


def target(reference: Any, inside: Mapping[str, type_json], holder: type_json) -> type_json | None:
    """What a reference of `holder` leads to among these; None where it leads elsewhere."""
    said = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(said, str):
        return None
    if said.startswith("#"):
        around = [holder, *(one for one in inside.values() if holder in one.get("contained", []))]
        return next((inside[f"{id(one)}{said}"] for one in around if f"{id(one)}{said}" in inside), None)
    tail = "/".join(said.partition("/_history/")[0].split("/")[-2:])
    return inside.get(said) or inside.get(tail)


def numbers(identifiers: Any) -> Iterator[Number]:
    """The identifiers with a system and a value, in their order; old ones last."""
    listed = [one for one in identifiers or () if isinstance(one, dict) and one.get("system") and one.get("value")]
    for one in sorted(listed, key=lambda one: one.get("use") == "old"):
        yield str(one["system"]), str(one["value"])


def own_id(request: type_json) -> Number | None:
    """The EHR's own id of a referral that has no other number."""
    return ("ServiceRequest", str(request["id"])) if request.get("id") and not request.get("contained") else None


# ── what people read ──────────────────────────────────────────────────────────────────────────────────────────────
def told(raw: bytes) -> list[tuple[str, str]]:
    """What the practice wrote, as labels and words, for whoever may read it; nothing is left out of the words."""
    whole = orjson.loads(raw)
    inside = dict(resources(whole))
    request = next(one for one in inside.values() if one["resourceType"] == "ServiceRequest")
    about = target(request.get("subject"), inside, request) or {}
    name: type_json = next(iter(about.get("name", [])), {})
    rows = [
        ("Patient", name.get("text") or " ".join([*name.get("given", []), name.get("family", "")]).strip()),
        ("Born", about.get("birthDate", "")),
        ("Patient's number", ", ".join(value for _, value in numbers(about.get("identifier")))),
        ("Referral", ", ".join(value for _, value in numbers(request.get("identifier")))),
        ("Status", request.get("status", "")),
        ("Urgency", request.get("priority", "")),
        ("Asked for", "; ".join(filter(None, map(concept, [request.get("code"), *request.get("orderDetail", [])])))),
        ("Because", "; ".join(filter(None, map(concept, request.get("reasonCode", []))))),
        ("Written", request.get("authoredOn", "")),
        ("By", request.get("requester", {}).get("display", "")),
        ("For the family", request.get("patientInstruction", "")),
        *(("Note", one.get("text", "")) for one in request.get("note", [])),
    ]
    tasks = [one for one in inside.values() if one["resourceType"] == "Task"]
    rows += [("Task", one.get("description", "")) for one in tasks]
    rows += [("Note", note.get("text", "")) for one in tasks for note in one.get("note", [])]
    return [(label, words) for label, words in rows if words]


def concept(value: Any) -> str:
    """A CodeableConcept in words: its text, else what its codes are shown as."""
    if not isinstance(value, dict):
        return ""
    shown = (one.get("display") or one.get("code", "") for one in value.get("coding", []))
    return str(value.get("text") or ", ".join(filter(None, shown)))
