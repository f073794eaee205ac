"""What stands twice in a chart, as an EHR wrote it late or filed it again, is named and ended, never half done."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import sandbox
from bridge.cli import main
from bridge.errors import ConfigError
from bridge.moves import answering, recalling
from tests.flow.histories import crash
from tests.flow.pilot import AGENCY, Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient, ready

AMENDED = {"status": "amended", "updated_at": "2026-03-03T09:00:00-05:00"}
VOID = {"id": "k-1", "status": "void", "child": "c-1", "updated_at": "2026-03-05"}
CREATE = {"type": "DocumentReference", "interaction": "create"}
PLAIN = Path(__file__).parents[1] / "data" / "sandbox" / "plain.yaml"
"""An EHR that keeps and finds identifiers, and does not know "only where none is there"."""
GOLDEN = PLAIN.with_name("twice.txt")


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with sandbox.start(str(PLAIN)) as running:
        yield Ehr(running)


def late(opened: Pilot, ehr: Ehr) -> None:
    """A note whose create seemed lost, was absent twice and sent again; then the EHR carried out the first one too."""
    ehr.fault(fault="commit-late", seconds=600, match=CREATE)
    opened.accept("ma-soc/contact", contact(narrative="First wording."))
    opened.settle(within=60)
    assert opened.counts()["delivered"] == 1
    assert httpx.post(f"{ehr.running.admin_url}/late").json() == {"done": 1}


def filed_again(opened: Pilot, ehr: Ehr) -> None:
    """A note that the practice's own side filed once more."""
    ehr.fault(fault="duplicated", match=CREATE)
    opened.accept("ma-soc/contact", contact(narrative="First wording."))
    opened.settle(within=60)


def statuses(ehr: Ehr) -> list[str]:
    """Of every document, as it is in the chart now."""
    return sorted(one["status"] for one in ehr.stored("DocumentReference"))


@dataclass
class Told:
    """What commands print, with ids, numbers and times that differ from run to run named by what they are."""

    opened: Pilot
    prints: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> str:
        self.prints.readouterr()
        assert main([*arguments, "--project", str(self.opened.folder)]) == 0
        return self.named(self.prints.readouterr().out)

    def named(self, text: str) -> str:
        """With the kept document, its copy, the reference and whatever counts or dates replaced by words."""
        (entry,) = self.opened.entries()
        text = text.replace(entry["stands_id"], "KEPT").replace(entry["reference"], "REFERENCE")
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "COPY", text)
        text = re.sub(r"\d\d\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?( UTC)?", "WHEN", text)
        text = re.sub(r"^ +\d+  |^record \d+", lambda found: re.sub(r" *\d+", " NUMBER", found[0]), text, flags=re.M)
        return re.sub(r"\d+ requests a minute|waits \d+ s", "SO MANY", text)


def golden(text: str) -> None:
    """The same as is written down; BRIDGE_TESTS_GOLDEN=write writes it anew, to be read."""
    if os.environ.get("BRIDGE_TESTS_GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def only(opened: Pilot) -> dict[str, Any]:
    """The one hold there is."""
    (hold,) = opened.holds()
    return hold


def test_what_the_ehr_wrote_late_is_named_until_a_person_ended_it(
    maple: Pilot, ehr: Ehr, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(maple, capsys)
    late(maple, ehr)
    assert statuses(ehr) == ["current", "current"]
    maple.settle()
    said = [told("status"), told("held", "list"), told("record", str(maple.records()[0]["id"]))]
    hold = only(maple)
    with pytest.raises(ConfigError, match="hold-duplicate"):
        answering.decide(maple.line, hold["id"], "", True, False, "test", maple.clock())
    assert answering.retry(maple.line, hold["id"], "", "cli", maple.clock()) == 1
    maple.settle()
    assert only(maple)["id"] != hold["id"]  # nobody withdrew it: somebody is told again
    (copy,) = [one for one in ehr.stored("DocumentReference") if one["id"] not in str(maple.entries())]
    ehr.withdraw(copy)
    answering.retry(maple.line, None, "duplicate", "cli", maple.clock())
    maple.settle()
    assert maple.holds() == []
    assert maple.counts()["delivered"] == 1
    said += [told("status"), told("record", str(maple.records()[0]["id"]))]
    golden("\n".join(said))


def test_the_practice_may_keep_the_other_one(maple: Pilot, ehr: Ehr) -> None:
    late(maple, ehr)
    maple.settle()
    kept = maple.entries()[0]["stands_id"]
    ours, copy = sorted(ehr.stored("DocumentReference"), key=lambda one: one["id"] != kept)
    ehr.withdraw(ours)
    answering.decide(maple.line, only(maple)["id"], copy["id"], False, False, "test", maple.clock())
    maple.settle(within=2 * 86_400)
    assert maple.holds() == []
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative="Second wording."))
    maple.settle()
    (text,) = ehr.documents()
    assert "Second wording." in text
    assert maple.entries()[0]["stands_id"] == copy["id"]


def test_a_word_that_one_was_kept_is_looked_after(maple: Pilot, ehr: Ehr) -> None:
    late(maple, ehr)
    maple.settle()
    kept = maple.entries()[0]["stands_id"]
    (copy,) = [one["id"] for one in ehr.stored("DocumentReference") if one["id"] != kept]
    answering.decide(maple.line, only(maple)["id"], copy, False, False, "test", maple.clock())
    maple.settle(within=2 * 86_400)
    assert f"withdraw DocumentReference/{kept} and to keep DocumentReference/{copy}" in only(maple)["next_step"]


@pytest.mark.parametrize("came", [late, filed_again])
def test_a_correction_tells_of_the_copy_that_says_the_old_and_a_withdrawal_takes_both_back(
    maple: Pilot, ehr: Ehr, came: Callable[[Pilot, Ehr], None]
) -> None:
    came(maple, ehr)
    maple.accept("ma-soc/contact", contact(**AMENDED, narrative="Second wording."))
    maple.settle(within=60)
    assert ["Second wording." in text for text in ehr.documents()].count(True) == 1
    assert only(maple)["rule"] == "it stands 2 times in the chart"
    maple.accept("ma-soc/contact", VOID)
    maple.settle()
    assert statuses(ehr) == ["entered-in-error"] * 2
    assert maple.holds() == []
    assert maple.counts()["retracted"] == 1


def test_what_went_to_a_wrong_chart_is_taken_back_with_its_copy(maple: Pilot, ehr: Ehr) -> None:
    late(maple, ehr)
    maple.settle()
    recalling.recall(maple.line, recalling.Asked(AGENCY, "c-1", PRACTICE), "test", maple.clock())
    maple.settle()
    assert statuses(ehr) == ["entered-in-error"] * 2


@pytest.mark.parametrize("dies", [False, True])
def test_a_server_that_creates_only_once_has_one_however_late_it_writes(quick: Path, dies: bool) -> None:
    """Also where the worker died before it could learn that its request was lost."""
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"))
        with pilot(quick, [Site(PRACTICE, running.base_url)]) as opened:
            ready(opened)
            if dies:
                ehr.fault(fault="commit-late", seconds=600, match=CREATE)
                opened.accept("ma-soc/contact", contact(narrative="First wording."))
                crash(opened, sent=True)
                opened.settle(within=60)
                assert httpx.post(f"{ehr.running.admin_url}/late").json() == {"done": 1}
            else:
                late(opened, ehr)
            opened.settle()
            assert statuses(ehr) == ["current"]
            assert opened.holds() == []
            assert opened.counts()["delivered"] == 1
