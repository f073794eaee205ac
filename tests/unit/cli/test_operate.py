"""`bridge status`, `work`, `restored` and `access`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.console import signing
from bridge.model import EntryState
from bridge.store import leases, sessions, steps, tables
from tests.unit.api.opened import DAY
from tests.unit.cli.conftest import Command
from tests.unit.cli.golden import matches
from tests.unit.store.making import (
    NEEDS_CONSENT,
    NOW,
    begin,
    claim,
    claim_lane,
    entry_plan,
    finish,
    item,
    keep,
    rows,
    save,
)  # fmt: skip


def test_an_empty_ledger_stands_at_nothing(command: Command) -> None:
    told = command("status")
    assert (told.code, told.out) == (0, "records   none\nentries   none\nheld      none\n")
    found = command("status", "--json").json
    assert set(found) == {
        "records", "entries", "holds", "practices", "consents_ending", "incidents", "connections", "handoffs",
        "suspended", "down", "failing",
    }  # fmt: skip
    assert found["records"] == {"accepted": 0, "translated": 0, "held": 0, "superseded": 0, "waiting": 0}
    assert set(found["entries"].values()) == {0}


def test_where_everything_stands(command: Command, tmp_path: Path) -> None:
    with command.ledger() as ledger:
        keep(ledger, item("a"), item("b"), item("c"))
        first, second, _ = claim(ledger)
        assert save(ledger, first, entry_plan(practice="elm"))
        assert save(ledger, second, entry_plan(practice="elm", hold=NEEDS_CONSENT))
        ledger.write(leases.set_circuit, leases.Circuit("one", NOW * 2, "login refused"))
    told = command("status")
    waits = told.out.partition("the oldest waits ")[2].partition(" ")[0]
    assert int(waits) > 0
    assert matches("status", re.sub(r"(waits|oldest for) \d+ s", r"\1 N s", told.out), tmp_path)
    found = command("status", "--json").json
    assert found["practices"]["elm"]["entries"]["held"] == 1
    assert found["down"] == {"one": "login refused"}
    (one,) = (of for of in found["connections"] if of["connection"] == "one")
    assert (one["state"], one["why"], one["waiting"], one["holds"]) == ("down", "login refused", 1, {"consent": 1})


def test_a_worker_ends_when_nothing_is_left(command: Command) -> None:
    told = command("work", "--until-idle", "--json")
    assert (told.code, told.json["records"]["accepted"]) == (0, 0)
    assert "statement-unread connection=one" in told.err  # nobody is there


def test_after_a_backup_a_new_era_begins(command: Command) -> None:
    told = command("restored", "--reason", "disk")
    assert (told.code, told.out.startswith("era 2 begins")) == (0, True)
    with command.ledger() as ledger:
        assert [row["reason"] for row in rows(ledger, tables.era)] == ["first", "disk"]


def test_who_may_sign_in_is_listed(command: Command, tmp_path: Path) -> None:
    told = command("access", "people")
    assert (told.code, matches("access-people", told.out, tmp_path)) == (0, True)
    assert [one["id"] for one in command("access", "people", "--json").json] == ["ana", "cal", "lee", "pat"]


@pytest.mark.parametrize("hours", [24, 2])
def test_a_link_signs_in_whom_it_was_made_for(command: Command, hours: int) -> None:
    told = command("access", "link", "ana", *([] if hours == 24 else ["--hours", "2"]))
    assert told.code == 0
    assert told.out.startswith("http://127.0.0.1:8080/console/sign-in/")
    token = told.out.strip().rpartition("/")[2]
    with command.ledger() as ledger:
        (row,) = rows(ledger, tables.session)
        (note,) = rows(ledger, tables.audit)
        redeem = sessions.Redeem(signing.digest(token), "session", note["at"], note["at"] + DAY)
        opened = ledger.write(sessions.redeem, redeem)
    assert row["expires_at"] == note["at"] + hours * signing.HOUR
    assert (note["agency"], note["action"], note["object"]) == ("harbor", "sign-in-link", "person ana")
    assert opened is not None
    assert (opened.user, opened.role) == ("ana", "agency-staff")


def test_nobody_else_gets_a_link(command: Command, tmp_path: Path) -> None:
    told = command("access", "link", "anna")
    assert (told.code, matches("access-unknown", told.err, tmp_path)) == (2, True)
    told = command("serve", "--sign-in", "anna", "--port", "0")
    assert (told.code, matches("access-unknown", told.err, tmp_path)) == (2, True)


def test_the_link_is_at_the_address_people_use(command: Command) -> None:
    path = command.folder / "bridge.yaml"
    path.write_text(path.read_text() + "server: { url: https://bridge.example }\n")
    found = command("access", "link", "ana", "--json").json
    assert found["link"].startswith("https://bridge.example/console/sign-in/")
    assert found["hours"] == 24


def test_a_practice_is_suspended_and_goes_on(command: Command, tmp_path: Path) -> None:
    assert command("practices", "list").out.startswith("elm: 0 of at most 100000 waiting at one\noak: ")
    assert command("practices", "suspend", "elm", "--reason", "they move house").out == "suspended\n"
    assert command("practices", "suspend", "elm", "--json").json == {"changed": False}
    assert "  elm is suspended since " in command("status").out
    assert "by command: they move house" in command("practices", "list").out
    assert command("status", "--json").json["suspended"]["elm"]["reason"] == "they move house"
    assert command("practices", "resume", "elm").out == "what waited goes now\n"
    assert command("practices", "resume", "elm").out == "it was not suspended; nothing was changed\n"
    assert command("practices", "list", "--json").json[0]["suspended"] is None
    told = command("practices", "suspend", "elmo")
    assert (told.code, matches("practice-unknown", told.err, tmp_path)) == (2, True)


def test_one_records_whole_life_is_told(command: Command, tmp_path: Path) -> None:
    with command.ledger() as ledger:
        keep(ledger, item("a"))
        (work,) = claim(ledger)
        assert save(ledger, work, entry_plan(practice="elm"))
        lane = claim_lane(ledger)
        assert begin(ledger, lane, lane.entries[0])[0] is steps.Begun.YES
        step = rows(ledger, tables.step)[0]["id"]
        again = {"step": step, "answer": "retry-later", "code": "not-now", "due": NOW}
        assert finish(ledger, lane, lane.entries[0], EntryState.READY, **again)
        ledger.write(leases.set_circuit, leases.Circuit("one", NOW * 2, "not reachable", NOW))
    told = command("record", str(work.id))
    assert told.code == 0
    assert matches("record", told.out.replace(str(work.id), "N", 1), tmp_path)
    thing = command("record", "harbor/ma-soc/contact/a", "--json").json
    assert (thing["record"], thing["state"]) == (work.id, "translated")
    assert thing["now"] == ["Document for Elm Street Pediatrics: waits its turn; not reachable"]
    told = command("record", "harbor/ma-soc/contact/b")
    assert (told.code, matches("record-unknown", told.err, tmp_path)) == (2, True)
