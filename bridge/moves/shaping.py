"""What leaves, in the form this chart takes; and what we wrote there last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from bridge.documents.content import Earlier
from bridge.ehr.context import ShapeContext, Shaped
from bridge.ehr.shape import discrete, document
from bridge.model import Decision, Part, type_json
from bridge.moves.turning import Turn
from bridge.release import part2
from bridge.store import steps


def shape(
    turn: Turn,
    leaving: Sequence[Part],
    reference: str,
    patient: str,
    update: bool,
    decision: Decision,
    earlier: Earlier | None = None,
) -> Shaped:
    """The resource as this chart takes it; `earlier` is what stands and can be neither changed nor marked."""
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
        disclosure=part2.disclosure(leaving, decision, turn.lane.consents, turn.chart.practice, zone),
        earlier=earlier,
    )
    if entry.route == "document":
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
        zone=agency.timezone,
        mime=wants.mime,
        language=wants.language,
        kind=entry.kind,
        types=wants.types,
        author=wants.author,
        contact=agency.contact.name,
        phone=agency.phone or agency.contact.phone,
    )


def last_sent(turn: Turn) -> type_json | None:
    """The resource as we wrote what stands there: not what was tried since and did not come to stand."""
    digest = turn.entry.stands.digest if turn.entry.stands is not None else ""
    with turn.line.ledger.read() as connection:
        last = steps.last(connection, turn.line.ledger, turn.entry.id, digest=digest)
    sent: type_json | None = orjson.loads(last.body) if last is not None and last.body else None
    return sent
