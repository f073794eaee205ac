"""Is it there? Asked after a lost answer, a restore, or at first contact with a chart; a create is never sent blind.

Found is proof. Absence is proof only on a route that would have shown it, seen twice across the vendor's delay.
What this cannot exclude: an EHR that commits after the second look; a later settling finds and counts it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bridge.ehr.capability import Capability
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.merge import agrees, is_in_error
from bridge.ehr.received import ID
from bridge.ehr.recognise import DOCUMENT, attachments, carries, comparable, latest, meta, updated
from bridge.ehr.search import MOST_PAGES, Page, search
from bridge.ehr.send import Current
from bridge.model import Request, Stands, type_json

_NOT_WRITTEN = frozenset({"meta", "text", "identifier"})


@dataclass(frozen=True, slots=True)
class Way:
    """How a delivery can be looked for: by its "identifier", among all of the "patient"'s, or None: not at all.

    `proves_absence` says whether not finding it there means that it is not there.
    """

    how: str | None
    parameter: str = ""
    proves_absence: bool = False
    because: str = ""


def searchable(capability: Capability, type: str) -> Way:
    """The best way to look for deliveries of a type in this EHR, with its reason."""
    keeps = capability.vendor.keeps_identifier.value
    by_identifier = capability.searches(type, "identifier")
    if keeps == "yes" and by_identifier.yes:
        return Way("identifier", "identifier", True, by_identifier.because)
    for parameter in ("patient", "subject"):
        by_patient = capability.searches(type, parameter)
        if by_patient.yes and (type == DOCUMENT or keeps != "no"):
            return Way("patient", parameter, type == DOCUMENT or keeps == "yes", by_patient.because)
    if by_identifier.yes and keeps == "unknown":
        return Way("identifier", "identifier", False, by_identifier.because)
    return Way(None, because=by_identifier.because)


def request(way: Way, capability: Capability, type: str, patient_id: str, reference: str) -> Request:
    """The first page of the look. Raises ValueError where there is no way, or no id a search can carry."""
    if way.how is None or not ID.fullmatch(patient_id):
        raise ValueError("there is nothing to search by")
    value = f"{SYSTEM}|{reference}" if way.how == "identifier" else patient_id
    return search(capability, type, ((way.parameter, value),))


@dataclass(frozen=True, slots=True)
class Found:
    """What a look brought: what `stands` (the first written first), what somebody `withdrew` since, and whether the
    search was `whole`: every page read, nothing held back, every document comparable.
    """

    stands: tuple[Stands, ...] = ()
    withdrew: tuple[Stands, ...] = ()
    whole: bool = True


def found(pages: Iterable[Page], reference: str, capability: Capability, since: int = 0) -> Found:
    """What of the pages carries the delivery reference, in an identifier, a title or a body; each id once, its latest
    version. The last of the pages must have no next, else the search is not whole.

    `since` is the instant (microseconds) of the first attempt: what the server last touched before it is not ours.
    """
    read = list(pages)
    resources = list(latest(resource for page in read for resource in page.resources))
    ours = [resource for resource in resources if carries(resource, reference)]
    kept = capability.vendor.document.keeps_title.value == "yes"
    unread = any(not comparable(resource, kept, since) for resource in resources if not carries(resource, reference))
    whole = bool(read) and not read[-1].next and all(page.whole for page in read) and len(read) <= MOST_PAGES
    ours.sort(key=updated)
    return Found(
        tuple(_stands(resource) for resource in ours if not is_in_error(resource)),
        tuple(_stands(resource) for resource in ours if is_in_error(resource)),
        whole and not unread,
    )


class Verdict(StrEnum):
    """What a look decides for an entry whose state is unknown."""

    DELIVERED = "delivered"
    AGAIN = "again"  # look once more after the delay
    READY = "ready"  # absent twice: it may be sent again
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Settled:
    """The verdict; `duplicates` counts what stands beyond one, each a finding for a person."""

    verdict: Verdict
    stands: Stands | None = None
    duplicates: int = 0
    because: str = ""


def verdict(found: Found | None, way: Way, absent: int) -> Settled:
    """What a look says, after `absent` looks that found nothing. `found` is None where nothing could be searched."""
    if found is not None and found.stands:
        return Settled(Verdict.DELIVERED, found.stands[0], len(found.stands) - 1, "it stands in the chart")
    if found is not None and found.withdrew:
        return Settled(Verdict.PERSON, found.withdrew[0], because="somebody marked it entered-in-error in the chart")
    if found is None or way.how is None:
        return Settled(Verdict.PERSON, because=f"this EHR cannot be searched for it: {way.because}")
    if absent < 1:
        return Settled(Verdict.AGAIN, because="it is not there yet")
    if not (way.proves_absence and found.whole):
        return Settled(Verdict.PERSON, because="it was not found, and that proves nothing in this EHR")
    return Settled(Verdict.READY, because="it was absent twice, across the delay")


def applied(current: Current, resource: type_json) -> bool:
    """Whether an update whose answer was lost is what stands now, as far as this server keeps what it is sent.

    A document whose body the server does not return cannot be compared: then False. Putting it again is harmless, for
    it is built anew on what was read.
    """
    wanted = {key: value for key, value in resource.items() if key not in _NOT_WRITTEN}
    bodies = [attachment.get("data") for attachment in attachments(current.resource)]
    return agrees(current.resource, wanted) and all(one.get("data") in bodies for one in attachments(resource))


def _stands(resource: type_json) -> Stands:
    version = meta(resource).get("versionId", "")
    return Stands(str(resource["id"]), version if isinstance(version, str) else "")
