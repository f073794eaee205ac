"""The form by which the agency says whom a practice's referral is about, or that it does not take it (R26)."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.moves import referring
from bridge.store import permissions, persons, referrals
from tests.unit.api.opened import Opened, contact
from tests.unit.console.visiting import Reader, accept, trail, visit
from tests.unit.referring import sent
from tests.unit.store.making import open_holds

WORDS = ("Sleepless nights", "La mamá pide ayuda.", "Dr. Lee Chen")


def referred(doors: Opened) -> int:
    """A referral of a known practice waits for the agency: the number of what asks."""
    accept(doors, contact("k-1"))
    of = doors.project.practices["elm"], doors.project.agencies["harbor"]
    referring.accept(doors.line, *of, sent.contained(), "practice:elm", doors.clock(), "body")
    (hold,) = open_holds(doors.ledger)
    return int(hold["id"])


def known(doors: Opened) -> dict[str, Any]:
    with doors.ledger.read() as connection:
        (found,) = referrals.listed(connection, "harbor")
    return found


def linked(doors: Opened, person: str) -> bool:
    """Whether the practice's number of the patient is this person's by now."""
    with doors.ledger.read() as connection:
        row = persons.fetch(connection, [("harbor", person)], lock=False)["harbor", person]
        theirs = permissions.current_number(connection, row.id, "elm")
    return theirs == doors.ledger.keyring.hash(sent.SYSTEM, "m-1")


def test_the_agency_reads_what_the_practice_wrote_and_says_who_it_is(doors: Opened) -> None:
    hold = referred(doors)
    ana = visit(doors, "ana")
    page = ana.read(f"/holds/{hold}")
    assert all(word in page for word in WORDS)
    answer = ana.send(f"/holds/{hold}", "/referral", {"verdict": "place", "person": " c-1 "})
    assert "The referral is placed" in ana.follow(answer)
    assert (known(doors)["state"], known(doors)["subject"]) == ("placed", "c-1")
    assert linked(doors, "c-1")
    assert open_holds(doors.ledger) == []
    assert trail(doors)[-1][1:3] == ("ana", "referral-place")


def test_the_agency_does_not_take_it(doors: Opened) -> None:
    hold = referred(doors)
    ana = visit(doors, "ana")
    answer = ana.send(f"/holds/{hold}", "/referral", {"verdict": "decline"})
    assert "the agency does not take this referral" in ana.follow(answer)
    assert known(doors)["state"] == "declined"
    assert not linked(doors, "c-1")
    assert open_holds(doors.ledger) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "Choose one of the two"),
        ({"verdict": "perhaps", "person": "c-1"}, "Choose one of the two"),
        ({"verdict": "place", "person": "c-404"}, "The agency has sent nothing of this person"),
        ({"verdict": "place", "person": ""}, "The agency has sent nothing of this person"),
        ({"verdict": "place", "person": "unplaced:elm"}, "The agency has sent nothing of this person"),
    ],
)
def test_an_answer_that_is_not_whole_is_not_taken_and_what_was_entered_stays(
    doors: Opened, values: dict[str, str], says: str
) -> None:
    hold = referred(doors)
    answer = visit(doors, "ana").send(f"/holds/{hold}", "/referral", values)
    assert answer.status_code == 422
    assert says in Reader(answer.text).text
    assert f'value="{values.get("person", "")}"' in answer.text
    assert known(doors)["state"] == "received"
    assert len(open_holds(doors.ledger)) == 1


def test_nobody_but_the_agencys_own_staff_reads_it_and_no_other_agency_or_practice_answers(doors: Opened) -> None:
    """Who runs the bridge may note the agency's word, as for any link, and reads nothing."""
    hold = referred(doors)
    for person in ("lee", "cal", "pat"):
        other = visit(doors, person)
        answer = other.get(f"/holds/{hold}")
        assert not any(word in answer.text for word in WORDS), person
        posted = other.client.post(f"/console/holds/{hold}/referral", data={"verdict": "decline"})
        assert posted.status_code in (403, 404), person
        assert ('/referral"' in answer.text) is (person == "pat")
    assert known(doors)["state"] == "received"


def test_a_second_answer_changes_nothing(doors: Opened) -> None:
    hold = referred(doors)
    ana, same = visit(doors, "ana"), visit(doors, "ana")
    late = same.get(f"/holds/{hold}")
    ana.send(f"/holds/{hold}", "/referral", {"verdict": "decline"})
    (form,) = [one for one in Reader(late.text).forms if one[""].endswith("/referral")]
    hidden = {name: value for name, value in form.items() if name}
    answer = same.client.post(form[""], data={**hidden, "verdict": "place", "person": "c-1"})
    assert "answered" in same.follow(answer).lower()
    assert known(doors)["state"] == "declined"
