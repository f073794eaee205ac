"""The practices' door: whose key, which agency, what is kept, what is said back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bridge.errors import ConfigError
from bridge.moves import referring
from bridge.store import referrals, tables
from tests.unit.api.opened import NOW, YAML, Opened, contact, opened
from tests.unit.referring import sent
from tests.unit.settings.project import API_KEY

ELM, OAK = "elm-street-key-of-thirty-letters", "oak-practice-key-of-thirty-letter"
KEYS = YAML.replace("    name: Elm", "    key: { env: ELM_KEY }\n    name: Elm").replace(
    "    name: Oak", "    key: { env: OAK_KEY }\n    name: Oak"
)


@pytest.fixture
def doors(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setenv("ELM_KEY", ELM)
    monkeypatch.setenv("OAK_KEY", OAK)
    with opened(tmp_path, sqlite_url, KEYS) as one:
        yield one


def refer(
    doors: Opened, resource: Any, practice: str = "elm", agency: str = "harbor", key: str = ELM, **more: Any
) -> httpx.Response:
    said = {"content": resource} if isinstance(resource, bytes) else {"json": resource}
    path = f"/practices/{practice}/agencies/{agency}/referrals"
    return doors.client.post(path, headers={"Authorization": f"Bearer {key}", **more}, **said)


def test_r26_a_referral_is_received_without_any_consent_and_the_agency_is_asked(doors: Opened) -> None:
    answer = refer(doors, sent.contained())
    assert answer.status_code == 202
    assert answer.json()["fate"] == "new"
    with doors.ledger.read() as connection:
        (found,) = referrals.listed(connection, "harbor")
        (hold,) = connection.execute(select(tables.hold)).all()
        assert connection.execute(select(tables.entry)).all() == [], "nothing flows back by it"
    assert (found["id"], found["state"], found["status"], found["subject"]) == (
        answer.json()["referral"], "received", "active", "",
    )  # fmt: skip
    assert (hold.reason, hold.owner, hold.practice, hold.agency) == ("referral", "agency", "elm", "harbor")
    assert ("Because", "Sleepless nights") in referring.words(doors.line, found)


def test_a_resend_is_known_and_every_version_is_kept(doors: Opened) -> None:
    first = refer(doors, sent.contained()).json()
    assert refer(doors, sent.contained()).json() == {"referral": first["referral"], "fate": "resend"}
    fates = [
        refer(doors, sent.contained(priority="urgent", meta={"lastUpdated": "2026-02-20T10:00:00Z"})).json()["fate"],
        refer(doors, sent.contained(priority="stat", meta={"lastUpdated": "2026-02-19T10:00:00Z"})).json()["fate"],
        refer(doors, sent.contained(status="revoked", meta={"lastUpdated": "2026-02-21T10:00:00Z"})).json()["fate"],
    ]
    assert fates == ["version", "older", "void"]
    with doors.ledger.read() as connection:
        kept = connection.execute(select(tables.referral).order_by(tables.referral.c.ordinal)).all()
        (hold,) = connection.execute(select(tables.hold).where(tables.OPEN_HOLD)).all()
    assert [row.state for row in kept] == ["superseded", "superseded", "superseded", "received"]
    assert "took its referral back" in hold.rule


@pytest.mark.parametrize(
    ("practice", "agency", "key", "status"),
    [
        ("elm", "harbor", "", 401),
        ("elm", "harbor", "an-unknown-key-of-thirty-letters", 401),
        ("elm", "harbor", OAK, 403),
        ("elm", "harbor", API_KEY, 403),
        ("elm", "cedar", ELM, 403),  # it does not serve this practice
        ("elm", "nowhere", ELM, 403),
        ("nowhere", "harbor", ELM, 403),
    ],
)
def test_a_practice_speaks_for_itself_alone_and_to_its_own_agencies(
    doors: Opened, practice: str, agency: str, key: str, status: int
) -> None:
    answer = refer(doors, sent.contained(), practice, agency, key)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    with doors.ledger.read() as connection:
        assert connection.execute(select(tables.referral)).all() == []


def test_a_practices_key_opens_no_other_door(doors: Opened) -> None:
    assert doors.post(contact(), key=ELM).status_code == 403
    assert doors.client.get("/agencies/harbor/records/1", headers={"X-API-Key": ELM}).status_code == 403


@pytest.mark.parametrize(
    ("body", "media", "status", "code"),
    [
        (b"{", "application/fhir+json", 422, "file-json"),
        (b"[]", "application/fhir+json", 422, "referral-one"),
        (b'{"resourceType":"ServiceRequest","status":"Q7secret"}', "application/fhir+json", 422, "referral-fhir"),
        (b"<xml/>", "application/fhir+xml", 415, "request-media-type"),
        (b"{" + b" " * 5000 + b"}", "application/json", 413, "request-too-large"),
    ],
)
def test_what_is_none_is_refused_without_a_value(
    doors: Opened, body: bytes, media: str, status: int, code: str
) -> None:
    answer = refer(doors, body, **{"Content-Type": media})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Q7secret" not in answer.text


def test_nothing_of_it_is_in_a_column_and_it_moves_under_the_key_of_whom_it_is_about(doors: Opened) -> None:
    refer(doors, sent.contained())
    doors.post([contact()])
    with doors.ledger.read() as connection:
        (row,) = connection.execute(select(tables.referral)).all()
        cells = str(connection.execute(select(tables.referral)).all())
        cells += str(connection.execute(select(tables.hold)).all()) + str(
            connection.execute(select(tables.audit)).all()
        )
        cells += str(connection.execute(select(tables.blob.c.content)).all())
    for secret in ("Ejemplo", "m-1", "REF-77", "Sleepless", "2021-03-04", "Chen"):
        assert secret not in cells
    assert referring.place(doors.line, row.id, "c-1", "ana", NOW)
    assert not referring.place(doors.line, row.id, "c-1", "ana", NOW)
    with doors.ledger.read() as connection:
        found = referrals.one(connection, row.id)
        assert found is not None
        (link,) = connection.execute(select(tables.link)).all()
        (blob,) = connection.execute(
            select(tables.blob.c.person).where(tables.blob.c.id == found["raw_blob"])
        ).scalars()
        assert connection.execute(select(tables.blob.c.id).where(tables.blob.c.id == row.raw_blob)).all() == []
        assert (
            connection.execute(select(tables.hold).where(tables.OPEN_HOLD, tables.hold.c.reason == "referral")).all()
            == []
        )
    assert (found["state"], found["subject"], blob) == ("placed", "c-1", link.person)
    assert (link.basis, link.practice) == ("referral", "elm")
    assert ("Because", "Sleepless nights") in referring.words(doors.line, found)


def test_r10_the_practices_own_number_places_the_next_referral_and_a_name_places_none(doors: Opened) -> None:
    doors.post([contact(), contact("k-2", child="c-2")])
    first = refer(doors, sent.contained()).json()["referral"]
    referring.place(doors.line, first, "c-1", "ana", NOW)
    again = {"identifier": [{"system": "urn:oid:2.16.840.1.113883.19.5.2", "value": "REF-78"}]}
    refer(doors, sent.contained(**again))
    named_alike = {**sent.contained(identifier=[{"system": "urn:x", "value": "9"}]), "contained": [sent.patient("m-2")]}
    refer(doors, named_alike)
    with doors.ledger.read() as connection:
        found = referrals.listed(connection, "harbor")
    assert sorted((one["state"], one["subject"]) for one in found) == [
        ("placed", "c-1"),
        ("placed", "c-1"),
        ("received", ""),
    ]


@pytest.mark.parametrize("why", ["nobody", "another's number", "another number"])
def test_r25_a_referral_is_not_placed_where_the_numbers_say_otherwise(doors: Opened, why: str) -> None:
    doors.post([contact(), contact("k-2", child="c-2")])
    first = refer(doors, sent.contained()).json()["referral"]
    person = "nobody"
    if why == "another's number":
        link(doors, "c-2", "m-1")
        person = "c-1"
    elif why == "another number":
        link(doors, "c-1", "m-9")
        person = "c-1"
    with pytest.raises(ConfigError):
        referring.place(doors.line, first, person, "ana", NOW)


def link(doors: Opened, person: str, number: str) -> None:
    from bridge.moves import granting
    from bridge.store import permissions

    made = granting.link_of(doors.line, "harbor", person, "elm", sent.SYSTEM, number, "roster", "test", NOW)
    doors.ledger.write(permissions.make_link, made)


def test_what_the_agency_does_not_take_is_answered_once(doors: Opened) -> None:
    first = refer(doors, sent.contained()).json()["referral"]
    assert referring.decline(doors.line, first, "ana", NOW)
    assert not referring.decline(doors.line, first, "ana", NOW)
    with doors.ledger.read() as connection:
        (found,) = referrals.listed(connection)
    assert (found["state"], found["answered_by"]) == ("declined", "ana")
