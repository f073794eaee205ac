"""The ways of each kind into a chart, with what each causes and loses; never one that is not allowed or not enabled."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ehr import facts, ladder, ways
from bridge.ehr.capability import Capability
from bridge.model import Interaction, type_json
from bridge.settings import Handoff
from tests.unit.ehr.making import ALL, TYPES, capability, statement

KINDS = tuple(ways.shipped().kinds)
RANKS = ways.shipped().types


@dataclass(frozen=True)
class Site:
    """What of a practice's settings is looked at."""

    id: str = "elm"
    enable: frozenset[str] = frozenset()
    routes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    handoff: Handoff | None = None


def everything_taken(vendor: str) -> Capability:
    return Capability.from_statement(statement(**dict.fromkeys(TYPES, (ALL, ()))), facts.vendor(vendor))


def test_there_are_the_ten_kinds_and_each_type_is_one_that_is_written() -> None:
    assert set(KINDS) == {
        "contact", "care-plan", "team", "goal", "screening", "urgent-update", "referral-answer", "service-referral",
        "person-update", "correction",
    }  # fmt: skip
    written = {way for kind in ways.shipped().kinds.values() for way in kind.ways}
    assert written == set(ways.shipped().written) == set(ways.shipped().other.ways)


def test_the_document_comes_first_and_a_discrete_write_only_where_the_site_asked_for_it() -> None:
    taken = everything_taken("generic")
    default = ladder.ways_of("contact", taken, Site())
    assert [(way.route, way.enabled) for way in default] == [
        ("document", True), ("Encounter", False), ("Communication", False), ("Observation", False),
    ]  # fmt: skip
    assert default[1].because == "the server takes Encounter, but this site has not enabled it"
    asked = ladder.ways_of("contact", taken, Site(enable=frozenset({"Observation"})))
    assert [way.route for way in asked if way.enabled] == ["document", "Observation"]
    assert "inbox" in asked[1].causes
    assert asked[1].loses == ("the words around the value",)


def test_without_any_way_it_is_held_and_says_what_is_lost() -> None:
    nothing = capability("generic", Patient=(("read",), ()))
    for kind in KINDS:
        first, *others = ladder.ways_of(kind, nothing, Site())
        assert (first.route, first.enabled) == ("held", True)
        assert first.loses
        assert not any(way.enabled for way in others)


def test_a_correction_goes_the_way_the_vendor_takes() -> None:
    both = capability("generic", DocumentReference=(ALL, ()))
    assert [way.route for way in ladder.ways_of("correction", both, Site()) if way.enabled] == [
        "update", "entered-in-error",
    ]  # fmt: skip
    only_create = capability("generic", DocumentReference=(("create",), ()))
    (first, *_) = ladder.ways_of("correction", only_create, Site())
    assert (first.route, first.enabled) == ("replaces", True)
    assert first.causes == "two notes, the older marked or linked as replaced by the newer"
    used = [way.route for way in ladder.ways_of("correction", only_create, Site()) if way.enabled]
    assert used == ["replaces", "disregard-note"]
    neither = capability("ecw", frozenset({"DocumentReference"}), DocumentReference=(("read",), ()))
    found = ladder.ways_of("correction", neither, Site())
    assert [way.route for way in found if way.enabled] == ["superseding-note", "disregard-note"]
    assert all(way.causes for way in found)
    drops = ladder.ways_of("correction", capability("oracle", DocumentReference=(("create",), ())), Site())
    assert "relatesTo" in next(way.because for way in drops if way.route == "replaces")


def test_each_correction_says_what_the_reader_will_see() -> None:
    assert set(ways.shipped().corrections) == set(ladder.CORRECTIONS)


def test_no_kind_writes_the_practice_s_own_patient() -> None:
    everything = everything_taken("open")
    site = Site(enable=frozenset(TYPES))
    routes = {way.route for kind in KINDS for way in ladder.ways_of(kind, everything, site)}
    assert "Patient" not in routes
    (document,) = ladder.ways_of("person-update", everything, site)
    assert any("Patient is not written" in lost for lost in document.loses)


interactions = st.sets(st.sampled_from([*ALL, "delete", "patch"])).map(tuple)
statements = st.dictionaries(st.sampled_from(TYPES), st.tuples(interactions, st.just(())), max_size=len(TYPES))


@settings(max_examples=200, deadline=None)
@given(
    stated=statements.map(lambda types: statement(**types)),
    vendor=st.sampled_from(facts.known()),
    enable=st.frozensets(st.sampled_from(sorted(RANKS))),
)
def test_no_way_is_used_that_is_not_allowed_or_not_enabled(
    stated: type_json, vendor: str, enable: frozenset[str]
) -> None:
    known = Capability.from_statement(stated, facts.vendor(vendor), enable)
    for kind in KINDS:
        found = ladder.ways_of(kind, known, Site(enable=enable))
        assert found[0].enabled
        for way in found:
            assert way.because
            if way.enabled and way.route in RANKS:
                assert way.route in enable
                assert known.allows(way.route, Interaction.CREATE).yes


@pytest.mark.parametrize("vendor", facts.known())
def test_every_answer_carries_its_reason(vendor: str) -> None:
    known = Capability.from_statement(statement(Patient=(("read",), ())), facts.vendor(vendor))
    resources = ladder.resources_of(known)
    assert {"Patient", *RANKS} <= set(resources)
    assert all(one.because for answers in resources.values() for one in answers.values())


def test_a_hand_off_is_a_rung_of_the_ladder_with_what_it_loses() -> None:
    nothing, taken = capability("generic", Patient=(("read",), ())), everything_taken("generic")
    for kind in KINDS:
        first = ladder.ways_of(kind, nothing, Site(handoff=Handoff("packet")))[0]
        assert (first.route, first.enabled) == ("handoff", True), kind
        assert "prints" in first.causes
        assert first.loses
    document, *_ = ladder.ways_of("contact", taken, Site(handoff=Handoff("folder")))
    assert (document.route, document.enabled) == ("document", True)
    given, *others = ladder.ways_of("contact", taken, Site(handoff=Handoff("folder", prefer=True)))
    assert (given.route, given.because) == ("handoff", "site: it prefers to be handed documents")
    assert not any(way.enabled for way in others)
