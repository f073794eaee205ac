"""What leaves under which consent, what a person reads first, what goes along with it, and what nobody can tell."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from bridge import sandbox
from bridge.documents.notices import FULL, SHORT
from bridge.errors import ConfigError
from bridge.model import Part, type_json
from bridge.moves import answering, granting, showing
from bridge.store import browsing
from tests.flow.pilot import AGENCY, Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, child, contact, patient

HEADER = "agency,person,practice,from,until,narrative,grantor,authority,classes,purpose,language,form"


@contextmanager
def opened(
    folder: Path, *, extra: str = "", enable: tuple[str, ...] = (), **settings: Any
) -> Iterator[tuple[Pilot, Ehr]]:
    """A practice whose patients are the child `c-1` and the caregiver `g-1`, and who the bridge knows them to be."""
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(patient("m-1"), patient("m-2", "1990-01-01"))
        sites = [Site(PRACTICE, running.base_url, extra=extra, enable=enable)]
        with pilot(folder, sites, **settings) as bridge:
            bridge.links(PRACTICE, {"c-1": "m-1", "g-1": "m-2"})
            yield bridge, ehr


def permit(bridge: Pilot, *classes: str, person: str = "c-1", form: str = "F-12") -> None:
    """A written consent by which these classes leave."""
    authority = "self" if person.startswith("g") else "parent"
    line = f"{AGENCY},{person},{PRACTICE},2026-01-01,,,g-1,{authority},{' '.join(classes)},care-coordination,es,{form}"
    bridge.roster("consents", HEADER, [line])


MOTHER = {
    "id": "g-1",
    "name": {"family": "Ejemplo", "given": ["Marisol"]},
    "children": [{"child": "c-1", "relationship": "mother"}],
    "birth_date": "1990-01-01",
}


def attachment(ehr: Ehr) -> str:
    """The one document that stands."""
    (text,) = ehr.documents()
    return text


# ── the guard ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_phone_number_in_the_words_waits_for_a_person_and_leaves_only_in_that_version(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept("ma-soc/contact", contact(narrative="Call the aunt on 617-555-0143."))
        bridge.settle()
        (hold,) = bridge.holds()
        assert (hold["reason"], hold["owner"]) == ("decision", "agency")
        assert "a phone number (in section 2 of note)" in hold["rule"]
        assert "617" not in hold["rule"] + hold["next_step"]
        assert ehr.documents() == []
        assert answering.let_leave(bridge.line, hold["id"], "ana", bridge.clock())
        assert not answering.let_leave(bridge.line, hold["id"], "ana", bridge.clock())
        bridge.settle()
        assert "617-555-0143" in attachment(ehr)
        again = contact(narrative="Call the uncle on 617-555-0144.", updated_at="2026-03-03T10:00:00-05:00")
        bridge.accept("ma-soc/contact", again)
        bridge.settle()
        (hold,) = bridge.holds()
        assert "617-555-0144" not in attachment(ehr)
        amended = contact(narrative="Call the uncle.", updated_at="2026-03-04T10:00:00-05:00", status="amended")
        bridge.accept("ma-soc/contact", amended)
        bridge.settle()
        assert bridge.holds() == []
        assert "Call the uncle." in attachment(ehr)


def test_what_is_withheld_is_not_guarded_and_what_a_later_consent_opens_is(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary")
        bridge.accept("ma-soc/contact", contact(narrative="Call the aunt on 617-555-0143."))
        bridge.settle()
        assert bridge.holds() == []
        assert "617" not in attachment(ehr)


def test_another_childs_name_waits_and_the_mothers_does_not(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        family = [{"child": "c-1", "relationship": "mother"}, {"child": "c-2", "relationship": "mother"}]
        mother = {"id": "g-1", "name": {"family": "Ejemplo", "given": ["Marisol"]}, "children": family}
        bridge.accept("ma-soc/caregiver", {**mother, "birth_date": "1990-01-01"})
        bridge.accept("ma-soc/child", child(birth_date="2021-03-04"))
        bridge.accept("ma-soc/child", child("c-2", name={"family": "Ejemplo", "given": ["Tomás"]}))
        bridge.settle()
        bridge.accept(
            "ma-soc/contact",
            contact("k-1", narrative="Marisol says that Luz Ejemplo sleeps."),
            contact("k-2", narrative="Her brother tomas is fine. TOMAS hit her again."),
        )
        bridge.settle()
        held = [hold for hold in bridge.holds() if hold["waits_for"].startswith("guard:")]
        assert [hold["thing"] for hold in held] == ["harbor/ma-soc/contact/k-2"]
        assert "the name of somebody else of the family" in held[0]["rule"]
        assert "tom" not in str(held[0]).lower()
        assert "Marisol says" in attachment(ehr)


def test_detectors_are_switched_and_phrases_added_by_the_site(tmp_path: Path) -> None:
    with opened(tmp_path, more='    guard: { phones: false, phrases: ["Casa Segura"] }\n') as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept(
            "ma-soc/contact", contact(narrative="Call 617-555-0143."), contact("k-2", narrative="In casa segura.")
        )
        bridge.settle()
        assert "617-555-0143" in attachment(ehr)
        (hold,) = bridge.holds()
        assert "one of the agency's own phrases" in hold["rule"]
        with pytest.raises(ConfigError, match="hold-record"):
            answering.release_record(bridge.line, hold["id"], True, "ana", bridge.clock())
        answering.decide(bridge.line, hold["id"], "", False, True, "ana", bridge.clock())
        bridge.settle()
        assert sorted(entry["state"] for entry in bridge.entries()) == ["cancelled", "delivered"]


def test_a_revocation_after_a_person_said_yes_still_stops_it(tmp_path: Path) -> None:
    """R26: a person's word opens the guard, never the gate."""
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept("ma-soc/contact", contact(narrative="Call the aunt on 617-555-0143."))
        bridge.settle()
        (hold,) = bridge.holds()
        answering.let_leave(bridge.line, hold["id"], "ana", bridge.clock())
        granting.revoke(bridge.line, AGENCY, "c-1", PRACTICE, "ana", bridge.clock())
        bridge.settle()
        assert ehr.documents() == []
        assert [hold["reason"] for hold in bridge.holds()] == ["consent"]


# ── what a portal shows at once ───────────────────────────────────────────────────────────────────────────────────
def test_of_a_note_that_the_portal_shows_at_once_only_the_facts_leave(tmp_path: Path) -> None:
    shown = ', document: { released_at_once: ["34109-9", "11506-3", "34133-9"] }'
    with opened(tmp_path, extra=shown) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept("ma-soc/contact", contact(narrative="We read together."))
        bridge.settle()
        (found,) = ehr.stored("DocumentReference")
        assert found["type"]["coding"][0]["code"] in shown
        assert "We read together." not in attachment(ehr)
        assert "Home" in attachment(ehr)


def test_or_a_person_decides_about_it(tmp_path: Path) -> None:
    shown = ', document: { released_at_once: ["34109-9", "11506-3", "34133-9"], when_released: hold }'
    with opened(tmp_path, extra=shown) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept("ma-soc/contact", contact(narrative="We read together."), contact("k-2"))
        bridge.settle()
        (hold,) = bridge.holds()
        assert "a note that the practice's portal shows at once" in hold["rule"]
        assert len(ehr.documents()) == 1
        answering.let_leave(bridge.line, hold["id"], "ana", bridge.clock())
        bridge.settle()
        assert any("We read together." in text for text in ehr.documents())


# ── nobody can tell ───────────────────────────────────────────────────────────────────────────────────────────────
WITHHELD: dict[str, type_json] = {
    "narrative": {"narrative": "She told us everything.", "next_steps": "Call on Monday."},
    "location": {"place_name": "Casa Abierta", "address": "12 Elm Street"},
    "third parties": {"others_involved": "The aunt lost her job."},
    "child welfare": {"child_welfare": "A report was made."},
    "a caregiver's": {"caregiver_stress": {"score": 9, "note": "Hard"}, "caregiver_substance_use": "Drinks again."},
    "a screening": {"caregiver_screening": ["done", "discussed", "referred"]},
    "kept": {"safety_flag": True, "legal_note": "Hearing on Friday.", "safety_concern": "He knows the address."},
}


@pytest.mark.parametrize("mime", ["text/plain", "application/xhtml+xml"])
def test_a_document_with_something_withheld_is_byte_for_byte_that_of_a_record_that_never_had_it(
    tmp_path: Path, mime: str
) -> None:
    """And every one carries the same sentence that it may be incomplete."""
    with opened(tmp_path, extra=f", document: {{ mime: {mime} }}") as (bridge, ehr):
        permit(bridge, "ordinary")
        records = [contact("k-0"), *(contact(f"k-{n}", **more) for n, more in enumerate(WITHHELD.values(), 1))]
        bridge.accept("ma-soc/contact", *records)
        bridge.settle()
        said = {without_reference(found) for found in ehr.stored("DocumentReference")}
        assert len(ehr.stored("DocumentReference")) == len(records)
        assert len(said) == 1, "the documents differ"
        assert "may not hold everything the agency knows" in next(iter(said))
        withheld = {entry["thread"]: entry["withheld"] for entry in bridge.entries() if entry["name"] == "document"}
        assert withheld["harbor/ma-soc/contact/k-0"] == 0
        assert sum(withheld.values()) > 5


def without_reference(found: type_json) -> str:
    """A document as it stands, its text in the clear, without what names this delivery and this record."""
    content = found["content"][0]["attachment"]
    text = base64.b64decode(content.pop("data")).decode()
    rest = {key: value for key, value in found.items() if key not in ("id", "meta", "identifier")}
    return re.sub(r"DB-[A-Z0-9]{12}|contact/k-\d", "*", f"{rest} {text}")


# ── 42 CFR part 2 ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_substance_use_leaves_with_the_notice_and_the_scope_of_the_consent(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary", "caregiver-health", "substance-use", person="g-1", form="Form 7")
        bridge.accept("ma-soc/contact", contact(caregiver_substance_use="She has not drunk since May."))
        bridge.accept("ma-soc/caregiver", MOTHER)
        bridge.settle()
        text = next(text for text in ehr.documents() if "since May" in text)
        assert FULL in text
        assert "given by the person themselves; to Maple Pediatrics; for care coordination" in text
        assert "substance use records" in text
        assert "Consent form: Form 7" in text
        (found,) = (one for one in ehr.stored("DocumentReference") if "security" in one.get("meta", {}))
        assert [label["code"] for label in found["meta"]["security"]] == ["R", "42CFRPart2"]
        assert "subject" in found


def test_without_substance_use_there_is_no_notice(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative", "substance-use")
        bridge.accept("ma-soc/contact", contact(narrative="We read together."))
        bridge.settle()
        assert "42 CFR" not in attachment(ehr)


@pytest.mark.parametrize(("form", "leaves"), [("Form 7", True), ("", False)])
def test_everything_of_a_part_2_program_needs_a_written_consent_that_names_it(
    tmp_path: Path, form: str, leaves: bool
) -> None:
    with opened(tmp_path, program=", part2: true") as (bridge, ehr):
        permit(bridge, "ordinary", "narrative", "substance-use", form=form)
        bridge.accept("ma-soc/contact", contact())
        bridge.settle()
        assert bool(ehr.documents()) is leaves
        if leaves:
            assert FULL in attachment(ehr)


def test_of_a_part_2_program_an_ordinary_consent_lets_nothing_leave(tmp_path: Path) -> None:
    with opened(tmp_path, program=", part2: true") as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept("ma-soc/contact", contact(narrative="We read together."))
        bridge.settle()
        assert ehr.documents() == []
        assert {entry["state"] for entry in bridge.entries()} == {"cancelled"}


def test_a_discrete_write_carries_the_short_notice_or_is_held_where_it_has_no_place(tmp_path: Path) -> None:
    with opened(tmp_path, program=", part2: true", enable=("Encounter", "Communication")) as (bridge, ehr):
        permit(bridge, "ordinary", "substance-use")
        attempt = contact("k-2", outcome="no-answer", mode="phone")
        bridge.accept("ma-soc/contact", contact(), attempt)
        bridge.settle()
        (found,) = ehr.stored("Communication")
        assert found["note"][0]["text"].startswith(SHORT)
        assert "facts of the services given" in found["note"][0]["text"]
        assert [label["code"] for label in found["meta"]["security"]] == ["R", "42CFRPart2"]
        assert ehr.stored("Encounter") == []
        assert ["Encounter.note" in hold["rule"] for hold in bridge.holds()] == [True]


# ── before consent ────────────────────────────────────────────────────────────────────────────────────────────────
STATUS = {
    "id": "rs-1",
    "updated_at": "2026-03-02T10:00:00-05:00",
    "child": "c-1",
    "referral": {"value": "REF-77"},
    "state": "received",
}


def test_r26_the_bare_status_of_the_practices_own_referral_may_answer_it_where_the_site_says_so(tmp_path: Path) -> None:
    with opened(tmp_path, extra=", referral_status: true") as (bridge, ehr):
        bridge.accept("ma-soc/referral-status", STATUS)
        bridge.accept("ma-soc/contact", contact(narrative="We read together."))
        bridge.settle()
        text = attachment(ehr)
        assert "The agency has received the referral." in text
        assert "REF-77" in text
        assert [hold["reason"] for hold in bridge.holds()] == ["consent"], "the contact waits"
        later = {**STATUS, "state": "unable-to-reach", "updated_at": "2026-03-09T10:00:00-05:00"}
        bridge.accept("ma-soc/referral-status", later)
        bridge.settle()
        assert "could not reach the family" in attachment(ehr)


@pytest.mark.parametrize(
    ("extra", "program"), [("", ""), (", referral_status: true", ", part2: true")], ids=["not asked for", "part 2"]
)
def test_r26_else_no_status_leaves_before_consent(tmp_path: Path, extra: str, program: str) -> None:
    with opened(tmp_path, extra=extra, program=program) as (bridge, ehr):
        bridge.accept("ma-soc/referral-status", STATUS)
        bridge.settle()
        assert ehr.documents() == []
        assert [hold["reason"] for hold in bridge.holds()] == ["consent"]


def test_r26_once_the_family_took_it_back_no_status_leaves_either(tmp_path: Path) -> None:
    with opened(tmp_path, extra=", referral_status: true") as (bridge, ehr):
        permit(bridge, "ordinary")
        granting.revoke(bridge.line, AGENCY, "c-1", PRACTICE, "ana", bridge.clock())
        bridge.accept("ma-soc/referral-status", STATUS)
        bridge.settle()
        assert ehr.documents() == []


# ── two charts ────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("asked", [True, False])
def test_r25_that_a_caregiver_was_screened_is_all_a_childs_chart_hears_and_only_where_it_asks(
    tmp_path: Path, asked: bool
) -> None:
    with opened(tmp_path, extra=", caregiver_screening: true" if asked else "") as (bridge, ehr):
        permit(bridge, "ordinary", "narrative", "caregiver-health")
        bridge.accept("ma-soc/contact", contact(**WITHHELD["a screening"]))
        bridge.settle()
        assert ("A screening was done." in attachment(ehr)) is asked


def test_r25_an_adults_care_asked_for_on_the_childs_referral_stays_out_of_the_childs_chart(tmp_path: Path) -> None:
    """Whatever the child's own consent opens."""
    with opened(tmp_path, enable=("ServiceRequest", "Task")) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative", "caregiver-health")
        referral = {
            "id": "r-1", "status": "signed", "updated_at": "2026-03-02", "requested_on": "2026-03-01", "child": "c-1",
            "service": "adult-mental-health", "state": "sent", "staff": [{"role": "clinician", "name": "Dana Lund"}],
        }  # fmt: skip
        bridge.accept("ma-soc/service-referral", referral)
        bridge.settle()
        assert ehr.documents() == []
        assert ehr.stored("ServiceRequest") == ehr.stored("Task") == []


# ── violence and location ─────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("flag", ["record", "person", ""])
def test_a_safety_flag_suppresses_places_whatever_was_agreed_and_is_itself_never_sent(
    tmp_path: Path, flag: str
) -> None:
    with opened(tmp_path, more="    guard: { addresses: false }\n") as (bridge, ehr):
        permit(bridge, "ordinary", "violence-location")
        bridge.accept("ma-soc/child", child(birth_date="2021-03-04", safety_flag=flag == "person"))
        bridge.settle()
        bridge.accept("ma-soc/contact", contact(place_name="Casa Abierta", safety_flag=flag == "record"))
        bridge.settle()
        assert ("Casa Abierta" in attachment(ehr)) is not bool(flag)
        sent = str(ehr.stored("DocumentReference"))
        assert "safety" not in sent
        assert "suppressed" not in sent


def test_a_shelter_is_never_named(tmp_path: Path) -> None:
    with opened(tmp_path, enable=("Encounter",)) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative", "violence-location")
        bridge.accept("ma-soc/contact", contact(place="shelter"), contact("k-2", place="community"))
        bridge.settle()
        assert "helter" not in str(ehr.stored("Encounter")) + "".join(ehr.documents())
        places = {str(found["location"]) + str(found["class"]) for found in ehr.stored("Encounter")}
        assert len(places) == 1, "it is told like any place in the community"


# ── the family's own words ────────────────────────────────────────────────────────────────────────────────────────
def plan(words: str, version: int = 1) -> type_json:
    """A care plan with one goal of the family."""
    return {
        "id": "p-1", "version": version, "status": "signed", "plan_status": "active", "child": "c-1",
        "caregiver": "g-1", "started": "2026-02-01", "signed_on": "2026-02-02", "language": "es",
        "goals": [{"id": "1", "state": "active", "words": words, "said_by": "caregiver"}],
        "authors": [{"role": "family-partner", "name": "Rosa Vega"}, {"role": "clinician", "name": "Dana Lund"}],
        "team": [{"role": "family-partner", "name": "Rosa Vega"}],
    }  # fmt: skip


GOAL = "Que duerma toda la noche — “sin miedo”,\ny que vaya a la escuelita   con <gusto> & calma."


def test_r15_the_familys_goal_is_verbatim_theirs_and_a_practices_edit_is_a_conflict_never_overwritten(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, enable=("Goal",)) as (bridge, ehr):
        permit(bridge, "ordinary", "narrative")
        bridge.accept("ma-soc/care-plan", plan(GOAL))
        bridge.settle()
        (goal,) = ehr.stored("Goal")
        assert goal["description"]["text"] == GOAL
        assert goal["expressedBy"]["type"] == "RelatedPerson"
        assert GOAL in attachment(ehr)
        edited = {**goal, "description": {"text": "Sleep hygiene"}}
        httpx.put(f"{ehr.running.base_url}/Goal/{goal['id']}", json=edited).raise_for_status()
        bridge.accept("ma-soc/care-plan", plan("Que duerma.", 2))
        bridge.settle()
        assert [one["description"]["text"] for one in ehr.stored("Goal")] == ["Sleep hygiene"]
        (hold,) = bridge.holds()
        assert "the practice changed description" in hold["rule"]


def test_r16_the_family_partner_is_named_as_an_author_beside_the_clinician(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary")
        staff = [{"role": "family-partner", "name": "Rosa Vega"}, {"role": "clinician", "name": "Dana Lund"}]
        bridge.accept("ma-soc/contact", contact(staff=staff))
        bridge.settle()
        assert "Written by: Rosa Vega, Family partner (parent peer support), Dana Lund, Clinician" in attachment(ehr)
        with bridge.line.ledger.read() as connection:
            kept = browsing.translated_parts(connection, bridge.line.ledger, bridge.records()[0]["id"])
        parts = [Part.from_dict(one) for one in orjson.loads(kept["c-1"])]
        (origin,) = (part.resource for part in parts if part.type == "Provenance")
        assert [one["who"]["display"].split(",")[0] for one in origin["agent"]][:2] == ["Rosa Vega", "Dana Lund"]


# ── the agency sees what stays ────────────────────────────────────────────────────────────────────────────────────
def test_the_agency_sees_what_leaves_and_what_stays_with_the_rule_and_consent_of_each(tmp_path: Path) -> None:
    with opened(tmp_path) as (bridge, ehr):
        permit(bridge, "ordinary")
        bridge.accept("ma-soc/contact", contact(narrative="We read together.", legal_note="x"))
        bridge.settle()
        (chart,) = showing.leaving(bridge.line, bridge.records()[0], bridge.clock())
        rows = {(one.part, one.section): one for one in chart.rows}
        assert (rows["note", 1].leaves, rows["note", 1].rule) == (True, "a consent is in force")
        assert (rows["note", 2].leaves, rows["note", 2].rule) == (False, "the consent does not cover narrative")
        assert len(rows["note", 1].consents) == 1
        assert "read together" not in repr(chart)
        assert "We read together." not in attachment(ehr)
