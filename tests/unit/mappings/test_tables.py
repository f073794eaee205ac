from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Problem
from bridge.mappings.tablefile import as_csv, read_table
from bridge.mappings.tables import About, Row, row_of, row_on, table_key, table_of

HEADER = "code,system,target,display,equivalence,source,note"


def test_a_row_gives_coding_concept_and_words() -> None:
    row = row_of({"code": "fp", "system": "urn:x", "target": "175", "display": "Peer", "text": "Family partner"})
    silent = row_of({"code": "sms", "equivalence": "unmatched", "text": "By message"})

    assert row.coding() == {"system": "urn:x", "code": "175", "display": "Peer"}
    assert row.concept() == {
        "coding": [{"system": "urn:x", "code": "175", "display": "Peer"}],
        "text": "Family partner",
    }
    assert silent.coding() is None
    assert silent.concept() == {"text": "By message"}


@pytest.mark.parametrize(
    ("line", "code", "where"),
    [
        (",urn:x,T,D,equivalent,here,", "table-row", "t.csv:2:1"),
        ("a,urn:x,T,D,near enough,here,", "table-row", "t.csv:2:13"),
        ("a,urn:x,T,D,unmatched,here,", "table-row", "t.csv:2:9"),
        ("a,urn:x,,D,equivalent,here,", "table-row", "t.csv:2:9"),
        ("a,,T,D,equivalent,here,", "table-row", "t.csv:2:3"),
        ("a,,,,unmatched,here,", "table-row", "t.csv:2:5"),
        ("a,urn:x,T,D,equivalent,,", "table-source", "t.csv:2:24"),
        ("a,urn:x,T,D,equivalent,here,\na,urn:x,U,E,equivalent,here,", "table-twice", "t.csv:3:1"),
        ("a,urn:x,T,D,equivalent,here,,,2026-02-30,", "table-row", "t.csv:2:31"),
        ("a,urn:x,T,D,equivalent,here,,,2026-W01-1,", "table-row", "t.csv:2:31"),
        ("a,urn:x,T,D,equivalent,here,,,2026-02-02,2026-02-01", "table-row", "t.csv:2:42"),
        ("a,urn:x,T,D, and more,equivalent,here,", "table-row", "t.csv:2:1"),
        ('a,"urn:x,T', "table-unreadable", "t.csv:2:1"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line_and_cell(line: str, code: str, where: str) -> None:
    problems: list[Problem] = []

    header = f"{HEADER},text,from,until" if ",,2026" in line else HEADER
    read_table("tiny/t", "t.csv", f"{header}\n{line}\n", problems)

    assert [(problem.code, problem.where) for problem in problems] == [(code, where)]


def test_other_columns_are_refused() -> None:
    problems: list[Problem] = []

    read_table("tiny/t", "t.csv", "code,system\n", problems)

    assert [problem.code for problem in problems] == ["table-columns"]


def test_the_key_of_a_missing_row_names_agency_table_and_code() -> None:
    assert table_key("oak", "tiny/place", "barn") == "table:oak:tiny/place:barn"


# ── periods ───────────────────────────────────────────────────────────────────────────────────────────────────────
def period(start: str, until: str, target: str = "T", code: str = "a") -> Row:
    return row_of({"code": code, "system": "urn:x", "target": target, "source": "here", "from": start, "until": until})


OLD, NEW = period("2024-01-01", "2025-12-31", "OLD"), period("2026-01-01", "", "NEW")


@pytest.mark.parametrize(
    ("day", "target"),
    [("2023-12-31", None), ("2024-01-01", "OLD"), ("2025-12-31", "OLD"), ("2026-01-01", "NEW"), ("2099-01-01", "NEW")],
)
def test_the_day_of_the_record_says_which_row_holds(day: str, target: str | None) -> None:
    found = row_on(day, "a", table_of("tiny/t", [NEW, OLD]))

    assert (found.target if found else None) == target


def test_a_row_without_a_period_holds_where_no_other_does_and_for_records_without_a_day() -> None:
    table = table_of("tiny/t", [OLD, period("", "", "ANY")])

    assert [row_on(day, "a", table) for day in ("2025-01-01", "2027-01-01", "")] == [OLD, *[period("", "", "ANY")] * 2]
    assert row_on("", "a", table_of("tiny/t", [OLD, NEW])) is None
    assert row_on("2025-01-01", "b", table) is None


def test_what_people_added_stands_before_the_file_and_a_period_before_none() -> None:
    file, added = table_of("tiny/t", [OLD]), table_of("tiny/t", [period("", "", "ADDED")])
    later = table_of("tiny/t", [period("2025-06-01", "2025-06-30", "JUNE")])

    assert [row.target for day in ("2025-05-01", "2026-05-01", "") if (row := row_on(day, "a", added, file))] == [
        "OLD", "ADDED", "ADDED",
    ]  # fmt: skip
    assert [row.target for day in ("2025-05-01", "2025-06-01") if (row := row_on(day, "a", later, file))] == [
        "OLD", "JUNE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        (("2024-01-01", "2024-12-31"), ("2025-01-01", ""), False),
        (("2024-01-01", "2025-01-01"), ("2025-01-01", ""), True),
        (("", "2024-12-31"), ("2025-01-01", "2025-12-31"), False),
        (("2025-01-01", ""), ("2024-01-01", ""), True),
        (("", "2025-01-01"), ("", "2024-01-01"), True),
        (("", ""), ("2024-01-01", ""), False),
    ],
)
def test_rows_that_hold_on_the_same_day_are_named_with_both_lines(
    first: tuple[str, str], second: tuple[str, str], meet: bool
) -> None:
    problems: list[Problem] = []
    lines = as_csv([period(*first), period(*second)])

    read_table("tiny/t", "t.csv", lines, problems)

    told = ["t.csv:3:29: a: this row and the one at t.csv:2 hold on the same days [table-overlap]"] if meet else []
    assert [str(problem).partition("\n")[0] for problem in problems] == told


def test_a_table_has_a_version_of_its_content_and_the_one_it_was_given() -> None:
    table = table_of("tiny/t", [OLD, NEW])

    assert table.version == table_of("tiny/other", [NEW, OLD]).version == table.hash[:12]
    assert table_of("tiny/t", [OLD, NEW], About(version="2026-01")).version == f"2026-01+{table.hash[:12]}"
    assert table.hash != table_of("tiny/t", [OLD]).hash


def test_another_table_laid_over_it_takes_the_days_it_names() -> None:
    table = table_of("tiny/t", [OLD, NEW, period("", "", "ANY")])

    over = table.overlaid(table_of("project/t", [period("2025-06-01", "2026-06-01", "OURS"), period("", "", "Z", "b")]))

    assert [row.target for row in over.every()] == ["ANY", "OURS", "Z"]
    assert (over.name, sorted(over.rows)) == ("tiny/t", ["a", "b"])


@given(
    rows=st.lists(
        st.builds(
            lambda code, words, start, length: row_of(
                {
                    "code": code, "display": words, "equivalence": "unmatched", "source": "s", "note": words,
                    "from": str(start) if start else "",
                    "until": str(start + timedelta(length)) if start and length else "",
                }
            ),
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip),
            st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
            st.integers(0, 400),
        )
    )
)  # fmt: skip
def test_a_table_written_as_csv_is_read_as_the_same(rows: list[Row]) -> None:
    table, problems = table_of("tiny/t", rows), list[Problem]()

    again = read_table("tiny/t", "t.csv", as_csv(table.every()), problems)

    assert (again, problems) == (table, [])
