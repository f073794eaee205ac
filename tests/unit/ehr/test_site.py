"""A site's own word: ways per kind, files of its own, presets over its vendor's facts. What decides is shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ehr import facts, presets, ways
from bridge.ehr.capability import Capability
from bridge.ehr.context import ShapeContext
from bridge.ehr.ladder import ways_of
from bridge.ehr.route import plan, way
from bridge.ehr.shape import discrete, document
from bridge.ehr.wants import unfit
from bridge.errors import ConfigError
from bridge.model import Interaction, Part, Severity, type_json
from bridge.settings import Coding, Contact, DocumentSettings, Handoff, Practice, load
from tests.unit.ehr.making import ALL, PERSON, TYPES, capability, context, encounter, note, part, statement
from tests.unit.settings.project import YAML, write

WRITTEN = tuple(name for name in ways.shipped().written if name != ways.WHOLE)
KINDS = (*ways.shipped().kinds, "ma-soc/contact", "ma-soc/screening", "elsewhere/thing")


@dataclass(frozen=True)
class Site:
    id: str = "oak"
    enable: frozenset[str] = frozenset()
    routes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    handoff: Handoff | None = None


def practice(**document: Any) -> Practice:
    """A practice that wants documents so."""
    who = Contact("Kim", "kim@example.org")
    wants = DocumentSettings(**document)
    return Practice("oak", "Oak", "one", who, date(2026, 1, 1), "America/Chicago", document=wants)


def score() -> Part:
    coding = {"system": "http://loinc.org", "code": "44261-6"}
    return part(
        "score",
        {
            "resourceType": "Observation", "id": "o", "status": "amended", "code": {"coding": [coding]},
            "category": [{"coding": [{"code": "survey"}]}], "effectiveDateTime": "2026-03-04T12:00:00Z",
            "subject": {"reference": f"Patient/{PERSON}"}, "valueQuantity": {"value": 4},
        },
    )  # fmt: skip


# ── ways per kind ─────────────────────────────────────────────────────────────────────────────────────────────────
def names(kind: str, site: Site, *parts: Part) -> list[str]:
    """What is planned, by type; held ones with a mark."""
    return [entry.route.resource_type + ("?" if entry.hold else "") for entry in plan(kind, parts, capability(), site)]


def test_a_site_switches_ways_per_kind_of_record() -> None:
    """`routes` counts before `enable`, a kind of record before its ladder; other kinds are as they were."""
    asked = frozenset({"Encounter", "Observation"})
    site = Site(enable=asked, routes={"contact": ("document",), "ma-soc/screening": ("document", "Observation")})
    assert names("ma-soc/contact", site, encounter(), note()) == ["DocumentReference"]
    assert names("ma-soc/screening", Site(routes=site.routes), score(), note()) == ["Observation", "DocumentReference"]
    assert names("elsewhere/thing", site, encounter(), note()) == ["Encounter", "DocumentReference"]
    told = {way.route: way for way in ways_of("contact", capability(), site)}
    assert (
        told["Encounter"].because
        == "the server takes Encounter, but this site's routes of contact do not name Encounter"
    )


def test_a_record_that_a_site_left_without_a_way_is_held_and_says_so() -> None:
    site = Site(routes={"contact": ("Encounter",)})
    assert names("ma-soc/contact", site, encounter(), note()) == ["Encounter", "DocumentReference?"]
    (_, held) = plan("ma-soc/contact", [encounter(), note()], capability(), site)
    assert held.hold is not None
    assert "this site's routes of contact do not name document" in held.hold.rule


interactions = st.lists(st.sampled_from([*ALL, "delete", "patch", "", "vread"])).map(tuple)
parameters = st.lists(st.sampled_from(["identifier", "patient", "code"])).map(tuple)
types = st.dictionaries(st.sampled_from(TYPES), st.tuples(interactions, parameters))
odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], {}, "server", 7, [{"mode": "client", "resource": [{"type": "Encounter"}]}]]
)


@st.composite
def statements(draw: st.DrawFn) -> type_json:
    """Statements with several rest entries, some of them of a strange shape."""
    said = statement(**draw(types))
    for more in draw(st.lists(types, max_size=2)):
        said["rest"] += statement(**more)["rest"]
    if draw(st.booleans()):
        said["rest"].append(draw(odd))
    return said


sites = st.builds(
    Site,
    enable=st.frozensets(st.sampled_from(WRITTEN)),
    routes=st.dictionaries(
        st.sampled_from(KINDS), st.lists(st.sampled_from([*WRITTEN, "document"]), unique=True).map(tuple), max_size=3
    ),
    handoff=st.none() | st.builds(Handoff, way=st.just("folder"), prefer=st.booleans()),
)


@settings(max_examples=120, deadline=None)
@given(
    stated=statements(), vendor=st.sampled_from(facts.known()), site=sites, kind=st.sampled_from(KINDS),
    present=st.sets(st.sampled_from(WRITTEN), min_size=1), told=st.booleans(),
    learned=st.sets(st.sampled_from(WRITTEN)),
)  # fmt: skip
def test_what_is_planned_is_what_is_shown_and_nothing_is_left_without_a_way(
    stated: type_json, vendor: str, site: Site, kind: str, present: set[str], told: bool, learned: set[str]
) -> None:
    """Never a way that is not allowed, not asked for, or not on the ladder; never a part that nothing carries."""
    asked = site.enable | {name for names in site.routes.values() for name in names}
    refused = {(type, "create") for type in learned}
    known = Capability.from_statement(stated, facts.vendor(vendor), asked, refused)
    parts = [part(type, {"resourceType": type, "id": type}) for type in sorted(present)]
    planned = plan(kind, [*parts, *([note()] if told else [])], known, site)
    shown = {way.route: way for way in ways_of(kind, known, site)}
    wanted = site.routes.get(kind, site.routes.get(ways.shipped().named(kind)))
    for entry in planned:
        name = entry.route.resource_type if entry.route.kind == "discrete" else entry.route.kind
        if entry.hold is not None:
            assert name not in shown or not shown[name].enabled
            assert entry.hold.next_step
            assert entry.hold.waits_for == f"capability:oak:{entry.route.resource_type}"
            continue
        assert shown[name].enabled
        if name == "handoff":
            assert site.handoff is not None
            assert wanted is None or "document" in wanted
            assert site.handoff.prefer or not known.allows("DocumentReference", Interaction.CREATE).yes
            continue
        assert known.allows(entry.route.resource_type, Interaction.CREATE).yes
        assert (entry.route.resource_type, "create") not in refused
        assert name == "document" if wanted is None and name not in site.enable else wanted is None or name in wanted
        assert not any(one.route == "held" for one in ways_of(kind, known, site))
    carried = {name for entry in planned for name in entry.route.parts}
    assert {one.name for one in parts} <= carried
    assert not told or "note" in carried


# ── files of its own ──────────────────────────────────────────────────────────────────────────────────────────────
OWN = """
reads: epic
title: Epic at Oak
sources:
  tried: { what: "tried with the practice's EHR team", seen: 2026-11-03 }
requires: { value: { DocumentReference: [type, subject, context.encounter] }, source: tried }
document:
  mimes: { value: [text/html, text/plain], source: tried }
"""
WAYS = """
kinds:
  contact:
    records: [project/home-visit, ma-soc/team]
    ways: { Condition: [what is done about it] }
  garden:
    title: A day in the garden
    records: [project/garden]
    ways: { document: [] }
"""


def own(directory: Path, vendors: dict[str, str], table: str = "", vendor: str = "epic", more: str = "") -> Path:
    """A project with files of its own."""
    text = YAML.replace("vendor: epic", f"vendor: {vendor}").replace("mime: application/xhtml+xml", "mime: text/plain")
    folder = write(directory, text.replace("enable: [Encounter]", f"enable: [Encounter]{more}"))
    (folder / "vendors").mkdir()
    for name, content in vendors.items():
        (folder / "vendors" / f"{name}.yaml").write_text(content, encoding="utf-8")
    if table:
        (folder / "ways.yaml").write_text(table, encoding="utf-8")
    return folder


def test_a_vendor_file_of_the_project_reads_over_the_one_it_names(tmp_path: Path) -> None:
    project = load(own(tmp_path, {"oak-epic": OWN}, vendor="oak-epic"))
    assert list(unfit(project)) == []
    known = facts.of_project("oak-epic", project.vendors)
    assert (known.vendor, known.title, known.document.mimes.source.seen) == ("oak-epic", "Epic at Oak", "2026-11-03")
    assert known.flowsheet.value
    assert known.exceptions == facts.vendor("epic").exceptions
    shaped = document([note()], context_of(known))
    assert [(one.code, one.path) for one in shaped.findings] == [
        ("ehr-required", "DocumentReference.context.encounter")
    ]


def context_of(vendor: facts.VendorFacts, **more: Any) -> ShapeContext:
    """A delivery to an EHR with these facts."""
    return replace(context(**more), vendor=vendor)


def test_a_project_corrects_a_shipped_fact_under_its_own_name(tmp_path: Path) -> None:
    text = (
        'sources: { us: { what: "measured at our site", seen: 2026-11 } }\nvisibility_delay: { value: 7, source: us }\n'
    )
    project = load(own(tmp_path, {"epic": text}))
    assert facts.of_project("epic", project.vendors).visibility_delay.value == 7
    assert facts.vendor("epic").visibility_delay.value == 120
    other = load(own(tmp_path / "b", {"epic": text.replace("7", "8")}))
    assert project.hash != other.hash


def test_what_is_wrong_in_a_projects_files_is_told_with_its_line(tmp_path: Path) -> None:
    bad = OWN.replace("reads: epic", "vendor: other").replace("text/html", "[7]")
    wrong = WAYS.replace("Condition:", "Patient:").replace("project/garden", "project/home-visit")
    project = load(
        own(tmp_path, {"oak-epic": bad}, wrong, vendor="oak-epic", more="\n    routes: { garden: [document] }")
    )
    told = {(one.code, one.where) for one in unfit(project)}
    assert ("vendor-name", "vendors/oak-epic.yaml:2") in told
    assert {("ways-unknown", "ways.yaml:5"), ("ways-twice", "ways.yaml:8")} <= told
    never = WAYS + "written:\n  Patient: { rank: 10, causes: a new chart }\n"
    with pytest.raises(ConfigError) as caught:
        ways.of_project(never)
    assert ("ways-type", "ways.yaml:11") in {(one.code, one.where) for one in caught.value.problems}
    with pytest.raises(ConfigError) as caught:
        ways.of_project("- one\n")
    assert caught.value.problems[0].code == "ways-form"


def test_a_project_adds_kinds_and_ways_without_code(tmp_path: Path) -> None:
    project = load(
        own(tmp_path, {}, WAYS, more="\n    routes: { garden: [document], contact: [Shoe], nobody: [document] }")
    )
    table = ways.of_project(project.ways)
    assert [table.named(kind) for kind in ("project/home-visit", "ma-soc/team", "ma-soc/dyad", "project/garden")] == [
        "contact", "contact", "team", "garden",
    ]  # fmt: skip
    site = Site(enable=frozenset({"Condition"}))
    assert way("Condition", "project/home-visit", capability(), site, table).enabled
    assert not way("Condition", "ma-soc/contact", capability(), site).enabled
    assert [(one.code, one.field) for one in unfit(project)] == [
        ("routes-way", "practices.elm.routes.contact"), ("routes-kind", "practices.elm.routes.nobody"),
    ]  # fmt: skip


# ── presets ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_sites_settings_are_facts_with_the_settings_as_their_source() -> None:
    plain = facts.vendor("generic")
    assert presets.of_site(plain, practice()) is plain
    wants = practice(charset=False, times="always", largest_kib=1, us_core="8.0.0")
    chosen = presets.of_site(plain, wants)
    assert (chosen.document.charset.value, chosen.document.times.value, chosen.document.largest.value) == (
        False, True, 1024,
    )  # fmt: skip
    assert chosen.profile.source.what == "bridge.yaml, practices.oak.document"
    more = presets.of_site(facts.vendor("generic"), practice(largest_kib=1_000_000))
    assert more.document.largest.value == plain.document.largest.value
    shaped = document([note(date="2026-03-04")], context_of(chosen))
    attachment = shaped.resource["content"][0]["attachment"]
    assert attachment["contentType"] == "text/plain"
    assert shaped.resource["context"]["period"]["start"] == "2026-03-04T12:00:00-05:00"
    assert shaped.resource["meta"]["profile"][0].endswith("us-core-documentreference|8.0.0")
    profile = discrete(encounter(), context_of(chosen)).resource["meta"]["profile"]
    assert profile == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter|8.0.0"]


def test_us_core_9_wants_the_author_as_a_resource_and_never_a_clinician() -> None:
    """Writing clinical notes (informative): author and encounter are references that resolve, or contained."""
    nine = presets.of_site(facts.vendor("generic"), practice(us_core="9.0.0"))
    resource = document([note()], context_of(nine)).resource
    assert resource["author"] == [{"reference": "#author", "display": "Roble Family Services"}]
    assert [one["resourceType"] for one in resource["contained"]] == ["Organization"]
    oracle = presets.of_site(facts.vendor("oracle"), practice(us_core="9.0.0"))
    assert "contained" not in document([encounter(), note()], context_of(oracle)).resource


def test_a_document_links_our_own_encounter_or_one_within_it_and_never_the_practices() -> None:
    """R18: an agency's contact is never attached to the practice's own visit."""
    parts = [encounter(), note()]
    assert "encounter" not in document(parts, context()).resource["context"]
    contained = document(parts, context(encounter_link="contained")).resource
    assert contained["context"]["encounter"] == [{"reference": "#contact", "display": "Joint home visit"}]
    (within,) = contained["contained"]
    assert (within["class"]["code"], within["subject"]) == ("HH", {"reference": "Patient/p-1"})
    assert "participant" not in within
    standing = {f"Encounter/{parts[0].resource['id']}": "Encounter/e-1"}
    external = document(parts, context(encounter_link="external", standing=standing))
    assert external.resource["context"]["encounter"][0]["reference"] == "Encounter/e-1"
    nowhere = document(parts, context(encounter_link="external"))
    assert [(one.code, one.severity) for one in nowhere.findings] == [("ehr-encounter", Severity.INFORMATION)]
    assert document(parts, context("oracle", encounter_link="contained")).sendable
    two = document([encounter(), encounter(id="other"), note()], context(encounter_link="contained"))
    assert "contained" not in two.resource


def test_further_formats_are_tried_in_the_sites_order() -> None:
    resource = document([note()], context("oracle", mime="text/plain", otherwise=("text/rtf", "text/html"))).resource
    assert resource["content"][0]["attachment"]["contentType"] == "text/rtf;charset=utf-8"


# ── what a vendor's facts make of a value ─────────────────────────────────────────────────────────────────────────
def test_a_value_goes_to_the_sites_flowsheet_row_or_is_named_before_it_leaves() -> None:
    row = Coding("urn:oid:1.2.3", "10001", "PHQ-9 total")
    shaped = discrete(score(), context("epic", flowsheets={"44261-6": row}))
    assert [coding["code"] for coding in shaped.resource["code"]["coding"]] == ["44261-6", "10001"]
    assert shaped.sendable
    assert shaped.resource["status"] == "final"
    assert discrete(score(), context("epic", flowsheets={"44261-6": row}, update=True)).resource["status"] == "amended"
    without = discrete(score(), context("epic"))
    assert [(one.code, one.path) for one in without.findings] == [("ehr-flowsheet", "Observation.code")]
    assert discrete(score(), context()).resource["code"]["coding"] == score().resource["code"]["coding"]
    own = Coding("http://loinc.org", "44261-6")
    assert len(discrete(score(), context("epic", flowsheets={"44261-6": own})).resource["code"]["coding"]) == 1


def test_an_encounter_at_oracle_is_marked_as_another_organizations() -> None:
    """Items that would be refused are left out and named; the label makes it external (facts of oracle)."""
    made = discrete(encounter(serviceProvider={"display": "Harbor"}), context("oracle"))
    assert made.sendable
    assert [(one.code, one.path) for one in made.findings] == [("ehr-left-out", "Encounter.participant")]
    assert [label["code"] for label in made.resource["meta"]["security"]] == ["UNCERTREL"]
    assert all("type" in identifier for identifier in made.resource["identifier"])
    assert "participant" not in made.resource
