"""The ways of each kind of record into one chart, the chosen one first: what each causes there, what it loses."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from bridge.ehr import send
from bridge.ehr.capability import Capability
from bridge.ehr.route import DOCUMENT, HANDOFF, RANKS, Site, handed, usable
from bridge.model import Action, Allowed, Interaction
from bridge.settings.lines import read_yaml

CORRECTION = "correction"
_FILE = "ways.yaml"
_CLOSED = ConfigDict(extra="forbid")


@checked(frozen=True, slots=True, config=_CLOSED)
class KindWays:
    """One kind of record: FHIR type → what a discrete write of it does not carry; `never` says what is not done."""

    title: str
    discrete: Mapping[str, tuple[str, ...]]
    never: str = ""


@checked(frozen=True, slots=True, config=_CLOSED)
class Ways:
    """All of `ways.yaml`."""

    lost: Mapping[str, tuple[str, ...]]
    handed: Mapping[str, str]
    discrete: Mapping[str, str]
    kinds: Mapping[str, KindWays]


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. `enabled`: it is used as things are now; `because` says why, or why not."""

    route: str
    enabled: bool
    because: str
    loses: tuple[str, ...] = ()
    causes: str = ""


@cache
def shipped() -> Ways:
    """What `ways.yaml` says: every type in it is one that the bridge writes."""
    text = importlib.resources.files("bridge.ehr").joinpath(_FILE).read_text(encoding="utf-8")
    return TypeAdapter(Ways).validate_python(read_yaml(text, _FILE).value)


def ways_of(kind: str, capability: Capability, site: Site) -> tuple[Way, ...]:
    """The ways of this kind into this chart, those that are used first; the last is what happens where none is."""
    found = list(_corrections(capability, site) if kind == CORRECTION else _writes(kind, capability, site))
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
    used = document.yes and not handed(site, document)
    yield Way("document", used, _why(document, used), loses, "a note among the chart's outside documents")
    yield from _handed(site, document, (*ways.lost[HANDOFF], *([declared.never] if declared.never else [])))
    for type, lost in declared.discrete.items():
        allowed = usable(type, capability, site)
        yield Way(type, allowed.yes, allowed.because, lost, ways.discrete[type])


def _handed(site: Site, document: Allowed, loses: tuple[str, ...]) -> Iterator[Way]:
    """The hand-off, where the site has one."""
    if site.handoff is not None:
        because = "site: it prefers to be handed documents" if site.handoff.prefer else document.because
        yield Way(HANDOFF, handed(site, document), because, loses, shipped().handed[site.handoff.way])


def _corrections(capability: Capability, site: Site) -> Iterator[Way]:
    """How a document that stands is corrected, and how one in the wrong chart is taken back."""
    if handed(site, capability.allows(DOCUMENT, Interaction.CREATE)):
        loses = shipped().lost["handed-correction"]
        yield from _handed(site, capability.allows(DOCUMENT, Interaction.CREATE), loses)
        return
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


def resources_of(capability: Capability) -> dict[str, dict[str, Allowed]]:
    """Every type that is stated, known of the vendor, or written by us → interaction → whether, and why."""
    types = {*capability.stated, *capability.vendor.forbidden.value, *capability.vendor.documented.value, *RANKS}
    return {
        type: {one.value: capability.allows(type, one) for one in Interaction} for type in sorted({*types, "Patient"})
    }
