"""Every case of every pack, shaped for every vendor and every type a site can enable: its strict sandbox takes it,
or a finding named what is missing before it left. Never a refusal afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
import pytest

from bridge import consent
from bridge.ehr import facts
from bridge.ehr.capability import Capability
from bridge.ehr.context import ShapeContext, Shaped
from bridge.ehr.ladder import kinds_of
from bridge.ehr.route import NEVER_ALONE, way
from bridge.ehr.shape import discrete, document
from bridge.ehr.ways import OTHER, WHOLE, shipped
from bridge.mappings.cases import read_cases, translate_case
from bridge.mappings.classes import GRANTABLE
from bridge.mappings.load import available_packs, load, read_all
from bridge.mappings.translate import Translator
from bridge.model import Decision, Interaction, Part, Severity
from bridge.sandbox import writes
from bridge.sandbox.answers import Refusal
from bridge.sandbox.call import Call
from bridge.sandbox.ehr import Ehr, Settings
from bridge.sandbox.statement import capability_statement
from bridge.settings import Coding, Handoff

TYPES = frozenset(shipped().types)
BASE = "http://127.0.0.1/fhir"
ROW = Coding("urn:example:flowsheet", "10001", "Score")
TAKING: dict[str, dict[str, Any]] = {
    "open": {},
    "epic": {"flowsheet_codes": [ROW.code]},
    "oracle": {},
    "ecw": {"writeback": sorted(TYPES)},
}


@cache
def cases() -> tuple[tuple[str, str, tuple[Part, ...]], ...]:
    """Name, kind and parts of each case that may leave."""
    files = read_all(available_packs())
    translator, found = Translator(load(files)), []
    for case in read_cases(files):
        final = translator.mappings.kinds[case.kind].final
        if final is None or final.holds(case.record):
            translation, _ = translate_case(case, translator)
            if translation is not None and translation.parts:
                found.append((case.name, case.kind, translation.parts))
    return tuple(found)


def released() -> Iterator[tuple[str, str, tuple[Part, ...]]]:
    """What would leave about each person, under a consent to everything."""
    everything = Decision(True, GRANTABLE, "test")
    for name, kind, parts in cases():
        for person in dict.fromkeys(part.about for part in parts):
            yield name, kind, consent.release(parts, person, everything).parts


def at(shape: str, site: dict[str, Any]) -> tuple[Ehr, Capability]:
    """An EHR of this shape with one patient, and what it says it takes at a site that enabled everything."""
    ehr = Ehr(shape, Settings(site=site))
    ehr.store.create({"resourceType": "Patient", "id": "p1"}, 0.0, id="p1")
    return ehr, Capability.from_statement(capability_statement(ehr, BASE), facts.vendor(shape), TYPES)


def shaped(kind: str, parts: tuple[Part, ...], capability: Capability, **more: Any) -> Iterator[tuple[str, Shaped]]:
    """Each resource of what would leave that this EHR takes in principle."""
    rows = (
        {
            coding["code"]: ROW
            for part in parts
            for coding in part.resource.get("code", {}).get("coding", [])
            if coding.get("system") == "http://loinc.org"
        }
        if more.pop("rows", False)
        else {}
    )
    context = ShapeContext(
        "p1", "DB-AAAAAAAAAAAA", capability.vendor, "Harbor", "America/New_York", kind=kind, flowsheets=rows, **more
    )
    takes = {type for type in TYPES if capability.allows(type, Interaction.CREATE).yes}
    if "DocumentReference" in takes and any(part.type == "Composition" for part in parts):
        yield "document", document(parts, context)
    for part in parts:
        if part.type in takes - NEVER_ALONE:
            yield part.name, discrete(part, context, parts)


@pytest.mark.parametrize("shape", TAKING)
def test_whatever_is_shaped_is_taken_or_was_named_before_it_left(shape: str) -> None:
    ehr, capability = at(shape, TAKING[shape])
    taken, named, refused = Counter[str](), Counter[str](), list[str]()
    for name, kind, parts in released():
        for what, made in shaped(kind, parts, capability, rows=shape == "epic"):
            errors = [finding for finding in made.findings if finding.severity is Severity.ERROR]
            assert made.sendable == (not errors)
            if errors:
                assert all(one.path and one.rule and one.part for one in errors)
                named[made.resource.get("resourceType", what)] += 1
                continue
            type = made.resource["resourceType"]
            headers = {"content-type": "application/fhir+json"}
            try:
                writes.create(ehr, Call("POST", type, headers=headers, body=orjson.dumps(made.resource)))
                taken[type] += 1
            except Refusal as refusal:
                refused += [f"{name}: {what}: {one.reason} {one.place}" for one in refusal.findings]
    assert not refused
    assert taken["DocumentReference"] > 100
    assert not named["DocumentReference"]
    if shape == "open":
        assert not named
        assert set(taken) >= {"Encounter", "Observation", "Communication", "Goal", "CarePlan", "CareTeam", "Task"}
    if shape == "oracle":
        assert taken["Encounter"] > 40


@pytest.mark.parametrize("shape", ["athena", "nextgen", "openemr"])
def test_where_nothing_is_taken_nothing_is_shaped(shape: str) -> None:
    """Each of these takes at most a filled questionnaire, which no pack makes."""
    _, capability = at(shape, {})
    made = [what for _, kind, parts in released() for what, _ in shaped(kind, parts, capability)]
    assert made == []


def test_a_document_corrected_to_an_earlier_time_keeps_the_later_creation() -> None:
    """Oracle refuses an attachment.creation that goes backwards: a contact amended to an earlier start is updated all
    the same, with its clinical time as it is now.
    """
    ehr, capability = at("oracle", {})
    _, kind, parts = next(one for one in released() if one[1] == "ma-soc/contact" and len(one[2]) > 1)
    headers = {"content-type": "application/fhir+json"}

    def amended(date: str) -> tuple[Part, ...]:
        return tuple(
            Part(part.name, part.about, part.role, {**part.resource, "date": date}, part.labels, part.sections)
            if part.type == "Composition" else part for part in parts
        )  # fmt: skip

    first = dict(shaped(kind, amended("2026-03-05T10:00:00-05:00"), capability))["document"].resource
    writes.create(ehr, Call("POST", "DocumentReference", headers=headers, body=orjson.dumps(first)))
    (entry,) = ehr.store.of_patient("DocumentReference", "p1")
    created = first["content"][0]["attachment"]["creation"]
    assert created == "2026-03-05T10:00:00-05:00"

    def put(**more: str) -> None:
        earlier = amended("2026-03-04T23:00:00Z")
        second = dict(shaped(kind, earlier, capability, update=True, mime="text/html", **more))["document"].resource
        body = orjson.dumps({**second, "id": entry.id})
        match = {"if-match": f'W/"{entry.now.id}"'}
        writes.update(ehr, Call("PUT", f"DocumentReference/{entry.id}", headers=headers | match, body=body))

    with pytest.raises(Refusal) as refused:
        put()
    assert [one.place for one in refused.value.findings] == ["DocumentReference.content.attachment.creation"]
    put(created=created)
    assert entry.now.resource["content"][0]["attachment"]["creation"] == created


def test_each_part_a_pack_makes_has_a_way_on_the_ladder_of_its_kind() -> None:
    """No kind of record of a pack goes the ladder of any other record, and none makes what its ladder does not know."""
    ways = shipped()
    for name, kind, parts in cases():
        assert ways.named(kind) != OTHER, kind
        known = set(ways.ladder(kind).ways)
        assert {part.type for part in parts} - NEVER_ALONE <= known, name
    assert WHOLE in ways.other.ways
    assert set(kinds_of(ways)) == {*ways.kinds, OTHER}
    everything = Capability.from_statement(
        {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}, facts.vendor("open")
    )
    assert (
        way("Patient", "contact", everything, Anyone()).because == "the bridge writes no Patient of this kind of record"
    )


class Anyone:
    """A site that asked for nothing."""

    id = "oak"
    enable: frozenset[str] = frozenset()
    routes: dict[str, tuple[str, ...]] = {}  # noqa: RUF012
    handoff: Handoff | None = None
