"""How the parts of a record reach one chart: one document by default, a discrete write where the server takes it and
the site asked for it, else a hold that says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bridge.ehr.capability import Capability
from bridge.model import Allowed, Hold, HoldReason, Interaction, Owner, Part, Planned, Route
from bridge.settings import Handoff

DOCUMENT = "DocumentReference"
HANDOFF = "handoff"
"""The kind of route of a document that is handed over: the same entry as one written by FHIR, never both."""

RANKS = {
    "Encounter": 10,
    "Condition": 20,
    "Observation": 30,
    "QuestionnaireResponse": 30,
    "Goal": 40,
    "CareTeam": 40,
    "CarePlan": 50,
    "ServiceRequest": 50,
    "Task": 60,
    "Communication": 60,
    DOCUMENT: 90,
}
"""The order within a thread: what is referred to comes first. Only these types are ever written."""

NEVER_ALONE = frozenset(
    {
        "Composition",  # becomes the document
        "Patient",  # design: never created silently
        "RelatedPerson",
        "Consent",  # an agency's consent is not the practice's record
        "Provenance",
        "EpisodeOfCare",
        "Location",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    }
)
"""Types that travel only inside something else, or not at all."""


class Site(Protocol):
    """What of a practice's settings routing looks at (`settings.Practice`)."""

    @property
    def id(self) -> str: ...
    @property
    def enable(self) -> frozenset[str]: ...
    @property
    def handoff(self) -> Handoff | None: ...


def capability_key(practice: str, type: str) -> str:
    """What a hold for a missing way in waits for; settled when statement, vendor facts or site settings change."""
    return f"capability:{practice}:{type}"


def plan(parts: Sequence[Part], capability: Capability, site: Site) -> list[Planned]:
    """The entries that should stand in one chart for the released parts of one record about one person, by rank.

    One document made of all parts where there is a Composition; beside it a discrete write for each part whose type
    the server takes and the site enabled. What would otherwise not arrive becomes an entry with a hold.
    Raises ValueError where the parts are about several persons: those are several charts.
    """
    if len({part.about for part in parts}) > 1:
        raise ValueError("the parts of one entry are about one person")
    discrete = [part for part in parts if part.type not in NEVER_ALONE and usable(part.type, capability, site).yes]
    planned = [
        Planned(Route(part.name, "discrete", part.type, (part.name,), RANKS[part.type]))
        for part in discrete
        if part.type in RANKS
    ]
    note = next((part for part in parts if part.type == "Composition"), None)
    if note is not None:
        planned += _document(note, parts, discrete, capability, site)
    else:
        planned += [
            Planned(
                Route(part.name, "discrete", part.type, (part.name,), RANKS.get(part.type, RANKS[DOCUMENT])),
                _hold(site, part.type, usable(part.type, capability, site)),
            )
            for part in parts
            if part.type not in NEVER_ALONE and part not in discrete
        ]
    return sorted(planned, key=lambda entry: entry.route.rank)


def _document(
    note: Part, parts: Sequence[Part], discrete: Sequence[Part], capability: Capability, site: Site
) -> list[Planned]:
    told = tuple(part.name for part in parts if part.type != "Provenance")  # the document names its authors itself
    route = Route("document", "document", DOCUMENT, told, RANKS[DOCUMENT])
    allowed = capability.allows(DOCUMENT, Interaction.CREATE)
    if handed(site, allowed):
        route = replace(route, kind=HANDOFF)
    if allowed.yes or (site.handoff is not None and site.handoff.prefer):
        return [Planned(route)]
    alone = all(part.type in NEVER_ALONE or part in discrete for part in parts)
    if alone and _only_refers(note, {f"{part.type}/{part.resource.get('id')}" for part in discrete}):
        return []
    return [Planned(route, None if route.kind == HANDOFF else _hold(site, DOCUMENT, allowed))]


def handed(site: Site, allowed: Allowed) -> bool:
    """Whether a document goes by hand-off: where the EHR takes none by FHIR, or the site prefers it."""
    return site.handoff is not None and (site.handoff.prefer or not allowed.yes)


def _only_refers(note: Part, carried: set[str]) -> bool:
    """Whether the document would say nothing that the discrete writes do not: every section is only references."""
    sections = note.resource.get("section", [])
    return bool(sections) and all(
        "text" not in section
        and section.get("entry")
        and all(entry.get("reference") in carried for entry in section["entry"])
        for section in sections
    )


def usable(type: str, capability: Capability, site: Site) -> Allowed:
    """Whether a discrete write of this type may go out: the server takes it and the site asked for it."""
    if type not in RANKS or type == DOCUMENT:
        return Allowed(False, f"the bridge writes no {type} of its own")
    allowed = capability.allows(type, Interaction.CREATE)
    if allowed.yes and type not in site.enable:
        return Allowed(False, f"the server takes {type}, but this site has not enabled it")
    return allowed


def _hold(site: Site, type: str, allowed: Allowed) -> Hold:
    return Hold(
        HoldReason.CAPABILITY,
        capability_key(site.id, type),
        Owner.PRACTICE,
        f"there is no way into this practice's EHR for it: {allowed.because}",
        f"ask the practice's EHR team to open {type} create for this connection and enable it in `bridge.yaml`,"
        " or hand the document over by another way",
    )
