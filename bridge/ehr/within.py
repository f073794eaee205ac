"""What a document names beside itself: its author and its encounter, by reference or contained, as site and EHR want.

Never the practice's own visit, and never a clinician: the author is the agency, or the words the site chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.ehr.context import ShapeContext, finding, identifiers
from bridge.model import Finding, Part, Severity, type_json

ELEMENT = "DocumentReference.context.encounter"
TOLD = ("status", "class", "type", "period")
"""What a contained encounter says of the contact; the document says the rest."""


@dataclass(slots=True)
class Inside:
    """What goes into the DocumentReference."""

    author: list[Any] = field(default_factory=list)
    encounter: list[Any] = field(default_factory=list)
    contained: list[Any] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def inside(parts: Sequence[Part], note: Part, context: ShapeContext) -> Inside:
    """The author and, where the document tells of exactly one contact, its encounter."""
    found = Inside()
    _author(found, context)
    encounters = [part for part in parts if part.type == "Encounter"]
    if context.encounter_link != "none" and len(encounters) == 1:
        _encounter(found, encounters[0], note, context)
    return found


def _author(found: Inside, context: ShapeContext) -> None:
    name = context.author or context.agency
    how = context.vendor.document.author.value
    if how == "contained":
        found.contained.append({"resourceType": "Organization", "id": "author", "active": True, "name": name})
        found.author.append({"reference": "#author", "display": name})
    elif how == "display":
        found.author.append({"display": name})


def _encounter(found: Inside, part: Part, note: Part, context: ShapeContext) -> None:
    encounter = part.resource
    display = _words(encounter)
    if context.encounter_link == "external":
        standing = context.standing.get(f"Encounter/{encounter.get('id')}")
        if standing is not None:
            found.encounter.append({"reference": standing, **display})
            return
        rule = "the site links documents to our own Encounter, and none of this contact stands in the chart"
    elif context.vendor.document.contained.value:
        told = {key: encounter[key] for key in TOLD if key in encounter}
        subject = {"subject": {"reference": f"Patient/{context.patient_id}"}}
        named = {"resourceType": "Encounter", "id": "contact", "identifier": identifiers(encounter)}
        found.contained.append({**named, **told, **subject})
        found.encounter.append({"reference": "#contact", **display})
        return
    else:
        rule = "the site links documents to a contained Encounter, and this EHR takes nothing contained"
    found.findings.append(finding("ehr-encounter", ELEMENT, rule, note, Severity.INFORMATION))


def _words(encounter: type_json) -> type_json:
    text = next((str(one["text"]) for one in encounter.get("type", []) if one.get("text")), "")
    return {"display": text} if text else {}
