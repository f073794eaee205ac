"""`bridge demo` end to end with as few families as show everything: what it counts, what the EHRs hold."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.cli import main
from bridge.demo import counts, ehrs, folder, run, told
from bridge.demo.calendar import Calendar
from bridge.demo.caseload import NEVER, Caseload, caseload, lines, never_collected, staying, texts
from bridge.demo.cast import Cast, own_cast
from bridge.demo.contacts import BURST
from bridge.demo.display import Quiet
from bridge.demo.families import FEWEST, Family
from bridge.demo.sharing import REVOKED
from bridge.documents.words import WORDS
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import EntryState, Fate, RecordState, type_json
from bridge.moves.line import Line
from bridge.store import tables
from bridge.store.ledger import get_blobs

# A run takes a quarter of a minute on two idle cores; the limit is for a machine that is busy with others.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Played:
    """A finished run: the ledger is open and the EHRs still answer."""

    cast: Cast
    whole: Caseload
    line: Line
    running: Mapping[str, ehrs.Ehr]
    fates: Counter[Fate]
    counted: counts.Counts
    received: Mapping[str, list[type_json]]

    def family(self, trait: str) -> Family:
        return next(family for family in self.whole.families if family.trait == trait)

    def patient(self, family: Family, child: int = 0) -> list[str]:
        """The ids of the Patients that bear a child's number at the family's practice."""
        number = family.children[child].number
        held = self.running[family.site.id].ask("GET", "resources?type=Patient")["resources"]
        return [f"Patient/{item['id']}" for item in held if item["resource"]["identifier"][0]["value"] == number]

    def chart(self, family: Family, child: int = 0) -> list[type_json]:
        """What stands or stood in a child's chart."""
        patients = self.patient(family, child)
        assert patients
        return [resource for resource in self.received[family.site.id] if whose(resource) in patients]

    def documents(self, family: Family, child: int = 0) -> list[str]:
        """The texts of the documents that stand in a child's chart."""
        standing = [resource for resource in self.chart(family, child) if ehrs.stands(resource)]
        return [text for resource in standing for text in ehrs.documents(resource)]

    def records(self, kind: str, family: Family) -> list[type_json]:
        """What a family's agency sent of one kind, in order."""
        number = f"-{family.number:03d}"
        return [p.record for p in self.whole.records if p.kind == kind and number in str(p.record["id"])]


def whose(resource: type_json) -> str:
    """The Patient whose chart a resource is in."""
    reference: str = resource["for" if resource["resourceType"] == "Task" else "subject"]["reference"]
    return reference


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    cast, today = own_cast(), datetime.now(UTC).date()
    whole = caseload(cast, today, FEWEST)
    with ehrs.running({site.id: site.shape for site in cast.sites}) as running:
        bases = {name: ehr.base for name, ehr in running.items()}
        project = folder.make(tmp_path_factory.mktemp("demo") / "project", cast, bases, Calendar(today).date(0))
        for name, charts in whole.charts.items():
            running[name].load(charts)
        with open_line(project, "demo", system_clock()) as line:
            fates = asyncio.run(run.run(line, whole, running, Quiet()))
            never = never_collected(whole) | staying(whole)
            counted = counts.counted(line, cast, running, never, 1.0)
            received = {name: ehr.received() for name, ehr in running.items()}
            yield Played(cast, whole, line, running, fates, counted, received)


def test_the_numbers_add_up(played: Played) -> None:
    answer = played.counted.answer
    records, entries = answer["records"], answer["entries"]
    assert records["accepted"] == sum(records[state] for state in ("translated", "held", "superseded", "waiting"))
    assert sum(played.fates.values()) == sum(1 for _ in played.whole.records)
    assert records["accepted"] == sum(played.fates.values()) - played.fates[Fate.RESEND] - played.fates[Fate.REJECTED]
    assert set(entries) == {state.value for state in EntryState}
    for state, count in entries.items():
        assert count == sum(of["entries"][state] for of in answer["practices"].values())
    assert answer["withheld_parts"] == sum(of["withheld_parts"] for of in answer["practices"].values()) > 0
    for of in answer["practices"].values():
        assert sum(of["delivered"].values()) == of["entries"]["delivered"]
    assert (entries["unknown"], entries["sending"], entries["refused"]) == (0, 0, 0)


def test_r1_r3_ledger_and_ehrs_agree_and_nothing_stands_twice(played: Played) -> None:
    """R1, R3: what was signed is in the chart without being keyed again; lost answers made no second copy."""
    assert played.counted.wrong == ()
    assert played.counted.answer["duplicates"] == 0
    assert played.counted.lost == 3 * run.LOSES  # the fourth EHR takes nothing, so it loses nothing
    assert played.counted.standing > 200
    for family in played.whole.families:
        if family.trait == "crisis":
            signed = {record["id"] for record in played.records("contact", family) if record["status"] == "signed"}
            assert signed == contacts_in(played, family)


def contacts_in(played: Played, family: Family) -> set[str]:
    """The contacts whose documents a chart holds, by the identifiers that this EHR keeps."""
    found = set()
    for resource in played.chart(family):
        for identifier in resource.get("identifier", ()):
            if match := re.fullmatch(r"ma-soc/contact/([^/]+)/note", identifier["value"]):
                found.add(match[1])
    return found


def test_r20_every_contact_of_a_crisis_is_a_note_of_its_own(played: Played) -> None:
    family = played.family("crisis")
    by_day = Counter(
        record["started"][:10] for record in played.records("contact", family) if "crisis" in record["purposes"]
    )
    assert tuple(by_day.values()) == BURST
    titles = [text for text in played.documents(family) if "Contact with the family" in text]
    for day, count in by_day.items():
        assert sum(f"Contact with the family, {day}" in text for text in titles) >= count


def test_r14_spanish_words_arrive_byte_for_byte_where_the_family_agreed(played: Played) -> None:
    seen: set[str] = set()
    for family in played.whole.families:
        if family.language == "es" and family.consent == "words" and family.trait in ("crisis", "resent", "caregiver"):
            for record in played.records("contact", family):
                for line in lines(record, frozenset({"narrative", "next_steps"})):
                    assert any(line in text for text in played.documents(family)), record["id"]
                    seen |= set(line)
    assert set("áéíóúñ¿¡«»") <= seen


def test_r15_the_goals_are_in_the_familys_words(played: Played) -> None:
    family = played.family("crisis")
    plan = played.records("care-plan", family)[-1]
    (text,) = [text for text in played.documents(family) if "Care plan from" in text]
    assert len(plan["goals"]) == 3
    assert all(goal["words"] in text for goal in plan["goals"])
    assert text.count("in the words of the caregiver") == 3


def test_r17_an_attempt_is_no_encounter(played: Played) -> None:
    kinds = defaultdict(set)
    for resource in played.received["maple-street"]:
        for identifier in resource.get("identifier", ()):
            if identifier["value"].startswith("ma-soc/contact/"):
                kinds[resource["resourceType"]].add(identifier["value"].split("/")[2])
    missed = {
        posted.record["id"]
        for posted in played.whole.records
        if posted.kind == "contact" and posted.record.get("outcome", "reached") != "reached"
    }
    assert kinds["Communication"]
    assert kinds["Communication"] <= missed
    assert not kinds["Encounter"] & missed


def test_r13_a_word_without_a_row_waits_for_one(played: Played) -> None:
    piles = [pile for pile in played.counted.piles if pile["reason"] == "table"]
    assert sum(pile["cases"] for pile in piles) == 3
    assert {pile["owner"] for pile in piles} == {"agency"}
    assert played.counted.answer["records"]["held"] == sum(pile["holds"] for pile in piles)


def test_r6_a_vacant_role_stays_empty(played: Played) -> None:
    family = played.family("vacancy")
    names = {staff["name"] for record in played.records("contact", family) for staff in record.get("staff", ())}
    assert names == {family.clinician}
    assert played.family("vacancy").site.shape == "athena"


def test_r5_who_left_has_a_last_day_and_stays_the_author_of_what_they_wrote(played: Played) -> None:
    family = next(
        f for f in played.whole.families if f.leaves and f.trait in ("voided", "crisis", "caregiver", "amended")
    )
    documents = played.documents(family)
    assert any("Who has left" in text and f"{family.partner}, until" in text for text in documents)
    assert any(f"Written by: {family.partner}" in text or f"</strong> {family.partner}" in text for text in documents)


def test_r24_what_a_family_partner_told_of_themselves_is_nowhere(played: Played) -> None:
    planted = [sentence.encode() for sentence in never_collected(played.whole)]
    assert len(planted) > 30
    with played.line.ledger.read() as connection:
        ids = list(connection.execute(select(tables.blob.c.id)).scalars())
        blobs = get_blobs(connection, played.line.ledger.keys, ids)
    kept = b"\n".join(blobs.values())
    assert len(blobs) > 500
    assert "Acordamos una señal".encode() in kept  # the search would find what is there
    assert not [sentence for sentence in planted if sentence in kept]
    stored = "\n".join(ehr.everything() for ehr in played.running.values()).encode()
    assert not [sentence for sentence in planted if sentence in stored]
    assert {name for p in played.whole.records for name in NEVER if list(texts(p.record, frozenset({name})))} == NEVER


def test_r25_nothing_of_a_caregiver_is_in_a_childs_chart(played: Played) -> None:
    family = played.family("caregiver")
    held = played.running[family.site.id].ask("GET", "resources?type=Patient")["resources"]
    own = [i["id"] for i in held if i["resource"]["identifier"][0]["value"] == family.caregiver.number]
    facts = frozenset({"caregiver_substance_use", "caregiver_needs", "caregiver_discussion", "note", "notes"})
    told_of = {line for posted in played.whole.records for line in lines(posted.record, facts)}
    assert len(told_of) > 20
    for name, received in played.received.items():
        children = [r for r in received if whose(r) not in [f"Patient/{id}" for id in own]]
        text = json.dumps(children, ensure_ascii=False) + "".join(t for r in children for t in ehrs.documents(r))
        assert not [line for line in told_of if line in text], name
        assert "AUDIT-C" not in text
        assert not [r for r in children if r["resourceType"] == "Observation"]


def test_r26_without_a_consent_in_force_nothing_is_in_the_chart(played: Played) -> None:
    for trait in ("refused", "expired", "begins-later"):
        assert played.chart(played.family(trait)) == [], trait
    revoked = played.family("revoked")
    told = [text for text in played.documents(revoked) if WORDS["ended-title"][0] not in text]  # that it ended is told
    assert len(played.documents(revoked)) == len(told) + 1
    days = re.findall(r"^Date: (\S+)", "\n".join(told), re.MULTILINE)
    last = Calendar(datetime.now(UTC).date()).day(REVOKED)
    assert days
    assert max(days) < last
    assert played.chart(played.family("late-consent"))


def test_r26_narrative_stays_where_the_family_agreed_to_facts_alone(played: Played) -> None:
    silent = [
        f for f in played.whole.families if f.consent == "facts" and f.roster == "listed" and f.site.shape != "athena"
    ]
    silent = [f for f in silent if f.trait not in ("other-birth-date", "two-charts", "twins-on-one-line", "no-roster")]
    assert silent
    for family in silent:
        documents = played.documents(family)
        assert any("Contact with the family" in text for text in documents)
        assert not any("What happened" in text for text in documents)


def test_a_chart_that_is_not_certain_gets_nothing(played: Played) -> None:
    for trait in ("twins-on-one-line", "two-charts", "other-birth-date", "no-roster"):
        family = played.family(trait)
        if trait != "twins-on-one-line":
            assert played.chart(family) == [], trait
        assert len(played.patient(family)) == (2 if trait == "two-charts" else 1)
    twins = played.family("twins-on-one-line")
    assert played.chart(twins, 0) == played.chart(twins, 1) == []
    assert played.chart(played.family("late-roster"))


def test_somebody_else_of_the_same_name_and_birth_date_gets_nothing(played: Played) -> None:
    namesakes = 0
    for site in played.cast.sites:
        held = played.running[site.id].ask("GET", "resources?type=Patient")["resources"]
        for item in held:
            if item["resource"]["identifier"][0]["value"].startswith("7"):
                namesakes += 1
                reference = f"Patient/{item['id']}"
                assert not [r for r in played.received[site.id] if whose(r) == reference]
    assert namesakes


def test_corrections_and_withdrawals_change_what_stands(played: Played) -> None:
    amended = played.family("amended")
    correction = amended.words["correction"]
    corrected = [r for r in played.records("contact", amended) if r["status"] == "amended"]
    texts_there = played.documents(amended)
    assert corrected
    for record in corrected:
        first, _ = record["narrative"].splitlines()
        assert sum(first in text for text in texts_there) == 1
        assert not any(first.removeprefix(correction) in text and first not in text for text in texts_there)
    voided = played.family("voided")
    gone = [resource for resource in played.chart(voided) if not ehrs.stands(resource)]
    assert [resource["status"] for resource in gone] == ["entered-in-error"]
    again = played.family("resent")
    assert played.fates[Fate.RESEND] == 1
    assert played.fates[Fate.OLDER] == 1
    assert len(played.records("contact", again)) - 2 == len({r["id"] for r in played.records("contact", again)})


def test_an_ehr_that_takes_no_document_gets_none_and_says_why(played: Played) -> None:
    of = played.counted.answer["practices"]["old-mill"]
    assert of["received"] == {}
    assert of["entries"]["delivered"] == 0
    assert of["held"]["capability"] == of["entries"]["held"] > 0


def test_unfinished_records_wait_for_their_signature(played: Played) -> None:
    with played.line.ledger.read() as connection:
        rows = connection.execute(select(tables.record.c.state, tables.record.c.final)).all()
    assert {state for state, final in rows if not final} <= {RecordState.ACCEPTED, RecordState.SUPERSEDED}
    assert sum(state == RecordState.ACCEPTED for state, _ in rows) == played.counted.answer["records"]["waiting"] > 0


def test_the_summary_can_be_read(played: Played) -> None:
    lines_of = told.summary(played.cast, played.whole, played.fates, played.counted, 5, played.running)
    text = "\n".join(lines_of)
    for said in ("22 families, 11", "Maple Street Pediatrics", "What needs a person", "reads, for example",
                 "agree on every one", "no consent in force", "not certain whose chart"):  # fmt: skip
        assert said in text


def test_the_command_answers_with_exactly_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--once", "--json", "--families", str(FEWEST), "--dir", "kept"]) == 0
    captured = capsys.readouterr()
    answer: dict[str, Any] = json.loads(captured.out)
    assert list(answer) == ["records", "entries", "withheld_parts", "practices", "duplicates", "seconds"]
    assert answer["duplicates"] == 0
    assert answer["records"]["accepted"] > 400
    assert set(answer["entries"]) == {state.value for state in EntryState}
    assert set(answer["practices"]) == {"maple-street", "lakeside", "northgate", "old-mill"}
    assert answer["seconds"] > 0
    assert captured.err == ""
    assert (tmp_path / "kept" / "ledger.sqlite").exists()


def test_it_serves_pages_until_it_is_stopped_and_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bridge", "demo", "--families", str(FEWEST)]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            for line in process.stdout:
                said.append(line)
                if "Ctrl-C stops everything" in line:
                    break
            addresses = re.findall(r"http://127\.0\.0\.1:\d+/console/sign-in/\S+", "".join(said))
            assert len(addresses) == 2
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            sandboxes = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    time.sleep(0.2)
    assert not [pid for pid in sandboxes if Path(f"/proc/{pid}").exists()]


def test_a_project_of_other_packs_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["init", str(tmp_path / "own"), "--pack", "konote"]) == 0
    monkeypatch.chdir(tmp_path / "own")
    assert main(["demo", "--once"]) == 2
    assert "caseloads can be invented for the pack ma-soc alone" in capsys.readouterr().err
