"""What went to a wrong chart, on the pages: looked at first, then taken back by an engineer, and the incident shown."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import EntryState, Stands
from bridge.store import tables
from tests.unit.api.opened import DAY, Opened, contact
from tests.unit.console.visiting import Visit, accept, to, trail, visit
from tests.unit.store.making import begin, claim_lane, finish, one, open_holds, person, release, rows, save


def sent(doors: Opened, id: str, chart: str = "p-1", stands: str = "") -> None:
    """A record's document stands in a chart."""
    (work,) = accept(doors, contact(id))
    assert save(doors.ledger, work, to("elm", name=id, reference=f"DB-{id}"), now=doors.clock())
    lane = claim_lane(doors.ledger, now=doors.clock(), until=doors.clock() + DAY)
    (entry,) = [one for one in lane.entries if one.name == id]
    _, step = begin(doors.ledger, lane, entry, patient=chart, now=doors.clock())
    there = Stands(stands or f"doc-{id}", "1", "d1", chart)
    state, now = EntryState.DELIVERED, doors.clock()
    assert finish(doors.ledger, lane, entry, state, stands=there, step=step, answer="done", now=now)
    assert release(doors.ledger, lane)


def page(doors: Opened) -> str:
    return f"/people/{person(doors.ledger, 'c-1')['id']}/recall"


def ask(pat: Visit, at: str, **more: str) -> dict[str, str]:
    """The hidden fields of the form that confirms, after the preview."""
    answer = pat.send(at, "/recall/preview", {"reason": "wrong-chart", "since": "", **more})
    assert answer.status_code == 200, answer.text
    return hidden(answer.text)


def hidden(html: str) -> dict[str, str]:
    from tests.unit.console.visiting import Reader

    (form,) = [form for form in Reader(html).forms if form[""].endswith("/recall")]
    return form


def recalled(doors: Opened) -> set[Any]:
    return {row["recalled"] for row in rows(doors.ledger, tables.entry)}


def test_r7_what_went_there_is_shown_with_what_is_done_about_it_and_taken_back_once_confirmed(doors: Opened) -> None:
    sent(doors, "k-1")
    sent(doors, "k-2", stands="DB-AAAAAAAAAAAA")  # handed over, under a reference
    pat = visit(doors, "pat")
    at = page(doors)
    assert "Take back what went to a chart" in pat.read(at.removesuffix("/recall"))
    assert "Elm Street Pediatrics, Patient/p-1 2 steps went there" in pat.read(at)
    answer = pat.send(at, "/recall/preview", {"reason": "wrong-chart"})
    text = answer.text
    for words in (
        "Take all of it back",
        "doc-k-1",
        "was not read yet",
        "the practice is asked to withdraw it",
        "Pat Quill",
    ):
        assert words in text, words
    assert (recalled(doors), rows(doors.ledger, tables.incident)) == ({None}, []), "nothing is changed by looking"
    form = hidden(text)
    said = pat.follow(pat.client.post(form.pop(""), data=form))
    incident = one(doors.ledger, tables.incident)
    assert f"Incident {incident['id']} It is being taken back" in said
    assert "Opened 28 May 2026, 20:26 , by Pat Quill" in said
    assert "sent to another patient's chart" in said
    assert (incident["opened_by"], incident["reason"], incident["entries"]) == ("pat", "wrong-chart", 2)
    assert recalled(doors) == {"p-1"}
    assert sorted(hold["owner"] for hold in open_holds(doors.ledger)) == ["agency", "practice"]
    assert trail(doors)[-1][1:3] == ("pat", "recall")
    assert "2 of 2 not yet" in pat.read("/incidents")
    said = pat.follow(pat.send(f"/incidents/{incident['id']}", "/lift"))
    assert "The recall is lifted" in said
    assert "Lifted 28 May" in said


def test_what_went_there_since_it_was_looked_at_is_looked_at_again(doors: Opened) -> None:
    sent(doors, "k-1")
    pat = visit(doors, "pat")
    form = ask(pat, page(doors))
    sent(doors, "k-2")
    answer = pat.client.post(form.pop(""), data=form)
    assert answer.status_code == 422
    assert "More went there since you looked" in answer.text
    assert recalled(doors) == {None}
    form = hidden(answer.text)
    assert pat.client.post(form.pop(""), data=form).status_code == 303
    assert recalled(doors) == {"p-1"}


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "mistake"}, {"since": "yesterday"}, {"chart": "p-9"}, {"practice": "nobody"}]
)
def test_what_is_asked_wrongly_changes_nothing(doors: Opened, wrong: dict[str, str]) -> None:
    sent(doors, "k-1")
    pat = visit(doors, "pat")
    form = ask(pat, page(doors)) | wrong
    answer = pat.client.post(form.pop(""), data=form)
    assert answer.status_code == 422
    assert "This was not taken yet" in answer.text
    assert recalled(doors) == {None}


def test_r27_nobody_else_recalls_and_no_form_from_elsewhere_does(doors: Opened) -> None:
    sent(doors, "k-1")
    pat, at = visit(doors, "pat"), page(doors)
    form = ask(pat, at)
    path = form.pop("")
    assert pat.client.post(path, data=form | {"csrf": "0" * 64}).status_code == 403
    pat.client.post(path, data=form)
    number = one(doors.ledger, tables.incident)["id"]
    for name in ("ana", "lee", "cal"):
        other = visit(doors, name)
        csrf = other.form("/practices", "/sign-out")["csrf"]
        for hid in (at, "/incidents", f"/incidents/{number}"):
            assert other.get(hid).status_code == 404, (name, hid)
        for post in (path, f"{path}/preview", f"/console/incidents/{number}/lift"):
            assert other.client.post(post, data=form | {"csrf": csrf}).status_code == 404, (name, post)
        assert "Incidents" not in other.read("/practices")
    assert one(doors.ledger, tables.incident)["lifted_at"] is None
    assert pat.get("/people/999/recall").status_code == 404
    assert pat.get("/incidents/999").status_code == 404
