"""Piles, cases and what a case holds, and whose they are."""

from __future__ import annotations

from dataclasses import replace

from bridge.store import needs
from bridge.store.ledger import Ledger
from bridge.store.needs import Pile, Scope
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    MINUTE,
    NEEDS_CONSENT,
    NEEDS_LINK,
    NEEDS_ROW,
    NOW,
    PRACTICE,
    claim,
    consent,
    entry_plan,
    item,
    keep,
    planned,
    save,
)

CONSENTS = Pile(AGENCY, PRACTICE, "consent", "agency", "no consent")


def waiting(ledger: Ledger) -> None:
    """Three entries wait for two consents and one link; one record waits for a row; another agency's for its own."""
    other = replace(NEEDS_CONSENT, waits_for="consent:harbor/child-2/elm-street")
    planned(ledger, item("c1"), entry_plan(hold=NEEDS_CONSENT))
    planned(ledger, item("c2"), entry_plan(hold=NEEDS_CONSENT), now=NOW + 1)
    planned(ledger, item("c3", subject="child-2"), entry_plan(person="child-2", hold=other), now=NOW + 2)
    planned(ledger, item("c4"), entry_plan(hold=NEEDS_LINK), now=NOW + 3)
    keep(ledger, item("c5"), now=NOW + 4)
    (work,) = claim(ledger, now=NOW + 4)
    assert save(ledger, work, holds=(NEEDS_ROW,), now=NOW + 4)
    keep(ledger, item("x1", agency="cedar"), now=NOW + 5)
    (work,) = claim(ledger, now=NOW + 5)
    assert save(ledger, work, holds=(NEEDS_ROW,), now=NOW + 5)


def test_piles_count_cases_and_what_waits_in_them_the_first_due_above(ledger: Ledger) -> None:
    waiting(ledger)
    with ledger.read() as connection:
        found = needs.piles(connection, Scope(AGENCY))
    assert [(pile["reason"], pile["cases"], pile["holds"]) for pile in found] == [
        ("consent", 2, 3),
        ("link", 1, 1),
        ("table", 1, 1),
    ]
    assert [pile["due_at"] - NOW - 100 * MINUTE for pile in found] == [0, 3, 4]


def test_a_scope_leaves_only_what_is_its_own(ledger: Ledger) -> None:
    waiting(ledger)
    with ledger.read() as connection:
        assert {pile["agency"] for pile in needs.piles(connection, Scope())} == {AGENCY, "cedar"}
        assert {pile["agency"] for pile in needs.piles(connection, Scope("cedar"))} == {"cedar"}
        its_turn = needs.piles(connection, Scope(practice=PRACTICE, owner="practice"))
        assert [pile["reason"] for pile in its_turn] == ["link"]
        scopes = (Scope(), Scope(AGENCY), Scope(AGENCY, owner="agency"))
        assert [needs.count_cases(connection, scope) for scope in scopes] == [5, 4, 3]


def test_the_cases_of_a_pile_come_oldest_first_and_in_parts(ledger: Ledger) -> None:
    waiting(ledger)
    with ledger.read() as connection:
        first, second = needs.cases(connection, CONSENTS, 10)
        assert [(one["person"], one["holds"], one["source_id"]) for one in (first, second)] == [
            (CHILD, 2, "c1"),
            ("child-2", 1, "c3"),
        ]
        assert needs.cases(connection, CONSENTS, 1) == [first]
        assert needs.cases(connection, CONSENTS, 10, first["id"]) == [second]
        assert [one["source_id"] for one in needs.waiting_with(connection, first, 10)] == ["c1", "c2"]
        assert len(needs.open_in(connection, CONSENTS)) == 3


def test_an_answered_case_is_found_and_its_pile_is_smaller(ledger: Ledger) -> None:
    waiting(ledger)
    with ledger.read() as connection:
        first, _ = needs.cases(connection, CONSENTS, 10)
    assert consent(ledger)
    with ledger.read() as connection:
        found = needs.one_case(connection, first["id"])
        assert found is not None
        assert found["closed_by"] == "consent"
        assert len(needs.cases(connection, CONSENTS, 10)) == 1
        assert needs.one_case(connection, 0) is None
