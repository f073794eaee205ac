"""A practice is told that sharing ended: once, actively, in words that say nothing of why; and nothing is retracted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.moves import ending, granting, telling
from bridge.store import ending as told
from tests.flow.pilot import AGENCY, Pilot
from tests.flow.test_attacks import change, mother
from tests.flow.test_line import PRACTICE, Ehr, child, contact
from tests.flow.test_release import STATUS, opened, permit

TITLE = "Consent to share has ended"


def notes(ehr: Ehr) -> list[str]:
    """The notes of an end that stand."""
    return [text for text in ehr.documents() if TITLE in text]


def shared(bridge: Pilot) -> None:
    """A contact stands in the chart under a consent."""
    permit(bridge, "ordinary", "narrative")
    bridge.accept("ma-soc/contact", contact(narrative="We read together."))
    bridge.settle()


@pytest.mark.parametrize("what", ["revoke", "custody", "refuse"])
def test_r26_an_end_is_told_in_the_chart_in_the_same_words_whatever_it_was(tmp_path: Path, what: str) -> None:
    with opened(tmp_path) as (bridge, ehr):
        shared(bridge)
        change(bridge, what)
        bridge.accept("ma-soc/contact", contact("k-2", narrative="We read again."))
        bridge.settle()
        (note,) = notes(ehr)
        assert "not in force any more, since 20" in note
        assert "Nothing further will be sent under it." in note
        assert "true when it was sent, and stays" in note
        assert "Robin Lake" in note
        for reason in ("revoked", "refus", "custody", "withdr", "mother", "Marisol", "ana"):
            assert reason not in note.replace("Harbor", "")
        assert sum("We read together." in text for text in ehr.documents()) == 1, "nothing is retracted"
        assert not any("We read again." in text for text in ehr.documents())
        for _ in range(2):  # nothing more, however often it is looked at
            ending.tell_ended(bridge.line, bridge.clock())
            bridge.settle()
        assert len(notes(ehr)) == 1
        assert [hold["rule"] for hold in bridge.holds() if hold["reason"] == "notice"] == [telling.NO_MORE]


def test_r26_it_is_told_again_only_where_something_was_sent_since(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        shared(bridge)
        change(bridge, "revoke")
        bridge.settle()
        bridge.clock.skip(86_400)
        permit(bridge, "ordinary", "narrative", form="F-13")
        change(bridge, "revoke")
        bridge.settle()
        assert len(notes(ehr)) == 1
        bridge.clock.skip(86_400)
        bridge.consents(f"c-1,{PRACTICE},2027-01-01,,no")
        bridge.accept("ma-soc/contact", contact("k-2"))
        bridge.settle()
        assert any("contact" in entry["thread"] and entry["state"] == "delivered" for entry in bridge.entries())
        change(bridge, "revoke")
        bridge.settle()
        standing = len([text for text in ehr.documents() if TITLE not in text])
        assert len(notes(ehr)) == standing


def test_nobody_is_told_who_was_sent_nothing_under_a_consent(tmp_path: Path) -> None:
    with opened(tmp_path, extra=", referral_status: true") as (bridge, ehr):
        bridge.accept("ma-soc/referral-status", STATUS)
        bridge.settle()
        assert len(ehr.documents()) == 1
        permit(bridge, "none")
        bridge.settle()
        assert notes(ehr) == []
        assert ending.how_told(bridge.line, AGENCY, "c-2", PRACTICE).endswith("told nothing")


def test_a_consent_that_comes_before_it_went_leaves_nothing_to_tell(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        shared(bridge)
        change(bridge, "revoke")
        bridge.clock.skip(86_400)
        permit(bridge, "ordinary", "narrative", form="F-14")
        bridge.roster(
            "consents",
            "agency,person,practice,from,until,classes,grantor",
            [f"{AGENCY},c-1,{PRACTICE},2027-01-01,,ordinary,g-1"],
        )
        bridge.clock.skip(86_400 * 400)
        bridge.settle()
        assert notes(ehr) == []


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"program": ", part2: true"}, ""),
        ({}, "caregiver"),
    ],
    ids=["part 2", "mother in danger"],
)
def test_it_is_told_on_the_page_alone_where_a_note_would_tell_too_much(
    tmp_path: Path, settings: dict[str, Any], flag: str
) -> None:
    """A proxy who reads the portal learns that somebody took something back; a Part 2 client is not spoken of."""
    with opened(tmp_path, **settings) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative", "substance-use")
        bridge.accept("ma-soc/child", child(safety_flag=flag == "child"))
        bridge.accept("ma-soc/caregiver", mother(safety_flag=flag == "caregiver"))
        bridge.accept("ma-soc/contact", contact())
        bridge.settle()
        assert ehr.documents() != []
        change(bridge, "revoke")
        bridge.settle()
        assert notes(ehr) == []
        assert [hold["owner"] for hold in bridge.holds() if hold["rule"] == telling.NO_MORE] == ["practice"]
        assert "Lee Chen reads" in ending.how_told(bridge.line, AGENCY, "c-1", PRACTICE)


def test_after_a_crash_at_any_place_it_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is durable with the revocation, the note with the mark's end."""

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with opened(tmp_path) as (bridge, ehr):
        shared(bridge)
        with monkeypatch.context() as patched:
            patched.setattr(ending, "tell_ended", killed)
            with pytest.raises(Killed):
                granting.revoke(bridge.line, AGENCY, "c-1", PRACTICE, "ana", bridge.clock())
        assert notes(ehr) == []
        with bridge.line.ledger.read() as connection:
            (due,) = told.due(connection, bridge.clock(), 10)
        twice = [ending.told(bridge.line, due, bridge.clock()) for _ in range(2)]
        assert bridge.line.write_all(told.tell, twice) == [True, False]
        ehr.fault(fault="drop-after", match={"type": "DocumentReference", "interaction": "create"})
        bridge.settle()
        assert len(notes(ehr)) == 1


def test_where_the_ehr_takes_no_documents_the_practice_is_asked(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        shared(bridge)
        ehr.fault(
            fault="error-before", status=405, count=3, match={"type": "DocumentReference", "interaction": "create"}
        )
        change(bridge, "revoke")
        bridge.settle()
        assert notes(ehr) == []
        (hold,) = [hold for hold in bridge.holds() if hold["reason"] == "capability"]
        assert hold["owner"] == "practice"
