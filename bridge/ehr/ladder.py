"""Every way of each kind of record into one chart, the chosen ones first, and every answer of a capability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bridge.ehr import send
from bridge.ehr.capability import Capability
from bridge.ehr.route import Site, Way, handing, way
from bridge.ehr.ways import CORRECTION, DOCUMENT, OTHER, Correcting, Ways, shipped
from bridge.model import Action, Allowed, Interaction

CORRECTIONS: Final[dict[Correcting, tuple[Action, Interaction]]] = {
    "update": (Action.UPDATE, Interaction.UPDATE),
    "replaces": (Action.REPLACE, Interaction.CREATE),
    "superseding-note": (Action.SUPERSEDE, Interaction.CREATE),
    "entered-in-error": (Action.RETRACT, Interaction.UPDATE),
    "disregard-note": (Action.DISREGARD, Interaction.CREATE),
}
"""Each way to correct or take back: the step it is, and what the server must take for it."""


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
        found += [replace(one, enabled=one.enabled and not handed) for one in _corrections(capability, known)]
        given = replace(given, loses=known.handed.correction) if given is not None else None
    found += [given] if given is not None else []
    found.sort(key=lambda one: not one.enabled)
    if not any(one.enabled for one in found):
        rule = "nothing else is open: it is held, and the practice's EHR team is told what to open"
        found.insert(0, Way("held", True, rule, ("everything, until a way is opened",)))
    return tuple(found)


def _corrections(capability: Capability, ways: Ways) -> Iterator[Way]:
    """How a document that stands is corrected, and how one that should not stand is taken back."""
    used = (send.change(DOCUMENT, capability), send.withdrawal(DOCUMENT, capability))
    for name, one in ways.corrections.items():
        action, interaction = CORRECTIONS[name]
        allowed = capability.allows(DOCUMENT, interaction)
        if allowed.yes and action is Action.REPLACE and not capability.vendor.document.relates_to.value:
            allowed = Allowed(False, "vendor: does not keep which document another replaces (relatesTo)")
        yield Way(name, action in used, _why(allowed, action in used), one.loses, one.reader)


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
