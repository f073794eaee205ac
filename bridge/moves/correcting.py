"""Correcting and taking back where what stands can be neither changed nor marked: a new document names it instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson

from bridge.documents.content import Earlier
from bridge.ehr import send
from bridge.ehr.disregard import disregard, earlier_of
from bridge.model import Action, Hold, Request
from bridge.moves import holding, planning
from bridge.moves.shaping import context, last_sent
from bridge.moves.turning import Turn


@dataclass(frozen=True, slots=True)
class Disregarding:
    """The request that asks to disregard what stands, in whose chart, its own reference, and how many documents there
    were then.
    """

    request: Request
    resource: bytes = field(repr=False)
    patient: str
    reference: str
    replaced: int


def earlier(turn: Turn, patient: str) -> Earlier | Hold:
    """What stands, as the document that takes its place in the chart of this patient names it; or why it cannot."""
    entry, sent = turn.entry, last_sent(turn)
    if sent is None:  # found by its reference (`settling.look_ahead`), and what it says was never known
        if entry.stands is None or entry.stands.digest:
            return holding.forgotten(entry)
        number = entry.replaced
        return Earlier(planning.reference_of(turn.line, turn.lane, entry, number) if number else entry.reference)
    if sent.get("subject", {}).get("reference") != f"Patient/{patient}":
        return holding.elsewhere(entry)
    try:
        return earlier_of(sent)
    except ValueError:
        return holding.forgotten(entry)


def disregarding(turn: Turn) -> Disregarding | Hold:
    """The request, or the hold where a person must ask the practice instead.

    It goes to the chart in which the document stands, whomever the person is linked to by now. Two references are
    used up: its own, and that of what may be written after it.
    """
    entry, sent = turn.entry, last_sent(turn)
    replaced = entry.replaced + 1
    reference = planning.reference_of(turn.line, turn.lane, entry, replaced)
    zone = ZoneInfo(turn.line.project.agencies[turn.lane.agency].timezone)
    date = datetime.fromtimestamp(turn.clock() // 1_000_000, UTC).astimezone(zone).isoformat()
    if sent is None:
        return holding.no_retraction(entry)
    patient = str(sent.get("subject", {}).get("reference", "")).removeprefix("Patient/")
    try:
        shaped = disregard(sent, context(turn, reference, patient), date)
    except ValueError:
        return holding.no_retraction(entry)
    wrong = holding.wrong(turn.line, shaped, turn.chart.vendor)
    if wrong is not None:
        return holding.unsendable(entry, wrong)
    request = send.request(Action.DISREGARD, shaped.resource, turn.chart.planned)
    return Disregarding(request, orjson.dumps(shaped.resource), patient, reference, replaced + 1)
