"""`/health` and `/metrics`: what a monitor may know, and nobody's name in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bridge.store import budgets, leases, suspending, tables, views
from bridge.store.ledger import Ledger
from tests.unit.api.opened import DAY, NOW, YAML, Opened, contact, opened
from tests.unit.console.visiting import visit
from tests.unit.store.making import NEEDS_CONSENT, NEEDS_ROW, claim, entry_plan, save

CANARY = "Zzyzx-Quetzal"


def numbers(doors: Opened) -> dict[str, float]:
    answer = doors.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_health_is_good_while_the_ledger_answers_and_has_room(doors: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = doors.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "ledger": "answers"})
    monkeypatch.setattr(Ledger, "free_mebibytes", lambda self: 3)
    answer = doors.client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "ledger": "no room"})


def test_health_says_when_the_ledger_does_not_answer(doors: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with doors.ledger.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE lease")
    monkeypatch.setattr("bridge.api.metrics.PROBE", "SELECT * FROM lease")
    answer = doors.client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "ledger": "does not answer"})


def test_counts_are_of_every_state_zeros_too(doors: Opened) -> None:
    found = numbers(doors)
    assert found['bridge_records{state="accepted"}'] == 0
    assert found['bridge_connection_down{connection="one"}'] == 0
    doors.post([contact("a"), contact("b")])
    assert numbers(doors)['bridge_records{state="accepted"}'] == 2


def test_what_waits_is_counted_by_practice_and_reason_and_nobody_is_named(doors: Opened) -> None:
    doors.post([contact(f"k-{n}", child=CANARY, narrative=f"{CANARY} slept") for n in range(3)])
    held, ready, refused = claim(doors.ledger, now=NOW, until=NOW + DAY)
    plan = {"practice": "elm", "person": CANARY}
    assert save(doors.ledger, held, holds=(NEEDS_ROW,), now=NOW)
    assert save(doors.ledger, ready, entry_plan(**plan), now=NOW)
    assert save(doors.ledger, refused, entry_plan(hold=NEEDS_CONSENT, **plan), now=NOW)
    doors.ledger.write(leases.set_circuit, leases.Circuit("one", NOW + DAY, f"login refused {CANARY}"))
    doors.clock.now += 90_000_000
    found = numbers(doors)
    assert found['bridge_entries{practice="elm",state="ready"}'] == 1
    assert found['bridge_entries{practice="elm",state="held"}'] == 1
    assert found['bridge_oldest_seconds{practice="elm"}'] == 90
    assert found['bridge_holds{reason="consent"}'] == 1
    assert found['bridge_holds{reason="table"}'] == 1
    assert found['bridge_connection_down{connection="one"}'] == 1
    assert CANARY not in doors.client.get("/metrics").text
    assert found['bridge_connection_waiting{connection="one"}'] == 1
    assert found['bridge_connection_oldest_seconds{connection="one"}'] == 90
    assert found['bridge_connection_holds{connection="one",reason="consent"}'] == 1
    entry = tables.entry
    with doors.ledger.engine.begin() as connection:  # one behind another of its record; the other may open by itself
        connection.execute(update(entry).where(entry.c.state == "ready").values(due_at=None))
        connection.execute(update(entry).where(entry.c.state == "held").values(due_at=NOW + DAY))
    found = numbers(doors)
    assert found['bridge_connection_waiting{connection="one"}'] == 0
    assert found['bridge_connection_oldest_seconds{connection="one"}'] == 0
    assert 'bridge_oldest_seconds{practice="elm"}' not in found
    assert found['bridge_practice_suspended{practice="elm"}'] == 0


def test_a_cause_a_wait_and_what_is_left_are_numbers_too(doors: Opened) -> None:
    minute = budgets.minute_of(doors.clock.now)
    ask = budgets.Ask("one", minute + 2_000_000, NOW, NOW + DAY, budgets.Most(), 30, 0)
    doors.ledger.write(budgets.take, ask)
    doors.ledger.write(leases.set_circuit, leases.Circuit("one", NOW + DAY, "not reachable", NOW))
    doors.ledger.write(budgets.too_many, budgets.TooMany("one", ask.now, ask.now, "it asked us to wait", learn=True))
    doors.ledger.write(suspending.suspend, suspending.Suspend("elm", "moving", "ana", NOW))
    doors.clock.now = minute + 60_000_000
    found = numbers(doors)
    circuit = {
        name: found[f'bridge_connection_circuit{{cause="{name}",connection="one"}}'] for name in ("tls", "login")
    }
    assert circuit == {"tls": 0, "login": 0}
    assert found['bridge_connection_circuit{cause="unreachable",connection="one"}'] == 1
    assert found['bridge_connection_requests_a_minute{connection="one"}'] == 6
    assert found['bridge_connection_budget_left{connection="one",span="minute"}'] == 27
    assert found['bridge_practice_suspended{practice="elm"}'] == 1


def test_a_hand_off_that_is_down_is_a_number_with_its_cause(tmp_path: Path, sqlite_url: str) -> None:
    way = "name: Elm Street Pediatrics\n    handoff: { way: mllp, host: 127.0.0.1, port: 9 }"
    with opened(tmp_path, sqlite_url, YAML.replace("name: Elm Street Pediatrics", way)) as doors:
        doors.ledger.migrate()
        assert numbers(doors)['bridge_handoff_down{practice="elm",way="mllp"}'] == 0
        down = leases.Circuit("hand-off/elm", NOW + DAY, "engine not reachable", NOW)
        doors.ledger.write(leases.set_circuit, down)
        found = numbers(doors)
        assert found['bridge_handoff_down{practice="elm",way="mllp"}'] == 1
        causes = {
            name: found[f'bridge_handoff_circuit{{cause="{name}",practice="elm"}}']
            for name in ("engine", "certificate")
        }
        assert causes == {"engine": 1, "certificate": 0}
        assert found['bridge_connection_down{connection="one"}'] == 0, "its EHR is another matter"
        text = visit(doors, "pat").read("/practices")
        assert "elm mllp Down for less than a minute Engine not reachable. Ask who runs the interface engine" in text
        page = visit(doors, "ana").read("/practices/elm")
        assert "Hand-off down engine not reachable; what waits is handed over by itself when it is back" in page


def test_the_address_alone_leads_to_the_pages(doors: Opened) -> None:
    answer = doors.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")


def test_the_entries_are_counted_once_for_one_answer(doors: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = 0

    def practice_counts(*asked: Any) -> dict[str, dict[str, Any]]:
        nonlocal counted
        counted += 1
        return dict(real(*asked))

    real = views.practice_counts
    monkeypatch.setattr(views, "practice_counts", practice_counts)
    assert doors.client.get("/metrics").status_code == 200
    assert counted == 1
