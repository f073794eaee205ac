"""Ways of sending that meet: recalls, restores and doubts over notes that supersede, roll-ups and hand-overs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import sandbox
from bridge.ehr.recognise import own
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker
from bridge.model import EntryState
from bridge.moves import answering, granting, handing, recalling
from tests.flow.pilot import AGENCY, Pilot, Site, pilot, restored
from tests.flow.test_corrections import AGAIN, DISREGARD, INSTEAD, NOTHING, TYPE, amended, told
from tests.flow.test_handoff import handed, said, wired
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready
from tests.flow.test_lost_answers import AMENDED, VOID, lose, unknown

WRONG = recalling.Asked(AGENCY, "c-1", PRACTICE)


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    """Takes documents, and no change of any."""
    with sandbox.start("ecw", site={"writeback": [TYPE]}) as running:
        yield Ehr(running)


@pytest.fixture
def maple(quick: Path, ehr: Ehr) -> Iterator[Pilot]:
    ehr.load(patient("m-1"))
    with pilot(quick, [Site(PRACTICE, ehr.running.base_url, vendor="ecw", enable=(TYPE,))]) as opened:
        ready(opened)
        maple = opened
        maple.accept("ma-soc/contact", contact(narrative="First wording."))
        maple.settle()
        yield maple


def recalled(opened: Pilot) -> list[str]:
    """What is done about each document."""
    steps, _ = recalling.recall(opened.line, WRONG, "test", opened.clock())
    return [back.value for _, back in recalling.documents(opened.line, steps)]


def looked_at_again(opened: Pilot) -> None:
    """What is in doubt is ready, and to be looked for first: as somebody leaves it who says `retry` to its hold."""
    with opened.line.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entry SET state='ready', due_at=1 WHERE state='unknown'")
        connection.exec_driver_sql("UPDATE lane SET due_at=1")


# ── a recall ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_r7_a_recall_whose_word_was_lost_before_it_came_is_said_again(maple: Pilot, ehr: Ehr) -> None:
    assert recalled(maple) == ["superseded"]
    lose(ehr, "POST", "drop-before")
    maple.settle()
    assert told(ehr) == [NOTHING, DISREGARD.format(0)]


def test_r7_what_stands_in_a_wrong_chart_is_taken_back_though_its_correction_never_came(maple: Pilot, ehr: Ehr) -> None:
    lose(ehr, "POST", "drop-before")
    amended(maple, "Second wording.")
    unknown(maple)
    recalled(maple)
    maple.settle()
    assert told(ehr) == [NOTHING, DISREGARD.format(0)]


def test_r7_wrong_content_does_not_come_back_because_its_record_is_planned_anew(maple: Pilot, ehr: Ehr) -> None:
    """Somebody else's way opened, say; what a newer version says goes."""
    recalling.recall(maple.line, replace(WRONG, reason="content"), "test", maple.clock())
    maple.settle()
    with maple.line.ledger.engine.begin() as connection:  # as `statements.replan` does
        connection.exec_driver_sql("UPDATE record SET state='accepted', due_at=1 WHERE kind='ma-soc/contact'")
    maple.settle()
    assert told(ehr) == [NOTHING, DISREGARD.format(0)]
    amended(maple, "Second wording.")
    maple.settle()
    assert len(ehr.stored(TYPE)) == 3


def test_each_note_is_disregarded_though_two_say_the_same(maple: Pilot, ehr: Ehr) -> None:
    amended(maple, "Second wording.")
    maple.settle()
    maple.accept("ma-soc/contact", contact(narrative="First wording.", updated_at="2026-03-04T09:00:00-05:00"))
    maple.settle()
    maple.accept("ma-soc/contact", {**VOID, "updated_at": "2026-03-06"})
    maple.settle()
    assert told(ehr)[3:] == [DISREGARD.format(2), DISREGARD.format(1), DISREGARD.format(0)]


def test_each_note_is_disregarded_though_a_correction_was_put_off_once(maple: Pilot, ehr: Ehr) -> None:
    lose(ehr, "POST", "429")
    amended(maple, "Second wording.")
    maple.settle()
    maple.accept("ma-soc/contact", {**VOID, "updated_at": "2026-03-06"})
    maple.settle()
    assert told(ehr) == [NOTHING, INSTEAD.format(0), DISREGARD.format(1), DISREGARD.format(0)]


# ── a ledger from a backup ────────────────────────────────────────────────────────────────────────────────────────
def test_r1_what_was_said_again_after_a_withdrawal_is_found_after_a_restore(maple: Pilot, ehr: Ehr) -> None:
    maple.accept("ma-soc/contact", VOID)
    maple.settle()
    again = contact(**AGAIN, narrative="Said again.")
    with restored(maple):
        maple.accept("ma-soc/contact", again)
        maple.settle()
        assert len(ehr.stored(TYPE)) == 3
    maple.accept("ma-soc/contact", again)
    maple.settle()
    references = [own(one)[0] for one in ehr.stored(TYPE)]
    assert len(references) == len(set(references)), "nothing twice under one reference"
    assert maple.counts()["delivered"] == 1


def test_a_note_after_a_restore_names_the_latest_that_stands(maple: Pilot, ehr: Ehr) -> None:
    with restored(maple):
        amended(maple, "Second wording.")
        maple.settle()
    amended(maple, "Third wording.", "2026-03-04T09:00:00-05:00")
    maple.settle()
    assert len(ehr.stored(TYPE)) == 3
    assert "#1" in told(ehr)[2]


# ── a doubt that somebody wants looked at again ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("void", [False, True])
def test_r1_a_note_in_doubt_beside_what_stands_is_looked_for_before_it_is_sent_again(
    maple: Pilot, ehr: Ehr, void: bool
) -> None:
    lose(ehr, "POST", "drop-after")
    if void:
        maple.accept("ma-soc/contact", VOID)
    else:
        amended(maple, "Second wording.")
    unknown(maple)
    looked_at_again(maple)
    maple.settle()
    assert told(ehr) == [NOTHING, (DISREGARD if void else INSTEAD).format(0)]


# ── hand-overs ────────────────────────────────────────────────────────────────────────────────────────────────────
def worker_dies(opened: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is gone after it handed something over; its lease ran out."""
    kept, workers = handing.follow, list[Worker]()

    async def dies(*arguments: Any) -> Any:
        monkeypatch.setattr(handing, "follow", kept)
        workers[0].stop()
        raise asyncio.CancelledError  # the worker is gone

    async def work() -> None:
        async with connected(opened.line, opened.clock):
            workers.append(Worker(opened.line, opened.clock))
            await workers[0].run(until_idle=True)

    monkeypatch.setattr(handing, "follow", dies)
    asyncio.run(work())
    assert opened.counts()["sending"] == 1
    opened.clock.skip(121)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Pilot]:
    """A practice that reads files."""
    (tmp_path / "out").mkdir()
    with handed(tmp_path, None, "{ way: folder, folder: out }") as opened:
        yield opened


def files(opened: Pilot) -> list[str]:
    """What was handed over, in its order, as text."""
    found = sorted((opened.folder / "out").glob("*.xml"), key=lambda path: path.stat().st_mtime_ns)
    return [path.read_text(encoding="utf-8") for path in found]


def test_r7_a_hand_over_under_way_when_its_chart_is_recalled_is_taken_back(
    office: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.accept("ma-soc/contact", contact())
    worker_dies(office, monkeypatch)
    recalled(office)
    office.settle()
    names = sorted(path.stem for path in (office.folder / "out").glob("*.xml"))
    assert len(names) == 2
    assert names[1] == f"{names[0]}-C"
    assert office.counts()["held"] == 1, "until it is certain whose it is"


def test_r1_after_a_restore_nothing_is_taken_for_handed_over_that_never_was(office: Pilot) -> None:
    office.accept("ma-soc/contact", contact(narrative="We read."))
    office.settle()
    with restored(office):
        office.accept("ma-soc/contact", contact(**AMENDED, narrative="We sang."))
        office.settle()
    office.accept("ma-soc/contact", contact(**AGAIN, narrative="We danced."))
    office.settle()
    assert ["We read." in files(office)[0], "We sang." in files(office)[1]] == [True, True]
    assert "We danced." in files(office)[-1]
    assert office.counts()[EntryState.HANDED_OVER] == 1


def test_that_sharing_ended_is_handed_over_once_and_stays_though_it_goes_on(office: Pilot) -> None:
    office.accept("ma-soc/contact", contact())
    office.settle()
    granting.revoke(office.line, AGENCY, "c-1", PRACTICE, "test", office.clock())
    office.settle()
    assert len(files(office)) == 2
    for goes_on in (False, True):
        if goes_on:
            office.consents(f"c-1,{PRACTICE},2026-01-02,,yes")
        with office.line.ledger.engine.begin() as connection:  # as an answer that it stands leaves it
            connection.exec_driver_sql("UPDATE entry SET state='ready', due_at=1 WHERE state='handed-over'")
            connection.exec_driver_sql("UPDATE lane SET due_at=1")
        office.settle()
        assert len(files(office)) == 2
        assert [one["state"] for one in office.entries()].count("handed-over") == 2


def test_after_a_restore_a_person_says_what_an_engine_was_handed_last(tmp_path: Path) -> None:
    with wired(tmp_path) as (maple, found):
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        with restored(maple):
            maple.accept("ma-soc/contact", contact(**AMENDED, narrative="We sang."))
            maple.settle()
        maple.accept("ma-soc/contact", contact(**AGAIN, narrative="We danced."))
        maple.settle()
        (hold,) = maple.holds()
        assert "since the backup" in hold["rule"]
        latest = said(found)[-1][1]
        assert answering.decide(maple.line, hold["id"], latest, False, False, "test", maple.clock())
        maple.settle()
        controls = [one[1] for one in said(found)]
        assert len(set(controls)) == len(controls) == 3, "no reference is used twice"
        assert said(found)[-1][3] == latest, "in the place of the latest"
        assert maple.counts()["delivered"] == 1
