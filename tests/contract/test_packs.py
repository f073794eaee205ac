"""One suite over every mapping of every pack: its cases hold, its parts are FHIR, its labels lose nothing."""

from __future__ import annotations

import copy
import json
import random
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.errors import RecordError
from bridge.fhir import definitions
from bridge.fhir.packages import read_package
from bridge.fhir.validate import Validator
from bridge.mappings.cases import Case, coverage_of, read_cases, run_case, swept, translate_case
from bridge.mappings.cases.coverage import idle_reasons
from bridge.mappings.load import Mappings, available_packs, load, read_all
from bridge.mappings.records import values_at
from bridge.mappings.schema import Field
from bridge.mappings.translate import Translator
from bridge.mappings.watching import Watching
from bridge.model import Part, Severity, type_json
from bridge.release.trial import stated
from tests.unit.fhir.samples import ABSENT, PACKAGES

FILES = read_all(available_packs())
CASES = read_cases(FILES)
NAMES = [f"{case.where} {case.name}" for case in CASES]

# The codes of the big terminologies that a source was read for; any other must say that it is unverified.
VERIFIED = {
    "http://snomed.info/sct": {
        "185317003",
        "225929007",
        "439708006",
        "448337001",
        "1258986006",
        "410606002",
        "461481000124109",
        "467771000124109",
    },
    "http://loinc.org": {
        "11506-3",
        "44261-6",
        "57133-1",
        "70274-6",
    },
    "http://nucc.org/provider-taxonomy": {
        "101Y00000X",
        "103T00000X",
        "104100000X",
        "106H00000X",
        "171M00000X",
        "171R00000X",
        "172V00000X",
        "175T00000X",
    },
}
HL7 = ("http://hl7.org/fhir/", "http://terminology.hl7.org/")
KNOWN = (*HL7, "urn:dyad-bridge:", "http://unitsofmeasure.org")
R4 = "hl7.fhir.r4.core-4.0.1.tgz"
PROVED = {f"R{number}" for number in (5, 6, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27)}


@pytest.fixture(scope="module")
def mappings() -> Mappings:
    return load(FILES)


@pytest.fixture(scope="module")
def translator(mappings: Mappings) -> Translator:
    return Translator(mappings)


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(definitions.load())


def final_parts(case: Case, translator: Translator) -> tuple[Part, ...]:
    """The parts of a case that would go on: those of a finished record."""
    translation, _ = translate_case(case, translator)
    kind = translator.mappings.kinds[case.kind]
    if translation is None or not kind.open(case.record, case.agency.timezone).final:
        return ()
    return translation.parts


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_case_holds(case: Case, translator: Translator) -> None:
    assert [str(difference) for difference in run_case(case, translator, stated)] == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_part_is_valid_and_points_at_what_is_there(
    case: Case, translator: Translator, validator: Validator
) -> None:
    parts = final_parts(case, translator)

    findings = validator.check_all(parts, outside=frozenset({"Patient", "RelatedPerson"}))

    assert [
        (finding.part, finding.path, finding.rule)
        for finding in findings
        if finding.severity is not Severity.INFORMATION
    ] == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_typed_models_take_every_part(case: Case, translator: Translator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the models' own deprecations
        from fhir.resources.R4B import get_fhir_model_class

    for part in final_parts(case, translator):
        try:
            get_fhir_model_class(part.type).model_validate(part.resource)
        except ValidationError as error:
            pytest.fail(f"{part.name}: {[one['loc'] for one in error.errors(include_input=False)]}")


def test_every_part_of_every_mapping_comes_about_in_a_case(mappings: Mappings, translator: Translator) -> None:
    made = {
        (case.kind, template.name)
        for case in CASES
        for template in mappings.mappings[case.kind].parts
        for part in final_parts(case, translator)
        if part.name == template.name or (template.each and part.name.startswith(f"{template.name}-"))
    }
    there = {(kind, template.name) for kind, mapping in mappings.mappings.items() for template in mapping.parts}

    assert there - made == set()


def test_every_line_and_every_branch_is_reached_by_a_case_or_says_why_not() -> None:
    watching = Watching()
    watched = load(FILES, watching)
    for case in CASES:
        run_case(case, Translator(watched))

    coverage = coverage_of(watched, watching, FILES)

    assert [str(one) for mapping in coverage.mappings for one in mapping.missed if not one.reason] == []
    assert list(idle_reasons(FILES, watched, coverage)) == []


def test_r13_every_row_of_every_table_may_stand_where_its_table_is_looked_up(validator: Validator) -> None:
    watching = Watching()
    watched = load(FILES, watching)

    found = swept(CASES, watched, validator, watching)

    assert [(table, code, finding.path, finding.rule) for table, code, finding in found] == []


def test_what_is_watched_comes_out_the_same(mappings: Mappings, translator: Translator) -> None:
    watched = Translator(load(FILES, Watching()))

    for case in CASES:
        assert translate_case(case, watched) == translate_case(case, translator), case.name


def test_every_mapping_has_cases_that_prove_what_the_packs_promise(mappings: Mappings) -> None:
    counts = {kind: sum(case.kind == kind for case in CASES) for kind in mappings.mappings}

    assert {kind: count for kind, count in counts.items() if count < 2} == {}
    assert PROVED - {requirement for case in CASES for requirement in case.proves} == set()
    assert mappings.mappings.keys() == mappings.kinds.keys()


def test_every_row_names_its_source_and_what_is_unverified_says_so(mappings: Mappings) -> None:
    """A target is HL7's own, this project's, UCUM's by its grammar, or one for which a source was read."""
    rows = [(name, row) for name, table in mappings.tables.items() for row in table.every()]

    assert [(name, row.code) for name, row in rows if not row.source] == []
    others = [(name, row) for name, row in rows if row.target and not row.system.startswith(KNOWN)]
    said = [(name, row.code) for name, row in others if row.target not in VERIFIED[row.system]]
    assert [(name, row.code) for name, row in others if row.note.startswith("unverified: ")] == said
    assert said == [("ma-soc/document-type", "care-plan"), ("ma-soc/screening-instrument", "epds")]


def test_a_local_code_is_only_where_none_was_verified(mappings: Mappings) -> None:
    local = [
        (name, row)
        for name, table in mappings.tables.items()
        for row in table.every()
        if row.system.startswith("urn:dyad-bridge:code:")
    ]

    assert [(name, row.code) for name, row in local if "verified" not in row.note and "own" not in row.note] == []
    assert {row.equivalence for _, row in local} == {"equivalent"}


@pytest.mark.outside
@pytest.mark.skipif(not PACKAGES.is_dir(), reason=ABSENT)
def test_a_code_of_hl7_stands_in_the_standard_under_this_display(mappings: Mappings) -> None:
    systems = {one["url"]: one for one in read_package(PACKAGES / R4).resources["CodeSystem"]}

    for name, table in mappings.tables.items():
        for row in table.every():
            if row.target and row.system.startswith(HL7):
                assert (row.target, row.display) in concepts(systems[row.system]), (name, row.code)


def concepts(within: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each code and display of a code system, or below a concept."""
    for concept in within.get("concept", ()):
        yield concept["code"], concept.get("display", "")
        yield from concepts(concept)


# ── canaries ──────────────────────────────────────────────────────────────────────────────────────────────────────
def canary(path: Field) -> str:
    """A phrase that says which field it was planted in."""
    return f"Zyzzyva {'-'.join(path)} quux"


def planted(case: Case, mappings: Mappings) -> tuple[type_json, dict[Field, str]]:
    """A case's record with a canary in each field where anyone's words may stand, and in those that stay behind."""
    kind = mappings.kinds[case.kind]
    record = copy.deepcopy(case.record)
    free = [path for path, field in kind.schema.fields.items() if field.free_text]
    found: dict[Field, str] = {}
    for path in free:
        if any(isinstance(value, str) for value in values_at(record, path)) or path in kind.agency_only:
            found[path] = canary(path)
            put(record, path, found[path])
    for path in kind.never:
        found[path] = canary(path)
        record[path[-1]] = found[path]
        for value in record.values():
            for inside in value if isinstance(value, list) else [value]:
                if isinstance(inside, dict):
                    inside[path[-1]] = found[path]
    return record, found


def put(value: Any, path: Field, text: str) -> None:
    """Text in place of every text at a path; a field of the record itself is added where it is not there."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            continue
        if len(path) > 1:
            put(one.get(path[0]), path[1:], text)
        elif isinstance(one.get(path[0]), list):
            one[path[0]] = [text if isinstance(entry, str) else entry for entry in one[path[0]]]
        else:
            one[path[0]] = text


def withholdable(part: Part) -> Iterator[tuple[frozenset[str], str]]:
    """The pieces of a part that release decides about, each with its labels."""
    sections = part.resource.get("section", []) if part.sections else []
    for labels, section in zip(part.sections, sections, strict=True):
        yield labels, json.dumps(section, ensure_ascii=False)
    rest = {key: value for key, value in part.resource.items() if not (part.sections and key == "section")}
    yield part.labels, json.dumps(rest, ensure_ascii=False)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_r24_r25_words_stand_only_where_their_label_can_withhold_them(
    case: Case, mappings: Mappings, translator: Translator
) -> None:
    kind, mapping = mappings.kinds[case.kind], mappings.mappings[case.kind]
    record, canaries = planted(case, mappings)
    kept = kind.strip(record)
    assert not [canaries[path] for path in kind.never if canaries[path] in json.dumps(kept)]
    if kind.check(kept):
        return

    made = translator.translate(case.kind, kept, case.agency, case.rows)

    behind = [text for path, text in canaries.items() if path in kind.never + kind.agency_only]
    assert not [text for text in behind if text in str(made)]
    assert "Zyzzyva" not in str(made.holds)
    for part in made.parts:
        for labels, text in withholdable(part):
            for path in (path for path, phrase in canaries.items() if phrase in text):
                named = {label for label in mapping.labels if label.covers(path) and label.when is None}
                assert named, path
                assert {label.name for label in named} - {"ordinary"} <= labels
                assert {label.about for label in named} <= {"", part.role}


ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    7.5,
    1e300,
    "",
    [],
    {},
    ["Zyzzyva"],
    {"Zyzzyva": 1},
    "Zyzzyva {{ narrative }} {[ id ]} {% if id %}",
    "Zyzzyva\x00",
    "\ufdd0",
    "\ud800",
    "</div>]]>&",
    "2026-03-08 02:30",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31 23:59",
    "in-person",
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def test_no_record_however_odd_makes_more_than_parts_holds_or_a_refusal(
    mappings: Mappings, translator: Translator
) -> None:
    dice = random.Random(20261122)
    fates: Counter[str] = Counter()
    for _ in range(1_500):
        case = dice.choice(CASES)
        kind = mappings.kinds[case.kind]
        record = copy.deepcopy(case.record)
        for _ in range(dice.randint(1, 3)):
            *above, last = dice.choice([path for path in places(record) if path])
            value: Any = record
            for step in above:
                value = value[step]
            value[last] = copy.deepcopy(dice.choice(ODD))
        kept = kind.strip(record)
        refused = kind.check(kept)
        if refused:
            fates["refused"] += 1
            assert "Zyzzyva" not in str(refused)
            continue
        said = ""
        try:
            kind.open(kept, case.agency.timezone)
            made = translator.translate(case.kind, kept, case.agency)
        except RecordError as error:
            said = str(error)
        if said:
            fates["refused"] += 1
            assert "Zyzzyva" not in said
            continue
        fates["held" if made.holds else "made"] += 1
        assert not [hold for hold in made.holds if "Zyzzyva" in hold.rule + hold.next_step]
        assert made.parts == () or not made.holds

    assert min(fates["refused"], fates["held"], fates["made"]) > 50


def test_r20_two_contacts_of_one_day_are_two_and_a_resend_is_the_same(translator: Translator) -> None:
    (case,) = (one for one in CASES if one.name == "by phone")

    first = translator.translate(case.kind, case.record, case.agency)
    second = translator.translate(case.kind, {**case.record, "id": "C-101"}, case.agency)
    again = translator.translate(case.kind, copy.deepcopy(case.record), case.agency)

    assert first == again
    ids = [part.resource["id"] for translation in (first, second) for part in translation.parts]
    assert len(ids) == len(set(ids)) == 4


def test_r14_spanish_arrives_byte_for_byte(translator: Translator) -> None:
    (case,) = (one for one in CASES if one.name == "a home visit by both partners, told in Spanish")
    said = "Él dijo: «Sí, mañana —¿a las 3?—» e\u0301 ñ ü"

    made = translator.translate(case.kind, {**case.record, "narrative": said}, case.agency)

    (note,) = (part for part in made.parts if part.name == "note")
    assert f'xml:lang="es" lang="es"><p>{said}</p>' in note.resource["section"][1]["text"]["div"]
