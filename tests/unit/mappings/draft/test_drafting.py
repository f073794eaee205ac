"""A draft loads, accepts every row it was made of, marks what is a guess, and holds nobody's words."""

from __future__ import annotations

import re

import pytest

from bridge.errors import ConfigError
from bridge.fhir import definitions
from bridge.fhir.validate import Validator
from bridge.mappings.cases import read_cases, run_case, translate_case
from bridge.mappings.draft import draft
from bridge.mappings.load import load
from bridge.mappings.translate import Translator
from bridge.model import Severity
from tests.unit.mappings.draft.drawn import HEADER, KIND, column, contacts, drafted, kind_file, loaded, rows_of, told


def test_a_contact_log_is_declared() -> None:
    made = drafted(contacts(), fields=HEADER)
    declared = kind_file(made)
    assert {key: declared[key] for key in ("kind", "id", "subject", "people", "when", "final", "void")} == {
        "kind": KIND,
        "id": "contact_id",
        "subject": "client",
        "people": {"client": "client", "mother": "mother_id"},
        "when": "visit_date",
        "final": {"path": "status", "in": ["signed"]},
        "void": {"path": "status", "in": ["void"]},
    }
    assert declared["agency_only"] == ["worker", "what_happened", "safety_concern", "phone"]
    properties = declared["schema"]["properties"]
    assert list(properties) == HEADER
    assert properties["place"] == {
        "type": "string",
        "format": "code",
        "examples": ["clinic", "home", "phone", "school"],
    }
    assert properties["interpreter"] == {"type": "string", "enum": ["no", "yes"]}
    assert properties["visit_date"] == {"type": "string", "format": "moment"}
    assert properties["language"] == {"type": "string", "format": "language"}
    assert properties["minutes"] == {"type": "string", "format": "code", "pattern": r"^[-+]?\d+$"}
    assert properties["what_happened"] == {"type": "string"}
    assert declared["schema"]["required"] == ["contact_id", "client"]


def test_it_loads_accepts_every_row_and_its_case_holds() -> None:
    made = drafted(contacts())
    assert (made.refused, made.problems) == (0, ())
    mappings = loaded(made)
    kind = mappings.kinds[KIND]
    assert [kind.check(kind.strip(row)) for row in contacts()] == [[]] * 40
    (case,) = read_cases(made.files)
    assert run_case(case, Translator(mappings)) == []
    translation, _ = translate_case(case, Translator(mappings))
    assert translation is not None
    assert [part.name for part in translation.parts] == ["encounter", "note"]
    findings = Validator(definitions.load()).check_all(translation.parts)
    assert [one for one in findings if one.severity is Severity.ERROR] == []


def test_every_guess_is_marked_with_its_reasons() -> None:
    made = drafted(contacts())
    marked = {(path, line): reason for path, line, reason in made.unsure()}
    kind = made.files["contact-log.kind.yaml"].splitlines()
    for number, line in enumerate(kind, start=1):
        if line.startswith(("title:", "subject:", "people:", "when:", "final:", "void:", "  - ")):
            assert ("contact-log.kind.yaml", number) in marked, line
    assert any("(1: client, 100 % filled, 9 different; 2: mother_id" in line for line in kind)
    assert any("may it leave? (1: it stays; 2: never, not even stored; 3: out of this list" in line for line in kind)
    rows = [line for path, line, _ in made.unsure() if path == "tables/contact-log-place.csv"]
    assert rows == [2, 3, 4, 5]
    assert "id: contact_id  # 100 % filled, unique" in kind


def test_no_code_is_guessed() -> None:
    made = drafted(contacts())
    tables = {path: text for path, text in made.files.items() if path.endswith(".csv")}
    assert set(tables) == {f"tables/contact-log-{name}.csv" for name in ("place", "contact-type")}
    for table in loaded(made).tables.values():
        assert {(row.system, row.target, row.equivalence) for row in table.rows.values()} == {("", "", "unmatched")}
        assert all(row.source.startswith("??") and row.text == row.code for row in table.rows.values())
    mapping = re.sub(r"#.*", "", made.files["contact-log.yaml"])
    assert "code:" not in mapping
    assert "system:" not in mapping


def test_nothing_of_words_or_persons_is_written_anywhere() -> None:
    """R24: what somebody said is in no file, and neither is who they are."""
    made = drafted(contacts())
    text = "\n".join((*made.files, *made.files.values(), *(f"{one.why} {one.facts}" for one in made.columns)))
    assert "CANARY" not in text
    for name in ("contact_id", "client", "mother_id", "phone", "visit_date", "ended", "worker"):
        for row in contacts():
            assert not row[name] or row[name] not in text
    assert "example-client" in made.files["contact-log.cases.yaml"]


def test_words_stay_until_somebody_decides() -> None:
    made = drafted(contacts())
    translator = Translator(loaded(made))
    parts = translator.translate(KIND, contacts()[1], read_cases(made.files)[0].agency).parts
    assert len(parts) == 2
    assert "CANARY" not in str([part.resource for part in parts])


def test_what_was_decided_is_all_it_takes() -> None:
    """The commented lines are what they say: uncommented, and out of agency_only, words leave, labelled."""
    made = drafted(contacts())
    files = {f"visits/{path}": text for path, text in made.files.items()}
    kind = files["visits/contact-log.kind.yaml"]
    files["visits/contact-log.kind.yaml"] = re.sub(r"(?m)^  - what_happened  # .*\n", "", kind)
    mapping = files["visits/contact-log.yaml"]
    mapping = re.sub(
        r"(?m)^( +)# (- \"{% if what_happened|    title: What happ|    text: .*what_happ)", r"\1\2", mapping
    )
    files["visits/contact-log.yaml"] = re.sub(r"(?m)^  # (- \{ path: what_happened,)", r"  \1", mapping)
    row = contacts()[1]
    note = Translator(load(files)).translate(KIND, row, read_cases(made.files)[0].agency).parts[1]
    assert [sorted(section) for section in note.sections] == [["ordinary"], ["narrative"]]
    assert row["what_happened"] in str(note.resource["section"][1])


def test_a_value_of_one_person_is_not_shown_however_often_it_came() -> None:
    rows = [{"id": f"r-{n}", "client_id": f"c-{n % 5}", "diagnosis_code": f"F{n % 5}0"} for n in range(40)]
    text = "\n".join(drafted(rows).files.values())
    assert "F00" not in text
    rows = [{**row, "diagnosis_code": f"F{n % 2}0"} for n, row in enumerate(rows)]
    made = drafted(rows)
    assert column(made, "diagnosis_code").values == ("F00", "F10")
    assert column(made, "diagnosis_code").stays == "agency_only"  # delicate by its name


def test_a_rare_value_is_counted_and_not_shown() -> None:
    rows = [*contacts(), {**contacts()[0], "contact_id": "C-9", "place": "Luz-barn"}]
    made = drafted(rows)
    assert (column(made, "place").rare, "Luz" in "".join(made.files.values())) == (1, False)
    assert "1 of them too rare to be shown" in made.files["contact-log.kind.yaml"]


def test_names_that_repeat_are_not_codes_unless_somebody_says_so() -> None:
    rows = [{"id": f"r-{n}", "client_id": f"c-{n}", "seen_with": ("Ana", "Luz")[n % 2]} for n in range(40)]
    made = drafted(rows)
    assert (column(made, "seen_with").sort, column(made, "seen_with").stays) == ("words", "agency_only")
    assert "Luz" not in "".join(made.files.values())
    said = drafted(rows, coded=["seen_with"])
    assert column(said, "seen_with").values == ("Ana", "Luz")
    assert "tables/contact-log-seen-with.csv" in said.files
    with pytest.raises(ConfigError, match="names no field of this source"):
        drafted(rows, coded=["seen"])


def test_a_table_never_takes_the_name_of_another() -> None:
    made = drafted(contacts(), taken={"contact-log-place"})
    assert "tables/contact-log-place-codes.csv" in made.files
    assert "%tables.words('contact-log-place-codes', place)" in made.files["contact-log.yaml"]
    assert made.problems == ()


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([], "no record of this source holds anything"),
        ([{}], "no record of this source holds anything"),
        ([{"a": None, "b": " ", "c": []}], "no record of this source holds anything"),
        ([{"C-1001": "C-1002", "2026-02-01": "2026-02-02"}], "the name of field 2 reads like a value"),
        ([{"Rosa": "Luz", "x": "1"}, {"Rosa": "Rosa", "x": "2"}], "the name of field 1 reads like a value"),
        ([{"Luz": {"id": "1"}, "Ana": {"id": "2"}}], "one object of objects"),
        ([{f"f{n}": 1 for n in range(1001)}], "more fields than a kind can describe"),
    ],
)
def test_what_cannot_be_drafted_from_is_refused_without_its_names(rows: list[dict[str, object]], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule) as caught:
        draft(rows, KIND, "odd.json")
    assert not any(name in str(caught.value) for name in ("Rosa", "Luz", "C-1001", "2026-02-01"))


def test_columns_that_no_row_fills_are_there_and_marked() -> None:
    made = drafted(contacts(), fields=[*HEADER, "closing reason"])
    assert column(made, "closing reason").sort == "empty"
    line = next(line for line in made.files["contact-log.kind.yaml"].splitlines() if "closing reason:" in line)
    assert (
        line.strip()
        == "closing reason: { type: string }  # ?? never filled in this source: say what it holds, or take it out"
    )


def test_the_csv_as_it_is_read() -> None:
    rows = rows_of(told(contacts()))
    assert drafted(rows).files == drafted(contacts()).files


def test_what_is_nobodys_record_is_never_collected() -> None:
    """R24, R27: proposed as `never`, and no field of the schema."""
    rows = [{**row, "self_disclosure": "CANARY of my own", "rematch_reason": "CANARY"} for row in contacts()]
    made = drafted(rows)
    assert kind_file(made)["never"] == ["self_disclosure", "rematch_reason"]
    assert "self_disclosure" not in kind_file(made)["schema"]["properties"]
    assert (made.refused, "CANARY" in "".join(made.files.values())) == (0, False)
