"""Consents over the line: who may speak for whom, practices that come late, what is taken back (R26)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bridge import sandbox
from bridge.model import type_json
from bridge.moves import catching, granting, telling
from bridge.moves.telling import NO_MORE
from tests.flow.histories import local_day, midnight
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, child, contact, patient, ready

OAK = "oak"


@pytest.fixture
def oak() -> Iterator[Ehr]:
    with sandbox.start("open") as running:
        yield Ehr(running)


@pytest.fixture
def both(quick: Path, ehr: Ehr, oak: Ehr) -> Iterator[Pilot]:
    ehr.load(patient("m-1"))
    oak.load(patient("m-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url), Site(OAK, oak.running.base_url)]) as opened:
        ready(opened)
        yield opened


def visits(count: int) -> list[type_json]:
    return [contact(f"k-{number}") for number in range(count)]


def written(ehr: Ehr) -> int:
    """How many documents were ever sent there."""
    return sum(one["method"] == "POST" and one["type"] == "DocumentReference" for one in ehr.asked())


def agree(opened: Pilot, practice: str = OAK) -> None:
    opened.links(practice, {"c-1": "m-1"})
    opened.consents(f"c-1,{practice},2026-01-01,,yes")


# ── a practice that comes late ────────────────────────────────────────────────────────────────────────────────────
def test_r29_a_second_practice_gets_what_was_sent_before_it_was_known(both: Pilot, ehr: Ehr, oak: Ehr) -> None:
    """Also what was translated before; nothing twice, nothing again to the first practice."""
    both.accept("ma-soc/contact", *visits(7))
    both.settle()
    before = written(ehr)
    assert (len(ehr.documents()), len(oak.documents())) == (7, 0)
    agree(both)
    both.settle()
    agree(both)
    both.settle()
    assert (len(ehr.documents()), len(oak.documents())) == (7, 7)
    assert written(ehr) == before == 7


def test_a_second_practice_is_sent_to_in_the_records_order(
    both: Pilot, oak: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few records at a time, and those that come meanwhile are sent once."""
    monkeypatch.setattr(catching, "CHUNK", 2)
    both.accept("ma-soc/contact", *visits(5))
    both.settle()
    agree(both)
    both.accept("ma-soc/contact", contact("k-late"))
    both.settle()
    positions = [entry["position"] for entry in both.entries() if entry["practice"] == OAK]
    assert sorted(positions) == [1, 2, 3, 4, 5, 6]
    assert len(oak.documents()) == 6


def test_only_the_version_that_counts_goes_to_a_second_practice(both: Pilot, oak: Ehr) -> None:
    both.accept("ma-soc/contact", contact(narrative="First wording."))
    both.settle()
    amended = contact(status="amended", updated_at="2026-03-03T09:00:00-05:00", narrative="Second wording.")
    both.accept("ma-soc/contact", amended)
    both.accept("ma-soc/contact", contact("k-2"), {**contact("k-2"), "status": "void", "updated_at": "2026-03-06"})
    both.settle()
    agree(both)
    both.settle()
    (text,) = oak.documents()
    assert "Second wording." in text


def without_notes(ehr: Ehr) -> list[str]:
    """The documents that stand, but for the note that a consent ended."""
    return [text for text in ehr.documents() if "Consent to share has ended" not in text]


# ── who may consent ───────────────────────────────────────────────────────────────────────────────────────────────
def test_r26_a_change_of_custody_stops_what_parents_signed_and_asks(both: Pilot, ehr: Ehr) -> None:
    both.accept("ma-soc/child", child(updated_at="2026-02-01", custody="mother"))
    both.accept("ma-soc/contact", *visits(1))
    both.settle()
    assert len(ehr.documents()) == 1
    both.accept("ma-soc/child", child(updated_at="2026-04-01", custody="state"))
    (asked,) = [hold for hold in both.holds() if hold["reason"] == "consent"]
    assert (asked["owner"], asked["practice"], asked["person"]) == ("agency", PRACTICE, "c-1")
    assert "who may consent for this person changed" in asked["rule"]
    both.accept("ma-soc/contact", contact("k-9"))
    both.settle()
    assert len(without_notes(ehr)) == 1
    header = "agency,person,practice,from,until,grantor,authority,classes"
    both.roster("consents", header, [f"harbor,c-1,{PRACTICE},2026-04-02,,dcf,state,narrative"])
    both.settle()
    assert len(without_notes(ehr)) == 2
    assert [hold for hold in both.holds() if hold["reason"] == "consent"] == []


def test_custody_said_again_changes_nothing(both: Pilot) -> None:
    both.accept("ma-soc/child", child(updated_at="2026-02-01", custody="mother"))
    both.accept("ma-soc/child", child(updated_at="2026-03-01", custody="mother", gender="female"))
    both.work()
    assert both.holds() == []
    assert granting.suspend(both.line, "harbor", "c-1", both.clock()) == 1
    assert granting.suspend(both.line, "harbor", "c-1", both.clock()) == 0


def test_r26_a_revoked_consent_counts_from_the_acceptance_of_its_record(both: Pilot, ehr: Ehr) -> None:
    """Nothing leaves between the door and the translation of what takes a consent back."""
    said = {"id": "CO-1", "child": "c-1", "caregiver": "g-1", "practice": PRACTICE, "from": "2026-01-01"}
    both.accept("ma-soc/consent", {**said, "narrative": True, "updated_at": "2026-01-01"})
    both.accept("ma-soc/contact", *visits(1))
    both.accept("ma-soc/consent", {**said, "narrative": True, "updated_at": "2026-03-01", "revoked": "2026-03-01"})
    both.settle()
    assert ehr.documents() == []


def test_a_list_imported_again_does_not_revive_what_was_taken_back(both: Pilot, ehr: Ehr) -> None:
    granting.revoke(both.line, "harbor", "c-1", PRACTICE, "test", both.clock())
    both.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
    both.accept("ma-soc/contact", *visits(1))
    both.settle()
    assert ehr.documents() == []
    assert {hold["reason"] for hold in both.holds()} == {"consent"}


# ── told ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_r26_a_revocation_tells_the_practice_that_nothing_more_comes_and_no_more(both: Pilot, oak: Ehr) -> None:
    """Once, where something stands; it says nothing of what, of whom by our id, or of why."""
    both.accept("ma-soc/contact", *visits(1))
    both.settle()
    assert granting.revoke(both.line, "harbor", "c-1", PRACTICE, "test", both.clock()) == 1
    (told,) = [hold for hold in both.holds() if hold["reason"] == "notice"]
    assert (told["owner"], told["practice"], told["rule"]) == ("practice", PRACTICE, NO_MORE)
    assert "Patient/" in told["next_step"]
    assert "c-1" not in told["rule"] + told["next_step"]
    agree(both)
    granting.revoke(both.line, "harbor", "c-1", OAK, "test", both.clock())
    assert [hold["practice"] for hold in both.holds() if hold["reason"] == "notice"] == [PRACTICE]
    header = "agency,person,practice,from,until,grantor,authority,classes"
    both.clock.skip(86_400)
    today = str(local_day(both.clock()))
    both.roster("consents", header, [f"harbor,c-1,{PRACTICE},{today},,g-1,parent,ordinary"])
    assert [hold for hold in both.holds() if hold["reason"] == "notice"] == []


def test_r26_an_end_is_announced_ahead_once_and_until_a_form_comes(both: Pilot) -> None:
    assert telling.announce(both.line, both.clock()) == 0
    soon = local_day(both.clock()) + timedelta(days=20)
    header = "agency,person,practice,from,until,grantor,authority,classes"
    both.roster("consents", header, [f"harbor,c-2,{PRACTICE},2026-01-01,{soon},g-1,parent,ordinary"])
    assert telling.announce(both.line, both.clock()) == 1
    assert telling.announce(both.line, both.clock()) == 0
    (asked,) = [hold for hold in both.holds() if hold["rule"] == telling.ENDS_SOON]
    assert (asked["person"], asked["owner"], asked["due_at"]) == ("c-2", "agency", midnight(soon + timedelta(days=1)))
    both.roster("consents", header, [f"harbor,c-2,{PRACTICE},{soon},,g-1,parent,ordinary"])
    assert telling.announce(both.line, both.clock()) == 0
    assert [hold for hold in both.holds() if hold["rule"] == telling.ENDS_SOON] == []


def test_coming_of_age_is_announced_too(both: Pilot) -> None:
    today = local_day(both.clock())
    born = date(today.year - 18, today.month, min(today.day, 28)) + timedelta(days=10)
    both.accept("ma-soc/child", child(birth_date=str(born)))
    both.work()
    assert telling.announce(both.line, both.clock()) == 1
