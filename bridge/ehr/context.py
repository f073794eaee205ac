"""What shaping needs to know of one delivery, and what it gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from bridge.documents.content import Earlier
from bridge.documents.notices import Disclosure
from bridge.ehr.facts import VendorFacts
from bridge.model import Finding, Part, Severity, type_json
from bridge.settings.shape import Coding, EncounterLink

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"

PROTECTED: tuple[type_json, ...] = (
    {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R", "display": "restricted"},
    {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2", "display": "42 CFR Part2"},
)
"""How a resource with substance use records is marked (HL7 FHIR DS4P, HL7/fhir-security-label-ds4p, seen 2026-11)."""


@dataclass(frozen=True, slots=True)
class ShapeContext:
    """One delivery to one chart. `standing` maps canonical to EHR references of what of ours stands there already."""

    patient_id: str  # the EHR's own
    reference: str  # the delivery reference
    vendor: VendorFacts
    agency: str  # its name, as people know it
    zone: str  # the agency's time zone
    mime: str = "text/plain"
    otherwise: Sequence[str] = ()  # formats the site wants where that one cannot be
    language: str = "en"
    kind: str = ""  # of the record
    types: Mapping[str, Coding] = field(default_factory=dict)  # the site's document types by kind
    author: str = ""
    contact: str = ""
    phone: str = ""
    standing: Mapping[str, str] = field(default_factory=dict)
    update: bool = False  # the resource corrects what stands
    created: str = ""  # of an update: the attachment.creation that we wrote last
    encounter_link: EncounterLink = "none"
    flowsheets: Mapping[str, Coding] = field(default_factory=dict)  # LOINC code → the site's flowsheet row
    disclosure: Disclosure | None = None  # what accompanies substance use records
    earlier: Earlier | None = None  # what the document takes the place of, though it stays in the chart


@dataclass(frozen=True, slots=True)
class Shaped:
    """What to send, and what is wrong with it: with an error among the findings it must not leave."""

    resource: type_json = field(repr=False)
    findings: tuple[Finding, ...] = ()

    @property
    def sendable(self) -> bool:
        """Whether this EHR would take it, as far as can be known beforehand."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def digest(resource: type_json) -> str:
    """SHA-256 in hex of the resource's canonical JSON: what a step's key and `Stands.digest` compare."""
    return hashlib.sha256(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)).hexdigest()


def identifiers(resource: type_json) -> list[type_json]:
    """The business identifiers of a canonical part, whether its type has one or a list."""
    found = resource.get("identifier", [])
    return list(found) if isinstance(found, list) else [found]


def finding(code: str, path: str, rule: str, part: Part, severity: Severity = Severity.ERROR) -> Finding:
    """A finding of shaping; it names the element and the rule, never a value."""
    return Finding(code, severity, path, rule, part.name)


def profiles(named: Sequence[str], vendor: VendorFacts) -> list[str]:
    """The profiles this vendor is told of, of the version of US Core that it, or the site, wants named."""
    if "profile" not in vendor.meta.value:
        return []
    version = vendor.profile.value
    return [f"{name}|{version}" if version and name.startswith(US_CORE) and "|" not in name else name for name in named]
