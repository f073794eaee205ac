"""The ways of each kind of record into one chart, the chosen one first: what each causes there, what it loses."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from bridge.ehr import send
from bridge.ehr.capability import Capability
from bridge.ehr.route import DOCUMENT, RANKS, Site, usable
from bridge.model import Action, Allowed, Interaction
from bridge.settings.lines import read_yaml

CORRECTION = "correction"
CORRECTIONS: Final = {
    "update": (Action.UPDATE, Interaction.UPDATE),
    "replaces": (Action.REPLACE, Interaction.CREATE),
    "superseding-note": (Action.SUPERSEDE, Interaction.CREATE),
    "entered-in-error": (Action.RETRACT, Interaction.UPDATE),
    "disregard-note": (Action.DISREGARD, Interaction.CREATE),
}
"""Each way to correct or take back: the step it is, and what the server must take for it."""

_FILE = "ways.yaml"
_CLOSED = ConfigDict(extra="forbid")


@checked(frozen=True, slots=True, config=_CLOSED)
class KindWays:
    """One kind of record: FHIR type → what a discrete write of it does not carry; `never` says what is not done."""

    title: str
    discrete: Mapping[str, tuple[str, ...]]
    never: str = ""


@checked(frozen=True, slots=True, config=_CLOSED)
class Correction:
    """One way to correct or to take back a document: what the reader of the chart sees, and what is lost."""

    reader: str
    loses: tuple[str, ...] = ()


@checked(frozen=True, slots=True, config=_CLOSED)
class Ways:
    """All of `ways.yaml`."""

    lost: Mapping[str, tuple[str, ...]]
    discrete: Mapping[str, str]
    corrections: Mapping[str, Correction]
    kinds: Mapping[str, KindWays]


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. `enabled`: it is used as things are now; `because` says why, or why not."""

    route: str
    enabled: bool
    because: str
    loses: tuple[str, ...] = ()
    causes: str = ""  # what it does there; of a correction: what the reader of the chart sees


@cache
def shipped() -> Ways:
    """What `ways.yaml` says: every type in it is one that the bridge writes."""
    text = importlib.resources.files("bridge.ehr").joinpath(_FILE).read_text(encoding="utf-8")
    return TypeAdapter(Ways).validate_python(read_yaml(text, _FILE).value)


def ways_of(kind: str, capability: Capability, site: Site) -> tuple[Way, ...]:
    """The ways of this kind into this chart, those that are used first; the last is what happens where none is."""
    found = list(_corrections(capability) if kind == CORRECTION else _writes(kind, capability, site))
    found.sort(key=lambda way: not way.enabled)
    if not any(way.enabled for way in found):
        rule = "nothing else is open: it is held, and the practice's EHR team is told what to open"
        found.insert(0, Way("held", True, rule, ("everything, until a way is opened",)))
    return tuple(found)


def _writes(kind: str, capability: Capability, site: Site) -> Iterator[Way]:
    """The document, then what may be written beside it."""
    ways, declared = shipped(), shipped().kinds[kind]
    document = capability.allows(DOCUMENT, Interaction.CREATE)
    loses = (*ways.lost["document"], *([declared.never] if declared.never else []))
    yield Way("document", document.yes, document.because, loses, "a note among the chart's outside documents")
    for type, lost in declared.discrete.items():
        allowed = usable(type, capability, site)
        yield Way(type, allowed.yes, allowed.because, lost, ways.discrete[type])


def _corrections(capability: Capability) -> Iterator[Way]:
    """How a document that stands is corrected, and how one that should not stand is taken back."""
    used = (send.change(DOCUMENT, capability), send.withdrawal(DOCUMENT, capability))
    for name, one in shipped().corrections.items():
        action, interaction = CORRECTIONS[name]
        allowed = capability.allows(DOCUMENT, interaction)
        if allowed.yes and action is Action.REPLACE and not capability.vendor.document.relates_to.value:
            allowed = Allowed(False, "vendor: does not keep which document another replaces (relatesTo)")
        yield Way(name, action in used, _why(allowed, action in used), one.loses, one.reader)


def _why(allowed: Allowed, used: bool) -> str:
    """Why this correction is used or not: what the server takes, or that another is preferred."""
    return allowed.because if used or not allowed.yes else f"another way comes first here ({allowed.because})"


def resources_of(capability: Capability) -> dict[str, dict[str, Allowed]]:
    """Every type that is stated, known of the vendor, or written by us → interaction → whether, and why."""
    types = {*capability.stated, *capability.vendor.forbidden.value, *capability.vendor.documented.value, *RANKS}
    return {
        type: {one.value: capability.allows(type, one) for one in Interaction} for type in sorted({*types, "Patient"})
    }
