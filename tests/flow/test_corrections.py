"""Corrections where what stands can be neither changed nor marked: a later document says so in its words, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import sandbox
from bridge.ehr.recognise import own
from bridge.moves import answering
from tests.flow.pilot import SYSTEM, Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready
from tests.flow.test_lost_answers import AMENDED, VOID, gone_in, lose, unknown

TYPE = "DocumentReference"
AGAIN = {"status": "amended", "updated_at": "2026-03-06T09:00:00-05:00"}


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
        yield opened


def told(ehr: Ehr) -> list[str]:
    """The first two lines of each document that stands, oldest first, its references as their numbers."""
    numbers: dict[str, str] = {}
    for one in ehr.stored(TYPE):
        numbers[own(one)[0]] = f"#{len(numbers)}"
    return [
        re.sub(r"DB-\w{12}", lambda found: numbers[found[0]], " ".join(text.splitlines()[:2]))
        for text in ehr.documents()
    ]


NOTHING = "Nothing is asked of you; this is for your information. "
THAT = " The earlier note: 2026-03-01 10:00, Delivery reference #{}"
INSTEAD = "This note takes the place of an earlier one, which stays in this chart: please read this one instead." + THAT
DISREGARD = "Please disregard an earlier note, which still stands in this chart: it was entered in error." + THAT


def amended(maple: Pilot, words: str, at: str = AMENDED["updated_at"]) -> None:
    maple.accept("ma-soc/contact", contact(status="amended", updated_at=at, narrative=words))


def test_a_correction_says_which_note_it_takes_the_place_of(maple: Pilot, ehr: Ehr) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    amended(maple, "Second wording.")
    maple.settle()
    first, second = told(ehr)
    assert first == NOTHING
    assert second == INSTEAD.format(0)
    assert NOTHING.strip() in ehr.documents()[1]
    assert "Second wording." in ehr.documents()[1]
    amended(maple, "Third wording.", "2026-03-04T09:00:00-05:00")
    maple.settle()
    assert told(ehr)[2] == INSTEAD.format(1)
    assert maple.counts()["delivered"] == 1
    assert not [asked for asked in ehr.asked() if asked["verdict"] == "unsupported"]


def test_what_cannot_be_marked_is_asked_to_be_disregarded_without_a_word_of_it(maple: Pilot, ehr: Ehr) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    maple.accept("ma-soc/contact", VOID)
    maple.settle()
    _, second = ehr.stored(TYPE)
    assert told(ehr)[1] == DISREGARD.format(0)
    text = ehr.documents()[1]
    assert "First wording." not in text
    assert "Rosa" not in text
    assert second["subject"] == ehr.stored(TYPE)[0]["subject"]
    assert maple.counts()["retracted"] == 1
    assert maple.holds() == []
    maple.accept("ma-soc/contact", contact(**AGAIN, narrative="Said again."))  # un-void
    maple.settle()
    assert told(ehr)[2] == NOTHING
    assert maple.counts()["delivered"] == 1
    assert len({own(one)[0] for one in ehr.stored(TYPE)}) == 3
    maple.accept("ma-soc/contact", {**VOID, "updated_at": "2026-03-07"})
    maple.settle()
    assert told(ehr)[3] == DISREGARD.format(2)


def test_a_withdrawal_goes_to_the_chart_it_stands_in_without_a_consent_and_whoever_is_linked(
    maple: Pilot, ehr: Ehr
) -> None:
    from bridge.moves import granting

    maple.accept("ma-soc/contact", contact())
    maple.settle()
    ehr.load(patient("m-2"))
    granting.revoke(maple.line, maple.agency, "c-1", PRACTICE, "test", maple.clock())
    maple.links(PRACTICE, {"c-1": "m-2"})
    maple.accept("ma-soc/contact", VOID)
    maple.settle()
    (second,) = [at for at, lines in enumerate(told(ehr)) if lines == DISREGARD.format(0)]
    assert ehr.stored(TYPE)[0]["subject"] == ehr.stored(TYPE)[second]["subject"]


def test_a_correction_never_goes_beside_nothing_in_another_chart(maple: Pilot, ehr: Ehr) -> None:
    maple.accept("ma-soc/contact", contact())
    maple.settle()
    ehr.load(patient("m-2"))
    number = (SYSTEM, "m-2")
    answering.confirm_link(maple.line, maple.agency, "c-1", PRACTICE, number, "", "test", maple.clock())
    amended(maple, "Second wording.")
    maple.settle()
    assert len(ehr.stored(TYPE)) == 1
    assert "in another chart" in maple.holds()[0]["rule"]


@pytest.mark.parametrize("fault", ["drop-after", "drop-before"])
@pytest.mark.parametrize("void", [False, True])
def test_a_lost_answer_is_looked_for_under_its_own_reference(maple: Pilot, ehr: Ehr, fault: str, void: bool) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    lose(ehr, "POST", fault)
    if void:
        maple.accept("ma-soc/contact", VOID)
    else:
        amended(maple, "Second wording.")
    unknown(maple)
    maple.settle()
    assert len(ehr.stored(TYPE)) == 2
    assert told(ehr)[1] == (DISREGARD if void else INSTEAD).format(0)
    assert maple.counts()["retracted" if void else "delivered"] == 1
    assert maple.holds() == []


@pytest.mark.parametrize("fault", ["drop-after", "drop-before"])
def test_what_is_said_again_while_its_withdrawal_is_unknown_stands_in_the_end(
    maple: Pilot, ehr: Ehr, fault: str
) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    lose(ehr, "POST", fault)
    maple.accept("ma-soc/contact", VOID)
    unknown(maple)
    maple.accept("ma-soc/contact", contact(**AGAIN, narrative="Said again."))
    maple.settle()
    lines = told(ehr)
    if fault == "drop-after":
        assert [line.startswith("Please disregard") for line in lines] == [False, True, False]
    else:
        assert lines[1] == INSTEAD.format(0)
        assert len(lines) == 2
    assert "Said again." in ehr.documents()[-1]
    assert maple.counts()["delivered"] == 1


def test_a_worker_gone_in_the_middle_leaves_one(maple: Pilot, ehr: Ehr) -> None:
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    amended(maple, "Second wording.")
    gone_in(maple, "POST", TYPE)
    maple.settle()
    assert len(ehr.stored(TYPE)) == 2
    maple.accept("ma-soc/contact", VOID)
    gone_in(maple, "POST", TYPE)
    maple.settle()
    # both notes stand in the chart, and each is asked to be disregarded, the newer first
    assert told(ehr) == [NOTHING, INSTEAD.format(0), DISREGARD.format(1), DISREGARD.format(0)]
    assert maple.counts()["retracted"] == 1
