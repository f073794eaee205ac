"""Files → mappings: each mistake is found before one record moves, with its line and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.mappings.load import digest, load, read_all, read_packs
from bridge.mappings.tables import About
from bridge.mappings.translate import Translator
from tests.unit.mappings.small import AGENCY, MAPPING, TABLE, line_of, loaded, pack, problems, translated, with_part

PART = """
one:
  about: child
  resourceType: Basic
  subject: "{{ person('child') }}"
"""


@pytest.mark.parametrize(
    ("line", "code", "at", "rule"),
    [
        ('x: "{{ plaec }}"', "mapping-path", 10, "a tiny/visit has no such field"),
        ('x: "{{ steps.txet }}"', "mapping-path", 10, "a tiny/visit has no such field"),
        ('x: "{{ secret }}"', "mapping-never", 10, "this field is never collected"),
        ('x: "{{ worry }}"', "mapping-agency-only", 10, "this field stays at the agency"),
        ('x: "{{ worry.exists() }}"', "mapping-agency-only", 10, "this field stays at the agency"),
        ('x: "{{ mood }}"', "mapping-about", 10, "a fact about the mother may not stand in a part about the child"),
        ('x: "{{ iif(mood.exists(), at) }}"', "mapping-about", 10, "a fact about the mother may not stand in"),
        ('"{% if mood.exists() %}": { x: y }', "mapping-about", 10, "a fact about the mother may not stand in"),
        ('x: "{{ place }"', "FT06", 10, "what begins with {{ ends with }}"),
        ('x: "a {[ place ]}"', "FT06", 10, "a list {[ … ]} is the whole string"),
        ('x: "{{ place ) }}"', "FP02", 10, "an operator, a dot or the end of the expression is expected here"),
        ("x: \"{{ place.trace('x') }}\"", "FP06", 10, "trace() is refused: it writes what a record says"),
        ('x: "{{ now() }}"', "FP06", 10, "now() is refused: a mapping reaches no clock"),
        ("x: \"{{ iif(true, 'a', 'b') }}\"", "FP15", 10, "this condition is always true"),
        ('x: "{{ %agency.nmae }}"', "FP13", 10, "the source has no field nmae here"),
        ('x: "{{ place + 1 }}"', "FP12", 10, "+ does not take String and Integer"),
        ('x: "{{ %nobody }}"', "FP07", 10, "nothing defines %nobody"),
        ('x: "{{ $this }}"', "mapping-expression", 10, "this reads the whole record: name the field"),
        ("x: \"{{ %tables.lookup('plaec', place) }}\"", "mapping-function", 10, "names, as a text, a table"),
        ('x: "{{ %tables.lookup(place, place) }}"', "mapping-function", 10, "names, as a text, a table"),
        ("x: \"{{ %tables.lookup('place') }}\"", "FP05", 10, "%tables.lookup(table, code) does not take 1 arguments"),
        (
            "x: \"{{ person('father') }}\"",
            "mapping-function",
            10,
            "names, as a text, a role of the kind: child, mother",
        ),
        (
            "x: \"{{ person('mother') }}\"",
            "mapping-about",
            10,
            "a part about the child names others as a 'RelatedPerson'",
        ),
        ("x: \"{{ person('mother', 'Group') }}\"", "mapping-function", 10, "gives a 'Patient' or a 'RelatedPerson'"),
        ("x: \"{{ part('two') }}\"", "mapping-function", 10, "names, as a text, a part of this mapping"),
        ('"{% unless x %}": 1', "FT01", 10, "a block is {% assign %}, {% merge %}"),
        ('"{% for x in steps %}": { y: 1 }', "FT03", 10, "a for stands alone in its object"),
        ('"{% else %}": { y: 1 }', "FT02", 10, "an else stands beside its if"),
        ('"{% if flag %}": 7', "FT05", 10, "what is merged into an object is an object"),
        ('"{% assign %}": { a: 1, b: 2 }', "FT04", 10, "assign holds a list of objects with one name each"),
        ("key: place", "mapping-shape", 10, "`key` goes with `each`"),
    ],
)
def test_a_mistake_in_a_part_is_found_with_its_line(line: str, code: str, at: int, rule: str) -> None:
    found = problems(pack(with_part(f"{PART}  {line}")))

    assert [(problem.code, line_of(problem)) for problem in found] == [(code, f"tiny/visit.yaml:{at}")]
    assert found[0].rule.startswith(rule)


def test_every_expression_that_cannot_be_compiled_is_reported_at_once() -> None:
    found = problems(pack(with_part(PART + '  x: "{{ place ) }}"\n  y: [ "{{ now() }}", "{{ iff(place) }}" ]')))

    assert [(problem.code, problem.where) for problem in found] == [
        ("FP02", "tiny/visit.yaml:10:20"),
        ("FP06", "tiny/visit.yaml:11:16"),
        ("FP04", "tiny/visit.yaml:11:31"),
    ]


def test_a_bare_true_false_field_is_a_condition() -> None:
    mapping = with_part(PART + '  x: "{[ steps.where(done).id ]}"')
    steps = [{"id": "a", "done": False}, {"id": "b", "done": True}]

    assert translated({"steps": steps}, mapping).parts[0].resource["x"] == ["b"]


def test_a_mistyped_field_is_offered_the_nearest_one() -> None:
    (problem,) = problems(pack(with_part(PART + '  x: "{{ steps.txet }}"')))

    assert problem.next_step == "did you mean steps.text?"


def test_free_text_without_a_label_does_not_leave() -> None:
    unlabelled = with_part(PART + '  x: "{{ words }}"').replace("  - { path: words, class: narrative }\n", "")

    (problem,) = problems(pack(unlabelled))

    assert (problem.code, problem.field) == ("mapping-unlabelled", "words")
    assert problem.next_step == "label it, as ordinary if that is what it is"


def test_an_object_emitted_whole_brings_the_free_text_inside_it() -> None:
    unlabelled = with_part(PART + '  x: "{[ steps ]}"').replace("  - { path: steps.text, class: narrative }\n", "")

    assert [(problem.code, problem.field) for problem in problems(pack(unlabelled))] == [
        ("mapping-unlabelled", "steps.text")
    ]


@pytest.mark.parametrize(
    ("part", "code", "rule"),
    [
        (
            "one: { about: father, resourceType: Basic }",
            "mapping-about",
            "a part is about one of the roles of its kind",
        ),
        ("one: { about: child }", "mapping-shape", "a part names the FHIR type it makes"),
        ('one: { about: child, resourceType: "{{ place }}" }', "mapping-shape", "a part names the FHIR type it makes"),
        ("one: { about: child, resourceType: Composition, section: { title: x } }", "mapping-shape", "the sections of"),
    ],
)
def test_a_part_says_about_whom_and_what_it_is(part: str, code: str, rule: str) -> None:
    found = problems(pack(with_part(part)))

    assert [(problem.code, problem.rule[: len(rule)]) for problem in found] == [(code, rule)]


def test_a_part_may_not_point_at_one_about_somebody_else_nor_at_a_document() -> None:
    part = """
    one: { about: child, resourceType: Basic, a: "{{ part('two') }}", b: "{{ part('note') }}", c: "{{ part('who') }}" }
    two: { about: mother, resourceType: Basic }
    note: { about: child, resourceType: Composition, section: [ { title: x } ] }
    who: { about: child, resourceType: Patient }
    """

    rules = [problem.rule for problem in problems(pack(with_part(part)))]

    assert rules == [
        "a part about the child may not point at one about the mother",
        "nothing points at a document: it may have no section",
        "persons are pointed at by person()",
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("mapping: visit", "maping: visit", "mapping-shape"),
        ("tables: [place]", "tabels: [place]", "mapping-shape"),
        ("reads: tiny/visit", "reads: tiny/viset", "mapping-reads"),
        ("tables: [place]", "tables: [place, plaec]", "mapping-table"),
        ("path: words, class: narrative", "path: wods, class: narrative", "mapping-label"),
        ("path: words, class: narrative", "path: words, class: story", "mapping-label"),
        ("path: words, class: narrative", "path: words", "mapping-label"),
        ("about: mother", "about: father", "mapping-label"),
        ("emits:", "emits: 7\nextends:", "mapping-shape"),
        ("reads: tiny/visit", "reads: tiny/visit\nextends: tiny/other", "mapping-extends"),
        ("reads: tiny/visit", "reads: tiny/visit\nextends: tiny/visit", "mapping-extends"),
    ],
)
def test_a_mistake_in_the_file_is_found(old: str, new: str, code: str) -> None:
    assert code in [problem.code for problem in problems(pack(MAPPING.replace(old, new, 1)))]


def test_a_table_with_rows_without_a_code_cannot_be_looked_up() -> None:
    (problem,) = problems(pack(table=TABLE + "cave,,,A cave,unmatched,here,\n"))

    assert problem.rule == "the table place has rows without a code: only concept and words can say them"


def test_every_problem_is_reported_at_once() -> None:
    files = pack(with_part(PART + '  x: "{{ plaec }}"\n  y: "{{ worry }}"'), table=TABLE + ",,,,,,\n")
    files["tiny/other.kind.yaml"] = "kind: tiny/other\n"

    assert [(problem.code, problem.where) for problem in problems(files)] == [
        ("table-row", "tiny/tables/place.csv:3:1"),
        *[("kind-shape", "tiny/other.kind.yaml:1:1")] * 5,
        ("mapping-path", "tiny/visit.yaml:10:14"),
        ("mapping-agency-only", "tiny/visit.yaml:11:14"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("id: id\n", "id: null\n", "kind-shape"),
        ("subject: child\n", "subject: [null]\n", "kind-shape"),
        ("title: A visit", "title: 7", "kind-declaration"),
    ],
)
def test_what_a_kind_must_say_it_says(old: str, new: str, code: str) -> None:
    files = pack()
    files["tiny/visit.kind.yaml"] = files["tiny/visit.kind.yaml"].replace(old, new, 1)

    assert [problem.code for problem in problems(files)] == [code]


def test_a_code_set_gives_a_class_and_so_does_a_table() -> None:
    """A label stands for the records whose code a value set or a table has; of a whole program `part2` says it."""
    url = "http://hl7.org/fhir/ValueSet/goal-status"
    for asked, code in ((f"'{url}'", "active"), ("'table:place'", "home")):
        label = f'  - {{ path: place, class: substance-use, when: "place.memberOf({asked})" }}\n'
        translator = Translator(load(pack(with_part(PART + '  code: { text: "{{ place }}" }', labels=label))))
        parts = [
            translator.translate("tiny/visit", {"id": "V1", "child": "K1", "place": one}, AGENCY).parts
            for one in (code, "elsewhere")
        ]
        assert [[sorted(part.labels) for part in found] for found in parts] == [[["substance-use"]], [["ordinary"]]]


def test_two_files_may_not_claim_one_kind() -> None:
    kinds = problems({**pack(), "tiny/again.kind.yaml": pack()["tiny/visit.kind.yaml"]})
    mappings = problems({**pack(), "tiny/again.yaml": MAPPING.replace("mapping: visit", "mapping: again")})

    assert [problem.code for problem in kinds] == ["kind-twice"]
    assert [problem.code for problem in mappings] == ["mapping-twice"]


def test_an_agency_s_variation_is_a_few_lines_over_its_parent() -> None:
    variation = """
mapping: visit
reads: tiny/visit
extends: tiny/visit
tables: [way]
emits:
  visit:
    status: "{{ %tables.lookup('way', place) }}"
    class: null
    text: "{{ narrative(words) }}"
labels:
  - { path: words, class: third-party }
"""
    own = "code,system,target,display,equivalence,source,note\nhome,urn:way,planned,Planned,equivalent,here,\n"
    files = {**pack(), "project/visit.yaml": variation, "project/tables/way.csv": own}

    translator = Translator(load(files))
    (part,) = translator.translate(
        "tiny/visit", {"id": "V1", "child": "K1", "place": "home", "words": "x"}, AGENCY
    ).parts

    assert part.resource["status"] == "planned"
    assert "class" not in part.resource
    assert part.resource["subject"]
    assert part.labels == {"narrative", "third-party"}


def test_a_mistake_in_a_variation_names_its_own_file() -> None:
    variation = 'mapping: v\nreads: tiny/visit\nextends: tiny/visit\nemits:\n  visit:\n    x: "{{ plaec }}"\n'

    (problem,) = problems({**pack(), "project/v.yaml": variation})

    assert problem.where == "project/v.yaml:6:12"


def test_a_project_s_table_adds_rows_to_the_pack_s() -> None:
    own = "code,system,target,display,equivalence,source,note\nbarn,urn:place,FLD,field,equivalent,here,\n"

    tables = load({**pack(), "project/tables/place.csv": own}).tables

    assert {code: row.target for code, row in tables["tiny/place"].rows.items()} == {"home": "HH", "barn": "FLD"}
    assert "project/place" not in tables


def test_a_set_of_files_is_the_same_set_when_read_back(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "cases").mkdir()
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "contact-place.csv").write_text(
        "code,system,target,display,equivalence,source,note,text\nbarn,urn:x,FLD,field,wider,here,,Barn\n"
    )
    (tmp_path / "cases" / "own.cases.yaml").write_text("kind: ma-soc/contact\ncases: []\n")

    files = read_packs(["ma-soc"], tmp_path)
    mappings = load(files)

    assert "barn" in mappings.tables["ma-soc/contact-place"].rows
    assert not any(path.endswith(".cases.yaml") for path in files)
    assert "project/own.cases.yaml" in read_all(["ma-soc"], tmp_path)
    assert mappings.hash == load(dict(reversed(files.items()))).hash == digest(read_all(["ma-soc"], tmp_path))
    assert mappings.hash != load(read_packs(["ma-soc"])).hash


def test_an_unknown_pack_and_a_file_that_is_not_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "bad.yaml").write_bytes(b"mapping: \xff\n")

    with pytest.raises(ConfigError) as caught:
        read_packs(["ma-sock"], tmp_path)

    assert [(problem.code, problem.field or problem.where) for problem in caught.value.problems] == [
        ("pack-unknown", "ma-sock"),
        ("file-encoding", "project/bad.yaml"),
    ]


def test_the_small_pack_is_without_fault() -> None:
    assert set(loaded().mappings) == {"tiny/visit"}


def test_a_table_says_what_it_is_in_a_file_beside_it() -> None:
    beside = "version: '2026-01'\ntitle: Places\nurl: http://oak.example/places\nsystem: urn:oak:place\n"

    table = load(pack(tiny__tables__place_yaml=beside)).tables["tiny/place"]

    assert table.about == About("2026-01", "Places", "http://oak.example/places", "urn:oak:place")
    assert table.version == f"2026-01+{table.hash[:12]}"


@pytest.mark.parametrize(
    ("beside", "where"), [("version: 7\n", "1"), ("title: x\nowner: me\n", "2"), ("- a\n", "1"), ("'\n", "2")]
)
def test_what_a_table_cannot_say_of_itself_is_named(beside: str, where: str) -> None:
    assert [line_of(one) for one in problems(pack(tiny__tables__place_yaml=beside))] == [
        f"tiny/tables/place.yaml:{where}"
    ]
