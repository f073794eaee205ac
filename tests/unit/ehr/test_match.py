"""Searching the practice's own patient: by its identifier, seen by no URL, and only what carries it counts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from bridge.ehr import facts, match
from bridge.ehr.capability import SEARCH_BY_POST, Capability
from bridge.ehr.match import Candidate
from bridge.ehr.search import next_page, page, refused_post, search
from bridge.model import Answer, AnswerClass, Request, Response, type_json
from tests.unit.ehr.making import ALL, bundle, capability, json, outcome, statement

MRN = "urn:oid:1.2.3"


def patient(id: str, value: str = "1001", **more: Any) -> type_json:
    return {"resourceType": "Patient", "id": id, "identifier": [{"system": MRN, "value": value}], **more}


def test_no_url_carries_the_identifier() -> None:
    asked = match.by_identifier(capability(), MRN, "1001")
    assert (asked.method, asked.path, asked.query) == ("POST", "Patient/_search", ())
    assert parse_qs(asked.body.decode()) == {"identifier": [f"{MRN}|1001"], "_count": ["100"]}
    assert asked.headers["Cache-Control"] == "no-cache"


def test_where_a_server_refused_post_the_search_goes_by_get() -> None:
    said = statement(Patient=(ALL, ("identifier",)))
    learned = Capability.from_statement(said, facts.vendor("generic"), learned={("Patient", SEARCH_BY_POST)})
    asked = match.by_identifier(learned, MRN, "1001")
    assert (asked.method, asked.path, asked.query) == ("GET", "Patient", (("identifier", f"{MRN}|1001"),))
    assert asked.headers["Cache-Control"] == "no-cache"


def test_a_refused_post_is_told_from_a_refused_search() -> None:
    unsupported = Answer(AnswerClass.UNSUPPORTED, "method")
    assert refused_post(match.by_identifier(capability(), MRN, "1"), unsupported)
    assert not refused_post(Request("GET", "Patient"), unsupported)
    assert not refused_post(match.by_identifier(capability(), MRN, "1"), Answer(AnswerClass.RETRY_LATER, "x"))


def test_an_identifier_has_a_system() -> None:
    with pytest.raises(ValueError, match="with its system"):
        match.by_identifier(capability(), "", "1001")


def test_separators_of_searches_are_escaped() -> None:
    asked = match.by_identifier(capability(), MRN, "a|b,c$d\\e")
    assert parse_qs(asked.body.decode())["identifier"] == [MRN + "|a\\|b\\,c\\$d\\\\e"]


def test_what_was_found() -> None:
    found = match.candidates(json(200, bundle(patient("p-1", birthDate="2021-05-06", active=True))), "1001")
    assert found == (Candidate("p-1", "2021-05-06", True),)


def test_nobody_is_nobody() -> None:
    assert match.candidates(json(200, bundle()), "1001") == ()
    assert match.candidates(json(200, bundle(outcome("informational", "4101", severity="warning"))), "1001") == ()


def test_a_patient_without_the_value_was_not_asked_for() -> None:
    """A server that ignores the filter answers with somebody else's chart."""
    assert match.candidates(json(200, bundle(patient("p-9", "2002"))), "1001") == ()
    assert match.candidates(json(200, bundle({"resourceType": "Patient", "id": "p-9"})), "1001") == ()


def test_the_same_patient_twice_is_one() -> None:
    assert match.candidates(json(200, bundle(patient("p-1"), patient("p-1"))), "1001") == (Candidate("p-1"),)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"active": False}, Candidate("p-1", active=False)),
        ({"deceasedBoolean": True}, Candidate("p-1", active=False, deceased=True)),
        ({"deceasedDateTime": "2026-01-01"}, Candidate("p-1", active=False, deceased=True)),
        ({"deceasedBoolean": False}, Candidate("p-1")),
        (
            {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p-2"}}]},
            Candidate("p-1", active=False, merged=True, replaced_by="p-2"),
        ),
        (
            {"link": [{"type": "replaced-by", "other": {"reference": "Patient/../x"}}]},
            Candidate("p-1", active=False, merged=True),
        ),
        ({"link": [{"type": "replaces", "other": {"reference": "Patient/p-0"}}]}, Candidate("p-1")),
        ({"birthDate": 7, "link": "x"}, Candidate("p-1")),
    ],
)
def test_a_chart_that_is_no_longer_one_is_not_active(more: dict[str, Any], expected: Candidate) -> None:
    assert match.candidates(json(200, bundle(patient("p-1", **more))), "1001") == (expected,)


@pytest.mark.parametrize(
    "response",
    [
        json(200, bundle(patient("p-1"), next="https://ehr.example/fhir?page=2")),
        json(200, bundle(patient("p-1"), outcome("suppressed", severity="warning"))),
        json(200, bundle(patient("p-1"), outcome("exception"))),
        json(200, {"resourceType": "Patient", "id": "p-1"}),
        Response(200, {}, b"<html>"),
    ],
)
def test_what_is_not_whole_is_not_certain(response: Response) -> None:
    assert match.candidates(response, "1001") is None


def test_an_id_no_path_can_carry_is_no_candidate() -> None:
    assert match.candidates(json(200, bundle(patient("../x"), patient("a?b"))), "1001") == ()


def test_a_patient_is_read_fresh_and_stays_in_its_path() -> None:
    assert match.read("p-1") == Request("GET", "Patient/p-1", {"Cache-Control": "no-cache"})
    assert match.read("a/b?c#d").path == "Patient/a%2Fb%3Fc%23d"
    assert match.patient(json(200, patient("p-1"))) == Candidate("p-1")
    assert match.patient(json(200, {"resourceType": "Task", "id": "p-1"})) is None
    assert match.patient(Response(200, {}, b"<html>")) is None


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_page_is_asked_for_only_where_the_server_counts() -> None:
    without = search(capability("open", Task=(ALL, ("patient",))), "Task", (("patient", "p-1"),))
    assert without.body == b"patient=p-1"


def test_the_next_page_is_followed_at_the_same_origin_only() -> None:
    first = page(json(200, bundle(next="https://ehr.example/fhir?_getpages=1")), "Task")
    assert first is not None
    assert next_page(first, "https://ehr.example/fhir") == Request(
        "GET", "https://ehr.example/fhir?_getpages=1", {"Cache-Control": "no-cache"}
    )
    assert next_page(first, "https://other.example/fhir") is None


@pytest.mark.parametrize("entry", [7, [7], [{}], [{"resource": 7}], [{"resource": {"resourceType": 7}}], None])
def test_a_bundle_of_any_shape_is_read(entry: object) -> None:
    read = page(json(200, {"resourceType": "Bundle", "type": "searchset", "entry": entry, "link": entry}), "Task")
    assert read is not None
    assert read.resources == ()
    assert read.next == ""
