"""A document to disregard an earlier one, where this EHR lets us neither change nor mark what stands."""

from __future__ import annotations

import base64
from typing import Final

from bridge.documents.content import Earlier
from bridge.documents.disregarding import disregarding
from bridge.documents.formats import CCDA, CCDA_FORMAT, PDF
from bridge.ehr.context import ShapeContext, Shaped
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.note import framed, rendered
from bridge.ehr.recognise import own
from bridge.ehr.requirements import missing
from bridge.model import Part, type_json

KEPT: Final = ("type", "category", "subject", "custodian")
"""What it has as the earlier one has it: it stands in the same chart, beside it, whomever the person is linked to by
now. Nothing of these is what somebody said."""


def beside(sent: type_json) -> type_json:
    """The same of who wrote it and of its clinical time, without what the earlier one contained."""
    authors = [one for one in sent.get("author", []) if not _contained(one)]
    said = sent.get("context", {})
    encounters = [one for one in said.get("encounter", []) if not _contained(one)]
    context = {key: value for key, value in (("encounter", encounters), ("period", said.get("period"))) if value}
    return {**({"author": authors} if authors else {}), **({"context": context} if context else {})}


def _contained(reference: type_json) -> bool:
    return str(reference.get("reference", "")).startswith("#")


def earlier_of(sent: type_json) -> Earlier:
    """The document we wrote, as a later one names it. Raises ValueError where it carries no delivery reference."""
    references = own(sent)
    if not references:
        raise ValueError("what was written there carries no delivery reference")
    return Earlier(references[-1], str(sent.get("date", "")))


def disregard(sent: type_json, context: ShapeContext, date: str) -> Shaped:
    """The document that asks to disregard the one we wrote (`sent`), without anything that one said.

    `date` (FHIR, with time) is when it is written. Raises ValueError as `earlier_of`.
    """
    made = disregarding(earlier_of(sent), date, framed(context))
    note = Part("document", "", "", {"resourceType": "Composition"})
    mime, body, findings = rendered(made, note, context)
    if not mime:
        return Shaped({}, tuple(findings))
    facts = context.vendor.document
    profile = sent.get("meta", {}).get("profile")
    content = {
        "attachment": {
            "contentType": f"{mime};charset=utf-8" if facts.charset.value and mime != PDF else mime,
            "language": made.language,
            "data": base64.b64encode(body).decode(),
            "title": made.name,
            "creation": date,
        },
        **({"format": CCDA_FORMAT} if mime in CCDA else {}),
    }
    status = facts.doc_status.value
    resource: type_json = {
        "resourceType": "DocumentReference",
        **({"meta": {"profile": profile}} if profile else {}),
        "identifier": [{"system": SYSTEM, "value": context.reference}],
        "status": "current",
        **({"docStatus": "final" if "final" in status else status[0]} if status else {}),
        **{key: sent[key] for key in KEPT if key in sent},
        **beside(sent),
        "date": date,
        "description": made.title,
        "content": [content],
    }
    return Shaped(resource, (*findings, *missing(resource, context.vendor, note.name)))
