"""What went to a wrong chart is taken back, in order and whatever breaks; what was quick to be corrected never went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge import sandbox
from bridge.cli import main
from bridge.errors import ConfigError
from bridge.model import type_json
from bridge.moves import recalling
from bridge.store import recalls, views
from tests.flow.pilot import AGENCY, Pilot, Site, pilot, restored
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready
from tests.flow.test_lost_answers import AMENDED, VOID, gone_in, lose

ASKED = recalling.Asked(AGENCY, "c-1", PRACTICE)


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1", id="p-1"), patient("m-2", id="p-2"))
        yield ehr


@pytest.fixture
def maple(quick: Path, ehr: Ehr) -> Iterator[Pilot]:
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url)]) as opened:
        ready(opened)
        yield opened


def sent(maple: Pilot, *ids: str) -> None:
    maple.accept("ma-soc/contact", *(contact(id) for id in ids))
    maple.settle()


def charts(ehr: Ehr) -> dict[str, list[str]]:
    """The status of each document, by the chart it stands in."""
    found: dict[str, list[str]] = {}
    for one in ehr.stored("DocumentReference"):
        found.setdefault(one["subject"]["reference"], []).append(one["status"])
    return found


def rules(maple: Pilot) -> list[tuple[str, str]]:
    return [(hold["owner"], hold["rule"]) for hold in maple.holds()]


def recall(maple: Pilot, asked: recalling.Asked = ASKED) -> tuple[list[dict[str, Any]], recalls.Recalled]:
    return recalling.recall(maple.line, asked, "test", maple.clock())


def backs(maple: Pilot, steps: list[dict[str, Any]]) -> list[str]:
    """What was said beforehand that a recall does."""
    return [back.value for _, back in recalling.documents(maple.line, steps)]


def test_r7_r26_all_that_went_to_a_wrong_chart_is_withdrawn_and_both_privacy_contacts_are_told(
    maple: Pilot, ehr: Ehr
) -> None:
    """Without a consent too: a withdrawal says nothing. Nothing more goes there; what should stand waits for a link."""
    sent(maple, "k-1", "k-2")
    from bridge.moves import granting

    granting.revoke(maple.line, AGENCY, "c-1", PRACTICE, "test", maple.clock())
    steps, done = recall(maple)
    assert (len(steps), done.new, done.entries) == (2, True, 2)
    assert {step["patient"] for step in steps} == {"p-1"}
    assert backs(maple, steps) == ["marked"] * 2
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["entered-in-error"] * 2}
    told = [(owner, rule) for owner, rule in rules(maple) if rule == recalling.RULES["wrong-chart"]]
    assert sorted(owner for owner, _ in told) == ["agency", "practice"]
    steps_of = [hold["next_step"] for hold in maple.holds() if hold["rule"] == recalling.RULES["wrong-chart"]]
    assert "robin@harbor.example" in steps_of[0]
    assert "Lee Chen" in steps_of[1]
    again, more = recall(maple)
    assert (len(again), more) == (2, recalls.Recalled(done.incident, False, 0))
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2


def test_what_was_recalled_goes_to_the_right_chart_once_that_is_certain(maple: Pilot, ehr: Ehr) -> None:
    sent(maple, "k-1")
    recall(maple)
    maple.settle()
    assert any("recalled" in rule for _, rule in rules(maple))
    maple.links(PRACTICE, {"c-1": "m-1"})  # the same roster again does not make it right
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["entered-in-error"]}
    maple.links(PRACTICE, {"c-1": "m-2"})
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["entered-in-error"], "Patient/p-2": ["current"]}
    assert maple.counts()["delivered"] == 1


def test_a_recall_that_was_the_mistake_is_lifted(maple: Pilot, ehr: Ehr) -> None:
    sent(maple, "k-1")
    _, done = recall(maple)
    maple.settle()
    assert recalling.lift(maple.line, done.incident, "test", maple.clock())
    assert not recalling.lift(maple.line, done.incident, "test", maple.clock())
    maple.settle()
    assert sorted(charts(ehr)["Patient/p-1"]) == ["current", "entered-in-error"]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_create_under_way_when_its_chart_is_recalled_is_found_and_withdrawn(
    maple: Pilot, ehr: Ehr, arrived: bool
) -> None:
    """A worker died while it sent; what it may have left in the wrong chart is looked for there, not in the right."""
    maple.accept("ma-soc/contact", contact())
    gone_in(maple, "POST", "DocumentReference", sent=arrived)
    assert recall(maple)[1].entries == 1
    maple.links(PRACTICE, {"c-1": "m-2"})
    maple.settle()
    assert charts(ehr) == {"Patient/p-2": ["current"]} | ({"Patient/p-1": ["entered-in-error"]} if arrived else {})


def test_a_recall_goes_on_after_its_withdrawal_was_lost(maple: Pilot, ehr: Ehr) -> None:
    sent(maple, "k-1", "k-2", "k-3")
    lose(ehr, "PUT", "drop-after")
    lose(ehr, "PUT", "drop-before")
    recall(maple)
    gone_in(maple, "PUT", "DocumentReference", sent=False)
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["entered-in-error"] * 3}


def test_wrong_content_is_recalled_and_the_next_version_stands(maple: Pilot, ehr: Ehr) -> None:
    sent(maple, "k-1")
    asked = recalling.Asked(AGENCY, "c-1", PRACTICE, reason="content")
    assert recall(maple, asked)[1].entries == 1
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["entered-in-error"]}
    maple.accept("ma-soc/contact", contact(**AMENDED))
    maple.settle()
    assert sorted(charts(ehr)["Patient/p-1"]) == ["current", "entered-in-error"]
    assert recall(maple, asked)[1].entries == 0
    maple.settle()
    assert sorted(charts(ehr)["Patient/p-1"]) == ["current", "entered-in-error"]


def test_nothing_went_there(maple: Pilot) -> None:
    with pytest.raises(ConfigError) as refused:
        recalling.went(maple.line, ASKED)
    assert refused.value.problems[0].code == "recall-nothing"


def test_r25_a_correction_is_not_written_into_the_chart_a_corrected_roster_no_longer_means(
    maple: Pilot, ehr: Ehr
) -> None:
    sent(maple, "k-1")
    maple.links(PRACTICE, {"c-1": "m-2"})
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative="Only for the right chart."))
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["current"]}
    assert not any("Only for the right chart." in text for text in ehr.documents())
    assert any("another chart" in rule for _, rule in rules(maple))
    recall(maple)
    maple.settle()
    hold = next(hold for hold in maple.holds() if "another chart" in hold["rule"])
    from bridge.moves import answering

    answering.retry(maple.line, hold["id"], "", "test", maple.clock())
    maple.settle()
    assert charts(ehr) == {"Patient/p-1": ["entered-in-error"], "Patient/p-2": ["current"]}


# ── merged patients ───────────────────────────────────────────────────────────────────────────────────────────────
def merge(ehr: Ehr, *, keeps: str = "m-1") -> None:
    """The practice merged p-1 into p-2, which has its number from then on."""
    other = {"other": {"reference": "Patient/p-2"}, "type": "replaced-by"}
    numbers: list[type_json] = [{**patient(number)["identifier"][0]} for number in ("m-2", keeps)]
    ehr.load(patient("m-1", id="p-1", active=False, link=[other]), patient("m-2", id="p-2", identifier=numbers))


def test_a_merged_chart_is_followed_once_and_its_number_decides_anew(maple: Pilot, ehr: Ehr) -> None:
    sent(maple, "k-1")
    merge(ehr)
    maple.clock.skip(86_400)  # what was found counts for a day
    sent(maple, "k-2")
    assert charts(ehr) == {"Patient/p-1": ["current"], "Patient/p-2": ["current"]}
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative="Corrected where it stands."))
    maple.settle()
    assert any("Corrected where it stands." in text for text in ehr.documents())
    assert charts(ehr) == {"Patient/p-1": ["current"], "Patient/p-2": ["current"]}
    assert maple.holds() == []


def test_a_merged_chart_without_the_number_stops_the_lane(maple: Pilot, ehr: Ehr) -> None:
    sent(maple, "k-1")
    merge(ehr, keeps="m-3")
    maple.clock.skip(86_400)
    sent(maple, "k-2")
    assert charts(ehr) == {"Patient/p-1": ["current"]}
    assert [hold["reason"] for hold in maple.holds()] == ["link"]


@pytest.mark.parametrize("ends", [{"active": False}, {"deceasedBoolean": True}])
def test_r26_a_chart_that_was_closed_stops_the_lane(maple: Pilot, ehr: Ehr, ends: type_json) -> None:
    sent(maple, "k-1")
    ehr.load(patient("m-1", id="p-1", **ends))
    maple.clock.skip(86_400)
    sent(maple, "k-2")
    assert charts(ehr) == {"Patient/p-1": ["current"]}
    assert [hold["reason"] for hold in maple.holds()] == ["link"]


# ── before it goes, and after a backup ────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def patient_site(quick: Path, ehr: Ehr) -> Iterator[Pilot]:
    """A practice that gives the agency ten minutes to change its mind."""
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url, extra=", hold_back: 10m")]) as opened:
        ready(opened)
        yield opened


def test_what_is_corrected_quickly_goes_once_and_what_is_withdrawn_quickly_never(
    patient_site: Pilot, ehr: Ehr, capsys: pytest.CaptureFixture[str]
) -> None:
    site = patient_site
    site.accept("ma-soc/contact", contact("k-1", narrative="First."), contact("k-2", narrative="A mistake."))
    site.work()
    assert site.counts()["ready"] == 2
    assert ehr.stored("DocumentReference") == []
    assert main(["record", f"{AGENCY}/ma-soc/contact/k-1", "--project", str(site.folder)]) == 0
    assert "waits its turn, not before 2" in capsys.readouterr().out
    site.clock.skip(300)
    site.accept("ma-soc/contact", contact("k-1", **AMENDED, narrative="Better."), {**VOID, "id": "k-2"})
    site.work()
    assert ehr.stored("DocumentReference") == []
    site.clock.skip(301)
    site.work()
    (stands,) = ehr.stored("DocumentReference")
    assert stands["meta"]["versionId"] == "1"
    assert "Better." in ehr.documents()[0]
    again = {"status": "amended", "updated_at": "2026-03-06T09:00:00-05:00", "narrative": "At once."}
    site.accept("ma-soc/contact", contact("k-1", **again))
    site.work()
    assert "At once." in ehr.documents()[0]


def test_what_is_urgent_is_not_held_back(patient_site: Pilot, ehr: Ehr) -> None:
    patient_site.accept("ma-soc/contact", contact("k-1"), contact("k-2", purposes=["crisis"]))
    patient_site.work()
    assert len(ehr.stored("DocumentReference")) == 1
    assert patient_site.counts()["ready"] == 1


def test_an_ehr_that_writes_after_the_look_is_found_out_by_a_later_look(maple: Pilot, ehr: Ehr) -> None:
    lose(ehr, "POST", "drop-before")
    maple.accept("ma-soc/contact", contact())
    maple.settle(within=60)
    assert maple.counts()["delivered"] == 1
    with maple.line.ledger.read() as connection:
        assert views.practice_counts(connection)[PRACTICE]["oldest"] is None
    (stands,) = ehr.stored("DocumentReference")
    ehr.load({**stands, "id": "written-late"})  # what was lost is there after all
    maple.settle()
    (hold,) = maple.holds()
    assert "2 times" in hold["rule"]
    assert len(ehr.stored("DocumentReference")) == 2


def test_after_a_backup_nothing_is_sent_twice(maple: Pilot, ehr: Ehr) -> None:
    """R1: what was sent after the backup was made is in the chart and not in the ledger."""
    maple.accept("ma-soc/contact", contact("k-1", narrative="First."))
    with restored(maple):
        maple.settle()
        maple.accept("ma-soc/contact", contact("k-1", **AMENDED, narrative="Second."))
        maple.settle()
    maple.accept("ma-soc/contact", contact("k-1", **AMENDED, narrative="Second."))
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    assert "Second." in ehr.documents()[0]
    assert maple.counts()["delivered"] == 1
    assert maple.holds() == []


def test_what_was_dated_ahead_and_sent_before_the_backup_came_back_is_looked_for_too(maple: Pilot, ehr: Ehr) -> None:
    """R1: of all of it the ledger knows nothing, and the agency sends it again."""
    ahead = datetime.fromtimestamp(maple.clock() // 1_000_000 + 86_400, UTC)
    records = contact("k-1"), contact("k-2", started=ahead.isoformat(), ended=ahead.isoformat())
    with restored(maple):
        maple.accept("ma-soc/contact", *records)
        maple.settle()
        assert len(ehr.stored("DocumentReference")) == 2
    maple.accept("ma-soc/contact", *records)
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2
    assert (maple.counts()["delivered"], maple.holds()) == (2, [])
