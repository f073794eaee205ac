"""Steps as requests: corrections are built on what was just read, and undo nobody's work."""

from __future__ import annotations

import orjson
import pytest

from bridge.ehr import facts
from bridge.ehr.capability import Capability
from bridge.ehr.delivery import SYSTEM
from bridge.ehr.merge import conflicts, contains, entered_in_error, is_in_error, merge
from bridge.ehr.send import Current, change, current, matched, read, request, withdrawal
from bridge.model import Action, Answer, AnswerClass, Request, Response, Stands, type_json
from tests.unit.ehr.making import ALL, REFERENCE, capability, json, statement

OPEN = capability()
NOTE: type_json = {"resourceType": "DocumentReference", "status": "current", "description": "one"}
STANDS: type_json = {
    "resourceType": "DocumentReference",
    "id": "d-1",
    "meta": {"versionId": "3", "lastUpdated": "2026-03-04T00:00:00Z", "tag": [{"code": "theirs"}]},
    "status": "current",
    "description": "one",
    "authenticator": {"display": "The practice"},
}


def body(made: Request) -> type_json:
    found: type_json = orjson.loads(made.body)
    return found


def test_a_create_is_a_post_of_what_was_shaped() -> None:
    made = request(Action.CREATE, NOTE, OPEN)
    assert (made.method, made.path, made.headers) == ("POST", "DocumentReference", {})
    assert body(made) == NOTE


def test_a_create_is_asked_for_once_where_the_server_states_that_it_knows_to() -> None:
    stated = statement(DocumentReference=(ALL, ("identifier",)))
    stated["rest"][0]["resource"][0]["conditionalCreate"] = True
    ours = {**NOTE, "identifier": [{"system": SYSTEM, "value": REFERENCE}]}
    knows = Capability.from_statement(stated, facts.vendor("open"))
    once = {"If-None-Exist": "identifier=urn%3Adyad-bridge%3Adelivery%7CDB-ABCDEFGHIJ23"}
    for action in (Action.CREATE, Action.REPLACE, Action.SUPERSEDE, Action.DISREGARD):
        assert request(action, ours, knows, Stands("d-1", "3")).headers == once
    assert request(Action.CREATE, ours, knows, anyway=True).headers == {}
    assert request(Action.CREATE, NOTE, knows).headers == {}
    assert request(Action.CREATE, ours, OPEN).headers == {}
    assert request(Action.CREATE, ours, Capability.from_statement(stated, facts.vendor("epic"))).headers == {}


def test_what_was_there_before_is_looked_for() -> None:
    asked, stands = Request("POST", "DocumentReference", {"If-None-Exist": "identifier=x"}), Stands("d-1", "1")
    done = {status: Answer(AnswerClass.DONE, "created", status, None, stands) for status in (200, 201)}
    assert matched(asked, done[201]) is done[201]
    assert matched(asked, done[200]) == Answer(AnswerClass.DUPLICATE, "stood-before", 200)
    assert matched(Request("POST", "DocumentReference"), done[200]) is done[200]


def test_an_update_is_merged_over_what_was_read_and_names_its_version() -> None:
    ours = {**NOTE, "description": "two"}
    made = request(Action.UPDATE, ours, OPEN, Current(STANDS, "3"), NOTE)
    assert (made.method, made.path) == ("PUT", "DocumentReference/d-1")
    assert made.headers == {"If-Match": 'W/"3"'}
    assert body(made)["description"] == "two"
    assert body(made)["authenticator"] == {"display": "The practice"}
    assert body(made)["id"] == "d-1"
    assert body(made)["meta"] == {"tag": [{"code": "theirs"}]}


def test_no_sparse_put_ever_leaves() -> None:
    for action in (Action.UPDATE, Action.RETRACT):
        with pytest.raises(ValueError, match="just read"):
            request(action, NOTE, OPEN, Stands("d-1", "3"))


def test_an_ehr_that_wants_a_version_gets_one_or_nothing_leaves() -> None:
    oracle = capability("oracle")
    assert request(Action.UPDATE, NOTE, oracle, Current(STANDS, "3")).headers == {"If-Match": 'W/"3"'}
    with pytest.raises(ValueError, match="wants the version"):
        request(Action.UPDATE, NOTE, oracle, Current(STANDS))
    assert request(Action.UPDATE, NOTE, OPEN, Current(STANDS)).headers == {}


@pytest.mark.parametrize("version", ['3"\r\nX: y', "a b", '"'])
def test_a_version_no_header_can_carry_is_not_left_out(version: str) -> None:
    """Else what somebody wrote meanwhile would be written over."""
    with pytest.raises(ValueError, match="header"):
        request(Action.UPDATE, NOTE, OPEN, Current(STANDS, version))


def test_a_replacement_names_what_it_replaces() -> None:
    made = request(Action.REPLACE, NOTE, OPEN, Stands("d-1"))
    assert (made.method, made.path) == ("POST", "DocumentReference")
    assert body(made)["relatesTo"] == [{"code": "replaces", "target": {"reference": "DocumentReference/d-1"}}]
    assert body(request(Action.REPLACE, NOTE, OPEN, Current(STANDS)))["relatesTo"]
    with pytest.raises(ValueError, match="what it replaces"):
        request(Action.REPLACE, NOTE, OPEN)


def test_a_retraction_adds_no_clinical_content() -> None:
    corrected = {**NOTE, "description": "what should have stood", "content": [{"attachment": {"title": "new"}}]}
    made = request(Action.RETRACT, corrected, OPEN, Current(STANDS, "3"))
    assert (made.method, made.path, made.headers) == ("PUT", "DocumentReference/d-1", {"If-Match": 'W/"3"'})
    assert body(made) == {
        **STANDS,
        "meta": {"tag": [{"code": "theirs"}]},
        "status": "entered-in-error",
        "docStatus": "entered-in-error",
    }


@pytest.mark.parametrize("id", ["..", ".", "a/b", "a?b", "", "a#b", "x" * 300])
def test_an_id_no_path_can_carry_does_not_leave(id: str) -> None:
    with pytest.raises(ValueError, match="path can carry"):
        read("Task", id)
    with pytest.raises(ValueError, match="path can carry"):
        request(Action.REPLACE, NOTE, OPEN, Stands(id))


def test_what_stands_is_read_fresh() -> None:
    assert read("Task", "t-1") == Request("GET", "Task/t-1", {"Cache-Control": "no-cache"})
    assert current(json(200, STANDS), "DocumentReference", "d-1") == Current(STANDS, "3")
    assert current(json(200, STANDS, etag='W/"9"'), "DocumentReference", "d-1") == Current(STANDS, "9")
    assert current(json(200, STANDS), "DocumentReference", "d-2") is None
    assert current(json(200, STANDS), "Task", "d-1") is None
    assert current(Response(200, {}, b"<html>"), "Task", "d-1") is None
    assert Current(STANDS, "3").stands == Stands("d-1", "3")


# ── which way a correction goes ───────────────────────────────────────────────────────────────────────────────────
def test_ways_to_correct() -> None:
    assert change("DocumentReference", capability("open")) is Action.UPDATE
    assert (
        change("DocumentReference", capability("generic", DocumentReference=(("create", "read"), ()))) is Action.REPLACE
    )
    assert change("Task", capability("generic", Task=(("create", "read"), ()))) is None
    kept = capability("oracle", DocumentReference=(("create", "read"), ()))  # drops relatesTo
    assert change("DocumentReference", kept) is Action.SUPERSEDE
    assert change("DocumentReference", capability("athena", DocumentReference=(ALL, ()))) is Action.SUPERSEDE
    assert change("DocumentReference", capability("athena", DocumentReference=(("read",), ()))) is None
    assert change("Task", capability("athena", Task=(ALL, ()))) is None
    assert change("Task", capability("generic", Task=(("create", "update"), ()))) is None  # it cannot be read first


def test_ways_to_retract() -> None:
    assert withdrawal("DocumentReference", capability("oracle")) is Action.RETRACT
    assert withdrawal("DocumentReference", capability("athena")) is Action.DISREGARD
    added = capability("open", DocumentReference=(("create", "read"), ()))
    assert withdrawal("DocumentReference", added) is Action.DISREGARD
    assert withdrawal("DocumentReference", capability("open", DocumentReference=(("read",), ()))) is None
    assert withdrawal("Task", capability("open", Task=(("create", "read"), ()))) is None
    assert withdrawal("Task", capability("open", Task=(("create", "update"), ()))) is None


@pytest.mark.parametrize("action", [Action.SUPERSEDE, Action.DISREGARD])
def test_what_stands_beside_is_a_post_and_names_nothing_but_in_its_words(action: Action) -> None:
    made = request(action, NOTE, OPEN)
    assert (made.method, made.path, made.headers) == ("POST", "DocumentReference", {})
    assert body(made) == NOTE


# ── merging ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_both_sides_changed_is_a_conflict() -> None:
    """R15: a practice's edit raises a conflict, it is never overwritten."""
    theirs = {**STANDS, "description": "edited there"}
    assert conflicts(theirs, {**NOTE, "description": "two"}, NOTE) == ("description",)
    assert conflicts(theirs, NOTE, NOTE) == ()
    assert conflicts(STANDS, {**NOTE, "description": "two"}, NOTE) == ()
    assert conflicts(theirs, {key: value for key, value in NOTE.items() if key != "description"}, NOTE) == (
        "description",
    )


def test_what_we_did_not_change_stays_as_they_left_it() -> None:
    theirs = {**STANDS, "description": "edited there"}
    merged = merge(theirs, {**NOTE, "docStatus": "amended"}, NOTE)
    assert (merged["description"], merged["docStatus"]) == ("edited there", "amended")


def test_what_we_no_longer_say_goes_and_what_they_said_stays() -> None:
    sent = {**NOTE, "custodian": {"display": "x"}}
    merged = merge({**STANDS, "custodian": {"display": "x"}}, NOTE, sent)
    assert "custodian" not in merged
    assert "authenticator" in merged
    assert "custodian" in merge({**STANDS, "custodian": {"display": "x"}}, NOTE)


def test_identifiers_add_up() -> None:
    theirs, ours = {"system": "urn:theirs", "value": "1"}, {"system": "urn:ours", "value": "2"}
    stored = {**ours, "use": "usual"}
    merged = merge({**STANDS, "identifier": [theirs, stored]}, {**NOTE, "identifier": [ours]})
    assert merged["identifier"] == [theirs, stored]
    assert merge({**STANDS, "identifier": [theirs]}, {**NOTE, "identifier": [ours]})["identifier"] == [theirs, ours]
    assert merge(STANDS, {**NOTE, "identifier": ours})["identifier"] == ours


def test_a_server_that_moved_the_body_behind_a_url_changed_nothing() -> None:
    sent = {**NOTE, "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}]}
    moved = {**STANDS, "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/1"}}]}
    assert conflicts(moved, {**sent, "content": []}, sent) == ()


@pytest.mark.parametrize(
    ("found", "wanted", "yes"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": [{"x": 1, "y": 2}, {"x": 3}]}, {"a": [{"x": 3}, {"x": 1}]}, True),
        ({"a": [{"x": 1}]}, {"a": [{"x": 2}]}, False),
        ({"a": {"x": 1}}, {"a": [{"x": 1}]}, False),
        ({}, {}, True),
    ],
)
def test_containing(found: type_json, wanted: type_json, yes: bool) -> None:
    assert contains(found, wanted) is yes


@pytest.mark.parametrize(
    ("kind", "element"),
    [
        ("Encounter", "status"),
        ("Observation", "status"),
        ("QuestionnaireResponse", "status"),
        ("ServiceRequest", "status"),
        ("Task", "status"),
        ("Communication", "status"),
        ("CarePlan", "status"),
        ("CareTeam", "status"),
        ("Goal", "lifecycleStatus"),
    ],
)
def test_each_type_says_entered_in_error_in_its_own_place(kind: str, element: str) -> None:
    stands = {"resourceType": kind, "id": "x", "meta": {"versionId": "1"}, element: "active", "note": [{"text": "n"}]}
    assert not is_in_error(stands)
    marked = entered_in_error(stands)
    assert marked == {"resourceType": kind, "id": "x", element: "entered-in-error", "note": [{"text": "n"}]}
    assert is_in_error(marked)


def test_a_condition_in_error_has_no_clinical_status() -> None:
    """FHIR con-5."""
    marked = entered_in_error({"resourceType": "Condition", "id": "x", "clinicalStatus": {"text": "active"}})
    assert "clinicalStatus" not in marked
    assert is_in_error(marked)
    assert not is_in_error({"resourceType": "Condition", "id": "x"})


def test_only_what_we_write_can_be_retracted() -> None:
    with pytest.raises(ValueError, match="Patient is no type the bridge writes"):
        entered_in_error({"resourceType": "Patient", "id": "p-1"})


# ── what the practice added stays ─────────────────────────────────────────────────────────────────────────────────
SENT = {"resourceType": "Task", "status": "requested", "note": [{"text": "a"}], "code": {"text": "visit"}}
ADDED: list[tuple[str, type_json, type_json, tuple[str, ...]]] = [
    ("nothing", {}, {"status": "accepted"}, ()),
    ("an element of theirs", {"owner": {"display": "x"}}, {"status": "accepted"}, ()),
    ("the same as ours", {"status": "accepted"}, {"status": "accepted"}, ()),
    ("the same element", {"status": "rejected"}, {"status": "accepted"}, ("status",)),
    ("an item of a list of ours", {"note": [{"text": "a"}, {"text": "t"}]}, {"note": [{"text": "b"}]}, ("note",)),
    ("an item where we change nothing", {"note": [{"text": "a"}, {"text": "t"}]}, {"status": "accepted"}, ()),
    (
        "a part of an element",
        {"code": {"text": "visit", "coding": [{"code": "1"}]}},
        {"code": {"text": "c"}},
        ("code",),
    ),
    ("what a server adds by itself", {"code": {"text": "visit", "id": "7"}}, {"code": {"text": "call"}}, ()),
    ("an element that we have from now on", {"owner": {"display": "x"}}, {"owner": {"display": "y"}}, ("owner",)),
    ("an element away", {}, {"note": None}, ()),
]


@pytest.mark.parametrize(("what", "theirs", "ours", "both"), ADDED, ids=[row[0] for row in ADDED])
def test_r15_what_the_practice_added_is_kept_or_a_person_is_asked(
    what: str, theirs: type_json, ours: type_json, both: tuple[str, ...]
) -> None:
    current = {**SENT, "id": "t-1", **theirs}
    wanted = {key: value for key, value in {**SENT, **ours}.items() if value is not None}
    assert conflicts(current, wanted, SENT) == both
    if not both:
        merged = merge(current, wanted, SENT)
        assert all(merged[key] == value for key, value in theirs.items() if key not in ours)
        assert all(merged[key] == value for key, value in ours.items() if value is not None)
        assert not any(key in merged for key, value in ours.items() if value is None)
