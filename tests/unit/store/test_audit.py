"""The trail shows when somebody touched it."""

from __future__ import annotations

import pytest
from sqlalchemy import ColumnElement, Connection, delete, insert, update

from bridge.store import audit, tables
from bridge.store import ledger as ledgers
from bridge.store.audit import Line, Seal
from bridge.store.ledger import Ledger
from tests.unit.store.listening import statements
from tests.unit.store.making import AGENCY, NOW, rows

OF = tables.audit.c


def note(ledger: Ledger, *actions: str, agency: str = AGENCY) -> None:
    for action in actions:
        ledger.write(audit.note, Line(ledger.ids.take(), agency, NOW, "ana", action, "record:1"))


def seal(ledger: Ledger, agency: str = AGENCY) -> int:
    return ledger.write(audit.seal, Seal(ledger.ids.take(), agency, NOW))


def broken(ledger: Ledger, agency: str = AGENCY) -> list[int]:
    with ledger.read() as connection:
        return audit.broken(connection, agency)


@pytest.fixture
def trail(ledger: Ledger) -> Ledger:
    """Three seals of two lines each, and two lines not sealed yet."""
    for number in (1, 2, 3):
        note(ledger, f"read-{number}", f"answer-{number}")
        assert seal(ledger) == 2
    note(ledger, "read-4", "answer-4")
    return ledger


def test_what_nobody_touched_is_whole(trail: Ledger) -> None:
    assert broken(trail) == []
    assert [row["number"] for row in rows(trail, tables.audit_seal)] == [1, 2, 3]
    assert len({row["hash"] for row in rows(trail, tables.audit_seal)}) == 3


def test_nothing_to_seal_makes_no_seal(trail: Ledger) -> None:
    assert seal(trail) == 2
    assert seal(trail) == 0
    assert len(rows(trail, tables.audit_seal)) == 4
    assert seal(trail, "quay") == 0


@pytest.mark.parametrize("column", ["at", "actor", "action", "object"])
def test_a_changed_line_breaks_its_seal(trail: Ledger, column: str) -> None:
    value = 1 if column == "at" else "somebody else"
    with trail.engine.begin() as connection:
        connection.execute(update(tables.audit).where(OF.action == "answer-2").values({column: value}))
    assert broken(trail) == [2]


def test_a_removed_line_breaks_its_seal(trail: Ledger) -> None:
    with trail.engine.begin() as connection:
        connection.execute(delete(tables.audit).where(OF.action == "read-1"))
    assert broken(trail) == [1]


def test_a_line_slipped_in_breaks_the_seal(trail: Ledger) -> None:
    third = rows(trail, tables.audit_seal)[2]["id"]
    with trail.engine.begin() as connection:
        line = {"id": 999_999, "agency": AGENCY, "at": NOW, "actor": "eve", "action": "read", "object": "record:2"}
        connection.execute(insert(tables.audit).values(seal=third, **line))
    assert broken(trail) == [3]


def test_a_removed_or_rewritten_seal_breaks_what_follows(trail: Ledger) -> None:
    def forge(connection: Connection, which: ColumnElement[bool]) -> None:
        connection.execute(delete(tables.audit).where(OF.action.in_(["read-2", "answer-2"])))
        connection.execute(delete(tables.audit_seal).where(which))

    with trail.engine.begin() as connection:
        forge(connection, tables.audit_seal.c.number == 2)
    assert broken(trail) == [3]


def test_tenants_have_chains_of_their_own(trail: Ledger) -> None:
    note(trail, "read", agency="quay")
    assert seal(trail, "quay") == 1
    with trail.engine.begin() as connection:
        connection.execute(update(tables.audit).where(OF.agency == "quay").values(actor="eve"))
    assert broken(trail, "quay") == [1]
    assert broken(trail) == []


def test_several_tenants_are_sealed_in_one_commit(ledger: Ledger) -> None:
    note(ledger, "a", "b")
    note(ledger, "c", agency="quay")
    asked = [Seal(ledger.ids.take(), agency, NOW) for agency in (AGENCY, "quay", "nobody")]
    with ledger.engine.begin() as connection:
        assert audit.seal(connection, asked) == [2, 1, 0]
    assert broken(ledger) == broken(ledger, "quay") == []


def test_many_lines_are_one_commit(ledger: Ledger) -> None:
    lines = [Line(ledger.ids.take(), AGENCY, NOW, "ana", "read", f"record:{number}") for number in range(50)]
    futures = [ledger.submit(audit.note, line) for line in lines]
    assert all(future.result() for future in futures)
    assert len(rows(ledger, tables.audit)) == 50


def test_more_lines_than_one_statement_takes_are_sealed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "SLICE", 100)
    line = {"agency": AGENCY, "at": NOW, "actor": "ana", "action": "read", "object": "record:1"}
    with ledger.engine.begin() as connection:
        connection.execute(insert(tables.audit), [{"id": number, **line} for number in range(1, 351)])
    with statements(ledger) as said:
        assert seal(ledger) == 350
    assert max(one.values for one in said) < 110
    assert broken(ledger) == []
