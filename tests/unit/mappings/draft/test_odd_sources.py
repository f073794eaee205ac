"""Whatever the source is like: the files load, the kind accepts every row, the case holds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.mappings.cases import read_cases, run_case
from bridge.mappings.draft import Drafted, draft
from bridge.mappings.draft.formats import OTHER_DATES
from bridge.mappings.translate import Translator
from tests.unit.mappings.draft.drawn import KIND, column, contacts, drafted, kind_file, loaded


def stands(made: Drafted) -> bool:
    """Whether a draft loads, accepts its rows, and its case comes out as it says."""
    cases = read_cases(made.files)
    mappings = loaded(made)
    assert (made.problems, made.refused) == ((), 0)
    return [run_case(case, Translator(mappings)) for case in cases] == [[]]


def test_one_row() -> None:
    made = drafted(contacts(1))
    assert stands(made)
    assert not [one for one in made.columns if one.values], "a value that came once is no enumeration"


def test_no_id_and_nobody() -> None:
    made = drafted([{"remark": "so it was", "minutes": 5}, {"remark": "so it was", "minutes": 5}])
    assert stands(made)
    kind = made.files["contact-log.kind.yaml"]
    assert "id: remark  # ?? no field is an id" in kind
    assert "# ?? no field says whose record this is" in kind
    assert "# ?? no `when`" in kind


def test_an_id_that_came_twice() -> None:
    rows = contacts()
    rows[3]["contact_id"] = rows[2]["contact_id"]
    made = drafted(rows)
    assert stands(made)
    assert "id: contact_id  # ?? is not filled and unique: two records would be taken for one" in "".join(
        made.files.values()
    )


def test_mixed_types_are_a_union_and_stay() -> None:
    rows: list[dict[str, Any]] = [{"id": n, "odd": (1, "one", True, [1], {"a": 1})[n % 5]} for n in range(20)]
    made = drafted(rows)
    assert stands(made)
    assert kind_file(made)["schema"]["properties"]["odd"] == {
        "type": ["array", "boolean", "integer", "object", "string"]
    }
    assert column(made, "odd").stays == "agency_only"


def test_numbers_of_a_spreadsheet() -> None:
    rows: list[dict[str, Any]] = [
        {
            "Record ID": n,
            "Child ID": 7000 + n % 5,
            "Score": n / 2,
            "Attended": True,
            "Visit date": "2026-01-05T00:00:00",
        }
        for n in range(20)
    ]
    made = drafted(rows)
    assert stands(made)
    properties = kind_file(made)["schema"]["properties"]
    assert properties["Record ID"] == {"type": ["string", "integer"], "format": "id"}
    assert properties["Score"] == {"type": "number"}
    assert "score:" in made.files["contact-log.yaml"]


@pytest.mark.parametrize("form", OTHER_DATES)
def test_a_day_written_otherwise_is_told_and_not_taken_for_a_moment(form: str) -> None:
    pattern = OTHER_DATES[form][0]
    days = [(datetime(2026, 1, 1, 9, 5) + timedelta(days=7 * n)).strftime(pattern) for n in range(40)]
    days = [day.replace(" ", "  ", 1) for day in days] if "blanks" in form else days
    made = drafted([{"id": f"v-{n}", "client_id": f"c-{n % 9}", "visit_date": day} for n, day in enumerate(days)])
    assert stands(made)
    assert column(made, "visit_date").sort == "other date"
    assert form in column(made, "visit_date").why
    kind = made.files["contact-log.kind.yaml"]
    assert "no `when`: no moment reads as the time it took place, and a note needs one; visit_date may be it" in kind
    assert pattern in made.files["contact-log.sql"]


def test_days_in_five_spellings_are_words() -> None:
    days = ("2026-01-05", "01/05/2026", "5.1.2026", "Jan 5, 2026", "5-Jan-2026")
    made = drafted([{"id": f"v-{n}", "client_id": f"c-{n % 9}", "visit_date": days[n % 5]} for n in range(50)])
    assert stands(made)
    assert (column(made, "visit_date").sort, column(made, "visit_date").stays) == ("words", "agency_only")


def test_names_that_yaml_and_fhirpath_take_for_their_own() -> None:
    names = (
        "null",
        "yes",
        "day",
        "a: b",
        "x # y",
        "Client #",
        "50% off?",
        "-",
        "client's",
        'the "id"',
        "a.b",
        "a`b",
        "{{x}}",
    )
    rows = [{"id": f"v-{n}", "client_id": f"c-{n % 9}", **dict.fromkeys(names[:3], "so")} for n in range(20)]
    rows = [{**row, **{name: str(n % 3) for name in names[3:7]}} for n, row in enumerate(rows)]
    rows = [{**row, **dict.fromkeys(names[8:], f"words {n}")} for n, row in enumerate(rows)]
    made = drafted(rows)
    assert stands(made)
    properties = kind_file(made)["schema"]["properties"]
    assert set(names) - {"-", "client's"} <= set(properties)
    assert "nothing can name a field with such signs in its name" in made.files["contact-log.kind.yaml"]


def test_an_object_keyed_by_persons_is_a_map() -> None:
    rows = [{"id": f"v-{n}", "client_id": f"c-{n % 9}", "seen": {f"Luz {'abcdefgh'[n % 8]}": "yes"}} for n in range(40)]
    made = drafted(rows)
    assert stands(made)
    assert "Luz" not in "".join(made.files.values())
    assert kind_file(made)["schema"]["properties"]["seen"] == {"type": "object"}


def test_lists_and_objects_go_down_into_the_schema() -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": f"p-{n}",
            "child": f"c-{n % 9}",
            "started": f"2026-03-{n % 28 + 1:02d}",
            "supports": ["emotional", "tangible"][: n % 2 + 1],
            "result": {"score": n, "outcome": ("low", "high")[n % 2]},
            "goals": [{"id": f"g-{n}", "words": f"sleep {n}", "state": ("open", "met")[n % 2]}],
        }
        for n in range(30)
    ]
    made = drafted(rows, kind="visits/care-plan")
    assert stands(made)
    goals = kind_file(made)["schema"]["properties"]["goals"]["items"]
    assert list(goals["properties"]) == ["id", "words", "state"]
    assert kind_file(made)["agency_only"] == ["goals.words"]
    mapping = made.files["care-plan.yaml"]
    assert "supports.select(%tables.words('care-plan-supports', $this)).join(', ')" in mapping
    assert "# ?? goals.words: a goal in somebody's words? once it may leave:" in mapping
    assert "  result-score:  # ?? about whom?" in mapping
    assert "tables/care-plan-goals-state.csv" in made.files


def test_answers_to_a_questionnaire_are_suggested_as_one() -> None:
    rows = [
        {"id": f"s-{n}", "child": f"c-{n % 9}", "date": "2026-01-05", **{f"cans_{q}": n % 4 for q in range(1, 6)}}
        for n in range(30)
    ]
    made = drafted(rows, kind="visits/cans")
    assert stands(made)
    assert "# ?? cans_1, cans_2, cans_3, …: the answers to one questionnaire? then:" in made.files["cans.yaml"]
    assert "#   resourceType: QuestionnaireResponse" in made.files["cans.yaml"]


def test_a_roster_is_a_patient() -> None:
    rows = [
        {
            "child_id": f"c-{n}",
            "first_name": f"CANARY{n}",
            "last_name": "CANARY",
            "dob": f"2021-01-{n % 28 + 1:02d}",
            "gender": "FM"[n % 2],
        }
        for n in range(30)
    ]
    made = drafted(rows, kind="visits/children")
    assert stands(made)
    mapping = made.files["children.yaml"]
    assert "resourceType: Patient" in mapping
    assert '    # name: [ { given: [ "{{ first_name }}" ] } ]' in mapping
    assert '    # birthDate: "{{ dob }}"' in mapping
    assert "when:" not in mapping
    assert kind_file(made)["agency_only"] == ["first_name", "last_name", "dob"]
    assert "CANARY" not in "".join(made.files.values())


class Many:
    """Rows that are made when they are asked for."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(self.count):
            yield {
                "id": f"contact-{number}",
                "client_id": f"client-{number % 4000}",
                "started": f"2026-0{number % 9 + 1}-{number % 28 + 1:02d}T10:{number % 60:02d}:00",
                "place": ("home", "clinic", "school")[number % 3],
                "note": f"what was said and done that day, at length, {number} " * 5,
            }


def test_memory_is_bounded_however_many_rows_there_are() -> None:
    tracemalloc.start()
    try:
        made = draft(Many(20_000), KIND, "many.ndjson")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (made.records, made.refused) == (20_000, 0)
    assert peak < 30 * 1024 * 1024


NAMES = st.sampled_from(
    ["id", "Client ID", "child", "date", "Visit Date", "place", "type", "status", "notes", "score", "goals", "phone",
     "minutes", "day", "x y", "dob", "language", "q1", "q2", "q3", "secret", "staff", "a.b", "is safe", "updated_at"]
)  # fmt: skip
WRITTEN = "home|No|yes|2026-01-05|2026-02-30|1/5/2026|10:00|7|7.5|en|signed|void|'|\"|??|null"
TEXTS = st.one_of(
    st.sampled_from([*WRITTEN.split("|"), "a b", " x ", "", "# ?? no", "{{ x }}"]),
    st.text(max_size=12).filter(lambda text: text.isprintable()),
)
SCALARS = st.one_of(TEXTS, st.integers(-5, 10**9), st.floats(-10, 10, allow_nan=False), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=4
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.dictionaries(NAMES, VALUES, max_size=8), max_size=12), st.sampled_from(["visits/contact", "a/children"])
)
def test_any_source(rows: list[dict[str, Any]], kind: str) -> None:
    try:
        made = draft(rows * 2, kind, "any.csv")
    except ConfigError:
        return
    assert stands(made)
