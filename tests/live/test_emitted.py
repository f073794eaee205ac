"""What leaves is checked by HL7's own validator: every part of every case of every pack, and every shape of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from bridge import consent
from bridge.ehr import facts
from bridge.ehr.context import ShapeContext
from bridge.ehr.facts import VendorFacts
from bridge.ehr.presets import of_site
from bridge.ehr.route import NEVER_ALONE
from bridge.ehr.shape import discrete, document
from bridge.mappings.cases import read_cases, translate_case
from bridge.mappings.classes import GRANTABLE
from bridge.mappings.load import available_packs, load, read_all
from bridge.mappings.translate import Translator
from bridge.model import Decision, Part, type_json
from bridge.settings import Coding, Contact, DocumentSettings, Practice
from bridge.settings.shape import EncounterLink
from tests.live.servers import InstanceValidator

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(400)]

VENDORS = ("open", "epic", "oracle")  # the others add no element to what these are sent
ROW = Coding("urn:example:flowsheet", "10001", "Score")
MEANT = (
    ("encounter for oracle", "Encounter.class: minimum required"),  # Millennium infers it and refuses it (facts: drops)
)
"""Errors that are meant: where, and what the validator says."""


def translated() -> Iterator[tuple[str, tuple[Part, ...]]]:
    """Each case's name and its parts."""
    files = read_all(available_packs())
    translator = Translator(load(files))
    for case in read_cases(files):
        final = translator.mappings.kinds[case.kind].final
        if final is not None and not final.holds(case.record):
            continue  # a draft may be unfinished: it is kept and never sent
        translation, _ = translate_case(case, translator)
        if translation is not None and translation.parts:
            yield case.name, translation.parts


def ways() -> Iterator[tuple[str, VendorFacts, EncounterLink]]:
    """Each vendor's facts as they ship, and those of a site that follows "writing clinical notes" of US Core 9: author
    and encounter contained. (There is no US Core 9 here to check profiles of that version against.)
    """
    for name in VENDORS:
        yield name, facts.vendor(name), "none"
    generic = facts.vendor("generic")
    who = Contact("Kim", "kim@example.org")
    nine = Practice("oak", "Oak", "one", who, date(2026, 1, 1), "UTC", document=DocumentSettings(us_core="9.0.0"))
    yield "us-core-9", of_site(generic, nine).model_copy(update={"profile": generic.profile}), "contained"


def codes_of(part: Part) -> Iterator[str]:
    """The LOINC codes of a part's `code`."""
    codings = part.resource.get("code", {}).get("coding", [])
    yield from (coding["code"] for coding in codings if coding.get("system") == "http://loinc.org")


def leaving() -> Iterator[tuple[str, type_json]]:
    """Everything that could be written into a chart, by where it came from."""
    everything = Decision(True, GRANTABLE, "test")
    for name, parts in translated():
        for part in parts:
            yield f"{name}: {part.name}", part.resource
        for person in dict.fromkeys(part.about for part in parts):
            released = consent.release(parts, person, everything).parts
            rows = {code: ROW for part in released for code in codes_of(part)}
            for vendor, known, link in ways():
                context = ShapeContext(
                    "p1", "DB-AAAAAAAAAAAA", known, "Harbor", "America/New_York", encounter_link=link, flowsheets=rows
                )
                if any(part.type == "Composition" for part in released):
                    yield f"{name}: document for {vendor}", document(released, context).resource
                for part in released if link == "none" else ():  # only the document differs
                    if part.type not in NEVER_ALONE:
                        yield f"{name}: {part.name} for {vendor}", discrete(part, context, released).resource


def test_hl7s_validator_finds_no_error_in_what_could_leave(validator: InstanceValidator) -> None:
    checked, wrong = 0, []
    for name, resource in leaving():
        checked += 1
        for issue in validator.errors(resource):
            text = issue.get("diagnostics", "")
            if not any(place in name and known in text for place, known in MEANT):
                wrong.append(f"{name}: {issue.get('location')}: {text}")
    assert checked > 300
    assert not wrong, "\n".join(wrong)
