"""The caseload: large and mixed enough, the same for the same seed, every situation in it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bridge.demo import sharing
from bridge.demo.calendar import DAYS, LEAVES, Calendar
from bridge.demo.caseload import NEVER, Caseload, caseload, lines, never_collected, staying
from bridge.demo.cast import own_cast
from bridge.demo.contacts import BURST, Posted
from bridge.demo.families import FEWEST, TRAITS, Family
from bridge.errors import ConfigError
from bridge.mappings import load
from bridge.mappings.load import Mappings
from bridge.mappings.records import values_at

TODAY = date(2026, 11, 22)
CODED = {
    "contact": {
        "place": "contact-place", "mode": "contact-medium", "outcome": "contact-outcome", "purposes": "contact-purpose",
        "supports": "contact-support", "attendees.role": "attendee-role", "staff.role": "team-role",
    },
    "care-plan": {"plan_status": "plan-status", "goals.state": "goal-status", "authors.role": "team-role"},
    "screening": {"instrument": "screening-instrument", "result.outcome": "screening-outcome"},
    "service-referral": {"service": "service-kind", "state": "referral-task-status", "reason": "referral-reason"},
    "dyad": {"members.role": "team-role"},
    "team": {"members.role": "team-role"},
    "child": {"gender": "gender", "ethnicity": "ethnicity"},
    "caregiver": {"children.relationship": "relationship"},
}  # fmt: skip


@cache
def made(count: int = 66, seed: int = 2026, today: date = TODAY) -> Caseload:
    return caseload(own_cast(), today, count, seed)


@cache
def mappings() -> Mappings:
    return load.load(load.read_packs(("ma-soc",), Path("/nowhere")))


def of_kind(whole: Caseload, kind: str) -> list[dict[str, Any]]:
    return [posted.record for posted in whole.records if posted.kind == kind]


def with_trait(whole: Caseload, trait: str) -> Family:
    return next(family for family in whole.families if family.trait == trait)


def contacts_of(whole: Caseload, trait: str) -> list[Posted]:
    prefix = f"C-{with_trait(whole, trait).number:03d}-"
    return [posted for posted in whole.records if posted.kind == "contact" and posted.record["id"].startswith(prefix)]


def versions(whole: Caseload, trait: str) -> dict[str, list[dict[str, Any]]]:
    """The contacts of a family by id, each as its versions in the order they arrive."""
    found = defaultdict(list)
    for posted in contacts_of(whole, trait):
        found[posted.record["id"]].append(posted.record)
    return found


def as_text(whole: Caseload) -> str:
    records = [[posted.day, posted.agency, posted.kind, posted.record] for posted in whole.records]
    lists = [[wave.links, wave.consents] for wave in whole.waves]
    return json.dumps([records, lists, {name: list(charts) for name, charts in whole.charts.items()}])


def test_it_is_as_large_and_as_mixed_as_it_should_be() -> None:
    whole = made()
    assert len(whole.families) >= 60
    assert len({record["id"] for record in of_kind(whole, "contact")}) >= 600
    assert sum(family.language == "es" for family in whole.families) * 2 == len(whole.families)
    assert len({family.office.id for family in whole.families}) == 3
    assert len({family.office.city for family in whole.families}) == 3
    assert {family.site.shape for family in whole.families} == {"open", "epic", "oracle", "athena"}
    days = [posted.day for posted in whole.records]
    assert 0 <= min(days) <= max(days) < DAYS


def test_the_same_seed_and_day_make_the_same_bytes_and_others_do_not() -> None:
    first = as_text(made())
    assert first == as_text(caseload(own_cast(), TODAY))
    assert first != as_text(made(seed=7))
    assert first != as_text(made(today=TODAY + timedelta(days=1)))


def test_a_family_is_the_same_in_a_smaller_caseload() -> None:
    few = made(FEWEST)
    assert few.families == made().families[:FEWEST]


def test_too_few_families_are_refused_because_a_situation_would_be_missing() -> None:
    with pytest.raises(ConfigError) as caught:
        caseload(own_cast(), TODAY, FEWEST - 1)
    assert caught.value.problems[0].code == "demo-families"


@pytest.mark.parametrize("count", [FEWEST, 66])
def test_every_situation_is_in_it(count: int) -> None:
    assert {family.trait for family in made(count).families} >= set(TRAITS)


@pytest.mark.parametrize("today", [TODAY, date(2026, 3, 20), date(2027, 4, 2), date(2028, 2, 29)])
def test_every_record_opens_on_any_day_but_those_meant_not_to(today: date) -> None:
    kinds = mappings().kinds
    refused = []
    for posted in made(today=today).records:
        kind = kinds[f"ma-soc/{posted.kind}"]
        kept = kind.strip(posted.record)
        if kind.check(kept):
            refused.append(posted.record["id"])
        else:
            assert kind.open(kept, "America/New_York").source_id == posted.record["id"]
    assert len(refused) == 3
    assert all(id.split("-")[2].startswith("R") for id in refused)


def test_the_fourth_that_is_refused_lies_in_the_future() -> None:
    family = with_trait(made(), "rejected")
    late = [posted.record for posted in contacts_of(made(), "rejected") if "-R" in posted.record["id"]]
    assert any(record["started"] > Calendar(TODAY).at(family.office, DAYS, 0) for record in late)


def test_r13_only_the_codes_meant_to_have_no_row_have_none() -> None:
    tables, without = mappings().tables, Counter[str]()
    for posted in made().records:
        for path, table in CODED.get(posted.kind, {}).items():
            codes = values_at(posted.record, tuple(path.split(".")))
            without.update(code for code in codes if code not in tables[f"ma-soc/{table}"].rows)
    assert set(without) == {"laundromat", "toilet-training", "diaper-bank"}


def test_r20_a_crisis_is_several_contacts_on_one_day() -> None:
    by_day = Counter(posted.day for posted in contacts_of(made(), "crisis"))
    assert sum(count >= min(BURST[:-1]) for count in by_day.values()) >= len(BURST) - 1
    assert max(by_day.values()) >= max(BURST) > 2
    assert len({posted.record["id"] for posted in contacts_of(made(), "crisis")}) == len(contacts_of(made(), "crisis"))


def test_r17_every_mode_and_place_occurs_and_some_reach_nobody() -> None:
    contacts = of_kind(made(), "contact")
    assert {record["mode"] for record in contacts if "mode" in record} == {"in-person", "phone", "video", "text"}
    places = {record.get("place") for record in contacts}
    assert places >= {"home", "practice", "school", "clinic", "childcare", "community", "hospital"}
    assert any(record.get("mode") == "text" and record.get("outcome") == "no-answer" for record in contacts)


def test_r14_spanish_is_written_as_it_is_spelled() -> None:
    words = " ".join(line for record in of_kind(made(), "contact") for line in lines(record, frozenset({"narrative"})))
    assert set("áéíóúüñ¿¡«»") <= set(words)
    spoken = {(child["languages"][0]["code"], len(child["languages"])) for child in of_kind(made(), "child")}
    assert spoken == {("es", 2), ("en", 1)}
    assert {len(adult["languages"]) for adult in of_kind(made(), "caregiver")} == {1}


def test_r5_a_family_partner_who_leaves_is_given_a_last_day_and_stays_the_author() -> None:
    family = next(family for family in made().families if family.leaves and family.trait != "vacancy")
    dyads = [record for record in of_kind(made(), "dyad") if record["child"] == family.children[0].id]
    assert len(dyads) == 2
    gone = [member for member in dyads[1]["members"] if "until" in member]
    assert [member["name"] for member in gone] == [family.partner]
    assert any(member.get("name") == family.office.successor for member in dyads[1]["members"])
    plan = [record for record in of_kind(made(), "care-plan") if record["id"] == f"CP-{family.number:03d}"]
    assert family.partner in {author["name"] for author in plan[0]["authors"]}
    before = [posted for posted in made().records if posted.kind == "contact" and posted.day < LEAVES]
    names = {staff["name"] for posted in before for staff in posted.record.get("staff", ())}
    assert not names & {office.successor for office in own_cast().offices}


def test_r6_a_vacant_role_has_no_name() -> None:
    family = with_trait(made(), "vacancy")
    (dyad,) = [record for record in of_kind(made(), "dyad") if record["child"] == family.children[0].id]
    assert {"role": "family-partner"} in dyad["members"]


def test_r10_a_family_that_comes_again_gets_another_match_and_nothing_between() -> None:
    family = with_trait(made(), "re-referral")
    dyads = [record for record in of_kind(made(), "dyad") if record["child"] == family.children[0].id]
    assert [record["status"] for record in dyads if record["id"].endswith("-2")] == ["active"]
    assert any(record["status"] == "ended" and "rematch_reason" in record for record in dyads)
    assert not [posted for posted in contacts_of(made(), "re-referral") if 60 < posted.day < 115]


def test_r23_a_referral_is_connected_or_says_in_a_code_why_not() -> None:
    ends = Counter((record["state"], record.get("reason", "")) for record in of_kind(made(), "service-referral"))
    assert ends["connected", ""]
    assert ends["not-followed", "transport"]
    assert not [state for state, reason in ends if state in ("not-followed", "declined") and not reason]


def test_r15_a_plan_comes_twice_with_the_goals_in_the_same_words() -> None:
    for family in made().families:
        first, second = (r for r in of_kind(made(), "care-plan") if r["id"] == f"CP-{family.number:03d}")
        assert (first["version"], second["version"]) == (1, 2)
        assert [goal["words"] for goal in first["goals"]] == [goal["words"] for goal in second["goals"]][:2]
        assert {goal["said_by"] for goal in second["goals"]} == {"caregiver"}


def test_records_come_unfinished_corrected_again_late_and_void() -> None:
    whole = made()
    amended = [v for v in versions(whole, "amended").values() if len(v) > 1]
    assert [version["status"] for version in amended[0]] == ["signed", "amended"]
    assert amended[0][0]["narrative"] != amended[0][1]["narrative"]
    voided = [v for v in versions(whole, "voided").values() if len(v) > 1]
    assert {version[1]["status"] for version in voided} == {"void"}
    assert {version[0]["status"] for version in voided} == {"signed", "draft"}
    drafts = [v for v in versions(whole, "drafts").values() if len(v) > 1]
    assert [version["status"] for version in drafts[0]] == ["draft", "signed"]
    again, late = (v for v in versions(whole, "resent").values() if len(v) > 1)
    assert again[0] == again[1]
    assert late[0]["updated_at"] > late[1]["updated_at"]
    last = {id: found[-1]["status"] for trait in TRAITS for id, found in versions(whole, trait).items()}
    assert list(last.values()).count("draft") >= 1


def test_r26_consents_are_given_refused_revoked_expired_late_and_for_later() -> None:
    whole, cast, calendar = made(), own_cast(), Calendar(TODAY)
    assert {family.consent for family in whole.families} >= {"words", "facts", "refused", "revoked", "expired", "later"}
    refused = [family for family in whole.families if family.consent == "refused"]
    assert len(refused) > 1
    for family in refused:
        assert not [*sharing.consent_records(cast, family, calendar), *sharing.consent_rows(cast, family, calendar)]
    given = [row for wave in whole.waves for row in wave.consents]
    assert {row[5] for row in given} == {"yes", "no"}
    assert any(row[3] > TODAY.isoformat() for row in given)
    assert any("revoked" in record for record in of_kind(whole, "consent"))
    late = with_trait(whole, "late-consent")
    arrives = [number for number, wave in enumerate(whole.waves) for posted in wave.records
               if posted.kind == "consent" and posted.record.get("child") == late.children[0].id]  # fmt: skip
    assert arrives == [4]


def test_twins_stand_on_one_line_and_two_charts_bear_one_number() -> None:
    whole = made()
    rows = [row for wave in whole.waves for row in wave.links]
    twins = {child.id for child in with_trait(whole, "twins-on-one-line").children}
    assert len(twins) == 2
    assert len({row[4] for row in rows if row[1] in twins}) == 1
    double = with_trait(whole, "two-charts")
    numbers = [chart["identifier"][0]["value"] for chart in whole.charts[double.site.id]]
    assert numbers.count(double.children[0].number) == 2
    unlisted = with_trait(whole, "no-roster")
    assert unlisted.children[0].id not in {row[1] for row in rows}
    other = with_trait(whole, "other-birth-date")
    (chart,) = (c for c in whole.charts[other.site.id] if c["identifier"][0]["value"] == other.children[0].number)
    assert chart["birthDate"] != other.children[0].birth_date
    shared = Counter(row[4] for row in rows if row[1] not in twins)
    assert set(shared.values()) == {1}


def test_r24_r27_what_is_never_collected_was_planted_and_each_sentence_is_its_own() -> None:
    whole = made()
    found = never_collected(whole)
    assert len(found) > 100
    others = " ".join(
        json.dumps({name: value for name, value in posted.record.items() if name not in NEVER}, ensure_ascii=False)
        for posted in whole.records
    )
    assert not [sentence for sentence in found if sentence in others]


def test_r25_what_caregivers_tell_of_themselves_is_among_what_must_stay() -> None:
    whole = made()
    stays = staying(whole)
    stress = {
        record["caregiver_stress"]["note"]
        for record in of_kind(whole, "contact")
        if "note" in record.get("caregiver_stress", ())
    }
    assert stress
    assert stress <= stays
    own = [record for record in of_kind(whole, "screening") if "caregiver" in record]
    assert {record["instrument"] for record in own} == {"phq-9", "audit-c"}
    assert not [record for record in own if "child" in record]


def test_the_words_of_a_family_that_agreed_to_facts_alone_must_stay_too() -> None:
    whole = made()
    silent = next(family for family in whole.families if family.consent == "facts" and family.trait == "drafts")
    told = [
        line for posted in contacts_of(whole, silent.trait) for line in lines(posted.record, frozenset({"narrative"}))
    ]
    assert len(set(told) & staying(whole)) >= len(told) // 2 > 0
