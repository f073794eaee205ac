"""Every way of each kind of record into one chart, the chosen ones first, and every answer of a capability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bridge.ehr import send
from bridge.ehr.capability import Capability
from bridge.ehr.route import Site, Way, handing, way
from bridge.ehr.ways import CORRECTION, DOCUMENT, OTHER, Ways, shipped
from bridge.model import Action, Allowed, Interaction


def kinds_of(ways: Ways) -> dict[str, str]:
    """Every ladder's name → what it is for."""
    return {**{name: ladder.title for name, ladder in ways.kinds.items()}, OTHER: ways.other.title}


def ways_of(kind: str, capability: Capability, site: Site, ways: Ways | None = None) -> tuple[Way, ...]:
    """The ways of this kind into this chart, those that are used first; the last is what happens where none is."""
    known = ways or shipped()
    names = known.ladder(kind).ways
    found = [way(name, kind, capability, site, known) for name in names]
    given = handing(OTHER if kind == CORRECTION else kind, capability, site, known)
    if kind == CORRECTION:
        handed = given is not None and given.enabled
        found += [replace(one, enabled=one.enabled and not handed) for one in _corrections(capability)]
        given = replace(given, loses=known.handed.correction) if given is not None else None
    found += [given] if given is not None else []
    found.sort(key=lambda one: not one.enabled)
    if not any(one.enabled for one in found):
        rule = "nothing else is open: it is held, and the practice's EHR team is told what to open"
        found.insert(0, Way("held", True, rule, ("everything, until a way is opened",)))
    return tuple(found)


def _corrections(capability: Capability) -> Iterator[Way]:
    """How a document that stands is corrected, and how one in the wrong chart is taken back."""
    chosen = send.change(DOCUMENT, capability)
    update, create = (capability.allows(DOCUMENT, one) for one in (Interaction.UPDATE, Interaction.CREATE))
    yield Way("update", chosen is Action.UPDATE, _why(update, chosen is Action.UPDATE), ("the wording that stood",))
    replaces = chosen is Action.REPLACE
    lost = ("the reader sees two notes, the newer naming the older",)
    yield Way("replaces", replaces, _why(create, replaces), lost)
    retract = send.can_retract(DOCUMENT, capability)
    yield Way("entered-in-error", retract, _why(update, retract), (), "the note is struck: wrong chart or content only")


def _why(allowed: Allowed, used: bool) -> str:
    """Why this correction is used or not: what the server takes, or that another is preferred."""
    return allowed.because if used or not allowed.yes else f"another way comes first here ({allowed.because})"


def resources_of(capability: Capability, ways: Ways | None = None) -> dict[str, dict[str, Allowed]]:
    """Every type that is stated, known of the vendor, or written by us → interaction → whether, and why."""
    vendor = capability.vendor
    types = {*capability.stated, *vendor.forbidden.value, *vendor.documented.value, *(ways or shipped()).types}
    return {
        type: {one.value: capability.allows(type, one) for one in Interaction} for type in sorted({*types, "Patient"})
    }
