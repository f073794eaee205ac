"""Elements, ids and times as CDA R2 writes them."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from bridge.documents.moments import stamp

LOINC = "2.16.840.1.113883.6.1"
SNOMED = "2.16.840.1.113883.6.96"
SYSTEMS = {
    "http://loinc.org": (LOINC, "LOINC"),
    "http://snomed.info/sct": (SNOMED, "SNOMED CT"),
    "http://hl7.org/fhir/sid/icd-10-cm": ("2.16.840.1.113883.6.90", "ICD-10-CM"),
}
"""FHIR code systems and their OIDs (hl7.org/fhir/R4/terminologies-systems.html); a code of another system is told in
words."""

_SPACE = uuid5(NAMESPACE_URL, "urn:dyad-bridge:document")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OID = re.compile(r"urn:oid:([0-2](?:\.\d+)+)")
_LINE_ENDS = re.compile("\r\n|\r|\n")


def make(tag: str, *children: Element | None, text: str = "", **attributes: str) -> Element:
    """An element; `xsi_type` becomes xsi:type, `class_` class, and empty attributes are left out."""
    named = {key.replace("xsi_", "xsi:").rstrip("_"): clean(value) for key, value in attributes.items() if value}
    element = Element(tag, named)
    element.text = clean(text) or None
    element.extend([child for child in children if child is not None])
    return element


def unknown(tag: str, flavor: str = "UNK") -> Element:
    """An element whose value is not known to the bridge."""
    return Element(tag, {"nullFlavor": flavor})


def template(root: str, extension: str = "") -> Element:
    """A templateId."""
    return make("templateId", root=root, extension=extension)


def own_id(*names: str) -> Element:
    """An id that is the same whenever the same is named: a UUID by name (RFC 4122, version 5)."""
    return make("id", root=str(uuid(*names)))


def uuid(*names: str) -> UUID:
    """The UUID of these names."""
    return uuid5(_SPACE, "\x1f".join(names))


def identifier(system: str, value: str) -> Element:
    """A FHIR identifier as an instance identifier: its OID as the root, else a UUID made of the system's name."""
    oid = _OID.fullmatch(system)
    return make("id", root=oid[1] if oid else str(uuid("system", system)), extension=value)


def code(tag: str, value: str, system: str, display: str = "", *inside: Element) -> Element:
    """A code of a system given by its OID."""
    name = dict(SYSTEMS.values()).get(system, "")
    return make(tag, *inside, code=value, codeSystem=system, codeSystemName=name, displayName=display)


def interval(start: str, end: str, tag: str = "effectiveTime") -> Element:
    """An interval; a bound that is not known says so."""
    low = make("low", value=stamp(start)) if stamp(start) else unknown("low")
    return make(tag, low, make("high", value=stamp(end)) if stamp(end) else None)


def clean(text: str) -> str:
    """The text without characters that no XML document may hold (XML 1.0 §2.2)."""
    return _NOT_XML.sub("�", text)


def spoken(element: Element, text: str) -> Element:
    """The element with the text in it, line ends as line breaks."""
    first, *rest = _LINE_ENDS.split(clean(text))
    element.text = first
    for line in rest:
        SubElement(element, "br").tail = line
    return element


def document(root: Element) -> bytes:
    """The document in UTF-8."""
    body = tostring(root, encoding="unicode").replace("\r", "&#13;")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()
