"""Records, one record's life, people and practices: where things are, in plain words, each agency its own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from bridge.store import leases, statements, suspending, tables
from tests.unit.api.opened import DAY, NOW, Opened, contact
from tests.unit.console.test_answers import CONSENT, LINK
from tests.unit.console.visiting import GROUP, Reader, accept, delivered, held_entry, held_record, to, trail, visit
from tests.unit.store.making import one, save
from tests.unit.store.making import person as person_of

CANARY = "Zzyzx-Quetzal"


def test_each_record_says_where_it_is(doors: Opened) -> None:
    delivered(doors, "k-1")
    held_entry(doors, CONSENT, "k-2")
    held_record(doors, GROUP, "k-3")
    accept(doors, contact("k-4", status="draft"))
    accept(doors, contact("k-5"))
    text = visit(doors, "ana").read("/records")
    for words in (
        "Contact k-1 c-1 28 May 2026, 16:26 Elm Street Pediatrics In the chart",
        "Contact k-2 c-1 28 May 2026, 16:26 Elm Street Pediatrics Held back",
        "Contact k-3 c-1 28 May 2026, 16:26 Waits for an answer",
        "Contact k-4 c-1 28 May 2026, 16:26 Received, not signed yet",
        "Contact k-5 c-1 28 May 2026, 16:26 Received",
    ):
        assert words in text


def test_records_are_narrowed_down_and_come_in_pages(doors: Opened) -> None:
    delivered(doors, "there")
    accept(doors, *(contact(f"k-{number}") for number in range(60)))
    ana = visit(doors, "ana")
    first = ana.get("/records").text
    assert "Show older ones" in first
    assert "there" not in Reader(first).text
    older = first.partition('href="?')[2].partition('"')[0].replace("&amp;", "&")
    assert "Contact there" in ana.read(f"/records?{older}")
    assert "Contact k-" not in ana.read("/records?state=delivered&practice=elm")
    assert "Contact there" in ana.read("/records?state=delivered&practice=elm")
    assert "No records here." in ana.read("/records?state=refused")
    assert "Contact k-" in ana.read(f"/records?state={CANARY}&practice={CANARY}")


def test_a_record_tells_its_life_from_arrival_to_chart(doors: Opened) -> None:
    hold = held_entry(doors, LINK)
    number = one(doors.ledger, tables.record)["id"]
    ana = visit(doors, "ana")
    text = ana.read(f"/records/{number}")
    assert "Waits since" not in text
    assert "What it waits for Which patient is this? · Elm Street Pediatrics" in text
    assert "Received from Harbor Family Partners" in text
    assert "Held: Which patient is this? (document for Elm Street Pediatrics)" in text
    doors.clock.now += 1
    ana.follow(ana.send(f"/holds/{hold}", "/link", {"patient": "77"}))
    text = ana.read(f"/records/{number}")
    assert "No longer held: the practice's identifier arrived (document for Elm Street Pediatrics)" in text


def test_what_was_sent_and_what_came_back_is_told(doors: Opened) -> None:
    text = visit(doors, "ana").read(f"/records/{delivered(doors)}")
    assert "A contact with a family" in text
    assert "Sent to Elm Street Pediatrics: a new document" in text
    assert "Elm Street Pediatrics: in the chart The EHR took it. (HTTP 201)" in text
    assert "DB-document doc-1" in text


def test_every_version_of_a_thing_is_told_with_the_way_to_it(doors: Opened) -> None:
    first = delivered(doors)
    doors.clock.now += 1
    (second,) = accept(doors, contact("k-1", status="void", updated_at="2026-03-09T10:00:00-05:00"))
    ana = visit(doors, "ana")
    for number in (first, second.id):
        page = ana.get(f"/records/{number}").text
        text = Reader(page).text
        assert "Version 1 , 2 of 2" in text
        assert "Received from Harbor Family Partners (version 2) The agency made it void" in text
        assert f'href="/console/records/{first if number == second.id else second.id}"' in page


def test_a_person_is_found_by_the_agencys_id_without_it_in_the_address(doors: Opened) -> None:
    delivered(doors)
    ana = visit(doors, "ana")
    answer = ana.send("/records", "/people", {"person": " c-1 "})
    number = person_of(doors.ledger, "c-1")["id"]
    assert answer.headers["location"] == f"/console/people/{number}"
    text = ana.follow(answer)
    assert "Person c-1" in text
    assert "None in force no consent of this person for this practice is recorded Not known" in text
    assert "Elm Street Pediatrics In the chart" in text
    nobody = ana.send("/records", "/people", {"person": CANARY})
    assert nobody.status_code == 404
    assert CANARY not in nobody.text


def test_consents_are_given_and_taken_back_on_the_persons_page(doors: Opened) -> None:
    delivered(doors)
    ana = visit(doors, "ana")
    page = f"/people/{person_of(doors.ledger, 'c-1')['id']}"
    said = {"practice": "elm", "start": "2026-01-05", "narrative": "yes"}
    assert "The consent is recorded." in ana.follow(ana.send(page, f"{page}/consent", said))
    assert "Elm Street Pediatrics In force facts and notes" in ana.read(page)
    assert "This consent was recorded before" in ana.follow(ana.send(page, f"{page}/consent", said))
    doors.clock.now += DAY
    ana = visit(doors, "ana")
    assert "The consent has ended." in ana.follow(ana.send(page, f"{page}/end", {"practice": "elm"}))
    text = ana.read(page)
    assert "None in force this person's consent for this practice was revoked" in text
    assert "5 Jan 2026 no end facts and notes 29 May 2026 28 May 2026 a person, on these pages" in text
    assert "There was no consent in force to end." in ana.follow(ana.send(page, f"{page}/end", {"practice": "elm"}))
    done = [line[2] for line in trail(doors) if line[1] == "ana"]
    assert done == ["sign-in", "consent-give", "consent-give", "sign-in", "consent-revoke", "consent-revoke"]
    wrong = ana.send(page, f"{page}/consent", {**said, "start": ""})
    assert (wrong.status_code, "must be filled" in Reader(wrong.text).text) == (422, True)


@pytest.mark.parametrize("person", ["cal", "lee", "pat"])
def test_only_the_familys_own_agency_records_and_ends_consents(doors: Opened, person: str) -> None:
    delivered(doors)
    page = f"/people/{person_of(doors.ledger, 'c-1')['id']}"
    visitor = visit(doors, person)
    csrf = visitor.form("/", "/sign-out")["csrf"]
    for action in ("consent", "end"):
        said = {"csrf": csrf, "practice": "elm", "start": "2026-01-05", "narrative": "yes"}
        assert visitor.client.post(f"/console{page}/{action}", data=said).status_code == 404
        assert visitor.client.post(f"/console/people/0/{action}", data=said).status_code == 404
    answer = visitor.get(page)
    assert answer.status_code == (200 if person == "pat" else 404)
    assert "The family agreed" not in answer.text


def test_practices_show_their_own_counts_and_whether_they_are_reached(doors: Opened) -> None:
    delivered(doors)
    held_entry(doors, CONSENT, "k-2")
    ana, cal, lee = visit(doors, "ana"), visit(doors, "cal"), visit(doors, "lee")
    assert "Elm Street Pediatrics Never reached 1 0 0 1 0 0 0 –" in ana.read("/practices")
    assert "Elm Street" not in cal.read("/practices")
    assert "Oak Family Practice Never reached 0 0 0 0 0 0 0 –" in cal.read("/practices")
    assert "Oak" not in lee.read("/practices")
    doors.ledger.write(statements.keep, statements.Kept("one", b"{}", NOW))
    assert "No trouble known asked less than a minute ago" in ana.read("/practices")
    doors.ledger.write(leases.set_circuit, leases.Circuit("one", NOW + DAY, "login refused"))
    assert "Not reached login refused" in ana.read("/practices")
    text = ana.read("/practices/elm")
    assert "Not reached login refused What waits is sent by itself when it is back." in text
    assert "Document DB-document doc-1" in text
    assert cal.get("/practices/elm").status_code == 404


def test_engineers_see_how_each_connection_stands_and_others_that_a_practice_is_suspended(doors: Opened) -> None:
    held_entry(doors, CONSENT, "k-2")
    doors.ledger.write(leases.set_circuit, leases.Circuit("one", NOW + DAY, "not reachable", NOW))
    doors.ledger.write(suspending.suspend, suspending.Suspend("elm", "they move house", "pat", NOW))
    text = visit(doors, "pat").read("/practices")
    assert "one Down for less than a minute Not reachable. See that the network" in text
    assert "no limit known 4 1 consent" in text
    assert "two In use" in text
    ana = visit(doors, "ana")
    assert "Elm Street Pediatrics Suspended" in ana.read("/practices")
    assert "Requests a minute" not in ana.read("/practices")
    assert "Suspended for less than a minute: they move house. What was accepted for it waits" in ana.read(
        "/practices/elm"
    )


def test_a_practice_sees_what_came_to_it_and_no_agencys_ids(doors: Opened) -> None:
    number = delivered(doors, "k-17", "ehr-7")
    lee = visit(doors, "lee")
    page = lee.get("/practices/elm").text
    assert "DB-document" in page
    assert "c-1" not in page
    assert "k-17" not in page
    for path in ("/practices/oak", f"/records/{number}", "/records", "/sharing"):
        assert lee.get(path).status_code == 404


def test_no_page_shows_what_a_record_says(doors: Opened) -> None:
    """R24 and the rest: ids, codes and counts only. The staff's names and the narrative stay in the record."""
    said: dict[str, Any] = {
        "narrative": CANARY, "next_steps": CANARY, "self_disclosure": CANARY,
        "staff": [{"role": "family-partner", "name": CANARY}],
    }  # fmt: skip
    (work,) = accept(doors, contact("k-1", **said))
    held = held_record(doors, GROUP, "k-2", **said)
    number = person_of(doors.ledger, "c-1")["id"]
    ana = visit(doors, "ana")
    paths = ("/", "/records", f"/records/{work.id}", f"/people/{number}", f"/holds/{held}", f"/needs/{held}")
    for path in (*paths, "/practices", "/practices/elm", "/sharing"):
        assert CANARY not in ana.get(path).text, path


def test_what_waits_behind_something_held_is_not_on_the_way(doors: Opened) -> None:
    """Ready and without a time of its own, it moves when that moves: as the demo's summary and `bridge status` say."""
    (work,) = accept(doors, contact("k-1"))
    plans = to("elm", name="encounter", hold=LINK), to("elm", rank=20)
    assert save(doors.ledger, work, *plans, now=doors.clock())
    ana = visit(doors, "ana")
    assert "Elm Street Pediatrics Never reached 0 1 0 1" in ana.read("/practices")
    with doors.ledger.engine.begin() as connection:  # as a worker parks it
        of = tables.entry.c.name != "encounter"
        connection.execute(update(tables.entry).where(of).values(due_at=None))
    text = ana.read("/practices")
    assert "On the way Behind another Held back" in text
    assert "Elm Street Pediatrics Never reached 0 0 1 1 0 0 0 –" in text
    text = ana.read("/practices/elm")
    assert "1 waits behind another of its record" in text
    assert "waits its turn" not in text
    assert "Waits behind another of its record" in ana.read(f"/records/{work.id}")
