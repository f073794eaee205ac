"""Lists taken in on the page: what is good is taken, what is not is told by its row, and only one's own agency."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bridge.store import tables
from tests.unit.api.opened import Opened
from tests.unit.console.test_answers import CONSENT, LINK
from tests.unit.console.visiting import Reader, Visit, held_entry, trail, visit
from tests.unit.store.making import open_holds, rows

CANARY = "Zzyzx-Quetzal"
CONSENTS = "agency,person,practice,from,until,narrative\n"
LINKS = "agency,person,practice,system,value\n"


def upload(visitor: Visit, which: str, text: str | bytes, name: str = f"{CANARY}.csv") -> httpx.Response:
    content = text.encode() if isinstance(text, str) else text
    return visitor.send("/sharing", f"/{which}", files={"file": (name, content, "text/csv")})


def said(answer: httpx.Response) -> str:
    return Reader(answer.text).text


def given(doors: Opened) -> list[dict[str, Any]]:
    return rows(doors.ledger, tables.consent)


def test_a_list_of_consents_lets_go_what_waited(doors: Opened) -> None:
    held_entry(doors, CONSENT)
    ana = visit(doors, "ana")
    text = CONSENTS + "harbor,c-1,elm,2026-01-05,,yes\nharbor,c-2,oak,2026-01-05,2026-12-31,no\n"
    answer = upload(ana, "consents", text)
    assert (answer.status_code, "2 new, 0 known already." in said(answer)) == (200, True)
    assert open_holds(doors.ledger) == []
    assert "0 new, 2 known already." in said(upload(ana, "consents", text))
    assert [line[2:] for line in trail(doors) if line[2].startswith("import")] == [
        ("import-consents", "consents new 2 known 0"),
        ("import-consents", "consents new 0 known 2"),
    ]


def test_a_practices_list_lets_go_what_waited(doors: Opened) -> None:
    held_entry(doors, LINK)
    answer = upload(visit(doors, "ana"), "links", LINKS + "harbor,c-1,elm,urn:oid:1.2.3,40017\n")
    assert "1 new, 0 known already." in said(answer)
    assert open_holds(doors.ledger) == []


def test_rows_that_cannot_be_taken_are_told_and_the_others_are_taken(doors: Opened) -> None:
    text = CONSENTS + (
        f"harbor,c-1,elm,{CANARY},,yes\n"
        f"{CANARY},c-2,elm,2026-01-05,,yes\n"
        "harbor,c-3,elm,2026-01-05,,yes\n"
        f"harbor,c-4,{CANARY},2026-01-05,,yes\n"
    )
    answer = upload(visit(doors, "ana"), "consents", text)
    assert answer.status_code == 422
    words = said(answer)
    assert "1 new, 0 known already, 3 not taken." in words
    assert "consents.csv:2 , from, until: a date is written YYYY-MM-DD" in words
    assert "consents.csv:3 , agency: the project has no agency of this id" in words
    assert "consents.csv:5 , practice: this agency works with no practice of this id" in words
    assert CANARY not in answer.text
    assert len(given(doors)) == 1


def test_many_mistakes_are_told_in_part(doors: Opened) -> None:
    answer = upload(visit(doors, "ana"), "consents", CONSENTS + "harbor,,elm,2026-01-05,,yes\n" * 70)
    assert "and 20 more" in said(answer)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"child;practice\n", "the first line must name the columns"),
        ("nombre,\n".encode("utf-16"), "this is not CSV in UTF-8"),
        (b"", "the first line must name the columns"),
    ],
)
def test_what_is_no_such_list_is_not_taken_at_all(doors: Opened, content: bytes, says: str) -> None:
    answer = upload(visit(doors, "ana"), "links", content)
    assert answer.status_code == 422
    assert says in said(answer)
    assert rows(doors.ledger, tables.link) == []


def test_another_agencys_rows_are_not_taken_from_staff_and_are_from_an_engineer(doors: Opened) -> None:
    row = LINKS + "cedar,c-1,oak,urn:oid:1.2.3,40017\n"
    answer = upload(visit(doors, "ana"), "links", row)
    assert "the project has no agency of this id" in said(answer)
    assert rows(doors.ledger, tables.link) == []
    assert "1 new" in said(upload(visit(doors, "pat"), "links", row))
    (link,) = rows(doors.ledger, tables.link)
    assert (link["agency"], link["recorded_by"]) == ("cedar", "pat")


def test_consents_are_no_engineers_to_take_in(doors: Opened) -> None:
    pat = visit(doors, "pat")
    assert "What families agreed to" not in pat.read("/sharing")
    csrf = pat.form("/", "/sign-out")["csrf"]
    files = {"file": ("a.csv", (CONSENTS + "harbor,c-1,elm,2026-01-05,,yes\n").encode())}
    assert pat.client.post("/console/sharing/consents", data={"csrf": csrf}, files=files).status_code == 404
    assert given(doors) == []


def test_a_form_without_a_file_is_answered_plainly(doors: Opened) -> None:
    answer = visit(doors, "ana").send("/sharing", "/links")
    assert answer.status_code == 422
    assert "not asked for as it should be" in said(answer)
