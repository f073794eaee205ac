"""`POST /agencies/{agency}/records`: every item's fate, every refusal in words, and never a value of what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from bridge.store import tables
from bridge.store.ledger import Ledger, get_blobs
from tests.unit.api.golden import matches
from tests.unit.api.opened import CEDAR_KEY, Opened, contact
from tests.unit.settings.project import API_KEY

CANARY = "Zzyzx-Quetzal"


def kept(ledger: Ledger) -> list[dict[str, Any]]:
    """What the ledger has of every record, decrypted."""
    with ledger.read() as connection:
        ids = connection.execute(select(tables.record.c.raw_blob).order_by(tables.record.c.id)).scalars().all()
        blobs = get_blobs(connection, ledger.keys, ids)
    return [json.loads(blobs[one]) for one in ids]


def fates(answer: Any) -> list[str]:
    return [item["fate"] for item in answer.json()["items"]]


# ── what is taken ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_one_record_is_accepted_and_durable_before_the_answer(doors: Opened) -> None:
    answer = doors.post(contact())
    assert (answer.status_code, fates(answer)) == (202, ["new"])
    assert [record["id"] for record in kept(doors.ledger)] == ["k-1"]


def test_an_array_and_lines_are_taken_item_by_item(doors: Opened) -> None:
    assert fates(doors.post([contact("a"), contact("b")])) == ["new", "new"]
    lines = b"\n".join(json.dumps(contact(one)).encode() for one in ("c", "d")) + b"\n"
    assert fates(doors.post(lines, headers={"Content-Type": "application/x-ndjson"})) == ["new", "new"]
    assert len(kept(doors.ledger)) == 4


def test_each_item_may_name_its_own_kind(doors: Opened) -> None:
    items = [
        {"kind": "ma-soc/contact", "record": contact()},
        {"kind": "ma-soc/child", "record": {"id": "c-1", "name": {"family": "Ejemplo", "given": ["Luz"]}}},
    ]
    assert fates(doors.post(items, kind="")) == ["new", "new"]


def test_every_fate_is_told_and_two_contacts_on_one_day_stay_two(doors: Opened) -> None:
    """R20: a resend of one contact collapses, two contacts on one day do not."""
    assert fates(doors.post([contact("a"), contact("b")])) == ["new", "new"]
    later, earlier = "2026-03-03T10:00:00-05:00", "2026-02-01T10:00:00-05:00"
    said = [
        contact("a"),
        contact("a", updated_at=later),
        contact("a", updated_at=earlier),
        contact("c", status="draft"),
        contact("b", status="void", updated_at=later),
        contact("d", started="2026-06-30T10:00:00-05:00", ended="2026-06-30T11:00:00-05:00"),
    ]
    assert fates(doors.post(said)) == ["resend", "version", "older", "unfinished", "void", "rejected"]


def test_nothing_is_sent_and_nothing_is_wrong(doors: Opened) -> None:
    answer = doors.post([])
    assert (answer.status_code, answer.json()) == (202, {"items": []})


def test_what_is_never_collected_is_gone_before_it_is_kept(doors: Opened) -> None:
    """R24: removed before storage."""
    assert fates(doors.post(contact(self_disclosure=CANARY, supervision_notes=CANARY))) == ["new"]
    assert CANARY not in json.dumps(kept(doors.ledger))


# ── what is not, and the good beside it ───────────────────────────────────────────────────────────────────────────
GOOD = json.dumps(contact("good"))
BAD: dict[str, tuple[bytes, str]] = {
    "malformed": (f"[{GOOD}, {{{CANARY}".encode(), "application/json"),
    "malformed-line": (f'{GOOD}\n{{"{CANARY}": \n'.encode(), "application/x-ndjson"),
    "oversized": (f"[{GOOD}, {json.dumps(contact('big', narrative=CANARY * 400))}]".encode(), "application/json"),
    "oversized-line": (f"{GOOD}\n{json.dumps(contact('big', narrative=CANARY * 400))}\n".encode(), "application/jsonl"),
    "wrong-encoding": (
        f"[{GOOD}, ".encode() + json.dumps(contact("é" + CANARY), ensure_ascii=False).encode("latin-1") + b"]",
        "application/json",
    ),
    "duplicate-key": (f'[{GOOD}, {{"id": "x", "id": "{CANARY}"}}]'.encode(), "application/json"),
    "not-an-object": (f'[{GOOD}, "{CANARY}"]'.encode(), "application/json"),
    "future-dated": (f"[{GOOD}, {json.dumps(contact(CANARY, started='2026-06-30T10:00:00Z'))}]".encode(), ""),
    "unknown-field": (f"[{GOOD}, {json.dumps(contact('x', **{CANARY: CANARY}))}]".encode(), "application/json"),
    "wrong-value": (f"[{GOOD}, {json.dumps(contact('x', status=CANARY))}]".encode(), "application/json"),
    "no-id": (f"[{GOOD}, {json.dumps({**contact(), 'id': ''})}]".encode(), "application/json"),
    "number": (f"[{GOOD}, {json.dumps(contact('x', narrative=float('nan')))}]".encode(), "application/json"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_without_its_value_and_what_is_good_beside_it_is_kept(
    doors: Opened, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    body, media = BAD[name]
    answer = doors.post(body, headers={"Content-Type": media} if media else {})
    assert answer.status_code == 202
    assert fates(answer) == ["new", "rejected"]
    assert [record["id"] for record in kept(doors.ledger)] == ["good"]
    problem = answer.json()["items"][1]["problem"]
    assert CANARY not in answer.text + str(answer.headers) + caplog.text
    assert matches(name, problem)


def test_an_unknown_kind_is_told_with_those_there_are(doors: Opened) -> None:
    answer = doors.post([{"kind": f"ma-soc/{CANARY}", "record": contact()}, {"kind": 7, "record": {}}], kind="")
    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert matches("unknown-kind", answer.json())
    assert doors.post(contact(), kind="ma-soc/nothing").status_code == 422
    assert kept(doors.ledger) == []


def test_all_rejected_is_422_as_problem_json_with_every_item(doors: Opened) -> None:
    answer = doors.post([7, CANARY])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert matches("all-rejected", answer.json())


def test_an_empty_body_is_rejected(doors: Opened) -> None:
    answer = doors.post(b"", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert matches("empty", answer.json())


# ── the request as a whole ────────────────────────────────────────────────────────────────────────────────────────
REFUSED: dict[str, tuple[int, Callable[[Opened], Any]]] = {
    "no-key": (401, lambda doors: doors.client.post("/agencies/harbor/records", json=contact(CANARY))),
    "wrong-key": (401, lambda doors: doors.post(contact(CANARY), key=CANARY)),
    "other-agency": (403, lambda doors: doors.post(contact(CANARY), key=CEDAR_KEY)),
    "no-such-agency": (403, lambda doors: doors.post(contact(CANARY), agency=CANARY)),
    "media-type": (415, lambda doors: doors.post(b"x", headers={"Content-Type": f"text/{CANARY}"})),
    "utf-16": (415, lambda doors: doors.post(CANARY.encode("utf-16"), headers={"Content-Type": "application/json"})),
    "compressed": (415, lambda doors: doors.post(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})),
    "too-large": (413, lambda doors: doors.post(CANARY.encode() * 100_000, headers={"Content-Type": "text/json"})),
    "no-such-place": (404, lambda doors: doors.client.get(f"/agencies/{CANARY}/things")),
    "no-such-method": (405, lambda doors: doors.client.ask("DELETE", "/agencies/harbor/records")),
    "no-number": (422, lambda doors: status(doors, CANARY)),
    "no-such-record": (404, lambda doors: status(doors, "17")),
}


def status(doors: Opened, record: str, agency: str = "harbor", key: str = "") -> Any:
    return doors.client.get(f"/agencies/{agency}/records/{record}", headers={"X-API-Key": key or API_KEY})


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_refused_as_a_whole_is_problem_json_without_a_value(doors: Opened, name: str) -> None:
    expected, ask = REFUSED[name]
    answer = ask(doors)
    assert answer.status_code == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text + str(answer.headers)
    assert matches(f"request-{name}", answer.json())
    assert kept(doors.ledger) == []


def test_a_refusal_says_how_to_be_known_and_which_methods_there_are(doors: Opened) -> None:
    assert REFUSED["no-key"][1](doors).headers["www-authenticate"] == "Bearer"
    assert "POST" in REFUSED["no-such-method"][1](doors).headers["allow"]


def test_a_key_is_taken_from_either_header_and_no_other_scheme(doors: Opened) -> None:
    assert status(doors, "1").status_code == 404
    basic = doors.client.get("/agencies/harbor/records/1", headers={"Authorization": "Basic an-api-key"})
    assert basic.status_code == 401


def test_below_the_free_space_limit_nothing_is_taken(doors: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "free_mebibytes", lambda self: 3)
    answer = doors.post(contact())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert matches("request-full", answer.json())
    assert kept(doors.ledger) == []


def test_where_a_record_got_to_is_told_to_its_own_agency_only(doors: Opened) -> None:
    number = doors.post(contact(narrative=CANARY)).json()["items"][0]["record"]
    answer = status(doors, str(number))
    assert answer.status_code == 200
    assert answer.json() == {"record": number, "state": "accepted", "final": True, "entries": [], "holds": []}
    assert status(doors, str(number), key=CEDAR_KEY).status_code == 403
    assert status(doors, str(number), agency="cedar", key=CEDAR_KEY).status_code == 404


def test_a_ledger_that_fails_is_503_and_shows_nothing(doors: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    doors.ledger.writer.close()
    answer = doors.post(contact(CANARY))
    assert answer.status_code == 503
    assert CANARY not in answer.text
    assert answer.json()["code"] == "ledger-closed"


def test_what_nobody_foresaw_is_500_without_its_message(
    doors: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise ValueError(f"{CANARY} is the mother's name")

    monkeypatch.setattr("bridge.pipeline.accept", fail)
    answer = doors.post(contact())
    assert answer.status_code == 500
    assert CANARY not in answer.text
    assert matches("request-unforeseen", answer.json())
    assert CANARY not in " ".join(str(record.msg) + str(record.__dict__.get("fields")) for record in caplog.records)
