"""“Needs you”: what is asked, and what each answer does in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bridge.consent import consent_key
from bridge.mappings.tables import table_key
from bridge.model import Hold, HoldReason, Owner, Terms
from bridge.moves import telling
from bridge.moves.matching import PATIENT_ID
from bridge.people import link_key, missing
from bridge.store import notices, permissions, tables
from bridge.store.ledger import get_blobs
from tests.unit.api.opened import DAY, NOW, Opened
from tests.unit.console.visiting import GROUP, Reader, delivered, held_entry, held_record, trail, visit
from tests.unit.store.making import claim, one, open_holds, rows

CONSENT = Hold(HoldReason.CONSENT, consent_key("harbor", "c-1", "elm"), Owner.AGENCY, "no consent", "record it")
LINK = missing("harbor", "c-1", "elm")
ROW = Hold(
    HoldReason.TABLE, table_key("harbor", "ma-soc/contact-place", "yurt"), Owner.AGENCY, "no row", "say what it means"
)
LOOK = Hold(HoldReason.DECISION, "decision:1", Owner.PRACTICE, "whether it arrived is not known", "look in the chart")
READ = Hold(HoldReason.DECISION, "guard:DB-X:abc", Owner.AGENCY, "it may hold a phone number", "read it")
STOPPED = Hold(HoldReason.DECISION, "record:2", Owner.ENGINEER, "it stopped the worker", "find out why")
SITE = Hold(HoldReason.CAPABILITY, "capability:elm:Task", Owner.PRACTICE, "there is no way in", "ask the EHR team")
NOWHERE = Hold(HoldReason.PRACTICE, "practice:harbor/c-1", Owner.AGENCY, "no practice is known", "name one")


def given(doors: Opened) -> list[dict[str, Any]]:
    return rows(doors.ledger, tables.consent)


def test_nothing_waits(doors: Opened) -> None:
    assert "Nothing needs you." in visit(doors, "ana").read("/")


def test_what_waits_is_told_with_why_whose_turn_and_by_when(doors: Opened) -> None:
    held_entry(doors, CONSENT)
    held_entry(doors, LINK, "k-2")
    text = visit(doors, "ana").read("/")
    mine, others = text.split("Waits for others")
    assert "Consent · Elm Street Pediatrics No consent. 1 person Answer by 28 May 2026" in mine
    assert "Which patient is this? · Elm Street Pediatrics" in others
    doors.clock.now += 3 * DAY
    assert "Overdue for 2 days" in visit(doors, "ana").read("/")


# ── consent ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_consent_is_recorded_and_what_waited_goes_on(doors: Opened) -> None:
    hold = held_entry(doors, CONSENT)
    ana = visit(doors, "ana")
    answer = ana.send(f"/holds/{hold}", "/consent", {"start": "2026-01-05", "until": "2026-12-31", "narrative": "yes"})
    assert "What waited for it goes on now." in ana.follow(answer)
    (consent,) = given(doors)
    assert (consent["practice"], consent["source"], consent["recorded_by"]) == ("elm", "person", "ana")
    with doors.ledger.read() as connection:
        terms = permissions.terms_of(connection, doors.ledger, consent["terms_blob"])
    assert terms == Terms(frozenset({"ordinary", "narrative"}))
    # local days of the agency: from 5 January, 00:00, to the end of 31 December in New York
    assert (consent["start"], consent["until"]) == (1_767_589_200_000_000, 1_798_779_600_000_000)
    assert open_holds(doors.ledger) == []
    assert one(doors.ledger, tables.entry)["state"] == "ready"
    assert trail(doors)[-1] == ("harbor", "ana", "consent-give", "person c-1 practice elm")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"narrative": "yes"}, "This cell must be filled"),
        ({"start": "05.01.2026", "narrative": "no"}, "A date is written YYYY-MM-DD"),
        ({"start": "2026-01-05"}, "Say whether what was written in words may be read"),
        ({"start": "2026-01-05", "until": "2026-01-04", "narrative": "no"}, "The last day lies before the first"),
        ({"start": "2026-01-05", "practice": "nowhere", "narrative": "no"}, "works with no practice of this id"),
    ],
)
def test_a_consent_that_is_not_whole_is_not_taken_and_what_was_entered_stays(
    doors: Opened, values: dict[str, str], says: str
) -> None:
    hold = held_entry(doors, CONSENT)
    ana = visit(doors, "ana")
    answer = ana.send(f"/holds/{hold}", "/consent", values)
    assert answer.status_code == 422
    assert says in Reader(answer.text).text
    assert f'value="{values.get("start", "")}"' in answer.text
    assert given(doors) == []
    assert len(open_holds(doors.ledger)) == 1


def test_a_record_without_a_practice_gets_one_by_consent_or_link(doors: Opened) -> None:
    hold = held_record(doors, NOWHERE)
    ana = visit(doors, "ana")
    assert ana.form(f"/holds/{hold}", "/link")
    answer = ana.send(f"/holds/{hold}", "/consent", {"practice": "oak", "start": "2026-01-05", "narrative": "no"})
    ana.follow(answer)
    assert [consent["practice"] for consent in given(doors)] == ["oak"]
    assert open_holds(doors.ledger) == []


# ── link ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def linked(doors: Opened) -> list[str]:
    """What the ledger has of the current links, decrypted."""
    with doors.ledger.read() as connection:
        ids = connection.execute(select(tables.link.c.value_blob).where(tables.CURRENT_LINK)).scalars().all()
        return [blob.decode() for blob in get_blobs(connection, doors.ledger.keys, ids).values()]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({"system": "urn:oid:1.2.3", "value": " 40017 "}, "urn:oid:1.2.3\x1f40017"),
        (
            {"system": "", "value": "", "patient": "erXuFYUfucBZaryVksYEcMg3"},
            f"{PATIENT_ID}\x1ferXuFYUfucBZaryVksYEcMg3",
        ),
        ({"value": "", "patient": "Patient/123"}, f"{PATIENT_ID}\x1f123"),
    ],
)
def test_a_person_says_which_patient_it_is(doors: Opened, values: dict[str, str], kept: str) -> None:
    hold = held_entry(doors, LINK)
    ana = visit(doors, "ana")
    assert "What waited for it goes on now." in ana.follow(ana.send(f"/holds/{hold}", "/link", values))
    assert linked(doors) == [kept]
    assert open_holds(doors.ledger) == []
    assert trail(doors)[-1] == ("harbor", "ana", "link-confirm", "person c-1 practice elm")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Give either the practice's number of the patient or the id of the chart"),
        ({"system": "urn:x:1", "value": "7", "patient": "8"}, "Give either"),
        ({"value": "40017"}, "A number needs the system it is from"),
        ({"system": "their number", "value": "40017"}, "A number needs the system it is from"),
        ({"patient": "../Observation?code=1"}, "letters, digits, dashes and dots"),
    ],
)
def test_a_link_that_is_not_whole_is_not_taken(doors: Opened, values: dict[str, str], says: str) -> None:
    hold = held_entry(doors, LINK)
    answer = visit(doors, "ana").send(f"/holds/{hold}", "/link", values)
    assert answer.status_code == 422
    assert says in Reader(answer.text).text
    assert linked(doors) == []


def test_the_same_link_again_looks_once_more(doors: Opened) -> None:
    said = {"patient": "123"}
    ana = visit(doors, "ana")
    ana.follow(ana.send(f"/holds/{held_entry(doors, LINK)}", "/link", said))
    again = held_entry(doors, LINK, "k-2")
    assert "it is looked for in the practice's EHR once more" in ana.follow(ana.send(f"/holds/{again}", "/link", said))
    assert open_holds(doors.ledger) == []


# ── a code ────────────────────────────────────────────────────────────────────────────────────────────────────────
def row_kept(doors: Opened) -> str:
    return str(one(doors.ledger, tables.table_row)["row"])


def test_a_code_means_the_same_as_another(doors: Opened) -> None:
    hold = held_record(doors, ROW, place="yurt")
    ana = visit(doors, "ana")
    page = ana.get(f"/holds/{hold}").text
    assert "<code>yurt</code> in the table <code>ma-soc/contact-place</code>" in page
    assert "Records that go on: 1." in ana.follow(ana.send(f"/holds/{hold}", "/row", {"same": "Home"}))
    assert '"display": "' in row_kept(doors)
    assert claim(doors.ledger, now=NOW, until=NOW + DAY)
    assert trail(doors)[-1] == ("harbor", "ana", "row-add", "table ma-soc/contact-place")


def test_a_code_has_a_meaning_of_its_own_and_is_offered_for_the_next(doors: Opened) -> None:
    ana = visit(doors, "ana")
    first = held_record(doors, ROW)
    next_one = held_record(doors, replace(ROW, waits_for=table_key("harbor", "ma-soc/contact-place", "tipi")), "k-2")
    ana.follow(ana.send(f"/holds/{first}", "/row", {"display": "A round tent"}))
    assert '"equivalence": "unmatched"' in row_kept(doors)
    assert "A round tent" in ana.read(f"/holds/{next_one}")


def test_a_code_means_something_for_a_time(doors: Opened) -> None:
    hold = held_record(doors, ROW)
    other = held_record(doors, replace(ROW, rule="this code has no row for its day"), "k-2")
    ana = visit(doors, "ana")
    period = {"display": "A round tent", "start": "2026-01-01", "until": "2025-01-01"}
    assert "The row ends before it begins" in ana.send(f"/holds/{hold}", "/row", period).text
    assert ana.send(f"/holds/{hold}", "/row", period | {"until": "2026-12-31"}).status_code == 303
    assert '"from": "2026-01-01"' in row_kept(doors)
    assert '"until": "2026-12-31"' in row_kept(doors)
    assert other


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Choose what the code means the same as, or say in words what it means"),
        ({"same": "Home", "display": "A tent"}, "Choose what the code means"),
        ({"same": "Nothing of the kind"}, "No code of this table has this meaning"),
        ({"display": "A tent", "target": "22232009"}, "has a target and no system"),
    ],
)
def test_a_meaning_that_is_not_whole_is_not_taken(doors: Opened, values: dict[str, str], says: str) -> None:
    hold = held_record(doors, ROW)
    answer = visit(doors, "ana").send(f"/holds/{hold}", "/row", values)
    assert answer.status_code == 422
    assert says in Reader(answer.text).text
    assert rows(doors.ledger, tables.table_row) == []


# ── a person decides ──────────────────────────────────────────────────────────────────────────────────────────────
def test_a_record_is_sent_as_it_is(doors: Opened) -> None:
    hold = held_record(doors, GROUP)
    ana = visit(doors, "ana")
    assert "sent as it is" in ana.follow(ana.send(f"/holds/{hold}", "/record", {"verdict": "send"}))
    (work,) = claim(doors.ledger, now=NOW, until=NOW + DAY)
    assert work.decided == "send"
    assert trail(doors)[-1] == ("harbor", "ana", "record-send", f"record {work.id}")


def test_a_record_stays_with_the_agency(doors: Opened) -> None:
    hold = held_record(doors, GROUP)
    ana = visit(doors, "ana")
    assert "stays with the agency. Kept: 1." in ana.follow(ana.send(f"/holds/{hold}", "/record", {"verdict": "keep"}))
    record = one(doors.ledger, tables.record)
    assert (record["state"], record["decided"], record["due_at"]) == ("translated", "keep", None)
    told = ana.read(f"/records/{record['id']}")
    assert "Stays with the agency" in told
    assert "Decided: it stays with the agency; Ana Ortiz answered it" in told


def test_a_decision_needs_one_of_the_two(doors: Opened) -> None:
    answer = visit(doors, "ana").send(f"/holds/{held_record(doors, GROUP)}", "/record", {"verdict": "perhaps"})
    assert answer.status_code == 422
    assert one(doors.ledger, tables.record)["decided"] is None


def test_all_records_of_a_pile_are_kept_only_when_that_is_meant(doors: Opened) -> None:
    first = held_record(doors, GROUP, "k-1")
    held_record(doors, replace(GROUP, waits_for="record:2"), "k-2")
    held_record(doors, replace(GROUP, rule="another question"), "k-3")
    ana = visit(doors, "ana")
    assert ana.send(f"/needs/{first}", "/keep").headers["location"] == f"/console/needs/{first}"
    assert len(open_holds(doors.ledger)) == 3
    assert "Kept: 2." in ana.follow(ana.send(f"/needs/{first}", "/keep", {"sure": "yes"}))
    assert [hold["rule"] for hold in open_holds(doors.ledger)] == ["another question"]
    assert [line[2] for line in trail(doors)].count("record-keep") == 2


def test_an_engineer_does_not_decide_what_only_a_reader_of_the_record_can(doors: Opened) -> None:
    hold = held_record(doors, GROUP)
    pat = visit(doors, "pat")
    assert "Send it, or keep it?" not in pat.read(f"/holds/{hold}")
    csrf = pat.form("/", "/sign-out")["csrf"]
    for path in (f"/holds/{hold}/record", f"/needs/{hold}/keep"):
        answer = pat.client.post(f"/console{path}", data={"csrf": csrf, "verdict": "send", "sure": "yes"})
        assert answer.status_code == 404
    assert one(doors.ledger, tables.record)["decided"] is None


def test_what_stopped_a_worker_is_the_engineers_to_try_again(doors: Opened) -> None:
    hold = held_record(doors, STOPPED)
    pat = visit(doors, "pat")
    assert "Going on: 1." in pat.follow(pat.send(f"/holds/{hold}", f"/holds/{hold}/retry"))
    assert claim(doors.ledger, now=NOW, until=NOW + DAY)
    assert trail(doors)[-1] == ("harbor", "pat", "hold-retry", f"hold {hold}")


# ── an entry ──────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"verdict": "stands", "stands": "doc-7"}, {"state": "ready", "stands_id": "doc-7"}),
        ({"verdict": "absent"}, {"state": "ready", "stands_id": None}),
        ({"verdict": "drop"}, {"state": "cancelled", "should": False}),
    ],
)
def test_a_person_looked_into_the_chart(doors: Opened, values: dict[str, str], expected: dict[str, object]) -> None:
    hold = held_entry(doors, LOOK)
    ana = visit(doors, "ana")
    assert "Noted: it" in ana.follow(ana.send(f"/holds/{hold}", "/entry", values))
    entry = one(doors.ledger, tables.entry)
    assert {name: entry[name] for name in expected} == expected
    assert trail(doors)[-1] == ("harbor", "ana", f"hold-{values['verdict']}", f"entry {entry['id']}")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Choose one of the answers"),
        ({"verdict": "stands"}, "Say under which id it stands"),
        ({"verdict": "stands", "stands": "two words"}, "letters, digits, dashes and dots"),
    ],
)
def test_an_answer_about_the_chart_that_is_not_whole_is_not_taken(
    doors: Opened, values: dict[str, str], says: str
) -> None:
    hold = held_entry(doors, LOOK)
    answer = visit(doors, "ana").send(f"/holds/{hold}", "/entry", values)
    assert answer.status_code == 422
    assert says in Reader(answer.text).text
    assert len(open_holds(doors.ledger)) == 1


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("leave", {"state": "ready", "confirmed": "abc"}),
        ("drop", {"state": "cancelled", "confirmed": None}),
    ],
)
def test_what_the_guard_found_leaves_in_this_version_or_stays(
    doors: Opened, verdict: str, expected: dict[str, object]
) -> None:
    hold = held_entry(doors, READ)
    ana = visit(doors, "ana")
    assert "May it leave as it is?" in ana.read(f"/holds/{hold}")
    assert "What is in the chart?" not in ana.read(f"/holds/{hold}")
    assert "Noted: it" in ana.follow(ana.send(f"/holds/{hold}", "/read", {"verdict": verdict}))
    entry = one(doors.ledger, tables.entry)
    assert {name: entry[name] for name in expected} == expected
    assert trail(doors)[-1] == ("harbor", "ana", f"hold-{verdict}", f"entry {entry['id']}")
    assert open_holds(doors.ledger) == []


def test_only_who_may_read_the_record_says_that_it_may_leave(doors: Opened) -> None:
    hold = held_entry(doors, READ)
    for person in ("pat", "lee"):
        visitor = visit(doors, person)
        csrf = visitor.form("/", "/sign-out")["csrf"]
        answer = visitor.client.post(f"/console/holds/{hold}/read", data={"csrf": csrf, "verdict": "leave"})
        assert answer.status_code == 404
    assert visit(doors, "ana").send(f"/holds/{hold}", "/read", {"verdict": "perhaps"}).status_code == 422
    assert one(doors.ledger, tables.entry)["confirmed"] is None


def test_a_records_page_shows_its_reader_what_leaves_and_nobody_else(doors: Opened) -> None:
    number = delivered(doors)
    ana = visit(doors, "ana")
    hold = held_entry(doors, CONSENT, "k-2")
    ana.send(f"/holds/{hold}", "/consent", {"practice": "elm", "start": "2026-01-01", "narrative": "no"})
    told = ana.read(f"/records/{number}")
    assert "What leaves for" in told
    assert "note ordinary yes A consent is in force" in told
    assert "What leaves" not in visit(doors, "pat").read(f"/records/{number}")


def test_what_may_stand_already_is_never_simply_tried_again(doors: Opened) -> None:
    """An answer that was lost is for somebody who looks: sending it again unseen could make two of it."""
    hold = held_entry(doors, LOOK)
    ana = visit(doors, "ana")
    assert "Look again" not in ana.read(f"/holds/{hold}")
    csrf = ana.form("/", "/sign-out")["csrf"]
    assert ana.client.post(f"/console/holds/{hold}/retry", data={"csrf": csrf}).status_code == 404
    assert ana.client.post(f"/console/needs/{hold}/retry", data={"csrf": csrf}).status_code == 404
    assert len(open_holds(doors.ledger)) == 1


def test_what_has_no_way_in_is_tried_again_or_dropped(doors: Opened) -> None:
    hold = held_entry(doors, SITE)
    ana = visit(doors, "ana")
    assert "Going on: 1." in ana.follow(ana.send(f"/holds/{hold}", f"/holds/{hold}/retry"))
    again = held_entry(doors, replace(SITE, rule="still none"), "k-2")
    assert "it is not sent" in ana.follow(ana.send(f"/holds/{again}", "/entry"))


def test_a_whole_pile_is_looked_at_again(doors: Opened) -> None:
    first = held_entry(doors, SITE)
    held_entry(doors, SITE, "k-2")
    ana = visit(doors, "ana")
    assert "Going on: 2." in ana.follow(ana.send(f"/needs/{first}", "/retry"))
    assert open_holds(doors.ledger) == []


# ── somebody was faster, somebody else's ──────────────────────────────────────────────────────────────────────────
def test_an_answered_case_takes_no_second_answer(doors: Opened) -> None:
    hold = held_record(doors, GROUP)
    ana, other = visit(doors, "ana"), visit(doors, "ana")
    form = other.form(f"/holds/{hold}", "/record")
    ana.send(f"/holds/{hold}", "/record", {"verdict": "keep"})
    answer = other.client.post(form.pop(""), data=form | {"verdict": "send"})
    assert "Somebody answered this before" in other.follow(answer)
    assert one(doors.ledger, tables.record)["decided"] == "keep"
    assert "This is answered." in ana.read(f"/holds/{hold}")


@pytest.mark.parametrize("person", ["cal", "lee"])
def test_another_agencys_and_a_practices_people_see_and_answer_nothing_of_it(doors: Opened, person: str) -> None:
    hold = held_entry(doors, CONSENT)
    number = delivered(doors, "k-9")
    visitor = visit(doors, person)
    assert "Nothing needs you." in visitor.read("/")
    csrf = visitor.form("/", "/sign-out")["csrf"]
    for path in (f"/holds/{hold}", f"/needs/{hold}", f"/records/{number}", "/people/1", "/holds/999999"):
        assert visitor.get(path).status_code == 404, path
    for action in ("consent", "link", "row", "record", "entry", "retry"):
        answer = visitor.client.post(f"/console/holds/{hold}/{action}", data={"csrf": csrf, "verdict": "drop"})
        assert answer.status_code == 404, action
    for action in ("retry", "keep"):
        answer = visitor.client.post(f"/console/needs/{hold}/{action}", data={"csrf": csrf, "sure": "yes"})
        assert answer.status_code == 404, action
    assert len(open_holds(doors.ledger)) == 1
    assert given(doors) == []


def test_a_practice_sees_what_is_its_turn_and_no_agencys_ids(doors: Opened) -> None:
    hold = held_entry(doors, LINK)
    held_entry(doors, CONSENT, "k-2")
    look = held_entry(doors, LOOK, "k-3")
    lee = visit(doors, "lee")
    text = lee.read("/")
    assert "Which patient is this?" in text
    assert "Consent" not in text
    for path in ("/", f"/needs/{hold}", f"/holds/{hold}", f"/holds/{look}"):
        page = lee.get(path).text
        assert "c-1" not in page
        assert "k-" not in page
        assert "<form" not in page.replace('<form method="post" action="/console/sign-out"', "")
    assert "DB-document" in lee.read(f"/holds/{look}")


def test_an_engineer_sees_every_agency_and_links_but_records_no_consent(doors: Opened) -> None:
    hold = held_entry(doors, CONSENT)
    cedar = replace(LINK, waits_for=link_key("cedar", "c-1", "oak"))
    link = held_entry(doors, cedar, "x-1", agency="cedar", practice="oak")
    pat = visit(doors, "pat")
    assert "Harbor Family Partners" in pat.read("/")
    assert "Cedar Street Center" in pat.read("/")
    assert "The family agreed" not in pat.read(f"/holds/{hold}")
    csrf = pat.form("/", "/sign-out")["csrf"]
    said = {"csrf": csrf, "practice": "elm", "start": "2026-01-05", "narrative": "no"}
    assert pat.client.post(f"/console/holds/{hold}/consent", data=said).status_code == 404
    pat.follow(pat.send(f"/holds/{link}", "/link", {"patient": "77"}))
    assert linked(doors) == [f"{PATIENT_ID}\x1f77"]


def test_a_notice_about_a_person_has_a_page(doors: Opened) -> None:
    """It holds up no record, so none is listed with it."""
    delivered(doors)
    hold = Hold(HoldReason.CONSENT, consent_key("harbor", "c-1", "elm"), Owner.AGENCY, telling.ENDS_SOON, "ask them")
    number = doors.ledger.ids.take()
    ask = notices.Tell("harbor", "c-1", "elm", number, hold, NOW + DAY, NOW)
    assert doors.ledger.write(notices.tell, ask)
    text = visit(doors, "ana").read(f"/holds/{number}")
    assert "consent for this practice ends soon" in text
    assert "What waits for this answer" not in text
