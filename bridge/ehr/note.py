"""The default route: one DocumentReference with the rendered document in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bridge.documents.compose import compose
from bridge.documents.content import Document, Frame, Subject
from bridge.documents.formats import CCDA, CCDA_FORMAT, FORMATS, PDF, render
from bridge.documents.pdf import Unshowable
from bridge.documents.several import compose_several
from bridge.ehr.context import PROTECTED, ShapeContext, Shaped, finding, identifiers, profiles
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.facts import VendorFacts
from bridge.ehr.instants import later, period_with_times, with_time
from bridge.ehr.requirements import missing
from bridge.ehr.within import inside
from bridge.model import Finding, Part, Severity, type_json

CATEGORY = {
    "coding": [
        {
            "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
            "code": "clinical-note",
            "display": "Clinical Note",
        }
    ]
}
PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"
LOINC = "http://loinc.org"
ATTACHMENT = "DocumentReference.content.attachment"


def choices(wanted: str, vendor: VendorFacts, update: bool = False, otherwise: Sequence[str] = ()) -> list[str]:
    """The formats to render, best first: the site's where the vendor takes them, then the vendor's own order.

    Only what can be corrected later, unless nothing can; no PDF or C-CDA that nobody asked for.
    """
    taken = vendor.document.update_mimes.value if update else vendor.document.mimes.value
    lasting = [mime for mime in taken if mime in vendor.document.update_mimes.value] or list(taken)
    asked = [mime for mime in dict.fromkeys((wanted, *otherwise)) if mime in lasting and mime in FORMATS]
    plain = [mime for mime in lasting if mime not in asked and mime in FORMATS and mime not in (PDF, *CCDA)]
    return [*asked, *plain]


def choose_mime(wanted: str, vendor: VendorFacts, update: bool = False) -> str:
    """The first of `choices`, or "" where there is none."""
    return next(iter(choices(wanted, vendor, update)), "")


def document(parts: Sequence[Part], context: ShapeContext) -> Shaped:
    """One DocumentReference made of the released parts of one record about one person.

    Raises ValueError where there is no Composition among them.
    """
    note = next((part for part in parts if part.type == "Composition"), None)
    if note is None:
        raise ValueError("a document is made of a Composition and its parts")
    return _resource(parts, note, compose(parts, framed(context)), context, note.resource.get("date", ""))


def roll_up(records: Sequence[Sequence[Part]], context: ShapeContext, closed: str) -> Shaped:
    """One DocumentReference made of the released parts of several records about one person.

    It is dated by the end of its window (`closed`), not by its latest record: which one that is may change, and a date
    that goes back from one version to the next is refused by Oracle. Raises ValueError where there is no record, or
    one without a Composition.
    """
    made = compose_several(records, framed(context))
    notes = [part for parts in records for part in parts if part.type == "Composition"]
    first = min(notes, key=lambda part: str(part.resource.get("date", "")))
    states = {part.resource.get("status") for part in notes} & {"amended", "corrected"}
    kept = {key: value for key, value in first.resource.items() if key != "identifier"}  # which is that record's alone
    note = replace(first, resource={**kept, "status": "amended" if states else "final"})
    return _resource([part for parts in records for part in parts], note, made, context, closed)


def _resource(parts: Sequence[Part], note: Part, made: Document, context: ShapeContext, date: str) -> Shaped:
    """The DocumentReference around a document; `note` says its type and status."""
    facts = context.vendor.document
    mime, body, findings = rendered(made, note, context)
    if not mime:
        return Shaped({}, tuple(findings))
    period, doubts = _period(made.period, note, context)
    held = inside(parts, note, context)
    findings += [*doubts, *held.findings]
    when = with_time(date, context.zone)
    attachment = {
        "contentType": f"{mime};charset=utf-8" if facts.charset.value and mime != PDF else mime,
        "language": made.language,
        "data": base64.b64encode(body).decode(),
        "title": made.name,
        "creation": later(when, context.created),
    }
    resource = _without_empty(
        {
            "resourceType": "DocumentReference",
            "meta": {
                "profile": profiles([PROFILE], context.vendor),
                "security": list(PROTECTED) if context.disclosure is not None else [],
            },
            "contained": held.contained,
            "identifier": [*identifiers(note.resource), {"system": SYSTEM, "value": context.reference}],
            "status": "current",
            "docStatus": _doc_status(note.resource, context),
            "type": _type(note.resource, context),
            "category": [CATEGORY],
            "subject": {"reference": f"Patient/{context.patient_id}"},
            "date": when,
            "author": held.author,
            "custodian": {"display": context.agency} if facts.custodian.value == "display" else {},
            "description": made.title,
            "content": [{"attachment": attachment, "format": CCDA_FORMAT if mime in CCDA else {}}],
            "context": {"encounter": held.encounter, "period": period},
        }
    )
    findings += _doubts(resource, len(body), note, context.vendor)
    return Shaped(resource, (*findings, *missing(resource, context.vendor, note.name)))


def rendered(made: Document, note: Part, context: ShapeContext) -> tuple[str, bytes, list[Finding]]:
    """The content type and bytes of the best format; "" with an error where this EHR takes none that can be made."""
    wanted = choices(context.mime, context.vendor, context.update, context.otherwise)
    findings: list[Finding] = []
    for mime in wanted:
        try:
            return mime, render(made, mime), findings
        except Unshowable:
            rule = "the fonts at hand lack a sign for a character of this text: it goes as another format, in full"
            severity = Severity.INFORMATION if wanted[1:] else Severity.ERROR
            findings.append(finding("ehr-glyph", f"{ATTACHMENT}.contentType", rule, note, severity))
    if not wanted:
        rule = "this EHR takes none of the formats the bridge writes"
        findings.append(finding("ehr-format", f"{ATTACHMENT}.contentType", rule, note))
    return "", b"", findings


def framed(context: ShapeContext) -> Frame:
    """What a document says beside its parts."""
    return Frame(
        reference=context.reference,
        agency=context.agency,
        zone=context.zone,
        language=context.language,
        contact=context.contact,
        phone=context.phone,
        author=context.author,
        disclosure=context.disclosure,
        earlier=context.earlier,
        subject=Subject(id=context.patient_id),
    )


def _doubts(resource: type_json, size: int, note: Part, vendor: VendorFacts) -> Iterator[Finding]:
    if size > vendor.document.largest.value:
        rule = f"the document is larger than the {vendor.document.largest.value} bytes this EHR takes"
        yield finding("ehr-size", f"{ATTACHMENT}.data", rule, note)
    if not any(coding.get("system") == LOINC for coding in resource.get("type", {}).get("coding", [])):
        rule = "the type of a clinical note is a LOINC code (US Core, required binding)"
        yield finding("ehr-type", "DocumentReference.type", rule, note, Severity.WARNING)


def _doc_status(note: type_json, context: ShapeContext) -> str:
    taken = context.vendor.document.doc_status.value
    wanted = "amended" if context.update or note.get("status") in ("amended", "corrected") else "final"
    return wanted if wanted in taken else next(iter(taken), "")


def _type(note: type_json, context: ShapeContext) -> type_json:
    site = context.types.get(context.kind)
    if site is not None:
        coding = {"system": site.system, "code": site.code, "display": site.display}
        return {"coding": [{key: value for key, value in coding.items() if value}]}
    found: type_json = note.get("type", {})
    loinc = [coding for coding in found.get("coding", []) if coding.get("system") == LOINC]
    return {**found, "coding": loinc} if loinc else found


def _period(said: type_json, note: Part, context: ShapeContext) -> tuple[type_json, list[Finding]]:
    """The clinical time as this EHR takes it."""
    period = dict(said)
    facts, findings = context.vendor.document, []
    if facts.times.value:
        if any(len(period.get(key, "")) == 10 for key in ("start", "end")):
            rule = "only the day is known and this EHR wants a time: noon on the agency's clocks was put"
            findings.append(finding("ehr-noon", "DocumentReference.context.period", rule, note, Severity.INFORMATION))
        period = period_with_times(period, context.zone)
    if facts.period_end.value and "end" not in period and "start" in period:
        rule = "no end is known and this EHR wants one: the start was put"
        findings.append(finding("ehr-end", "DocumentReference.context.period.end", rule, note, Severity.INFORMATION))
        period = {**period, "end": period["start"]}
    return period, findings


def _without_empty(value: Any) -> Any:
    """The value without keys that hold nothing: FHIR has no empty elements."""
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept: type_json = {}
    for key, item in value.items():
        found = _without_empty(item) if isinstance(item, dict | list) else item
        if found or found == 0:  # 0 and false are something to say
            kept[key] = found
    return kept
