"""What leaves, in the form this chart takes; and what we wrote there last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson

from bridge.documents.content import Earlier
from bridge.ehr.context import ShapeContext, Shaped
from bridge.ehr.shape import discrete, document, roll_up
from bridge.model import Decision, Part, type_json
from bridge.moves.line import SECOND
from bridge.moves.turning import Turn
from bridge.release import part2
from bridge.store import past_steps


def shape(
    turn: Turn,
    leaving: Sequence[Part],
    reference: str,
    patient: str,
    update: bool,
    decision: Decision,
    records: Sequence[Sequence[Part]] = (),
    earlier: Earlier | None = None,
) -> Shaped:
    """The resource as this chart takes it; of a roll-up each of the `records` is told under its own heading.

    `earlier` is what stands and can be neither changed nor marked.
    """
    entry, zone = turn.entry, turn.line.project.agencies[turn.lane.agency].timezone
    standing = {
        f"{part.type}/{part.resource['id']}": turn.lane.standing[entry.thread, part.name]
        for part in leaving
        if (entry.thread, part.name) in turn.lane.standing
    }
    delivery = replace(
        context(turn, reference, patient),
        standing=standing,
        update=update,
        created=created(turn) if update and turn.chart.vendor.document.creation_forward.value else "",
        disclosure=part2.disclosure(leaving, decision, turn.lane.consents, turn.chart.practice, zone),
        earlier=earlier,
    )
    if entry.gathers_until is not None:
        closed = datetime.fromtimestamp(entry.gathers_until // SECOND, UTC)
        return roll_up(records, delivery, closed.astimezone(ZoneInfo(turn.chart.practice.timezone)).isoformat())
    if entry.route != "discrete":
        return document(leaving, delivery)
    return discrete(leaving[0], delivery, leaving)


def context(turn: Turn, reference: str, patient: str) -> ShapeContext:
    """One delivery to the chart of this patient, before anything is said in it."""
    entry, agency, wants = turn.entry, turn.line.project.agencies[turn.lane.agency], turn.chart.practice.document
    return ShapeContext(
        patient_id=patient,
        reference=reference,
        vendor=turn.chart.vendor,
        agency=agency.name,
        zone=agency.timezone if wants.zone == "agency" else turn.chart.practice.timezone,
        mime=wants.mime,
        otherwise=wants.otherwise,
        encounter_link=wants.encounter_link,
        flowsheets=turn.chart.practice.flowsheets,
        language=wants.language,
        kind=entry.kind,
        types=wants.types,
        author=wants.author,
        contact=agency.contact.name,
        phone=agency.phone or agency.contact.phone,
    )


def created(turn: Turn) -> str:
    """The creation of the document that stands, as we wrote it; "" where none is known."""
    contents = (last_sent(turn) or {}).get("content", [])
    return next((str(one["attachment"]["creation"]) for one in contents if "creation" in one["attachment"]), "")


def last_sent(turn: Turn) -> type_json | None:
    """The resource as we wrote what stands there: not what was tried since and did not come to stand."""
    there = turn.entry.stands
    digest, stands = (there.digest, there.id) if there is not None else ("", "")
    with turn.line.ledger.read() as connection:
        last = past_steps.last(connection, turn.line.ledger, turn.entry.id, digest=digest, stands=stands)
    sent: type_json | None = orjson.loads(last.body) if last is not None and last.body else None
    return sent
