"""What a document that is handed over says beside its parts, and how its practice wants it."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.documents.content import Frame
from bridge.handoff import prepare
from bridge.model import Decision, Part
from bridge.moves.turning import Turn
from bridge.release import part2
from bridge.settings import Handoff


def frame(turn: Turn, reference: str, leaving: Sequence[Part], decision: Decision | None) -> Frame:
    """What the document says beside its parts."""
    agency, site = turn.line.project.agencies[turn.lane.agency], turn.chart.practice
    notice = (
        part2.disclosure(leaving, decision, turn.lane.consents, site, agency.timezone) if decision is not None else None
    )
    return Frame(
        reference=reference,
        agency=agency.name,
        zone=agency.timezone if site.document.zone == "agency" else site.timezone,
        language=site.document.language,
        contact=agency.contact.name,
        phone=agency.phone or agency.contact.phone,
        author=site.document.author,
        disclosure=notice,
    )


def wanted(turn: Turn, wants: Handoff) -> prepare.Wanted:
    """How the practice wants it."""
    document = turn.chart.practice.document
    return prepare.Wanted(turn.lane.practice, wants.format, document.language, document.types)
