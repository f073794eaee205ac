"""Consents as FHIR R4 Consent resources (hl7.org/fhir/R4/consent.html, seen 2026-11-22), written and read.

What is read is never taken for more than it says: whatever would narrow a Consent and is not understood refuses it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bridge.errors import Problem
from bridge.mappings import moments
from bridge.mappings.canonical import LABEL_SYSTEM, agency_system
from bridge.mappings.classes import GRANTABLE, ORDINARY
from bridge.mappings.identity import person_id, stable_id
from bridge.mappings.kinds import Permission
from bridge.model import Authority, Consent, Purpose, Terms, type_json

AUTHORITY_SYSTEM = "urn:dyad-bridge:authority"
PRACTICE_SYSTEM = "urn:dyad-bridge:practice"
DOCUMENT_SYSTEM = "urn:dyad-bridge:consent-form"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PURPOSES = {Purpose.CARE_COORDINATION: "COC", Purpose.TREATMENT: "TREAT"}
SECOND = 1_000_000
SHARING = frozenset({"disclose", "access"})
READ = frozenset({"type", "period", "actor", "action", "securityLabel", "purpose"})


class Unreadable(ValueError):
    """A Consent that cannot be taken for what it says; holds the element and the rule, never a value."""

    def __init__(self, element: str, rule: str) -> None:
        super().__init__(rule)
        self.element, self.rule = element, rule


# ── written ───────────────────────────────────────────────────────────────────────────────────────────────────────
def to_fhir(consent: Consent, now: int) -> type_json:
    """One form as a Consent: a permit of the classes it names, or a deny; inactive once it was taken back."""
    taken = [end for end in (consent.revoked, consent.suspended) if end is not None and end <= now]
    ends = [end for end in (consent.until, *taken) if end is not None]
    period = {"start": instant(consent.start + SECOND - 1)}
    if ends:
        period["end"] = instant(max(min(ends) - SECOND, consent.start + SECOND - 1))
    provision: type_json = {
        "type": "permit" if consent.classes else "deny",
        "period": period,
        "actor": [
            {
                "role": codeable(PARTICIPATION, "IRCP", "information recipient"),
                "reference": {"identifier": {"system": PRACTICE_SYSTEM, "value": consent.practice}},
            }
        ],
        "action": [codeable(ACTION, "disclose")],
        "purpose": [{"system": ACT_REASON, "code": PURPOSES[consent.purpose]}],
    }
    if consent.classes:
        provision["securityLabel"] = [{"system": LABEL_SYSTEM, "code": name} for name in sorted(consent.classes)]
    system = agency_system(consent.agency)
    made: type_json = {
        "resourceType": "Consent",
        "id": stable_id(consent.agency, "consent", str(consent.id), "form"),
        "identifier": [{"system": f"{system}:consent", "value": str(consent.id)}],
        "status": "inactive" if taken else "active" if consent.classes else "rejected",
        "scope": codeable(SCOPE, "patient-privacy"),
        "category": [codeable(ACT_CODE, "IDSCL", "information disclosure")],
        "patient": {
            "reference": f"Patient/{person_id(consent.agency, consent.person)}",
            "identifier": {"system": system, "value": consent.person},
        },
        "dateTime": instant(consent.start),
        "policyRule": codeable(ACT_CODE, "OPTIN" if consent.classes else "OPTOUT"),
        "provision": provision,
    }
    if consent.authority is not Authority.UNSTATED:
        made["category"].append(codeable(AUTHORITY_SYSTEM, consent.authority.value))
    signer = consent.grantor or (consent.person if consent.authority is Authority.SELF else "")
    if signer:
        made["performer"] = [{"identifier": {"system": system, "value": signer}}]
    if consent.document:
        made["sourceReference"] = {"identifier": {"system": DOCUMENT_SYSTEM, "value": consent.document}}
    if consent.language:
        made["language"] = consent.language
    return made


def codeable(system: str, code: str, display: str = "") -> type_json:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def instant(at: int) -> str:
    """Microseconds UTC as a FHIR dateTime, to the second."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ── read ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def from_fhir(resource: type_json, agency: str, zone: str, now: int, where: str) -> Permission | Problem:
    """The permission a Consent gives or takes back; a Problem that names the element where it cannot be read."""
    try:
        return permission(resource, agency, zone, now)
    except Unreadable as error:
        step = "correct it, or record the signed form on the page or with `bridge consents give`"
        return Problem("consent-unreadable", error.rule, where, error.element, step)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Problem("consent-unreadable", "is not a FHIR R4 Consent that can be read", where, "Consent")


def permission(resource: type_json, agency: str, zone: str, now: int) -> Permission:
    """The same; raises Unreadable, or what a resource of another shape makes Python raise."""
    need(resource.get("resourceType") == "Consent", "resourceType", "must be Consent")
    need(not resource.keys() & {"modifierExtension", "implicitRules"}, "Consent", "carries rules that are not known")
    need(codes(resource["scope"], SCOPE) == ["patient-privacy"], "scope", "must be patient-privacy")
    status = resource["status"]
    need(status in ("active", "inactive", "rejected", "entered-in-error"), "status", "is not that of a signed consent")
    provision = resource.get("provision", {})
    need(provision.keys() <= READ, "provision", f"must say no more than {', '.join(sorted(READ))}")
    need(all(SHARING >= set(codes(one, ACTION)) != set() for one in provision.get("action", ())), "provision.action",
         "must be disclose or access")  # fmt: skip
    start, until = days(provision, resource, zone)
    taken = status in ("inactive", "entered-in-error")
    terms = Terms(
        classes_of(provision, status),
        *signer_of(resource, agency),
        purpose=purpose_of(provision),
        language=str(resource.get("language", "")),
        document=str(resource.get("sourceReference", {}).get("identifier", {}).get("value", "")),
    )
    revoked = min(until or now, now) if taken else None
    return Permission(own(resource["patient"], agency, "patient"), practice_of(provision), start, until, revoked, terms)


def need(holds: bool, element: str, rule: str) -> None:
    """Raises Unreadable where it does not hold."""
    if not holds:
        raise Unreadable(element, rule)


def codes(concept: type_json, system: str) -> list[str]:
    """The codes a CodeableConcept has from this system."""
    return [str(coding["code"]) for coding in concept.get("coding", ()) if coding.get("system") == system]


def own(reference: type_json, agency: str, element: str) -> str:
    """The agency's id of whom a Reference names by it."""
    identifier = reference.get("identifier", {})
    need(identifier.get("system") == agency_system(agency), element, "must name the person by the agency's identifier")
    value = str(identifier["value"])
    need(0 < len(value) <= 128 and not any(c.isspace() for c in value), element, "must name the person by an id")
    return value


def practice_of(provision: type_json) -> str:
    """The one recipient."""
    actors = provision.get("actor", ())
    need(len(actors) == 1, "provision.actor", "must be exactly one: the practice that receives")
    (actor,) = actors
    need(codes(actor["role"], PARTICIPATION) == ["IRCP"], "provision.actor.role", "must be IRCP")
    identifier = actor["reference"].get("identifier", {})
    need(identifier.get("system") == PRACTICE_SYSTEM, "provision.actor.reference", "must name the practice by its id")
    return str(identifier["value"])


def signer_of(resource: type_json, agency: str) -> tuple[str, Authority]:
    """Who signed, "" for the person or nobody named, and by which right."""
    performers = resource.get("performer", ())
    need(len(performers) <= 1, "performer", "must be one: each signs a Consent of their own")
    person = own(resource["patient"], agency, "patient")
    signer = own(performers[0], agency, "performer") if performers else ""
    said = [code for category in resource["category"] for code in codes(category, AUTHORITY_SYSTEM)]
    need(len(said) <= 1 and set(said) <= set(Authority), "category", f"the authority is one of {', '.join(Authority)}")
    authority = Authority(said[0]) if said else Authority.SELF if signer == person else Authority.UNSTATED
    fits = authority is not Authority.SELF or signer in ("", person)
    need(fits, "performer", "nobody else signs with the authority `self`")
    return ("" if signer == person else signer), authority


def classes_of(provision: type_json, status: str) -> frozenset[str]:
    """The classes it lets leave; none where it is a refusal."""
    kind = provision.get("type", "")
    if status == "rejected" or kind == "deny":
        need(
            "securityLabel" not in provision or status == "rejected",
            "provision",
            "a deny of some labels alone is not known",
        )
        return frozenset()
    need(kind == "permit", "provision.type", "must be permit or deny")
    labels = provision.get("securityLabel", ())
    known = all(label.get("system") == LABEL_SYSTEM and label.get("code") in GRANTABLE for label in labels)
    need(known, "provision.securityLabel", f"must be of {LABEL_SYSTEM}: {', '.join(sorted(GRANTABLE))}")
    return frozenset({ORDINARY, *(str(label["code"]) for label in labels)})


def purpose_of(provision: type_json) -> Purpose:
    """What it is for; care coordination where it does not say."""
    found = [(coding.get("system"), coding.get("code")) for coding in provision.get("purpose", ())]
    meant = [purpose for purpose, code in PURPOSES.items() if (ACT_REASON, code) in found]
    need(
        len(found) == len(meant) and len(meant) <= 1,
        "provision.purpose",
        f"must be one of {', '.join(PURPOSES.values())}",
    )
    return meant[0] if meant else Purpose.CARE_COORDINATION


def days(provision: type_json, resource: type_json, zone: str) -> tuple[int, int | None]:
    """From when, and the first instant it does not cover any more: a FHIR period ends with its `end`."""
    period: dict[str, Any] = provision.get("period", {})
    start = period.get("start") or resource.get("dateTime")
    need(bool(start), "provision.period", "must say from when it holds")
    end = period.get("end")
    begins = moments.start_of_day(str(start), zone)
    if not end:
        return begins, None
    until = (
        moments.start_of_day(end, zone, days=1) if moments.is_day(end) else moments.to_microseconds(end, zone) + SECOND
    )
    return begins, until
