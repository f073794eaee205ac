"""Looking: found is proof; absence only twice, across the delay, where it would have been seen."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

import pytest

from bridge.ehr.delivery import SYSTEM
from bridge.ehr.look import Found, Verdict, Way, applied, found, request, searchable, verdict
from bridge.ehr.search import MOST_PAGES, Page
from bridge.ehr.send import Current
from bridge.ehr.shape import document
from bridge.model import Stands, type_json
from tests.unit.ehr.making import ALL, REFERENCE, capability, context, encounter, note

OPEN, EPIC, ORACLE, GENERIC = (capability(name) for name in ("open", "epic", "oracle", "generic"))
BEFORE = 1_772_600_000_000_000
OTHER = "DB-ZZZZZZZZZZ22"


def stored(id: str = "d-1", version: str = "1", at: str = "2026-03-05T00:00:00Z", **changes: object) -> type_json:
    """A delivered document as a server returns it."""
    resource = document([encounter(), note()], context("oracle")).resource
    return {**resource, "id": id, "meta": {"versionId": version, "lastUpdated": at}, **changes}


def behind_url(title: str | None = None, **more: object) -> type_json:
    """A document whose body the server keeps elsewhere."""
    attachment = {"contentType": "text/plain", "url": "Binary/b-1", **({"title": title} if title else {})}
    changes: dict[str, Any] = {"identifier": [], "description": "Note", "content": [{"attachment": attachment}], **more}
    return stored("d-9", **changes)


def page(*resources: type_json, next: str = "", whole: bool = True) -> Page:
    return Page(resources, next, whole)


# ── ways ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("vendor", "type", "how", "proves"),
    [
        ("open", "DocumentReference", "identifier", True),
        ("open", "Task", "identifier", True),
        ("hapi", "Task", "identifier", True),
        ("epic", "DocumentReference", "patient", True),
        ("epic", "Condition", "patient", False),
        ("oracle", "DocumentReference", "patient", True),
        ("oracle", "Condition", None, False),
        ("generic", "DocumentReference", "patient", True),
        ("generic", "Task", "patient", False),
    ],
)
def test_how_each_vendor_is_searched(vendor: str, type: str, how: str | None, proves: bool) -> None:
    way = searchable(capability(vendor), type)
    assert (way.how, way.proves_absence) == (how, proves)
    assert way.because


def test_ways_that_a_statement_leaves() -> None:
    assert searchable(capability("open", Task=(ALL, ("subject",))), "Task").parameter == "subject"
    assert searchable(capability("open", Task=(ALL, ())), "Task").how is None
    assert searchable(capability("open", Task=(("create",), ("patient",))), "Task").how is None
    only_identifier = searchable(capability("generic", Task=(ALL, ("identifier",))), "Task")
    assert (only_identifier.how, only_identifier.proves_absence) == ("identifier", False)


def test_a_look_by_identifier_asks_for_the_reference() -> None:
    asked = request(searchable(OPEN, "Task"), OPEN, "Task", "p-1", REFERENCE)
    assert (asked.method, asked.path, asked.headers["Cache-Control"]) == ("POST", "Task/_search", "no-cache")
    assert parse_qs(asked.body.decode())["identifier"] == [f"{SYSTEM}|{REFERENCE}"]


def test_a_look_by_patient_asks_for_all_of_theirs() -> None:
    asked = request(searchable(EPIC, "DocumentReference"), EPIC, "DocumentReference", "p-1", REFERENCE)
    assert parse_qs(asked.body.decode()) == {"patient": ["p-1"], "_count": ["100"]}


def test_there_is_nothing_to_ask_without_a_way_or_an_id() -> None:
    with pytest.raises(ValueError, match="nothing to search by"):
        request(Way(None), OPEN, "Task", "p-1", REFERENCE)
    with pytest.raises(ValueError, match="nothing to search by"):
        request(searchable(OPEN, "Task"), OPEN, "Task", "a,b", REFERENCE)


# ── recognising ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "changes",
    [
        {"content": [], "description": ""},  # the identifier alone
        {"identifier": [], "content": [{"attachment": {"title": f"Note [{REFERENCE}]"}}]},
        {"identifier": [], "content": [{"attachment": {"data": base64.b64encode(REFERENCE.encode()).decode()}}]},
        {"identifier": [], "content": [], "description": f"Note [{REFERENCE}]"},
        {"identifier": {"system": SYSTEM, "value": REFERENCE}, "content": []},
    ],
)
def test_a_delivery_is_known_by_identifier_title_description_or_body(changes: type_json) -> None:
    assert found([page(stored(**changes))], REFERENCE, GENERIC).stands == (Stands("d-1", "1"),)


def test_what_was_sent_to_oracle_is_found_without_its_identifier() -> None:
    read = stored(identifier=[])
    assert found([page(read)], REFERENCE, ORACLE).stands == (Stands("d-1", "1"),)


def test_another_delivery_is_not_this_one() -> None:
    assert found([page(stored())], OTHER, GENERIC) == Found(whole=True)


def test_an_id_on_two_pages_counts_once_in_its_latest_version() -> None:
    pages = [page(stored(version="2", at="2026-03-06T00:00:00Z"), next="x"), page(stored(version="1"))]
    assert found(pages, REFERENCE, GENERIC).stands == (Stands("d-1", "2"),)


def test_two_deliveries_are_a_duplicate_and_the_first_is_kept() -> None:
    pages = [page(stored("d-2", at="2026-03-06T01:00:00+01:00"), stored("d-1", at="2026-03-05T23:00:00Z"))]
    looked = found(pages, REFERENCE, GENERIC)
    assert [stands.id for stands in looked.stands] == ["d-1", "d-2"]
    settled = verdict(looked, searchable(GENERIC, "DocumentReference"), 0)
    assert (settled.verdict, settled.stands, settled.duplicates) == (Verdict.DELIVERED, Stands("d-1", "1"), 1)


def test_what_somebody_withdrew_does_not_stand() -> None:
    looked = found([page(stored(status="entered-in-error"))], REFERENCE, GENERIC)
    assert (looked.stands, looked.withdrew) == ((), (Stands("d-1", "1"),))


@pytest.mark.parametrize(
    "resource", [{}, {"id": 7}, {"id": "../x"}, {"id": "d", "content": 7, "identifier": 7, "meta": 7}]
)
def test_a_resource_of_any_shape_is_looked_at(resource: type_json) -> None:
    assert found([page(resource)], REFERENCE, GENERIC).stands == ()


# ── when absence proves something ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "pages",
    [
        [],
        [page(next="https://elsewhere.example/page2")],
        [page(whole=False)],
        [page(whole=False), page()],
        [page(next="x")] * MOST_PAGES + [page()],
    ],
)
def test_a_search_that_is_not_whole_proves_nothing(pages: list[Page]) -> None:
    assert not found(pages, REFERENCE, OPEN).whole


def test_a_document_that_cannot_be_compared_leaves_the_search_open() -> None:
    assert not found([page(behind_url())], REFERENCE, GENERIC).whole
    assert not found([page(behind_url("Progress note"))], REFERENCE, GENERIC).whole


def test_a_kept_title_compares() -> None:
    assert found([page(behind_url("Progress note"))], REFERENCE, ORACLE).whole
    assert not found([page(behind_url())], REFERENCE, ORACLE).whole


def test_another_reference_or_identifier_of_ours_compares() -> None:
    assert found([page(behind_url(f"Note [{OTHER}]"))], REFERENCE, GENERIC).whole
    ours = behind_url(identifier=[{"system": SYSTEM, "value": OTHER}])
    assert found([page(ours)], REFERENCE, GENERIC).whole


def test_what_was_there_before_the_first_attempt_is_not_it() -> None:
    old = behind_url(meta={"lastUpdated": "2026-01-01T00:00:00Z"})
    assert found([page(old)], REFERENCE, GENERIC, since=BEFORE).whole
    late = behind_url(meta={"lastUpdated": "2027-01-01T00:00:00Z"})
    assert not found([page(late)], REFERENCE, GENERIC, since=BEFORE).whole
    undated = behind_url(meta={"lastUpdated": "2026-01-01"})
    assert not found([page(undated)], REFERENCE, GENERIC, since=BEFORE).whole


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────────────
PROVES, HINTS, NONE = Way("identifier", "identifier", True), Way("patient", "patient", False), Way(None, because="why")
STANDS, NOTHING = Found((Stands("d-1"),)), Found()


@pytest.mark.parametrize(
    ("looked", "way", "absent", "expected"),
    [
        (STANDS, PROVES, 0, Verdict.DELIVERED),
        (STANDS, HINTS, 5, Verdict.DELIVERED),
        (Found((Stands("d-1"),), whole=False), PROVES, 1, Verdict.DELIVERED),
        (NOTHING, PROVES, 0, Verdict.AGAIN),
        (NOTHING, PROVES, 1, Verdict.READY),
        (NOTHING, HINTS, 0, Verdict.AGAIN),
        (NOTHING, HINTS, 1, Verdict.PERSON),
        (Found(whole=False), PROVES, 0, Verdict.AGAIN),
        (Found(whole=False), PROVES, 1, Verdict.PERSON),
        (Found(withdrew=(Stands("d-1"),)), PROVES, 0, Verdict.PERSON),
        (NOTHING, NONE, 0, Verdict.PERSON),
        (None, PROVES, 0, Verdict.PERSON),
        (None, NONE, 1, Verdict.PERSON),
    ],
)
def test_verdicts(looked: Found | None, way: Way, absent: int, expected: Verdict) -> None:
    settled = verdict(looked, way, absent)
    assert settled.verdict is expected
    assert settled.because
    assert (settled.stands is not None) == (bool(looked and (looked.stands or looked.withdrew)))


def test_a_lost_update_is_told_by_what_stands() -> None:
    sent = {**stored(), "description": "two", "docStatus": "amended"}
    assert applied(Current({**sent, "authenticator": {"display": "x"}}, "2"), sent)
    assert not applied(Current(stored(), "1"), sent)


def test_a_server_that_keeps_less_than_it_is_sent_may_have_applied_it() -> None:
    sent = {**stored(), "docStatus": "amended"}
    kept = {key: value for key, value in sent.items() if key not in ("category", "date", "description")}
    assert applied(Current(kept, "2"), sent)


def test_an_update_whose_body_cannot_be_read_back_is_put_again() -> None:
    sent = stored()
    moved = {
        **sent,
        "content": [{"attachment": {"title": sent["content"][0]["attachment"]["title"], "url": "Binary/1"}}],
    }
    assert not applied(Current(moved, "2"), sent)
