"""The guard on free text, asked before an entry's step: with the names near its person as the ledger has them now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from bridge.mappings.classes import LOCATION, ORDINARY, SCREENING_DONE
from bridge.model import Hold, Part
from bridge.moves.line import Line
from bridge.release import guard, withhold
from bridge.settings import GuardSettings, Practice
from bridge.store.kin import Near
from bridge.store.lanes import LaneWork


def near(line: Line, lane: LaneWork) -> Near:
    """Who is near this lane's person, read once for all lanes of its claim."""
    return lane.kin.of(line.ledger, lane.person)


def in_danger(line: Line, lane: LaneWork, opened: Collection[str]) -> bool:
    """Whether somebody near this lane's person must not be found: a child is visited where the mother is.

    Asked only where places may leave at all.
    """
    return LOCATION in opened and any(withhold.marked(patient) for patient in near(line, lane).patients)


def known(around: Near, leaving: Sequence[Part], wants: GuardSettings) -> guard.Known:
    """The names as the guard looks for them, but for the person's own, those of staff who did what is told, and those
    that the agency's settings let be: a grandmother may be called as the mother is."""
    if not (around.others or around.caregivers):
        return guard.Known()
    let_be = () if wants.caregivers else around.caregivers
    return guard.Known(
        own=guard.name_words((*around.own, *let_be, *guard.named_in(leaving))),
        others=guard.name_words(around.others),
        caregivers=guard.name_words(around.caregivers),
    )


def hold(
    leaving: Sequence[Part],
    who_is_near: Callable[[], Near],
    wants: GuardSettings,
    practice: Practice,
    kind: str,
    reference: str,
    digest: str,
) -> Hold | None:
    """The hold of what a person at the agency reads first; None where nothing was found.

    Who is near is asked only where people's words leave: our own lines name those who did something, and nobody else.
    """
    worded = bool(withhold.classes_of(leaving) - {ORDINARY, SCREENING_DONE})
    asked = worded and (wants.names or wants.caregivers)
    people = known(who_is_near(), leaving, wants) if asked else guard.Known()
    found = guard.findings(guard.texts(leaving), people, wants)
    if worded and practice.document.when_released == "hold" and withhold.shown_at_once(leaving, kind, practice):
        found = (*found, guard.Found("portal", "note"))
    return guard.hold(reference, digest, found) if found else None
