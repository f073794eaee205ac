"""What EHRs state and taught; and that what rested on it is planned anew, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from bridge.ehr.route import capability_key
from bridge.model import EntryState, Hold, HoldReason, Owner, RecordState
from bridge.store import statements, tables
from bridge.store.ledger import Ledger
from bridge.store.statements import Kept, Lesson, Replan
from tests.unit.store.making import (
    NEEDS_CONSENT,
    NOW,
    PRACTICE,
    claim_lane,
    deliver,
    entry_plan,
    finish,
    item,
    planned,
    release,
    rows,
)

NO_WAY = Hold(
    HoldReason.CAPABILITY, capability_key(PRACTICE, "DocumentReference"), Owner.PRACTICE, "no way in", "open it"
)
INTO = (capability_key(PRACTICE, ""),)


def again(ledger: Ledger) -> set[str]:
    """The records that are due for translation again."""
    found = rows(ledger, tables.record)
    return {
        one["source_id"] for one in found if one["state"] == RecordState.ACCEPTED.value and one["due_at"] is not None
    }


def test_a_statement_is_kept_and_its_changes_seen(ledger: Ledger) -> None:
    first, second = b'{"fhirVersion":"4.0.1"}' * 100, b"{}"
    change: statements.Change = {"type": "Task", "of": "interaction", "name": "create", "now": False}
    assert ledger.write(statements.keep, Kept("elm", first, NOW))
    assert not ledger.write(statements.keep, Kept("elm", first, NOW + 1))
    with ledger.read() as connection:
        known = statements.known(connection)["elm"]
        assert (known.content, known.read_at, known.changed_at, known.changes) == (first, NOW + 1, NOW, ())
    assert ledger.write(statements.keep, Kept("elm", second, NOW + 2, (change,)))
    assert not ledger.write(statements.keep, Kept("elm", second, NOW + 3))
    with ledger.read() as connection:
        known = statements.known(connection)["elm"]
        assert (known.content, known.read_at, known.changed_at, known.changes) == (second, NOW + 3, NOW + 2, (change,))
        assert statements.digests(connection) == {"elm": statements.digest_of(second)}


def test_what_was_learned_first_stays_until_it_is_forgotten(ledger: Ledger) -> None:
    for because in ("the first reason", "another"):
        assert ledger.write(statements.learn, Lesson("elm", "Encounter", "create", because, NOW))
    ledger.write(statements.learn, Lesson("elm", "Task", "update", "405", NOW))
    with ledger.read() as connection:
        assert [one.because for one in statements.lessons(connection)["elm"]] == ["the first reason", "405"]
    assert ledger.write(statements.forget, ("elm", "Task", "update"))
    assert not ledger.write(statements.forget, ("elm", "Task", "update"))
    with ledger.read() as connection:
        assert [one.type for one in statements.lessons(connection)["elm"]] == ["Encounter"]


def test_a_refusal_is_tried_again_once_the_server_states_the_type_otherwise(ledger: Ledger) -> None:
    """A search parameter more is no reason to try; another interaction of the type, or other software, is."""

    def learned() -> list[str]:
        with ledger.read() as connection:
            return [one.type for one in statements.lessons(connection).get("elm", ())]

    for type in ("Encounter", "Task"):
        ledger.write(statements.learn, Lesson("elm", type, "create", "405", NOW))
    changes: tuple[statements.Change, ...] = ({"type": "Task", "of": "parameter", "name": "code", "now": True},)
    ledger.write(statements.keep, Kept("elm", b"1", NOW, changes))
    assert learned() == ["Encounter", "Task"]
    ledger.write(
        statements.keep, Kept("elm", b"2", NOW, ({"type": "Task", "of": "interaction", "name": "update", "now": True},))
    )
    assert learned() == ["Encounter"]
    ledger.write(statements.keep, Kept("elm", b"3", NOW, ({"type": "", "of": "software", "name": "X 2", "now": True},)))
    assert learned() == []


def test_what_waits_for_a_way_is_planned_anew_and_nothing_else(ledger: Ledger) -> None:
    planned(ledger, item("c1"), entry_plan(hold=NO_WAY))
    planned(ledger, item("c2"), entry_plan(hold=NEEDS_CONSENT))
    planned(ledger, item("c3"), entry_plan(practice="oak"))
    assert ledger.write(statements.replan, Replan(NOW, beginnings=INTO)) == 1
    assert again(ledger) == {"c1"}
    assert ledger.write(statements.replan, Replan(NOW, beginnings=(capability_key("oak", ""),))) == 0


def test_what_was_not_begun_is_planned_anew_where_its_sort_has_no_way_any_more(ledger: Ledger) -> None:
    planned(ledger, item("c1"))
    with ledger.read() as connection:
        (sort,) = statements.not_begun(connection, [PRACTICE])
    assert (sort.practice, sort.route, sort.type) == (PRACTICE, "document", "DocumentReference")
    assert ledger.write(statements.replan, Replan(NOW, sorts=(replace(sort, practice="oak"),))) == 0
    assert ledger.write(statements.replan, Replan(NOW, sorts=(sort,))) == 1
    assert again(ledger) == {"c1"}


def test_what_stands_or_may_stand_is_left_to_its_own_next_plan(ledger: Ledger) -> None:
    """Delivered, or tried with an answer that was lost: nothing of it is planned anew for a statement's sake."""
    planned(ledger, item("c1"))
    deliver(ledger)
    planned(ledger, item("c2"), entry_plan("other"))
    lane = claim_lane(ledger)
    (entry,) = (one for one in lane.entries if one.name == "other")
    assert finish(ledger, lane, entry, EntryState.UNKNOWN, due=NOW, look_first=True)
    assert release(ledger, lane)
    with ledger.read() as connection:
        assert statements.not_begun(connection, [PRACTICE]) == []
    assert again(ledger) == set()
