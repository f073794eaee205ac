"""A practice refers, the agency says who it is, and a bare status answers that very referral, before any consent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.model import Fate
from bridge.moves import referring
from tests.flow.pilot import AGENCY, Pilot
from tests.flow.test_line import PRACTICE, child, contact
from tests.flow.test_release import STATUS, attachment, opened, permit
from tests.unit.referring import sent

ALLOWED = ", referral_status: true"


def refer(bridge: Pilot, resource: Any) -> int:
    project = bridge.line.project
    of = project.practices[PRACTICE], project.agencies[AGENCY]
    answer = referring.accept(bridge.line, *of, resource, "practice:maple", bridge.clock(), "body")
    assert answer.fate in (Fate.NEW, Fate.VOID, Fate.VERSION)
    assert answer.record is not None
    return answer.record


def status(**more: Any) -> dict[str, Any]:
    return {**STATUS, "referral": sent.NUMBER, **more}


def test_r26_the_referral_makes_the_link_and_the_bare_status_answers_it(tmp_path: Path) -> None:
    """Received on the practice's authority; nothing clinical flows back without consent."""
    with opened(tmp_path, extra=ALLOWED) as (bridge, ehr):
        ehr.load({**sent.patient("m-7"), "active": True})
        number = refer(bridge, {**sent.contained(), "contained": [sent.patient("m-7")]})
        bridge.accept("ma-soc/child", child("c-7", birth_date="2021-03-04"))
        bridge.accept("ma-soc/contact", contact(child="c-7", narrative="We read."))
        bridge.accept("ma-soc/referral-status", status(child="c-7"))
        bridge.settle()
        assert ehr.documents() == [], "nobody said yet who it is"
        assert referring.place(bridge.line, number, "c-7", "ana", bridge.clock())
        bridge.settle()
        assert "REF-77" in attachment(ehr)
        assert "The agency has received the referral." in attachment(ehr)
        assert {hold["reason"] for hold in bridge.holds()} == {"consent"}


def test_r26_no_status_answers_another_childs_referral_nor_one_in_error(tmp_path: Path) -> None:
    with opened(tmp_path, extra=ALLOWED) as (bridge, ehr):
        bridge.accept("ma-soc/child", child(birth_date="2021-03-04"))
        bridge.settle()
        refer(bridge, {**sent.contained(), "contained": [sent.patient("m-9")]})
        bridge.accept("ma-soc/referral-status", status())
        bridge.settle()
        assert ehr.documents() == [], "whose referral this is nobody said"
        waits = [hold for hold in bridge.holds() if hold["reason"] == "referral"]
        assert len(waits) == 2
        in_error = {**sent.contained(status="entered-in-error"), "contained": [sent.patient("m-1")]}
        refer(bridge, in_error)
        bridge.settle()
        assert ehr.documents() == []


def test_r26_never_for_a_part_2_program_nor_where_the_site_did_not_ask(tmp_path: Path) -> None:
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("part2", {"extra": ALLOWED, "program": ", part2: true"}),
        ("quiet", {}),
    )
    for name, settings in cases:
        with opened(tmp_path / name, **settings) as (bridge, ehr):
            number = refer(bridge, sent.contained())
            bridge.accept("ma-soc/child", child())
            bridge.settle()
            referring.place(bridge.line, number, "c-1", "ana", bridge.clock())
            bridge.accept("ma-soc/referral-status", status())
            bridge.settle()
            assert ehr.documents() == []


def test_once_consent_comes_the_rest_follows_by_the_referrals_own_link(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        ehr.load({**sent.patient("m-7"), "active": True})
        bridge.accept("ma-soc/contact", contact(child="c-7", narrative="We read."))
        bridge.settle()
        number = refer(bridge, {**sent.contained(), "contained": [sent.patient("m-7")]})
        referring.place(bridge.line, number, "c-7", "ana", bridge.clock())
        permit(bridge, "ordinary", "narrative", person="c-7")
        bridge.settle()
        assert "We read." in attachment(ehr)
