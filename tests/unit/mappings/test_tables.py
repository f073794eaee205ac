from __future__ import annotations

import pytest

from bridge.errors import Problem
from bridge.mappings.tables import read_table, row_of, table_key

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
        (",urn:x,T,D,equivalent,here,", "table-row", "t.csv:2"),
        ("a,urn:x,T,D,near enough,here,", "table-row", "t.csv:2"),
        ("a,urn:x,T,D,unmatched,here,", "table-row", "t.csv:2"),
        ("a,urn:x,,D,equivalent,here,", "table-row", "t.csv:2"),
        ("a,,T,D,equivalent,here,", "table-row", "t.csv:2"),
        ("a,,,,unmatched,here,", "table-row", "t.csv:2"),
        ("a,urn:x,T,D,equivalent,,", "table-source", "t.csv:2"),
        ("a,urn:x,T,D,equivalent,here,\na,urn:x,U,E,equivalent,here,", "table-twice", "t.csv:3"),
        ("a,urn:x,T,D, and more,equivalent,here,", "table-row", "t.csv:2"),
        ('a,"urn:x,T', "table-unreadable", "t.csv:2"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(line: str, code: str, where: str) -> None:
    problems: list[Problem] = []

    read_table("tiny/t", "t.csv", f"{HEADER}\n{line}\n", problems)

    assert [(problem.code, problem.where) for problem in problems] == [(code, where)]


def test_other_columns_are_refused() -> None:
    problems: list[Problem] = []

    read_table("tiny/t", "t.csv", "code,system\n", problems)

    assert [problem.code for problem in problems] == ["table-columns"]


def test_the_key_of_a_missing_row_names_agency_table_and_code() -> None:
    assert table_key("oak", "tiny/place", "barn") == "table:oak:tiny/place:barn"
