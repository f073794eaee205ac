"""Capability: what a server states, what is known beyond it, and always why. Scopes are never asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ehr import facts
from bridge.ehr.capability import SEARCH_BY_POST, Capability, read_statement
from bridge.errors import DefinitionError
from bridge.model import Failure, Interaction, Response
from tests.unit.ehr.making import ALL, capability, json, statement

READ, SEARCH, CREATE, UPDATE = Interaction.READ, Interaction.SEARCH, Interaction.CREATE, Interaction.UPDATE
GENERIC = facts.vendor("generic")


def test_the_statement_is_the_first_reason() -> None:
    made = capability("generic", DocumentReference=(("create", "read"), ()))
    allowed = made.allows("DocumentReference", CREATE)
    assert allowed.yes
    assert allowed.because == "statement: Example 1 lists create of DocumentReference"
    refused = made.allows("DocumentReference", UPDATE)
    assert not refused.yes
    assert refused.because.startswith("statement: ")
    assert not made.allows("Task", CREATE).yes


def test_a_refusal_once_received_counts_more_than_the_statement() -> None:
    said = statement(DocumentReference=(ALL, ()))
    made = Capability.from_statement(said, GENERIC, learned={("DocumentReference", "create")})
    allowed = made.allows("DocumentReference", CREATE)
    assert not allowed.yes
    assert allowed.because.startswith("learned: ")
    assert made.allows("DocumentReference", UPDATE).yes


def test_a_vendor_fact_can_take_back_what_is_stated() -> None:
    made = capability("oracle", QuestionnaireResponse=(ALL, ()))
    allowed = made.allows("QuestionnaireResponse", UPDATE)
    assert not allowed.yes
    assert allowed.because.startswith("vendor: ")
    assert "seen 2024-05" in allowed.because


def test_what_only_the_portal_documents_is_used_where_the_site_enabled_it() -> None:
    listed = (("read", "search-type"), ("patient",))
    without = capability("ecw", DocumentReference=listed).allows("DocumentReference", CREATE)
    assert not without.yes
    assert without.because.startswith("site: ")
    on = frozenset({"DocumentReference"})
    enabled = capability("ecw", on, DocumentReference=listed).allows("DocumentReference", CREATE)
    assert enabled.yes
    assert enabled.because.startswith("vendor: documented though not stated")


def test_search_parameters_have_reasons_too() -> None:
    made = capability("generic", Patient=(("search-type",), ("identifier",)), Task=(("read",), ("patient",)))
    assert made.searches("Patient", "identifier").yes
    assert not made.searches("Patient", "name").yes
    assert not made.searches("Task", "patient").yes


def test_searches_go_by_post_until_a_server_refuses_it() -> None:
    said = statement(Patient=(ALL, ("identifier",)))
    assert Capability.from_statement(said, GENERIC).by_post("Patient")
    learned = Capability.from_statement(said, GENERIC, learned={("Patient", SEARCH_BY_POST)})
    assert not learned.by_post("Patient")
    assert learned.searches("Patient", "identifier").yes


def test_versions_are_needed_where_vendor_or_statement_say_so() -> None:
    assert capability("oracle", Task=(ALL, ())).needs_version("Task")
    assert not capability("open", Task=(ALL, ())).needs_version("Task")
    said = statement(Task=(ALL, ()))
    said["rest"][0]["resource"][0]["versioning"] = "versioned-update"
    assert Capability.from_statement(said, GENERIC).needs_version("Task")


def test_several_rest_entries_add_up_and_a_client_is_no_server() -> None:
    said = statement(Task=(("read",), ("patient",)))
    said["rest"].append(statement(Task=(("create",), ("status",)))["rest"][0])
    said["rest"].append({"mode": "client", "resource": [{"type": "Goal", "interaction": [{"code": "create"}]}]})
    made = Capability.from_statement(said, GENERIC)
    assert made.allows("Task", CREATE).yes
    assert made.allows("Task", READ).yes
    assert not made.allows("Goal", CREATE).yes


R4 = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"fhirVersion": "4.0.0", "rest": None},
        {"rest": []},
        {"rest": [{"mode": "server"}]},
        {"rest": [{"resource": [{"type": "Task"}, {}, 3]}]},
        {"rest": [{"resource": [{"type": "Task", "supportedProfile": ["x"]}]}]},
        {"rest": {"resource": {"type": "Task"}}, "software": 7},
    ],
)
def test_a_statement_that_lists_nothing_allows_nothing(more: dict[str, Any]) -> None:
    made = Capability.from_statement({**R4, **more}, GENERIC)
    assert not made.allows("Task", CREATE).yes
    assert not made.searches("Task", "patient").yes


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"resourceType": "Conformance", "fhirVersion": "1.0.2"}, "statement-type"),
        ({"resourceType": "OperationOutcome"}, "statement-type"),
        ({}, "statement-type"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "3.0.1"}, "statement-release"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}, "statement-release"),
        ({"resourceType": "CapabilityStatement", "fhirVersion": 4}, "statement-release"),
        ({"resourceType": "CapabilityStatement"}, "statement-release"),
    ],
)
def test_what_is_no_r4_statement_is_clearly_refused(said: dict[str, Any], code: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Capability.from_statement(said, GENERIC)
    assert caught.value.problems[0].code == code


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response(failure=Failure.LOST), "statement-unread"),
        (Response(500), "statement-unread"),
        (Response(302, {"location": "https://login.example"}), "statement-unread"),
        (Response(200, {"content-type": "text/html"}, b"<html>Sign in</html>"), "statement-not-json"),
        (Response(200, {}, b""), "statement-not-json"),
        (Response(200, {}, b"<CapabilityStatement xmlns='http://hl7.org/fhir'/>"), "statement-not-json"),
        (Response(200, {}, b"{" * 5000), "statement-not-json"),
        (Response(200, {}, b"[]"), "statement-not-json"),
        (json(200, {"resourceType": "Bundle"}), "statement-type"),
    ],
)
def test_what_stands_in_place_of_a_statement_is_named(response: Response, code: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_statement(response)
    assert caught.value.problems[0].code == code


def test_a_statement_is_read() -> None:
    said = statement(Task=(ALL, ()))
    assert read_statement(json(200, said)) == said
    assert read_statement(Response(200, {}, b"\xef\xbb\xbf" + json(200, said).body)) == said


keys = st.sampled_from(["mode", "resource", "type", "interaction", "code", "searchParam", "name"])
leaves = st.none() | st.booleans() | st.integers() | st.sampled_from(["server", "create", "Task", "", "é"])
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)
interactions = st.lists(st.sampled_from(ALL)).map(tuple)
parameters = st.lists(st.sampled_from(["identifier", "patient"])).map(tuple)
type_names = st.sampled_from(["DocumentReference", "Encounter", "Task", "Goal", "Patient"])


@settings(max_examples=150, deadline=None)
@given(rest=anything, software=anything)
def test_a_statement_of_any_shape_is_read_without_failing(rest: Any, software: Any) -> None:
    said = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest, "software": software}
    made = Capability.from_statement(said, GENERIC)
    assert made.allows("Task", CREATE).because
    assert made.searches("Task", "patient").because


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(type_names, st.tuples(interactions, parameters)))
def test_exactly_what_is_stated_is_allowed(types: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
    made = Capability.from_statement(statement(**types), GENERIC)
    for name, (offered, searched) in types.items():
        for interaction in Interaction:
            assert made.allows(name, interaction).yes == (interaction.value in offered)
        for parameter in ("identifier", "patient"):
            assert made.searches(name, parameter).yes == ("search-type" in offered and parameter in searched)
