"""What people see of the ledger: counts with zeros, holds, one record's life."""

from __future__ import annotations

from sqlalchemy import update

from bridge.model import EntryState
from bridge.store import tables, views
from bridge.store.ledger import Ledger
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
    claim_lane,
    deliver,
    entry_plan,
    finish,
    item,
    keep,
    open_holds,
    planned,
    release,
    revoke,
    rows,
    save,
)  # fmt: skip

NOTHING = {state.value: 0 for state in EntryState}


def test_an_empty_ledger_counts_to_zero(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert views.record_counts(connection) == {
            "accepted": 0, "translated": 0, "held": 0, "superseded": 0, "waiting": 0,
        }  # fmt: skip
        assert views.entry_counts(connection) == NOTHING
        assert set(NOTHING) == {state.value for state in EntryState}
        assert views.withheld(connection) == 0
        assert views.practice_counts(connection) == {}
        assert views.hold_counts(connection) == {}
        assert views.open_holds(connection) == []
        assert views.recent_records(connection) == []
        assert views.one_hold(connection, 1) is None
        assert views.life(connection, 1) is None
        assert views.idle(connection, NOW)


def fill(ledger: Ledger) -> None:
    """Six versions of five records of two agencies; entries in four states at two practices."""
    planned(ledger, item("c1", b"1"), entry_plan("a", withheld=2))
    deliver(ledger)
    planned(
        ledger,
        item("c2", b"2"),
        entry_plan("b", withheld=1, hold=NEEDS_CONSENT),
        entry_plan("c", practice="oak-lane", resource_type="Encounter"),
    )
    keep(ledger, item("c3", b"3"), item("c3", b"3b"), item("c4", b"4", final=False))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(NEEDS_ROW, NEEDS_LINK))
    keep(ledger, item("q1", b"q", agency="quay"))


def test_records_and_entries_are_counted_by_state(ledger: Ledger) -> None:
    fill(ledger)
    with ledger.read() as connection:
        assert views.record_counts(connection) == {
            "accepted": 6, "translated": 2, "held": 1, "superseded": 1, "waiting": 2,
        }  # fmt: skip
        assert views.record_counts(connection, "quay")["accepted"] == 1
        assert views.record_counts(connection, "nobody")["accepted"] == 0
        assert views.entry_counts(connection) == NOTHING | {"delivered": 1, "held": 1, "ready": 1}
        assert views.entry_counts(connection, "oak-lane") == NOTHING | {"ready": 1}
        assert views.withheld(connection) == 1
        assert views.hold_counts(connection) == {"consent": 1, "table": 1, "link": 1}
        assert views.hold_counts(connection, "quay") == {}
        assert not views.idle(connection, NOW)


NONE_GATHERS = {"count": 0, "due": None}


def test_each_practice_has_its_counts(ledger: Ledger) -> None:
    fill(ledger)
    with ledger.read() as connection:
        found = views.practice_counts(connection)
    assert found == {
        PRACTICE: {
            "entries": NOTHING | {"delivered": 1, "held": 1},
            "routes": {"DocumentReference": {"delivered": 1, "held": 1}},
            "behind": 0,
            "gathering": NONE_GATHERS,
            "oldest": None,
        },
        "oak-lane": {
            "entries": NOTHING | {"ready": 1},
            "routes": {"Encounter": {"ready": 1}},
            "behind": 0,
            "gathering": NONE_GATHERS,
            "oldest": NOW,
        },
    }
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.entry).where(tables.entry.c.practice == "oak-lane").values(due_at=None))
    with ledger.read() as connection:
        parked = views.practice_counts(connection)["oak-lane"]
    assert (parked["behind"], parked["oldest"]) == (1, None)


def test_open_holds_say_what_they_are_about(ledger: Ledger) -> None:
    fill(ledger)
    with ledger.read() as connection:
        found = views.open_holds(connection)
        about = "kind", "thing", "person", "entry_state"
        assert {hold["reason"]: tuple(hold[name] for name in about) for hold in found} == {
            "consent": ("ma-soc/contact", "harbor/ma-soc/contact/c2", CHILD, "held"),
            "table": ("ma-soc/contact", "c3", CHILD, None),
            "link": ("ma-soc/contact", "c3", CHILD, None),
        }  # fmt: skip
        assert [hold["reason"] for hold in views.open_holds(connection, practice=PRACTICE)] == ["consent"]
        assert [hold["reason"] for hold in views.open_holds(connection, reason="table")] == ["table"]
        assert views.open_holds(connection, agency="quay") == []
        assert len(views.open_holds(connection, agency=AGENCY, limit=2)) == 2
        after = views.open_holds(connection, after=found[0]["id"])
        assert [hold["id"] for hold in after] == [hold["id"] for hold in found[1:]]
        one = views.one_hold(connection, found[0]["id"])
        assert one is not None
        assert one["waits_for"] == found[0]["waits_for"]


def test_one_records_life_from_acceptance_to_chart(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=NEEDS_CONSENT)
    assert release(ledger, lane)
    record = rows(ledger, tables.record)[0]["id"]
    with ledger.read() as connection:
        found = views.life(connection, record)
    assert found is not None
    assert (found["record"]["id"], found["record"]["subject"]) == (record, CHILD)
    assert [entry["name"] for entry in found["entries"]] == ["document"]
    assert [hold["id"] for hold in found["holds"]] == [hold["id"] for hold in open_holds(ledger)]
    assert found["steps"] == []
    assert views.in_short(found)["holds"] == [{"reason": "consent", "owner": "agency", "rule": "no consent"}]
    assert views.in_short(found)["entries"] == [
        {"practice": PRACTICE, "what": "document", "type": "DocumentReference", "state": "held"}
    ]


def test_steps_are_part_of_a_life(ledger: Ledger) -> None:
    planned(ledger)
    deliver(ledger)
    with ledger.read() as connection:
        found = views.life(connection, rows(ledger, tables.record)[0]["id"])
    assert found is not None
    assert [(step["action"], step["status"], step["stands_id"]) for step in found["steps"]] == [
        ("create", 201, "doc-1")
    ]


def test_the_latest_records_come_with_their_entries(ledger: Ledger) -> None:
    fill(ledger)
    with ledger.read() as connection:
        found = views.recent_records(connection)
        assert len(found) == 6
        assert found[0]["agency"] == "quay"
        assert {row["source_id"]: [e["name"] for e in row["entries"]] for row in found} == {
            "c1": ["a"], "c2": ["b", "c"], "c3": [], "c4": [], "q1": [],
        }  # fmt: skip
        assert len(views.recent_records(connection, limit=2)) == 2
        assert len(views.recent_records(connection, agency=AGENCY, person_source=CHILD)) == 5
        assert views.recent_records(connection, person_source="nobody") == []


def test_idle_is_when_only_people_and_times_are_waited_for(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("held", hold=NEEDS_CONSENT), entry_plan("later", due=NOW + MINUTE))
    with ledger.read() as connection:
        assert views.idle(connection, NOW)
        assert not views.idle(connection, NOW + MINUTE)
    assert revoke(ledger) == 0
    keep(ledger, item("c2", b"2"))
    with ledger.read() as connection:
        assert not views.idle(connection, NOW)
