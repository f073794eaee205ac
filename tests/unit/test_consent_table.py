"""R26: the decision, cell by cell, against what the rules in docs/consent.md say of each."""

from __future__ import annotations

from collections import Counter

from bridge.consent import WHY
from bridge.mappings.classes import GRANTABLE
from bridge.model import Authority
from tests.unit.consent_table import DOCUMENT, PRACTICE, SAYS, Cell, cells, rendered, written

HOLDS = ("at its first instant", "in force", "in its last instant")
ALONE = ("a minor, own services", "of age, signed before", "of age, signed since", "18 today")


def expected(cell: Cell) -> bool:
    """What the rules say, in plain words: none of them the decision's own."""
    if cell.recipient != PRACTICE or cell.time not in HOLDS or cell.says == "no":
        return False
    if cell.name != "ordinary" and (cell.says == "facts only" or cell.name not in GRANTABLE):
        return False
    today = cell.time == "at its first instant"  # then the form is from today, whoever turned 18 before or today
    signed_of_age = cell.person == "of age, signed since" or (
        today and cell.person in ("of age, signed before", "18 today")
    )
    match cell.authority:
        case Authority.SELF:
            return cell.person in ("a minor, own services", "birth date not known") or signed_of_age
        case Authority.UNSTATED:
            return cell.person in ("a minor", "birth date not known") or signed_of_age
        case _:
            return cell.person not in ALONE


def test_r26_every_cell() -> None:
    wrong = [cell for cell in cells() if cell.leaves() is not expected(cell)]
    assert wrong == []


def test_the_cells_are_of_every_kind() -> None:
    counts = Counter(cell.leaves() for cell in cells())
    assert counts[True] > 100
    reasons = {cell.decision().reason for cell in cells()}
    assert reasons == {*WHY, "in-force"} - {"state-custody", "other-purpose"}  # those take a second form


def test_a_denial_names_nothing_that_may_leave() -> None:
    assert all(cell.decision().permit or not cell.decision().classes for cell in cells())
    assert all("ordinary" in cell.decision().classes for cell in cells() if cell.decision().permit)
    assert {says for says in SAYS if not SAYS[says]} == {"no"}


def test_the_document_shows_what_is_decided() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert rendered() in text
    assert written(text) == text, "run `python -m tests.unit.consent_table`"
