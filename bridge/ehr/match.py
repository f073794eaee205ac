"""The practice's own Patient, searched by its own identifier. Searching is all: `people` decides what is certain."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from bridge.ehr.capability import Capability
from bridge.ehr.received import ID, json_object, standing
from bridge.ehr.search import FRESH, page, search
from bridge.model import Request, Response, type_json

PATIENT = "Patient"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One Patient the EHR found. `active` is False where it is inactive, merged into another, or deceased."""

    id: str
    birth_date: str = field(default="", repr=False)
    active: bool = True
    merged: bool = False
    deceased: bool = False
    replaced_by: str = ""  # the EHR's id of the Patient it was merged into, where it says so


def by_identifier(capability: Capability, system: str, value: str) -> Request:
    """The search for the patient the practice knows under this identifier.

    Raises ValueError without a system: some servers then ignore the filter and answer with everybody.
    """
    if not system or not value:
        raise ValueError("an identifier is searched with its system")
    return search(capability, PATIENT, (("identifier", f"{_escaped(system)}|{_escaped(value)}"),))


def moved_to(response: Response) -> str:
    """The chart a read of a Patient points to instead: merged into it, or redirected there; "" = it does not say."""
    found = patient(response)
    if found is not None:
        return found.replaced_by
    there = standing(response, None, PATIENT) if 300 <= response.status < 400 else None
    return there.id if there is not None else ""


def read(patient_id: str) -> Request:
    """Reading one Patient, fresh: whether a chart is still the one it was."""
    return Request("GET", f"{PATIENT}/{quote(patient_id, safe='-._~')}", FRESH)


def candidates(response: Response, value: str) -> tuple[Candidate, ...] | None:
    """The patients of a successful search that carry the identifier's value themselves.

    None where the answer is no searchset, has further pages, or says that it holds something back: nothing is certain
    then. A patient without the value was not asked for (some servers ignore a filter they do not know).
    """
    found = page(response, PATIENT)
    if found is None or found.next or not found.whole:
        return None
    read = (candidate(resource) for resource in found.resources if _carries(resource, value))
    return tuple({one.id: one for one in read if one is not None}.values())


def patient(response: Response) -> Candidate | None:
    """The Patient of a successful read; None where the answer is something else."""
    resource = json_object(response.body)
    return candidate(resource) if resource is not None and resource.get("resourceType") == PATIENT else None


def carrying(response: Response, value: str) -> tuple[Candidate, ...]:
    """The Patient of a successful read where it carries the identifier's value itself; else none."""
    resource = json_object(response.body)
    found = patient(response)
    return (found,) if resource is not None and found is not None and _carries(resource, value) else ()


def candidate(resource: type_json) -> Candidate | None:
    """What matters of a Patient resource; None where it has no usable id."""
    identity = resource.get("id")
    if not isinstance(identity, str) or not ID.fullmatch(identity):
        return None
    links = [link for link in _list(resource.get("link")) if link.get("type") == "replaced-by"]
    other = links[0].get("other", {}) if links else {}
    target = str(other.get("reference", "")).rpartition(f"{PATIENT}/")[2] if isinstance(other, dict) else ""
    deceased = bool(resource.get("deceasedBoolean")) or bool(resource.get("deceasedDateTime"))
    birth = resource.get("birthDate")
    return Candidate(
        identity,
        birth if isinstance(birth, str) else "",
        resource.get("active") is not False and not links and not deceased,
        bool(links),
        deceased,
        target if ID.fullmatch(target) else "",
    )


def _carries(resource: type_json, value: str) -> bool:
    return any(identifier.get("value") == value for identifier in _list(resource.get("identifier")))


def _list(value: object) -> list[type_json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _escaped(text: str) -> str:
    """FHIR search escapes its own separators with a backslash (R4 search.html, "Escaping Search Parameters")."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace(",", "\\,").replace("$", "\\$")
