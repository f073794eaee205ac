"""The table of answers, row by row: what came back, what it means, what follows (design: "Answers")."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bridge.ehr import facts
from bridge.ehr.answers import classify
from bridge.ehr.decide import Follow, Next, Tried, back_off, decide
from bridge.ehr.rows import TABLE, Row
from bridge.fhir.client import Client
from bridge.model import (
    Action,
    Answer,
    AnswerClass,
    EntryState,
    Failure,
    HoldReason,
    Interaction,
    Owner,
    Request,
    Response,
    Stands,
)
from tests.contract import answer_table
from tests.unit.ehr.making import bundle, json, outcome

C, R, S, U = Interaction.CREATE, Interaction.READ, Interaction.SEARCH, Interaction.UPDATE
GENERIC = facts.vendor("generic")
HTML = Response(200, {"content-type": "text/html"}, b"<html><body>Please sign in</body></html>")
NOTE = {"resourceType": "DocumentReference", "id": "d-1", "meta": {"versionId": "3"}}
AT = "https://ehr.example/fhir/DocumentReference/d-1"
MINE = "DocumentReference/d-1"


@dataclass(frozen=True)
class Example:
    row: str
    interaction: Interaction
    response: Response
    target: str = "DocumentReference"


def refused(status: int, code: str, expression: str = "") -> Response:
    return json(status, outcome(code, expression=expression))


EXAMPLES = [
    Example("not-connected", C, Response(failure=Failure.NOT_CONNECTED)),
    Example("not-connected", R, Response(failure=Failure.NOT_CONNECTED)),
    Example("not-now", C, Response(headers={"retry-after": "30"}, failure=Failure.NOT_NOW)),
    Example("not-now", S, Response(headers={"retry-after": "30"}, failure=Failure.NOT_NOW)),
    Example("no-login", C, Response(failure=Failure.NO_LOGIN)),
    Example("no-login", S, Response(failure=Failure.NO_LOGIN)),
    Example("unsendable", C, Response(failure=Failure.UNSENDABLE)),
    Example("unsendable", S, Response(failure=Failure.UNSENDABLE)),
    Example("unread", C, Response(failure=Failure.UNREAD)),
    Example("unread", U, Response(failure=Failure.UNREAD), MINE),
    Example("unread-read", R, Response(failure=Failure.UNREAD), MINE),
    Example("unread-read", S, Response(failure=Failure.UNREAD)),
    Example("lost", C, Response(failure=Failure.LOST)),
    Example("lost", U, Response(failure=Failure.LOST), MINE),
    Example("lost-read", R, Response(failure=Failure.LOST), MINE),
    Example("lost-read", S, Response(failure=Failure.LOST)),
    Example("accepted", C, Response(202)),
    Example("accepted", U, json(202, {"ticket": 7}), MINE),
    Example("created", C, json(201, NOTE)),
    Example("created", C, Response(201, {"location": AT, "content-type": "text/html"})),
    Example("created", C, Response(201, {"location": "DocumentReference/d-1/_history/1"})),
    Example("created", C, json(200, NOTE)),
    Example("created-comment", C, json(201, outcome("informational", severity="information"), location=AT)),
    Example("created-comment", C, json(201, {"status": 1, "key": "SUCCESS"}, location=AT)),
    Example("created-outcome", C, json(201, outcome("exception"), location=AT)),
    Example("created-outcome", C, json(200, outcome("exception"))),
    Example("created-outcome", C, json(201, outcome("informational", severity="information"))),
    Example("created-empty", C, Response(200)),
    Example("created-nowhere", C, Response(201)),
    Example("created-nowhere", C, Response(201, {"location": "https://ehr.example/fhir/Task/1"})),
    Example("created-nowhere", C, Response(201, {"location": "https://ehr.example/fhir/DocumentReference/.."})),
    Example("created-nowhere", C, Response(204)),
    Example("updated", U, json(200, NOTE), MINE),
    Example("updated", U, Response(200, {"etag": 'W/"4"'}), MINE),
    Example("updated", U, Response(204), MINE),
    Example("updated-comment", U, json(200, outcome("informational", severity="information")), MINE),
    Example("updated-error", U, json(200, outcome("exception")), MINE),
    Example("read", R, json(200, NOTE), MINE),
    Example("searched", S, json(200, bundle(NOTE))),
    Example("ok-unclear", C, HTML),
    Example("ok-unclear", U, HTML, MINE),
    Example("ok-unclear", R, HTML, MINE),
    Example("ok-unclear", S, HTML),
    Example("ok-unclear", R, json(200, outcome("informational")), MINE),
    Example("ok-unclear", R, json(200, {**NOTE, "id": "another"}), MINE),
    Example("ok-unclear", U, json(200, {**NOTE, "id": "another"}), MINE),
    Example("ok-unclear", C, json(200, {"resourceType": "Task", "id": "1"})),
    Example("ok-unclear", C, json(207, bundle())),
    Example("ok-unclear", S, json(200, NOTE)),
    Example("ok-unclear", R, Response(200, {}, b'{"resourceType": "DocumentRef'), MINE),
    Example("ok-unclear", R, Response(202), MINE),
    Example("redirect", C, Response(302, {"location": "https://login.example/"})),
    Example("redirect", R, Response(307, {"location": "https://elsewhere.example/fhir/Task/1"}), "Task/1"),
    Example("patient-moved", R, Response(307, {"location": "https://elsewhere.example/fhir/Patient/2"}), "Patient/1"),
    Example("redirect", U, Response(304), MINE),
    Example("redirect", C, Response(308, {"location": "https://ehr.example/fhir/r4/DocumentReference"})),
    Example("redirect", R, Response(302, {"location": "https://login.example/"}), "Patient/p-1"),
    Example("patient-moved", R, Response(301, {"location": "Patient/p-2"}), "Patient/p-1"),
    Example("login", C, Response(401, {"www-authenticate": "Bearer"})),
    Example("login", R, refused(401, "login"), MINE),
    Example("login-403", C, refused(403, "login")),
    Example("login-403", S, refused(403, "expired")),
    Example("too-many", C, Response(429, {"retry-after": "30"})),
    Example("too-many", S, Response(429)),
    Example("busy", C, refused(409, "lock-error")),
    Example("busy", U, refused(400, "throttled"), MINE),
    Example("locked", U, Response(423), MINE),
    Example("locked", C, Response(425)),
    Example("not-implemented", C, refused(501, "not-supported")),
    Example("server-read", R, Response(503, {"retry-after": "10"}), MINE),
    Example("server-read", S, Response(500)),
    Example("server-read", R, Response(408), MINE),
    Example("server-write", C, Response(500)),
    Example("server-write", C, Response(502)),
    Example("server-write", C, Response(503, {"retry-after": "10"})),
    Example("server-write", U, Response(504), MINE),
    Example("server-write", C, Response(501)),
    Example("server-write", C, refused(500, "duplicate")),
    Example("policy-403", C, Response(403)),
    Example("policy-403", R, refused(403, "forbidden"), MINE),
    Example("policy-403", R, Response(451), MINE),
    Example("policy", C, refused(422, "forbidden")),
    Example("policy", R, refused(404, "suppressed"), MINE),
    Example("duplicate", C, refused(409, "duplicate")),
    Example("duplicate", C, refused(400, "duplicate")),
    Example("duplicate", C, refused(412, "multiple-matches")),
    Example("create-conflict", C, Response(409)),
    Example("create-conflict", C, refused(412, "conflict")),
    Example("type", C, refused(404, "not-supported")),
    Example("patient-gone", R, Response(404), "Patient/p-1"),
    Example("patient-gone", R, refused(410, "deleted"), "Patient/p-1"),
    Example("patient-unknown", C, refused(422, "not-found", "DocumentReference.subject")),
    Example("patient-unknown", C, refused(404, "not-found", "/f:DocumentReference/f:subject")),
    Example("patient-unknown", C, refused(400, "not-found", "subject")),
    Example("patient-unknown", U, refused(400, "deleted", "Task.for"), "Task/t-1"),
    Example("stale", U, Response(409), MINE),
    Example("stale", U, refused(412, "conflict"), MINE),
    Example("version-wanted", U, Response(428), MINE),
    Example("gone", U, Response(404), MINE),
    Example("gone", R, Response(410), MINE),
    Example("method", C, Response(405)),
    Example("method", S, refused(405, "not-supported")),
    Example("format", C, Response(406)),
    Example("format", C, refused(415, "not-supported")),
    Example("size", C, refused(413, "too-long")),
    Example("search-gone", S, Response(404)),
    Example("unsupported", C, refused(400, "not-supported")),
    Example("unsupported", U, refused(422, "not-supported"), MINE),
    Example("unsupported", S, refused(400, "not-supported")),
    Example("unsupported-element", C, refused(422, "not-supported", "DocumentReference.content[0].format")),
    Example("too-long", C, refused(422, "too-long", "DocumentReference.description")),
    Example("search-refused", S, Response(400)),
    Example("search-refused", S, Response(414)),
    Example("search-refused", S, refused(400, "required")),
    Example("content", C, refused(400, "structure")),
    Example("content", C, refused(400, "not-found", "DocumentReference.context.encounter")),
    Example("content-422", C, refused(422, "required", "DocumentReference.type")),
    Example("content-422", U, Response(422), MINE),
    Example("unclear", C, Response(400)),
    Example("unclear", C, Response(404)),
    Example("unclear", R, Response(400), MINE),
    Example("unclear", C, Response(418)),
    Example("unclear", S, Response(409)),
    Example("unclear", C, Response()),
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.row}-{e.interaction.value}-{e.response.status}")
def test_each_example_falls_into_its_row(example: Example) -> None:
    answer = classify(example.interaction, example.response, GENERIC, example.target)
    (row,) = [row for row in TABLE if row.code == example.row]
    assert (answer.code, answer.kind) == (row.code, row.means)


def test_every_row_has_its_example_and_its_own_code() -> None:
    codes = [row.code for row in TABLE]
    assert len(set(codes)) == len(codes)
    assert set(codes) == {example.row for example in EXAMPLES}
    assert all(row.note for row in TABLE)
    assert TABLE[-1] == Row("unclear", AnswerClass.UNCLEAR, TABLE[-1].note)


K = AnswerClass
DESIGN: list[tuple[str, AnswerClass, list[tuple[Interaction, Response, str]]]] = [
    (
        "could not connect; 429; 503 with Retry-After on a read",
        K.RETRY_LATER,
        [
            (C, Response(failure=Failure.NOT_CONNECTED), "DocumentReference"),
            (C, Response(429, {"retry-after": "1"}), "DocumentReference"),
            (R, Response(503, {"retry-after": "1"}), MINE),
        ],
    ),
    (
        "time-out after sending, 5xx on a write",
        K.UNKNOWN,
        [
            (C, Response(failure=Failure.LOST), "DocumentReference"),
            *[(C, Response(status), "DocumentReference") for status in (500, 502, 503, 504, 599)],
            *[(U, Response(status), MINE) for status in (500, 502, 503, 504)],
        ],
    ),
    (
        "5xx or time-out on a read",
        K.RETRY_LATER,
        [(R, Response(500), MINE), (S, Response(failure=Failure.LOST), "Task")],
    ),
    (
        "400/405/406/413/415/422 saying unsupported, format or size",
        K.UNSUPPORTED,
        [(C, refused(status, "not-supported"), "DocumentReference") for status in (400, 405, 406, 413, 415, 422)],
    ),
    (
        "content rejected",
        K.CONTENT,
        [(C, refused(s, c), "Task") for s in (400, 422) for c in ("required", "value", "invariant", "business-rule")],
    ),
    (
        "policy (break-the-glass, 403 on a resource, not permitted for this patient)",
        K.POLICY,
        [(C, Response(403), "Task"), (R, refused(403, "forbidden"), "Task/1"), (C, refused(422, "suppressed"), "Task")],
    ),
    ("duplicate", K.DUPLICATE, [(C, refused(status, "duplicate"), "Task") for status in (400, 409, 412, 422)]),
    ("Patient 404/410", K.PATIENT, [(R, Response(status), "Patient/p-1") for status in (404, 410)]),
    (
        "stale version (409, 412); 404/410 on what we would update",
        K.CONFLICT,
        [(U, Response(status), MINE) for status in (404, 409, 410, 412)],
    ),
    ("202", K.ACCEPTED, [(C, Response(202), "Task")]),
    ("redirect to another host", K.UNCLEAR, [(C, Response(302, {"location": "https://elsewhere.example"}), "Task")]),
    ("401/403 on the login", K.CONNECTION_DOWN, [(C, Response(401), "Task"), (C, refused(403, "login"), "Task")]),
    ("unknown", K.UNCLEAR, [(C, Response(418), "Task"), (C, HTML, "Task")]),
]


@pytest.mark.parametrize(("said", "kind", "cases"), DESIGN, ids=[row[0] for row in DESIGN])
def test_the_design_holds_for_every_vendor(
    said: str, kind: AnswerClass, cases: list[tuple[Interaction, Response, str]]
) -> None:
    for name in facts.known():
        for interaction, response, target in cases:
            oracle = name == "oracle" and kind is K.UNSUPPORTED and response.status == 422  # its documented exception
            expected = K.CONTENT if oracle else kind
            assert classify(interaction, response, facts.vendor(name), target).kind is expected, (name, response.status)


EXCEPTIONS = [
    (name, found, code) for name in facts.known() for found in facts.vendor(name).exceptions for code in found.codes
]


@pytest.mark.parametrize(("name", "exception", "code"), EXCEPTIONS, ids=[f"{e[0]}-{e[2]}" for e in EXCEPTIONS])
def test_each_vendor_exception_is_met(name: str, exception: facts.ErrorCode, code: str) -> None:
    vendor = facts.vendor(name)
    status = exception.statuses[0] if exception.statuses else 400
    if name == "ecw":
        response = json(status, {"status": int(code), "key": "KEY"})
    elif code.isdigit():
        response = json(status, outcome("processing", code))
    else:
        response = json(status, outcome(code))
    for interaction in exception.interactions:
        answer = classify(interaction, response, vendor, MINE)
        assert (answer.kind, answer.code) == (exception.means, f"{name}-{code}")
    for other in set(Interaction) - set(exception.interactions):
        assert classify(other, response, vendor, MINE).code != f"{name}-{code}"


def test_a_vendor_code_beside_a_result_is_a_remark() -> None:
    withheld = bundle(outcome("suppressed", "4134", severity="information"))
    assert classify(S, json(200, withheld), facts.vendor("epic")).kind is AnswerClass.DONE


def test_a_failure_said_in_a_body_that_is_not_fhir_is_believed_whatever_the_status() -> None:
    answer = classify(C, json(200, {"status": 207, "key": "PATIENT_NOT_FOUND"}), facts.vendor("ecw"))
    assert answer.kind is AnswerClass.PATIENT


def test_a_merged_patient_answers_with_a_redirect_and_a_code() -> None:
    merged = json(301, outcome("processing", "4107"), location="Patient/p-2")
    assert classify(R, merged, facts.vendor("epic"), "Patient/p-1").kind is AnswerClass.PATIENT


# ── what is read of an answer ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("response", "stands"),
    [
        (Response(201, {"location": AT, "etag": 'W/"7"'}), Stands("d-1", "7")),
        (Response(201, {"location": f"{AT}/_history/2"}), Stands("d-1", "2")),
        (Response(201, {"location": "DocumentReference/eXyz.-_1"}), Stands("eXyz.-_1", "")),
        (json(201, NOTE), Stands("d-1", "3")),
        (json(201, NOTE, location=AT, etag='"9"'), Stands("d-1", "9")),
        (json(200, NOTE, location="https://ehr.example/fhir/Task/1"), Stands("d-1", "3")),
        (json(201, NOTE, etag="not an etag"), Stands("d-1", "3")),
        (json(201, {**NOTE, "meta": 7}), Stands("d-1", "")),
    ],
)
def test_what_stands_is_read_from_location_etag_and_body(response: Response, stands: Stands) -> None:
    assert classify(C, response, GENERIC).stands == stands


def test_an_update_without_a_body_keeps_its_id_and_takes_the_new_version() -> None:
    assert classify(U, Response(200, {"etag": 'W/"8"'}), GENERIC, MINE).stands == Stands("d-1", "8")


NOW = 1_772_800_000_000_000  # 2026-03-06T12:26:40Z


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999999999", 86_400),
        ("Fri, 06 Mar 2026 12:27:40 GMT", 60),
        ("Fri, 06 Mar 2026 12:00:00 GMT", 0),
        ("Fri, 06 Mar 2099 12:00:00 GMT", 86_400),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e3", None),
    ],
)
def test_retry_after_in_both_forms(value: str, seconds: int | None) -> None:
    answer = classify(C, Response(429, {"retry-after": value}), GENERIC, now=NOW)
    assert answer.after == (None if seconds is None else seconds * 1_000_000)


def test_nobodys_words_are_read() -> None:
    body: dict[str, Any] = {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "diagnostics": "Marisol Quispe, 2019-05-01",
                "details": {"text": "Marisol Quispe", "coding": [{"code": "59108"}, {"code": "Marisol"}]},
                "expression": ["Marisol Quispe", "Patient.name[0].family", "DocumentReference.type"],
            },
            {"severity": "Marisol", "code": "Quispe", "location": ["Quispe", "quispe/marisol", "type"]},
            7,
        ],
    }
    answer = classify(C, json(422, body), GENERIC)
    assert answer.issues == ("required 59108 DocumentReference.type", "type")
    assert "Quispe" not in repr(answer)
    assert "Marisol" not in repr(answer)


@pytest.mark.parametrize("interaction", list(Interaction))
@pytest.mark.parametrize("vendor", facts.known())
def test_no_answer_is_misread_as_done(interaction: Interaction, vendor: str) -> None:
    """Every status × body: never an exception, never "done" without what was asked for, and a write whose fate is not
    known is never repeated blind.
    """
    shapes: list[Any] = [
        NOTE,
        outcome("value"),
        bundle(),
        {"resourceType": "Task"},
        {"resourceType": "OperationOutcome"},
    ]
    broken = [b"", b"<html>", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5_000]
    bodies = [*broken, *(json(0, shape).body for shape in shapes)]
    write = interaction in (C, U)
    target = "DocumentReference" if interaction in (C, S) else MINE
    for status in range(100, 600):
        for body in bodies:
            answer = classify(
                interaction, Response(status, {"location": "//x/_history/"}, body), facts.vendor(vendor), target
            )
            if answer.kind is AnswerClass.DONE:
                assert 200 <= status < 300
                assert answer.stands is not None or interaction is S
            if write and (status >= 500 or status == 408):
                assert answer.kind is AnswerClass.UNKNOWN
            if status in range(300, 400):
                assert answer.kind is AnswerClass.UNCLEAR


# ── what follows ──────────────────────────────────────────────────────────────────────────────────────────────────
DELAY = 120_000_000


def tried(**more: Any) -> Tried:
    return Tried(
        **{
            "entry": "e-1",
            "practice": "oak",
            "type": "DocumentReference",
            "action": Action.CREATE,
            "interaction": C,
            "visibility_delay": DELAY,
            "link_key": "link:roble/child-1/oak",
            **more,
        }
    )


def answer(kind: AnswerClass, code: str = "x", **more: Any) -> Answer:
    return Answer(kind, code, **more)


@dataclass(frozen=True)
class Following:
    state: EntryState
    due: str  # "none", "now", "delay" or "later"
    follow: Follow = Follow.NOTHING
    reason: HoldReason | None = None
    owner: Owner | None = None
    look_first: bool = False


E, F, H = EntryState, Follow, HoldReason
SENT: dict[AnswerClass, Following] = {
    K.DONE: Following(E.DELIVERED, "none"),
    K.ACCEPTED: Following(E.UNKNOWN, "delay", F.LOOK, look_first=True),
    K.RETRY_LATER: Following(E.READY, "later"),
    K.UNKNOWN: Following(E.UNKNOWN, "delay", F.LOOK, look_first=True),
    K.UNSUPPORTED: Following(E.HELD, "none", F.PLAN, H.CAPABILITY, Owner.PRACTICE),
    K.CONTENT: Following(E.HELD, "none", reason=H.CONTENT, owner=Owner.ENGINEER),
    K.POLICY: Following(E.REFUSED, "none", reason=H.DECISION, owner=Owner.PRACTICE),
    K.DUPLICATE: Following(E.UNKNOWN, "delay", F.LOOK, look_first=True),
    K.PATIENT: Following(E.HELD, "none", F.LANE, H.LINK, Owner.PRACTICE),
    K.UNCLEAR: Following(E.HELD, "none", reason=H.DECISION, owner=Owner.ENGINEER, look_first=True),
    K.UNUSABLE: Following(E.READY, "later"),
    K.CONFLICT: Following(E.READY, "now", F.READ),
    K.CONNECTION_DOWN: Following(E.READY, "later", F.CIRCUIT),
}
LOOKING: dict[AnswerClass, Following] = {
    K.DONE: Following(E.UNKNOWN, "now", look_first=True),
    K.RETRY_LATER: Following(E.UNKNOWN, "later", look_first=True),
    K.UNSUPPORTED: Following(E.HELD, "none", reason=H.DECISION, owner=Owner.PRACTICE, look_first=True),
    K.POLICY: Following(E.HELD, "none", reason=H.DECISION, owner=Owner.PRACTICE, look_first=True),
    K.PATIENT: Following(E.HELD, "none", F.LANE, H.LINK, Owner.PRACTICE, look_first=True),
    K.UNCLEAR: Following(E.HELD, "none", reason=H.DECISION, owner=Owner.ENGINEER, look_first=True),
    K.UNUSABLE: Following(E.UNKNOWN, "later", look_first=True),
    K.CONFLICT: Following(E.UNKNOWN, "now", F.READ, look_first=True),
    K.CONNECTION_DOWN: Following(E.UNKNOWN, "later", F.CIRCUIT, look_first=True),
}


def check(found: Next, wanted: Following) -> None:
    assert (found.state, found.follow, found.look_first) == (wanted.state, wanted.follow, wanted.look_first)
    assert (found.hold.reason if found.hold else None) == wanted.reason
    assert (found.hold.owner if found.hold else None) == wanted.owner
    match wanted.due:
        case "none":
            assert found.due is None
        case "now":
            assert found.due == NOW
        case "delay":
            assert found.due == NOW + DELAY
        case _:
            assert found.due is not None
            assert found.due > NOW
    if found.hold is not None:
        assert found.hold.rule
        assert found.hold.next_step
        assert found.hold.waits_for


@pytest.mark.parametrize("kind", list(AnswerClass))
def test_what_follows_when_a_step_was_sent(kind: AnswerClass) -> None:
    check(decide(answer(kind), tried(), NOW), SENT[kind])


@pytest.mark.parametrize("kind", list(LOOKING))
def test_what_follows_when_something_was_looked_for(kind: AnswerClass) -> None:
    """An entry that may stand never goes back to be sent because a look failed."""
    check(decide(answer(kind), tried(looking=True, interaction=S), NOW), LOOKING[kind])


def test_a_retraction_that_is_done_is_retracted() -> None:
    assert decide(answer(K.DONE), tried(action=Action.RETRACT, interaction=U), NOW).state is E.RETRACTED


def test_what_was_read_for_a_step_leads_on_to_the_step() -> None:
    assert decide(answer(K.DONE), tried(interaction=R), NOW) == Next(E.READY, NOW)


def test_retry_after_is_a_lower_bound() -> None:
    for attempts in range(1, 20):
        found = decide(answer(K.RETRY_LATER, after=600_000_000), tried(attempts=attempts), NOW)
        assert found.due is not None
        assert 600_000_000 <= found.due - NOW <= 660_000_000


def test_a_retry_after_of_nothing_does_not_spin() -> None:
    dues = [decide(answer(K.RETRY_LATER, after=0), tried(attempts=attempts), NOW).due for attempts in (1, 4, 9)]
    assert [bool(due and due > NOW) for due in dues] == [True, True, True]
    assert dues == sorted(due for due in dues if due)


@pytest.mark.parametrize("row", [row for row in TABLE if row.means is K.UNSUPPORTED], ids=lambda row: row.code)
def test_only_a_refusal_of_the_interaction_itself_is_learned(row: Row) -> None:
    """One document that is too large must not close the door for all others."""
    learned = decide(answer(K.UNSUPPORTED, row.code), tried(), NOW).learn
    about_content = {"size", "too-long", "unsupported-element", "search-refused"}
    assert learned == (None if row.code in about_content else ("DocumentReference", "create"))


def test_a_vendors_own_refusal_teaches_nothing_of_the_interaction() -> None:
    assert decide(answer(K.UNSUPPORTED, "ecw-114"), tried(), NOW).learn is None


def test_a_refusal_for_lack_of_capability_waits_for_the_capability() -> None:
    hold = decide(answer(K.UNSUPPORTED, "method", status=405), tried(), NOW).hold
    assert hold is not None
    assert hold.waits_for == "capability:oak:DocumentReference"
    assert "405" in hold.rule


def test_a_patient_that_is_gone_waits_for_its_link() -> None:
    hold = decide(answer(K.PATIENT), tried(), NOW).hold
    assert hold is not None
    assert hold.waits_for == "link:roble/child-1/oak"


def test_what_we_would_change_is_gone_and_a_person_looks() -> None:
    found = decide(answer(K.CONFLICT, "gone", status=404), tried(interaction=U, action=Action.UPDATE), NOW)
    assert (found.state, found.follow) == (E.HELD, F.NOTHING)


def test_a_conflict_is_read_again_twice_and_then_a_person_looks() -> None:
    states = [decide(answer(K.CONFLICT, "stale"), tried(conflicts=n), NOW).state for n in (1, 2, 3)]
    assert states == [E.READY, E.READY, E.HELD]


@pytest.mark.parametrize("looking", [False, True])
def test_what_nothing_comes_of_is_with_a_person_after_three_tries(looking: bool) -> None:
    """What an EHR answers at too great a length today it answers so tomorrow."""
    read = Response(failure=Failure.UNREAD)
    for interaction, target in ((R, MINE), (S, "DocumentReference")):
        unread = classify(interaction, read, GENERIC, target)
        found = [decide(unread, tried(attempts=n, looking=looking, interaction=interaction), NOW) for n in (1, 2, 3)]
        assert [one.hold is None for one in found] == [True, True, False]
        check(found[2], Following(E.HELD, "none", reason=H.DECISION, owner=Owner.ENGINEER, look_first=looking))
        assert found[2].hold is not None
        assert "larger than 10 MiB" in found[2].hold.rule


@pytest.mark.parametrize("failure", list(Failure))
def test_what_never_left_was_no_attempt(failure: Failure) -> None:
    stayed = failure in (Failure.NOT_CONNECTED, Failure.NO_LOGIN, Failure.NOT_NOW, Failure.UNSENDABLE)
    assert classify(C, Response(failure=failure), GENERIC).left is not stayed


def test_of_what_cannot_be_asked_a_person_knows_at_once() -> None:
    found = decide(classify(S, Response(failure=Failure.UNSENDABLE), GENERIC), tried(attempts=0, interaction=S), NOW)
    check(found, Following(E.HELD, "none", reason=H.DECISION, owner=Owner.ENGINEER))


def test_a_login_that_is_refused_opens_the_circuit() -> None:
    found = decide(answer(K.CONNECTION_DOWN), tried(), NOW)
    assert (found.state, found.follow) == (E.READY, F.CIRCUIT)
    assert found.due is not None
    assert found.due > NOW


def test_back_off_doubles_to_an_hour_and_spreads() -> None:
    waits = [back_off("e-1", attempts) / 1_000_000 for attempts in range(1, 12)]
    assert all(30 * 2**n <= wait <= 36 * 2**n for n, wait in enumerate(waits[:6]))
    assert all(3600 <= wait <= 4320 for wait in waits[7:])
    assert back_off("e-1", 10_000) <= 4320 * 1_000_000
    assert len({back_off(f"e-{n}", 3) for n in range(100)}) > 80
    assert back_off("e-1", 3) == back_off("e-1", 3)


def test_a_hold_says_codes_and_never_words() -> None:
    said = json(422, outcome("required", "59108", expression="DocumentReference.type"))
    hold = decide(classify(C, said, GENERIC), tried(), NOW).hold
    assert hold is not None
    assert "required 59108 DocumentReference.type" in hold.rule
    assert "Marisol" not in repr(hold)


# ── the whole table, for every vendor ─────────────────────────────────────────────────────────────────────────────
def test_every_status_interaction_and_vendor_has_one_class_and_one_decision() -> None:
    """R1: nothing an EHR may answer is left without a meaning, and no meaning without what follows."""
    with_words = json(0, outcome("processing")).body
    for name in facts.known():
        bodies = (b"", with_words) if name == facts.GENERIC else (with_words,)
        for interaction in Interaction:
            target = "DocumentReference" if interaction in (C, S) else MINE
            for status in (0, *answer_table.STATUSES, 999):
                for body in bodies:
                    decided(classify(interaction, Response(status, {}, body), facts.vendor(name), target), interaction)
            for failure in Failure:
                decided(classify(interaction, Response(failure=failure), facts.vendor(name), target), interaction)


def decided(found: Answer, interaction: Interaction) -> None:
    """The answer's decision says when the entry moves again, or who must move it, or that it is done."""
    for looking in (False, True):
        after = decide(found, tried(interaction=interaction, looking=looking), NOW)
        waits = after.hold is not None and after.due is None
        comes = after.due is not None and after.due >= NOW and after.hold is None
        done = after.state is EntryState.DELIVERED
        assert waits + comes + done == 1, (found.code, interaction)
        if found.kind in (K.UNKNOWN, K.ACCEPTED, K.UNCLEAR) and interaction in (C, U):
            assert after.look_first


ON_THE_WIRE: list[tuple[str, Exception | httpx.Response, Failure | None]] = [
    ("refused", httpx.ConnectError("x"), Failure.NOT_CONNECTED),
    ("tls", httpx.ConnectError("certificate verify failed"), Failure.NOT_CONNECTED),
    ("time-out connecting", httpx.ConnectTimeout("x"), Failure.NOT_CONNECTED),
    ("time-out for a place", httpx.PoolTimeout("x"), Failure.NOT_CONNECTED),
    ("time-out reading", httpx.ReadTimeout("x"), Failure.LOST),
    ("time-out writing", httpx.WriteTimeout("x"), Failure.LOST),
    ("reset", httpx.ReadError("x"), Failure.LOST),
    ("half a body", httpx.RemoteProtocolError("x"), Failure.LOST),
    ("too large", httpx.Response(201, content=b" " * 2000), Failure.UNREAD),
    ("an answer", httpx.Response(201), None),
]


@pytest.mark.parametrize(("what", "comes", "failure"), ON_THE_WIRE, ids=[row[0] for row in ON_THE_WIRE])
def test_what_the_wire_does_is_an_answer_too(
    what: str, comes: Exception | httpx.Response, failure: Failure | None
) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(comes, Exception):
            raise comes
        return comes

    async def ask() -> Response:
        async with Client("https://ehr.example/fhir", largest=1000, transport=httpx.MockTransport(handle)) as client:
            return await client.send(Request("POST", "Task", body=b"{}"))

    response = asyncio.run(ask())
    assert response.failure is failure
    kind = classify(C, response, GENERIC, "Task").kind
    assert kind is (K.RETRY_LATER if failure is Failure.NOT_CONNECTED else K.UNKNOWN)


def test_the_page_shows_the_table() -> None:
    text = answer_table.DOCUMENT.read_text(encoding="utf-8")
    assert answer_table.written(text) == text, "run `python -m tests.contract.answer_table`"
