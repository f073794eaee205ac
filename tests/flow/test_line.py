"""The line over a sandbox: what is sent, what is held and why, and what never leaves."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import sandbox
from bridge.errors import ConfigError
from bridge.jobs import worker
from bridge.model import EntryState, Fate, RecordState, type_json
from bridge.moves import answering
from tests.flow.pilot import SYSTEM, Pilot, Site, pilot

PRACTICE = "maple"


def patient(number: str, birth_date: str = "2021-03-04", **more: Any) -> type_json:
    """A Patient as the practice has it."""
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": SYSTEM, "value": number}],
        "name": [{"family": "Ejemplo", "given": ["Luz"]}],
        "birthDate": birth_date,
        **more,
    }


def child(id: str = "c-1", **more: Any) -> type_json:
    """A child as the agency has it."""
    return {"id": id, "practice": PRACTICE, "name": {"family": "Ejemplo", "given": ["Luz"]}, **more}


def contact(id: str = "k-1", **more: Any) -> type_json:
    """A signed home visit."""
    return {
        "id": id,
        "status": "signed",
        "updated_at": "2026-03-02T10:00:00-05:00",
        "child": "c-1",
        "caregiver": "g-1",
        "started": "2026-03-01T10:00:00-05:00",
        "ended": "2026-03-01T11:00:00-05:00",
        "mode": "in-person",
        "place": "home",
        "outcome": "reached",
        "purposes": ["follow-up"],
        "supports": ["emotional"],
        "attendees": [{"role": "caregiver"}],
        "staff": [{"role": "family-partner", "name": "Rosa Vega"}],
        **more,
    }


class Ehr:
    """What the practice's EHR holds, asked through the sandbox's own address."""

    def __init__(self, running: sandbox.Running) -> None:
        self.running = running

    def load(self, *resources: type_json) -> None:
        """The practice put these in."""
        httpx.post(f"{self.running.admin_url}/load", json=list(resources)).raise_for_status()

    def fault(self, **fault: Any) -> None:
        """The next requests meet this."""
        httpx.post(f"{self.running.admin_url}/faults", json=fault).raise_for_status()

    def stored(self, type: str) -> list[type_json]:
        """The latest version of every resource of a type."""
        found = httpx.get(f"{self.running.admin_url}/resources", params={"type": type}).json()
        return [item.get("resource", item) for item in found["resources"]]

    def asked(self) -> list[dict[str, Any]]:
        """Every request, without bodies."""
        entries: list[dict[str, Any]] = httpx.get(f"{self.running.admin_url}/audit").json()["requests"]
        return entries

    def withdraw(self, document: type_json) -> None:
        """The practice marked it entered-in-error."""
        place = f"{self.running.base_url}/{document['resourceType']}/{document['id']}"
        marked = {**document, "status": "entered-in-error"}
        headers = {"Content-Type": "application/fhir+json"}
        httpx.put(place, json=marked, headers=headers).raise_for_status()

    def documents(self) -> list[str]:
        """The texts of the documents that stand."""
        current = [found for found in self.stored("DocumentReference") if found["status"] == "current"]
        return [base64.b64decode(found["content"][0]["attachment"]["data"]).decode() for found in current]


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with sandbox.start("open") as running:
        yield Ehr(running)


@pytest.fixture
def maple(tmp_path: Path, ehr: Ehr) -> Iterator[Pilot]:
    ehr.load(patient("m-1"))
    with pilot(tmp_path, [Site(PRACTICE, ehr.running.base_url)]) as opened:
        yield opened


def ready(maple: Pilot) -> None:
    """Linked and consented, narrative included."""
    maple.links(PRACTICE, {"c-1": "m-1"})
    maple.consents(f"c-1,{PRACTICE},2026-01-01,,yes")


def test_r1_r3_a_signed_contact_appears_in_the_chart_once(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    assert [a.fate for a in maple.accept("ma-soc/contact", contact(narrative="We read together."))] == [Fate.NEW]
    maple.settle()
    (text,) = ehr.documents()
    assert "We read together." in text
    assert [a.fate for a in maple.accept("ma-soc/contact", contact(narrative="We read together."))] == [Fate.RESEND]
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    assert maple.counts()["delivered"] == 1


def test_what_was_planned_leaves_without_a_pause(maple: Pilot, ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_PAUSE", 60.0)
    ready(maple)
    maple.accept("ma-soc/contact", contact())
    before = time.monotonic()
    maple.work()
    assert maple.counts()[EntryState.DELIVERED] == 1
    assert time.monotonic() - before < 30


def test_r26_without_a_consent_nothing_is_sent_and_its_arrival_sends_exactly_that(maple: Pilot, ehr: Ehr) -> None:
    maple.links(PRACTICE, {"c-1": "m-1"})
    maple.accept("ma-soc/contact", contact())
    maple.settle()
    assert ehr.stored("DocumentReference") == []
    assert [hold["reason"] for hold in maple.holds()] == ["consent"]
    assert not [asked for asked in ehr.asked() if asked["type"] == "DocumentReference"]
    maple.consents(f"c-1,{PRACTICE},2026-01-01,,no")
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    assert maple.holds() == []


def test_r26_a_revoked_consent_stops_what_has_not_gone_and_leaves_what_stands(maple: Pilot, ehr: Ehr) -> None:
    from bridge.moves import granting

    ready(maple)
    maple.accept("ma-soc/contact", contact())
    maple.settle()
    granting.revoke(maple.line, maple.agency, "c-1", PRACTICE, "test", maple.clock())
    maple.accept("ma-soc/contact", contact("k-2"))
    maple.settle()
    assert [one["status"] for one in ehr.stored("DocumentReference")] == ["current"] * 2
    assert "Consent to share has ended" in ehr.documents()[1], "which is all that is told of it"
    assert maple.counts() | {"delivered": 2, "held": 1} == maple.counts()


def test_r26_a_consent_that_begins_later_sends_then(maple: Pilot, ehr: Ehr) -> None:
    from datetime import date, timedelta

    maple.links(PRACTICE, {"c-1": "m-1"})
    begins = (date.today() + timedelta(days=3)).isoformat()
    maple.consents(f"c-1,{PRACTICE},{begins},,no")
    maple.accept("ma-soc/contact", contact())
    maple.work()
    assert ehr.stored("DocumentReference") == []
    maple.clock.skip(5 * 86_400)
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1


def test_narrative_stays_unless_released_and_the_reader_cannot_tell(maple: Pilot, ehr: Ehr) -> None:
    maple.links(PRACTICE, {"c-1": "m-1"})
    maple.consents(f"c-1,{PRACTICE},2026-01-01,,no")
    maple.accept("ma-soc/contact", contact(narrative="CANARY-NARRATIVE"), contact("k-2"))
    maple.settle()
    with_words, without = ehr.documents()
    assert "CANARY" not in with_words + without
    assert "What happened" not in with_words
    entries = {entry["thread"]: entry["withheld"] for entry in maple.entries()}
    assert entries == {"harbor/ma-soc/contact/k-1": 1, "harbor/ma-soc/contact/k-2": 0}


def test_a_name_and_a_birth_date_are_no_link(maple: Pilot, ehr: Ehr) -> None:
    maple.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
    maple.accept("ma-soc/child", child(birth_date="2021-03-04"))
    maple.accept("ma-soc/contact", contact())
    maple.settle()
    assert ehr.stored("DocumentReference") == []
    assert [hold["reason"] for hold in maple.holds()] == ["link"]


@pytest.mark.parametrize(
    ("patients", "rule"),
    [
        ([patient("m-1"), patient("m-1")], "more than one patient"),
        ([patient("m-9")], "knows no patient"),
        ([patient("m-1", active=False)], "merged, inactive or deceased"),
        ([patient("m-1", "2019-01-01")], "birth date"),
    ],
)
def test_a_link_that_is_not_certain_holds(tmp_path: Path, ehr: Ehr, patients: list[type_json], rule: str) -> None:
    ehr.load(*patients)
    with pilot(tmp_path, [Site(PRACTICE, ehr.running.base_url)]) as maple:
        ready(maple)
        maple.accept("ma-soc/child", child(birth_date="2021-03-04"))
        maple.work()
        maple.accept("ma-soc/contact", contact())
        maple.settle()
        assert ehr.stored("DocumentReference") == []
        (hold,) = maple.holds()
        assert rule in hold["rule"]


def test_twins_on_one_line_are_never_certain(maple: Pilot, ehr: Ehr) -> None:
    maple.links(PRACTICE, {"c-1": "m-1", "c-2": "m-1"})
    maple.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
    maple.accept("ma-soc/contact", contact())
    maple.settle()
    assert ehr.stored("DocumentReference") == []
    assert "two persons" in maple.holds()[0]["rule"]


def test_r20_two_contacts_on_one_day_stay_two(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2


def test_a_new_version_corrects_what_stands_and_a_void_one_withdraws_it(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    maple.accept("ma-soc/contact", contact(narrative="First wording."))
    maple.settle()
    amended = contact(status="amended", updated_at="2026-03-03T09:00:00-05:00", narrative="Second wording.")
    assert [a.fate for a in maple.accept("ma-soc/contact", amended)] == [Fate.VERSION]
    maple.settle()
    (text,) = ehr.documents()
    assert "Second wording." in text
    assert "First wording." not in text
    older = contact(updated_at="2026-03-01T12:00:00-05:00", narrative="Older.")
    assert [a.fate for a in maple.accept("ma-soc/contact", older)] == [Fate.OLDER]
    maple.accept("ma-soc/contact", {"id": "k-1", "status": "void", "child": "c-1", "updated_at": "2026-03-05"})
    maple.settle()
    (stands,) = ehr.stored("DocumentReference")
    assert stands["status"] == "entered-in-error"
    assert maple.counts()["retracted"] == 1


def test_an_unfinished_record_waits_and_its_final_version_is_sent(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    draft = contact(status="draft", updated_at="2026-03-01T12:00:00-05:00")
    assert [a.fate for a in maple.accept("ma-soc/contact", draft)] == [Fate.UNFINISHED]
    maple.settle()
    assert ehr.stored("DocumentReference") == []
    maple.accept("ma-soc/contact", contact())
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    assert [record["state"] for record in maple.records()] == [RecordState.SUPERSEDED, RecordState.TRANSLATED]


def test_r13_a_code_without_a_row_is_held_and_runs_again_when_the_row_comes(maple: Pilot, ehr: Ehr) -> None:
    from bridge.moves import granting

    ready(maple)
    maple.accept("ma-soc/contact", contact(place="treehouse"), contact("k-2"))
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    holds = maple.holds()
    assert {hold["reason"] for hold in holds} == {"table"}
    _, agency, table, code = holds[0]["waits_for"].split(":")
    cells = {"code": code, "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "target": "FLD"}
    cells |= {"display": "field", "equivalence": "wider", "source": "test", "note": ""}
    assert granting.add_row(maple.line, agency, table, code, cells, "test", maple.clock()) == 1
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2


def test_r13_rows_of_different_days_each_run_what_waited(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    maple.accept("ma-soc/contact", contact(place="treehouse"), contact("k-2"))
    maple.settle()
    (hold,) = maple.holds()
    _, agency, table, code = hold["waits_for"].split(":")

    def add(display: str, start: str, until: str) -> int:
        cells = {"display": display, "system": "urn:place", "target": "FLD", "source": "test"}
        cells |= {"from": start, "until": until}
        return answering.add_row(maple.line, agency, table, code, cells, "test", maple.clock())

    assert add("Before", "", "2026-02-28") == 1
    maple.settle()
    (hold,) = [one for one in maple.holds() if one["closed_at"] is None]
    assert "none for the day of the record" in hold["rule"]
    with pytest.raises(ConfigError, match="the row added until 2026-02-28 holds on some of these days"):
        add("After", "2026-02-01", "")
    assert add("After", "2026-03-01", "2026-12-31") == 1
    assert add("After", "2026-03-01", "") == 0
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2
    (text,) = [one for one in ehr.documents() if "After" in one]
    assert "Before" not in text


def test_r14_spanish_arrives_byte_for_byte(maple: Pilot, ehr: Ehr) -> None:
    words = "¿Qué quiere la mamá? «Que mi niño duerma» — año tras año, señora Ñandú."
    ready(maple)
    maple.accept("ma-soc/contact", contact(narrative=words, language="es"))
    maple.settle()
    (text,) = ehr.documents()
    assert words in text


def test_r17_an_unanswered_text_is_no_encounter(tmp_path: Path, ehr: Ehr) -> None:
    ehr.load(patient("m-1"))
    with pilot(tmp_path, [Site(PRACTICE, ehr.running.base_url, enable=("Encounter", "Communication"))]) as maple:
        ready(maple)
        text = contact("k-9", mode="text", outcome="no-answer")
        for key in ("place", "ended", "purposes", "supports", "attendees"):
            text.pop(key)
        maple.accept("ma-soc/contact", text, contact("k-1"))
        maple.settle()
        assert len(ehr.stored("Encounter")) == 1
        (attempt,) = ehr.stored("Communication")
        assert attempt["status"] in ("not-done", "unknown")


def test_r12_r18_a_visit_at_the_practice_or_a_bedside_is_the_agencys_own(tmp_path: Path, ehr: Ehr) -> None:
    ehr.load(patient("m-1"))
    with pilot(tmp_path, [Site(PRACTICE, ehr.running.base_url, enable=("Encounter",))]) as maple:
        ready(maple)
        maple.accept("ma-soc/contact", contact("k-1", place="practice"), contact("k-2", place="hospital"))
        maple.settle()
        assert len(ehr.stored("Encounter")) == 2
        for encounter in ehr.stored("Encounter"):
            assert encounter["serviceProvider"]["display"] == "Harbor Family Partners"
            assert encounter["class"]["code"] not in ("IMP", "ACUTE", "NONAC", "EMER")
            assert "hospitalization" not in encounter
        own = {f"Encounter/{found['id']}" for found in ehr.stored("Encounter")}
        for found in ehr.stored("DocumentReference"):
            linked = {item.get("reference") for item in found.get("context", {}).get("encounter", [])}
            assert linked <= own | {None}


NEVER = ("self_disclosure", "supervision_notes", "counselling_notes", "psychotherapy_notes")


def test_r24_what_is_never_collected_is_removed_before_storage(maple: Pilot, ehr: Ehr) -> None:
    from sqlalchemy import select

    from bridge.store import tables
    from bridge.store.ledger import get_blobs

    ready(maple)
    maple.accept("ma-soc/contact", contact(**dict.fromkeys(NEVER, "CANARY-R24")))
    maple.settle()
    with maple.line.ledger.engine.connect() as connection:
        ids = list(connection.execute(select(tables.blob.c.id)).scalars())
        blobs = get_blobs(connection, maple.line.ledger.keys, ids)
    assert len(blobs) >= 4
    assert not any(b"CANARY-R24" in content for content in blobs.values())
    assert "CANARY-R24" not in "".join(ehr.documents())


def test_r25_a_caregivers_facts_stay_out_of_the_childs_chart(maple: Pilot, ehr: Ehr) -> None:
    ehr.load(patient("m-2", "1990-01-01"))
    ready(maple)
    maple.links(PRACTICE, {"g-1": "m-2"})
    stress = {"score": 9, "note": "CANARY-STRESS"}
    maple.accept("ma-soc/contact", contact(caregiver_stress=stress, caregiver_substance_use="CANARY-USE"))
    maple.settle()
    assert not any("CANARY" in text for text in ehr.documents())
    assert {entry["state"] for entry in maple.entries() if entry["name"] != "document"} <= {"held", "cancelled"}
    subjects = {found["subject"]["reference"] for found in ehr.stored("DocumentReference")}
    assert len(subjects) == 1


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "error-before", "error-after"])
def test_a_lost_answer_is_looked_for_and_never_duplicates(maple: Pilot, ehr: Ehr, fault: str) -> None:
    ready(maple)
    maple.accept("ma-soc/contact", contact())
    ehr.fault(fault=fault, count=1, match={"method": "POST", "type": "DocumentReference"})
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 1
    assert maple.counts()["delivered"] == 1


def test_one_stuck_thread_parks_only_itself(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    ehr.fault(fault="error-before", status=500, count=1, match={"method": "POST", "type": "DocumentReference"})
    maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
    maple.work()
    assert len(ehr.stored("DocumentReference")) == 1
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2


def test_what_the_ehr_asks_us_to_wait_everything_waits_for_it(maple: Pilot, ehr: Ehr) -> None:
    ready(maple)
    ehr.fault(fault="429", count=1, match={"method": "POST", "type": "DocumentReference"}, seconds=60)
    maple.accept("ma-soc/contact", contact("k-1"), contact("k-2"))
    maple.work()
    assert ehr.stored("DocumentReference") == []
    maple.work()
    assert ehr.stored("DocumentReference") == [], "nobody asks before the time it named"
    maple.settle()
    assert len(ehr.stored("DocumentReference")) == 2


def test_a_login_that_is_refused_stops_this_connection_alone(tmp_path: Path, ehr: Ehr) -> None:
    with sandbox.start("open") as other:
        elm = Ehr(other)
        elm.load(patient("m-1"))
        ehr.load(patient("m-1"))
        sites = [Site(PRACTICE, ehr.running.base_url), Site("elm", other.base_url)]
        with pilot(tmp_path, sites) as both:
            for practice in (PRACTICE, "elm"):
                both.links(practice, {"c-1": "m-1"})
                both.consents(f"c-1,{practice},2026-01-01,,yes")
            ehr.fault(fault="unauthorized", count=50, match={"type": "DocumentReference"})
            both.accept("ma-soc/contact", contact())
            both.work()
            assert len(elm.stored("DocumentReference")) == 1
            assert ehr.stored("DocumentReference") == []
            states = {entry["practice"]: entry["state"] for entry in both.entries()}
            assert states == {"elm": EntryState.DELIVERED, PRACTICE: EntryState.READY}


def test_what_the_site_never_enabled_is_not_written_when_the_consent_comes_later(maple: Pilot, ehr: Ehr) -> None:
    dyad = {
        "id": "d-1",
        "child": "c-1",
        "status": "active",
        "updated_at": "2026-03-02T10:00:00-05:00",
        "members": [{"role": "family-partner", "name": "Rosa Vega", "from": "2026-01-05"}],
    }
    maple.links(PRACTICE, {"c-1": "m-1"})
    accepted = maple.accept("ma-soc/dyad", dyad)
    assert [item.problem for item in accepted] == [None]
    maple.settle()
    maple.consents(f"c-1,{PRACTICE},2026-01-01,,yes")
    maple.settle()
    assert ehr.stored("CareTeam") == []
    assert maple.holds() == []
    assert len(ehr.documents()) == 1, "what is told reaches the chart as a document"


def test_a_record_whose_practice_nobody_knew_goes_when_the_child_names_it(tmp_path: Path, ehr: Ehr) -> None:
    ehr.load(patient("m-1"))
    with sandbox.start("open") as other:
        sites = [Site(PRACTICE, ehr.running.base_url), Site("elm", other.base_url)]
        with pilot(tmp_path, sites) as both:
            both.accept("ma-soc/contact", contact())
            both.settle()
            assert [hold["reason"] for hold in both.holds()] == ["practice"]
            both.accept("ma-soc/child", child())
            both.settle()
            assert [hold["reason"] for hold in both.holds()] == ["consent"]
            ready(both)
            both.settle()
            assert len(ehr.stored("DocumentReference")) == 1
