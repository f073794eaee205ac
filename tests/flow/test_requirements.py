"""Requirements shown from end to end that no other test shows so: R3, R6, R14, R17. And that each has its test."""

from __future__ import annotations

import ast
import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from bridge import sandbox
from bridge.model import Fate, type_json
from bridge.store import tables
from bridge.store.ledger import get_blobs
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, child, contact, patient, ready

STAND_IN = re.compile(r"(?i)vacan|unknown|\btb[da]\b|\bn/a\b|placeholder|\bnone\b|nobody")
FIRST_LINE = ("R1", "R3", "R6", "R12", "R13", "R14", "R17", "R18", "R20", "R24", "R26")
"""What the first line from an agency to a chart must show."""


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with sandbox.start("open") as running:
        running_ehr = Ehr(running)
        running_ehr.load(patient("m-1"))
        yield running_ehr


def kept(opened: Pilot) -> list[type_json]:
    """Every canonical resource in the ledger."""
    ledger = opened.line.ledger
    with ledger.read() as connection:
        blobs = list(connection.execute(select(tables.translation.c.parts_blob)).scalars())
        found = get_blobs(connection, ledger.keys, blobs)
    return [part["resource"] for content in found.values() for part in orjson.loads(content)]


def trail(opened: Pilot) -> list[str]:
    """What people did."""
    with opened.line.ledger.read() as connection:
        return list(connection.execute(select(tables.audit.c.action)).scalars())


def test_r3_nothing_is_keyed_again_whatever_happens_on_the_way(tmp_path: Path, ehr: Ehr) -> None:
    """Signed once: an EHR that is down, slow or loses answers, a consent and a link that come later, ask nobody to
    enter, sign or send a record again; and sending the whole export again changes nothing."""
    written = [contact(f"k-{number}", narrative=f"Visit {number}.") for number in range(5)]
    with pilot(tmp_path, [Site(PRACTICE, ehr.running.base_url)]) as maple:
        maple.accept("ma-soc/child", child())
        assert {answer.fate for answer in maple.accept("ma-soc/contact", *written)} == {Fate.NEW}
        maple.settle()
        assert {hold["reason"] for hold in maple.holds()} == {"consent"}
        for fault in ("429", "503", "drop-before", "drop-after", "error-before", "half-body"):
            ehr.fault(fault=fault, count=1, match={"method": "POST", "type": "DocumentReference"})
        ready(maple)
        maple.settle()
        assert sorted(re.findall(r"Visit \d", "".join(ehr.documents()))) == [f"Visit {number}" for number in range(5)]
        assert maple.holds() == []
        assert {record["ordinal"] for record in maple.records()} == {1}
        assert trail(maple) == [], "nobody had to do anything"
        again = maple.accept("ma-soc/contact", *written)
        assert {answer.fate for answer in again} == {Fate.RESEND}
        maple.settle()
        assert len(ehr.stored("DocumentReference")) == len(written)
        assert len(maple.records()) == len(written) + 1


def test_r6_a_vacant_role_is_valid_and_never_filled_with_a_placeholder(tmp_path: Path, ehr: Ehr) -> None:
    """No person, name or reference stands in for who is not there: in no part that is kept, in nothing that is sent."""
    vacant = {"role": "family-partner"}
    there = {"role": "clinician", "name": "Dana Lund", "from": "2026-01-05"}
    team = {"id": "t-1", "status": "active", "updated_at": "2026-02-01", "child": "c-1", "members": [vacant, there]}
    dyad = {"id": "d-1", "status": "active", "child": "c-1", "started": "2026-01-05", "members": [vacant, there]}
    nobody = {**dyad, "id": "d-2", "members": [vacant, {"role": "clinician"}]}
    plan = {
        "id": "p-1", "version": 1, "status": "signed", "plan_status": "active", "child": "c-1", "started": "2026-02-01",
        "signed_on": "2026-02-02", "team": [vacant, {"role": "clinician", "name": "Dana Lund"}],
        "authors": [{"role": "clinician", "name": "Dana Lund"}],
    }  # fmt: skip
    sites = [Site(PRACTICE, ehr.running.base_url, enable=("CareTeam", "CarePlan"))]
    with pilot(tmp_path, sites) as maple:
        ready(maple)
        for kind, record in (("team", team), ("dyad", dyad), ("dyad", nobody), ("care-plan", plan)):
            (answer,) = maple.accept(f"ma-soc/{kind}", record)
            assert answer.fate is Fate.NEW, (kind, answer.problem)
        maple.settle()
        assert maple.holds() == [], "a vacancy holds nothing"
        teams = ehr.stored("CareTeam")
        assert len(teams) == 2, "a pairing of nobody is no team"
        for resource in [*teams, *(one for one in kept(maple) if one["resourceType"] == "CareTeam")]:
            assert [one["member"]["display"] for one in resource["participant"]] == ["Dana Lund"]
        assert sum("vacant" in text for text in ehr.documents()) == 2, "the reader is told of the vacancy"
        people = {"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"}
        assert not any(part["resourceType"] in people for part in kept(maple))
        assert len(ehr.stored("Patient")) == 1
        assert not any(ehr.stored(kind) for kind in ("Practitioner", "RelatedPerson"))
        said = [text for resource in [*kept(maple), *teams] for text in displays(resource)]
        assert said
        assert not [text for text in said if STAND_IN.search(text)]


def displays(value: Any) -> Iterator[str]:
    """Every name that stands for somebody or something."""
    if isinstance(value, list):
        for one in value:
            yield from displays(one)
    elif isinstance(value, dict):
        if isinstance(value.get("display"), str) and "code" not in value:
            yield value["display"]
        for one in value.values():
            yield from displays(one)


@pytest.mark.parametrize("mime", ["text/plain", "application/xhtml+xml"])
def test_r14_each_has_their_own_languages_and_words_keep_theirs(tmp_path: Path, ehr: Ehr, mime: str) -> None:
    words = "¿Qué quiere la mamá? «Que mi niño duerma» — año tras año & <señora Ñandú> 👶🏽"
    caregiver = {
        "id": "g-1", "children": [{"child": "c-1", "relationship": "mother"}],
        "name": {"family": "Ejemplo", "given": ["Ana"]},
        "languages": [{"code": "es-PR", "preferred": True}, {"code": "en", "preferred": False}],
    }  # fmt: skip
    sites = [Site(PRACTICE, ehr.running.base_url, extra=f", document: {{ mime: {mime}, language: en }}")]
    with pilot(tmp_path, sites) as maple:
        ready(maple)
        maple.accept("ma-soc/child", child(languages=[{"code": "en", "preferred": True}]))
        maple.accept("ma-soc/caregiver", caregiver)
        maple.accept("ma-soc/contact", contact(narrative=words, language="es-PR"))
        maple.settle()
        (document,) = ehr.stored("DocumentReference")
        attachment = document["content"][0]["attachment"]
        body = base64.b64decode(attachment["data"])
        if mime == "text/plain":
            assert words.encode() in body
        else:
            escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            assert escaped.encode() in body or escaped.replace("&gt;", ">").encode() in body
            assert b'lang="es-PR"' in body
        assert attachment["language"] == "en", "the headings are the practice's"
        spoken = {
            (one["resourceType"], one["name"][0]["given"][0]): [
                (said["language"]["coding"][0]["code"], said.get("preferred")) for said in one["communication"]
            ]
            for one in kept(maple)
            if one["resourceType"] in ("Patient", "RelatedPerson")
        }
        own = [("es-PR", True), ("en", False)]
        assert spoken == {("Patient", "Luz"): [("en", True)], ("Patient", "Ana"): own, ("RelatedPerson", "Ana"): own}


def test_r17_every_mode_and_place_survives_the_round_trip(tmp_path: Path, ehr: Ehr) -> None:
    """What the agency chose stands in the chart as the table says it, as a class and in words; a shelter is none."""
    sites = [Site(PRACTICE, ehr.running.base_url, enable=("Encounter",))]
    with pilot(tmp_path, sites) as maple:
        ready(maple)
        places = maple.line.translator.mappings.tables["ma-soc/contact-place"].rows
        media = maple.line.translator.mappings.tables["ma-soc/contact-medium"].rows
        remote = set(media) - {"in-person"}
        assert remote == {"phone", "video", "text"}
        written = {name: contact(f"k-{name}", place=name) for name in places}
        for name in remote:
            written[name] |= {"mode": name}
            written[name].pop("place")
        assert len(written) >= 10
        maple.accept("ma-soc/contact", *written.values())
        maple.settle()
        encounters = {one["identifier"][0]["value"].split("/")[2]: one for one in ehr.stored("Encounter")}
        texts = {}
        for one in ehr.stored("DocumentReference"):
            said = base64.b64decode(one["content"][0]["attachment"]["data"]).decode()
            texts[one["identifier"][0]["value"].split("/")[2]] = said
        assert set(encounters) == set(texts) == {f"k-{name}" for name in written}
        for name, row in places.items():
            encounter, text = encounters[f"k-{name}"], texts[f"k-{name}"]
            assert encounter["class"]["code"] == row.target
            assert encounter["location"][0]["location"]["display"] == row.words
            assert f"How: {media[name if name in remote else 'in-person'].words}" in text
            assert (f"Where: {row.words}" in text) == (name not in remote)
        assert "shelter" not in f"{texts['k-shelter']} {encounters['k-shelter']['location']}".lower()


def test_each_requirement_of_the_first_line_is_quoted_by_a_test() -> None:
    quoted: dict[str, set[str]] = {}
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                named = re.findall(r"_r(\d+)(?=_|$)", node.name)
                told = re.findall(r"\bR(\d+)\b", ast.get_docstring(node) or "")
                for number in {*named, *told}:
                    quoted.setdefault(f"R{number}", set()).add(node.name)
    assert not [one for one in FIRST_LINE if not quoted.get(one)]
