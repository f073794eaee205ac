"""What was handed over, on the practice's page: printed by the agency's staff, confirmed by those who may answer."""

from __future__ import annotations

from bridge.model import EntryState, Stands
from bridge.store import tables
from tests.unit.api.opened import DAY, Opened, contact
from tests.unit.console.visiting import accept, to, trail, visit
from tests.unit.handoff.making import REFERENCE, over
from tests.unit.store.making import begin, claim_lane, finish, one, release, save


def handed(doors: Opened) -> None:
    """One document that was handed over to the practice."""
    (work,) = accept(doors, contact("k-1"))
    assert save(doors.ledger, work, to("elm", reference=REFERENCE, route="handoff"), now=doors.clock())
    lane = claim_lane(doors.ledger, now=doors.clock(), until=doors.clock() + DAY)
    (entry,) = lane.entries
    _, step = begin(doors.ledger, lane, entry, request=over().kept(), reference=REFERENCE, now=doors.clock())
    state, stands = EntryState.HANDED_OVER, Stands(REFERENCE, "handed", "d1")
    assert finish(doors.ledger, lane, entry, state, stands=stands, step=step, answer="accepted", now=doors.clock())
    assert release(doors.ledger, lane)


def test_the_agency_s_staff_print_and_confirm_what_was_handed_over(doors: Opened) -> None:
    handed(doors)
    ana = visit(doors, "ana")
    text = ana.read("/practices/elm")
    assert "Handed over, not confirmed yet" in text
    assert REFERENCE in text
    pages = ana.get(f"/practices/elm/pages?reference={REFERENCE}")
    assert (pages.status_code, pages.content) == (200, over().body)
    assert pages.headers["content-disposition"] == f'attachment; filename="{REFERENCE}.xml"'
    said = ana.follow(ana.send("/practices/elm", "/practices/handed", {"verdict": "confirmed"}))
    assert "it is in the chart" in said
    assert one(doors.ledger, tables.entry)["state"] == "delivered"
    assert [line[1:3] for line in trail(doors)][-1] == ("ana", "handoff-confirmed")
    assert "Handed over, not confirmed yet" not in ana.read("/practices/elm")


def test_what_never_came_is_handed_over_anew(doors: Opened) -> None:
    handed(doors)
    pat = visit(doors, "pat")
    said = pat.follow(pat.send("/practices/elm", "/practices/handed", {"verdict": "again"}))
    assert "under a new reference" in said
    assert one(doors.ledger, tables.entry)["state"] == "ready"


def test_nobody_else_reads_the_pages_or_answers(doors: Opened) -> None:
    handed(doors)
    for person in ("cal", "lee", "pat"):
        assert visit(doors, person).get(f"/practices/elm/pages?reference={REFERENCE}").status_code == 404, person
    lee = visit(doors, "lee")
    assert "It is there" not in lee.read("/practices/elm")
    ana, cal = visit(doors, "ana"), visit(doors, "cal")
    own = cal.form("/practices/oak", "/sign-out")
    answer = {"practice": "elm", "reference": REFERENCE, "verdict": "confirmed", "csrf": own["csrf"]}
    assert cal.client.post("/console/practices/handed", data=answer).status_code == 404
    form = ana.form("/practices/elm", "/practices/handed")
    form.pop("")
    assert ana.client.post("/console/practices/handed", data=form | {"verdict": "perhaps"}).status_code == 404
    assert one(doors.ledger, tables.entry)["state"] == "handed-over"
