"""How the parts of a record reach one chart: by the ladder of its kind (`ways.yaml`), as far as the server takes it and
the site asked for it; one document by default, else a hold that says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.ehr.capability import Capability
from bridge.ehr.ways import DOCUMENT, NEVER_ALONE, WHOLE, Ways, shipped
from bridge.model import Allowed, Hold, HoldReason, Interaction, Owner, Part, Planned, Route
from bridge.settings import Handoff

__all__ = ["HANDOFF", "NEVER_ALONE", "Site", "Way", "capability_key", "handing", "plan", "usable", "way"]

HANDOFF = "handoff"
"""The kind of route of a document that is handed over: the same entry as one written by FHIR, never both."""

PREFERS = "site: it prefers to be handed documents"

TAKEN = "the server takes"
"""How a reason begins that is the site's alone."""


class Site(Protocol):
    """What of a practice's settings routing looks at (`settings.Practice`)."""

    @property
    def id(self) -> str: ...
    @property
    def enable(self) -> frozenset[str]: ...
    @property
    def routes(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def handoff(self) -> Handoff | None: ...


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. `enabled`: it is used as things are now; `because` says why, or why not."""

    route: str
    enabled: bool
    because: str
    loses: tuple[str, ...] = ()
    causes: str = ""  # what it does there; of a correction: what the reader of the chart sees


def capability_key(practice: str, type: str) -> str:
    """What a hold for a missing way in waits for; settled when statement, vendor facts or site settings change."""
    return f"capability:{practice}:{type}"


def way(name: str, kind: str, capability: Capability, site: Site, ways: Ways | None = None) -> Way:
    """One way of a kind of record (a ladder's name or PACK/NAME), as this server and this site have it now.

    The one decision: planning uses what is `enabled` here, and `bridge capabilities` prints it.
    """
    known = ways or shipped()
    ladder, written = known.ladder(kind), known.written.get(name)
    if written is None or name not in ladder.ways:
        return Way(name, False, f"the bridge writes no {name} of this kind of record")
    allowed = _asked(name, kind, capability, site, known)
    if name == WHOLE and allowed.yes and site.handoff is not None and site.handoff.prefer:
        allowed = Allowed(False, PREFERS)
    return Way(name, allowed.yes, allowed.because, (*written.loses, *ladder.ways[name]), written.causes)


def handing(kind: str, capability: Capability, site: Site, ways: Ways | None = None) -> Way | None:
    """The hand-off of a kind of record: of its document, where the EHR takes none or the site prefers it.

    None where the site has none, or where this kind of record has no document.
    """
    known = ways or shipped()
    ladder = known.ladder(kind)
    if site.handoff is None or WHOLE not in ladder.ways:
        return None
    taken = capability.allows(DOCUMENT, Interaction.CREATE)
    asked = next((site.routes[name] for name in (kind, known.named(kind)) if name in site.routes), (WHOLE,))
    used = WHOLE in asked and (site.handoff.prefer or not taken.yes)
    because = PREFERS if site.handoff.prefer else taken.because
    loses = (*known.written[WHOLE].loses, *ladder.ways[WHOLE], *known.handed.loses)
    return Way(HANDOFF, used, because, loses, known.handed.causes[site.handoff.way])


def usable(type: str, kind: str, capability: Capability, site: Site, ways: Ways | None = None) -> Allowed:
    """Whether a write of this FHIR type for this kind of record may go out: server, site and ladder say so."""
    found = way(WHOLE if type == DOCUMENT else type, kind, capability, site, ways)
    return Allowed(found.enabled, found.because)


def plan(
    kind: str, parts: Sequence[Part], capability: Capability, site: Site, ways: Ways | None = None
) -> list[Planned]:
    """The entries that should stand in one chart for the released parts of one record about one person, by rank.

    One document made of all parts where there is a Composition; beside it a discrete write for each part whose way is
    open. What would otherwise not arrive becomes an entry with a hold.
    Raises ValueError where the parts are about several persons: those are several charts.
    """
    if len({part.about for part in parts}) > 1:
        raise ValueError("the parts of one entry are about one person")
    known = ways or shipped()
    found = {type: way(type, kind, capability, site, known) for type in {part.type for part in parts} - NEVER_ALONE}
    discrete = [part for part in parts if part.type in found and found[part.type].enabled]
    planned = [Planned(_discrete(part, known)) for part in discrete]
    note = next((part for part in parts if part.type == "Composition"), None)
    if note is not None:
        whole, given = way(WHOLE, kind, capability, site, known), handing(kind, capability, site, known)
        planned += _document(note, parts, discrete, whole, given, site, known)
    else:
        planned += [
            Planned(_discrete(part, known), no_way(site.id, part.type, found[part.type].because))
            for part in parts
            if part.type in found and part not in discrete
        ]
    return sorted(planned, key=lambda entry: entry.route.rank)


def no_way(practice: str, type: str, because: str) -> Hold:
    """The hold of what has no way into this practice's EHR."""
    step = (
        f"ask the practice's EHR team to open {type} create for this connection and enable it in `bridge.yaml`,"
        " or hand the document over by another way"
    )
    if because.startswith(TAKEN):
        step = f"name {type} for this kind of record in the practice's `enable` or `routes` in `bridge.yaml`"
    rule = f"there is no way into this practice's EHR for it: {because}"
    return Hold(HoldReason.CAPABILITY, capability_key(practice, type), Owner.PRACTICE, rule, step)


def _asked(name: str, kind: str, capability: Capability, site: Site, ways: Ways) -> Allowed:
    """Server and site: its `routes` of this kind of record or its ladder, else `enable`; a document needs neither."""
    type = DOCUMENT if name == WHOLE else name
    allowed = capability.allows(type, Interaction.CREATE)
    ladder = ways.named(kind)
    for asked in (kind, ladder):
        if asked in site.routes:
            if allowed.yes and name not in site.routes[asked]:
                return Allowed(False, f"{TAKEN} {type}, but this site's routes of {asked} do not name {name}")
            return allowed
    if allowed.yes and name != WHOLE and name not in site.enable:
        return Allowed(False, f"{TAKEN} {type}, but this site has not enabled it")
    return allowed


def _discrete(part: Part, ways: Ways) -> Route:
    last = ways.written[WHOLE].rank
    rank = ways.written[part.type].rank if part.type in ways.written else last
    return Route(part.name, "discrete", part.type, (part.name,), rank)


def _document(
    note: Part,
    parts: Sequence[Part],
    discrete: Sequence[Part],
    whole: Way,
    given: Way | None,
    site: Site,
    ways: Ways,
) -> Iterator[Planned]:
    """The document, by FHIR or handed over; none where it would only repeat what goes anyhow and none is taken."""
    told = tuple(part.name for part in parts if part.type != "Provenance")  # the document names its authors itself
    kind = HANDOFF if given is not None and given.enabled else "document"
    route = Route(WHOLE, kind, DOCUMENT, told, ways.written[WHOLE].rank)
    if whole.enabled or (kind == HANDOFF and site.handoff is not None and site.handoff.prefer):
        yield Planned(route)
        return
    alone = all(part.type in NEVER_ALONE or part in discrete for part in parts)
    if not alone or not _only_refers(note, {f"{part.type}/{part.resource.get('id')}" for part in discrete}):
        yield Planned(route, None if kind == HANDOFF else no_way(site.id, DOCUMENT, whole.because))


def _only_refers(note: Part, carried: set[str]) -> bool:
    """Whether the document would say nothing that the discrete writes do not: every section is only references."""
    sections = note.resource.get("section", [])
    return bool(sections) and all(
        "text" not in section
        and section.get("entry")
        and all(entry.get("reference") in carried for entry in section["entry"])
        for section in sections
    )
