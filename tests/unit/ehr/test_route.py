"""Routes: one document by default, discrete only where server and site both say so, and nothing lost without a word."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ehr import facts, route
from bridge.ehr.capability import Capability
from bridge.ehr.route import NEVER_ALONE, capability_key
from bridge.ehr.ways import OTHER, shipped
from bridge.model import HoldReason, Interaction, Owner, Part, Planned
from bridge.settings import Handoff
from tests.unit.ehr.making import ALL, ENCOUNTER, PERSON, TYPES, capability, encounter, note, part, section, statement


@dataclass(frozen=True)
class Site:
    id: str = "oak"
    enable: frozenset[str] = frozenset()
    routes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    handoff: Handoff | None = None


RANKS = shipped().types


def plan(parts: list[Part], capability: Capability, site: Site, kind: str = OTHER) -> list[Planned]:
    return route.plan(kind, parts, capability, site)


def goal() -> Part:
    return part("goal-1", {"resourceType": "Goal", "id": "g-1", "subject": {"reference": f"Patient/{PERSON}"}})


def routes(planned: list[Planned]) -> list[tuple[str, str, bool]]:
    return [(entry.route.name, entry.route.resource_type, entry.hold is not None) for entry in planned]


def test_the_default_is_one_document_of_all_parts() -> None:
    (entry,) = plan([encounter(), goal(), note()], capability(), Site())
    assert (entry.route.kind, entry.route.resource_type) == ("document", "DocumentReference")
    assert entry.route.parts == ("encounter", "goal-1", "note")
    assert entry.hold is None


def test_a_discrete_write_needs_server_and_site() -> None:
    """R18: nothing becomes an encounter in the practice's chart unless it asked for that."""
    both = plan([note(), encounter()], capability(), Site(enable=frozenset({"Encounter"})))
    assert routes(both) == [("encounter", "Encounter", False), ("document", "DocumentReference", False)]
    server_only = plan([note(), encounter()], capability(), Site())
    assert routes(server_only) == [("document", "DocumentReference", False)]
    documents = capability("generic", DocumentReference=(("create",), ()))
    site_only = plan([note(), encounter()], documents, Site(enable=frozenset({"Encounter"})))
    assert routes(site_only) == [("document", "DocumentReference", False)]


def test_what_is_referred_to_comes_first() -> None:
    kinds = [kind for kind in RANKS if kind != "DocumentReference"]
    parts = [part(kind, {"resourceType": kind, "id": kind}) for kind in reversed(kinds)]
    planned = plan([note(), *parts], capability(), Site(enable=frozenset(kinds)))
    ranks = [entry.route.rank for entry in planned]
    assert ranks == sorted(ranks)
    assert [entry.route.resource_type for entry in planned][:2] == ["Encounter", "Condition"]
    assert planned[-1].route.resource_type == "DocumentReference"


def test_some_types_are_never_written_on_their_own() -> None:
    parts = [part(kind, {"resourceType": kind, "id": kind}) for kind in sorted(NEVER_ALONE - {"Composition"})]
    everything: dict[str, Any] = dict.fromkeys([*TYPES, *NEVER_ALONE], (ALL, ()))
    assert plan(parts, capability("open", **everything), Site(enable=NEVER_ALONE)) == []


def test_without_a_document_route_the_content_is_held_with_the_reason() -> None:
    read_only = capability("nextgen", DocumentReference=(("read", "search-type"), ("patient",)))
    (entry,) = plan([encounter(), note()], read_only, Site())
    assert entry.hold is not None
    assert entry.hold.reason is HoldReason.CAPABILITY
    assert entry.hold.owner is Owner.PRACTICE
    assert entry.hold.waits_for == capability_key("oak", "DocumentReference") == "capability:oak:DocumentReference"
    assert "does not list create of DocumentReference" in entry.hold.rule
    assert entry.hold.next_step


def test_a_document_is_held_although_its_encounter_goes() -> None:
    only_encounters = capability("open", Encounter=(ALL, ()))
    planned = plan([note(), encounter()], only_encounters, Site(enable=frozenset({"Encounter"})))
    assert routes(planned) == [("encounter", "Encounter", False), ("document", "DocumentReference", True)]


def test_a_document_that_would_only_repeat_the_discrete_writes_is_not_missed() -> None:
    only_encounters = capability("open", Encounter=(ALL, ()))
    refers = note({"title": "Contact", "entry": [{"reference": f"Encounter/{ENCOUNTER}"}]})
    site = Site(enable=frozenset({"Encounter"}))
    assert routes(plan([refers, encounter()], only_encounters, site)) == [("encounter", "Encounter", False)]
    said = note(section("Words", "These would be lost."))
    assert routes(plan([said, encounter()], only_encounters, site))[-1] == ("document", "DocumentReference", True)
    assert routes(plan([refers, encounter(), goal()], only_encounters, site))[-1][2]


def test_without_a_document_each_part_goes_or_is_held() -> None:
    planned = plan([encounter(), goal()], capability(), Site(enable=frozenset({"Encounter"})))
    assert routes(planned) == [("encounter", "Encounter", False), ("goal-1", "Goal", True)]
    hold = planned[1].hold
    assert hold is not None
    assert "this site has not enabled it" in hold.rule


def test_a_type_nobody_writes_is_held_not_lost() -> None:
    (entry,) = plan([part("plan", {"resourceType": "RiskAssessment", "id": "r"})], capability(), Site())
    assert entry.hold is not None


def test_the_parts_of_an_entry_are_about_one_person() -> None:
    """R25: what is about a caregiver is never in one document with what is about the child."""
    with pytest.raises(ValueError, match="one person"):
        plan([note(), part("score", {"resourceType": "Observation"}, about="mother-1")], capability(), Site())


@settings(max_examples=150, deadline=None)
@given(
    offered=st.dictionaries(st.sampled_from(TYPES), st.sets(st.sampled_from(ALL)).map(tuple)),
    enabled=st.frozensets(st.sampled_from(TYPES)),
    present=st.sets(st.sampled_from(sorted(RANKS)), min_size=1),
    with_note=st.booleans(),
)
def test_nothing_is_planned_that_is_not_allowed_and_nothing_is_lost(
    offered: dict[str, tuple[str, ...]], enabled: frozenset[str], present: set[str], with_note: bool
) -> None:
    said = statement(**{kind: (interactions, ()) for kind, interactions in offered.items()})
    made = Capability.from_statement(said, facts.vendor("generic"))
    parts = [part(kind, {"resourceType": kind, "id": kind}) for kind in sorted(present - {"DocumentReference"})]
    planned = plan([*parts, *([note()] if with_note else [])], made, Site(enable=enabled))
    for entry in planned:
        if entry.hold is None:
            assert made.allows(entry.route.resource_type, Interaction.CREATE).yes
            assert entry.route.kind == "document" or entry.route.resource_type in enabled
    carried = {name for entry in planned for name in entry.route.parts}
    assert {one.name for one in parts} <= carried
    assert not with_note or "note" in carried


# ── hand-off ──────────────────────────────────────────────────────────────────────────────────────────────────────
FOLDER = Handoff("folder")


def kinds_of_routes(planned: list[Planned]) -> list[tuple[str, str, bool]]:
    return [(entry.route.name, entry.route.kind, entry.hold is not None) for entry in planned]


def test_where_no_document_is_taken_it_is_handed_over_under_the_same_name() -> None:
    read_only = capability(DocumentReference=(("read",), ()))
    assert kinds_of_routes(plan([encounter(), note()], read_only, Site(handoff=FOLDER))) == [
        ("document", "handoff", False)
    ]
    assert kinds_of_routes(plan([encounter(), note()], capability(), Site(handoff=FOLDER))) == [
        ("document", "document", False)
    ]
    prefers = Site(handoff=Handoff("mllp", prefer=True))
    assert kinds_of_routes(plan([encounter(), note()], capability(), prefers)) == [("document", "handoff", False)]


def test_a_site_whose_routes_leave_documents_out_is_handed_none() -> None:
    read_only = capability(DocumentReference=(("read",), ()))
    site = Site(handoff=FOLDER, routes={OTHER: ()})
    (entry,) = plan([encounter(), note()], read_only, site)
    assert entry.hold is not None
