"""A document as C-CDA R2.1."""

from __future__ import annotations

from bridge.documents import text
from bridge.documents.ccda import header
from bridge.documents.ccda.body import body
from bridge.documents.ccda.tree import LOINC, code, document, make, template, unknown
from bridge.documents.content import Document, Kind
from bridge.documents.moments import stamp

REALM_HEADER = "2.16.840.1.113883.10.20.22.1.1"
CARE_PLAN = "2.16.840.1.113883.10.20.22.1.15"
PROGRESS_NOTE = "2.16.840.1.113883.10.20.22.1.9"
RELEASE = "2015-08-01"  # of all three templates, C-CDA R2.1
_CODES = {
    CARE_PLAN: ("52521-2", "Overall plan of care/advance care directives"),
    PROGRESS_NOTE: ("11506-3", "Progress note"),
}
_ROOT = {"xmlns": "urn:hl7-org:v3", "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}


def render(told: Document) -> bytes:
    """The document as C-CDA R2.1 in UTF-8, well-formed and valid against the CDA R2 schema and HL7's Schematron."""
    kind = CARE_PLAN if told.kind is Kind.CARE_PLAN else PROGRESS_NOTE
    when = stamp(told.date)
    root = make(
        "ClinicalDocument",
        make("realmCode", code="US"),
        make("typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040"),
        template(REALM_HEADER),
        template(REALM_HEADER, RELEASE),
        template(kind),
        template(kind, RELEASE),
        header.instance(told, text.render(told).decode()),
        code("code", _CODES[kind][0], LOINC, _CODES[kind][1]),
        make("title", text=told.name),
        make("effectiveTime", value=when) if when else unknown("effectiveTime"),
        code("confidentialityCode", "N", "2.16.840.1.113883.5.25", "normal"),
        make("languageCode", code=f"{told.language}-US"),
        header.record_target(told.frame.subject),
        *header.authors(told),
        header.custodian(told),
        header.service(told),
        None if kind is CARE_PLAN else header.encounter(told),
        body(told),
    )
    root.attrib.update(_ROOT)
    return document(root)
