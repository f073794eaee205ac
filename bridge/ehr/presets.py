"""What a site decides over the facts of its vendor: a practice's settings as facts, the settings being their source."""

from __future__ import annotations

from typing import Any

from bridge.ehr.facts import Fact, Source, VendorFacts
from bridge.settings import Practice

KIB = 1024
WRITES_NOTES = "9.0.0"
"""The first US Core with "writing clinical notes": author and encounter are references or contained, never words alone
(repository HL7/US-Core at 446832d, input/pagecontent/writing-clinical-notes.md, seen 2026-11)."""


def of_site(vendor: VendorFacts, practice: Practice) -> VendorFacts:
    """The vendor's facts as this practice wants them, each changed one with the setting as its source."""
    wants = practice.document
    source = Source.model_construct(what=f"bridge.yaml, practices.{practice.id}.document", seen="here")

    def said(value: Any) -> Fact[Any]:
        return Fact[Any](value=value, source=source)

    document: dict[str, Fact[Any]] = {}
    if wants.charset is not None:
        document["charset"] = said(wants.charset)
    if wants.times == "always":
        document["times"] = said(True)
    if wants.largest_kib is not None and wants.largest_kib * KIB < vendor.document.largest.value:
        document["largest"] = said(wants.largest_kib * KIB)
    if wants.us_core == WRITES_NOTES and vendor.document.contained.value and vendor.document.author.value == "display":
        document["author"] = said("contained")
    facts: dict[str, Any] = {"document": vendor.document.model_copy(update=document)} if document else {}
    if wants.us_core is not None:
        facts["profile"] = said(wants.us_core)
    return vendor.model_copy(update=facts) if facts else vendor
