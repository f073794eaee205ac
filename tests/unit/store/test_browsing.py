"""Looking up records, people and practices, each agency its own."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.model import EntryState
from bridge.store import answers, browsing, leases, statements
from bridge.store.ledger import Ledger
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    NEEDS_CONSENT,
    NEEDS_ROW,
    NOW,
    PRACTICE,
    claim,
    claim_lane,
    consent,
    deliver,
    entry_plan,
    finish,
    item,
    keep,
    link,
    open_holds,
    planned,
    release,
    save,
)


def names(found: Sequence[dict[str, object]]) -> list[object]:
    return [one["source_id"] for one in found]


def caseload(ledger: Ledger) -> None:
    """One in the chart (its first version replaced), one without consent, one without a row, one of another agency."""
    planned(ledger, item("c1"))
    deliver(ledger)
    planned(ledger, item("c1", raw=b'{"a":2}'))
    planned(ledger, item("c2"), entry_plan("other", hold=NEEDS_CONSENT))
    keep(ledger, item("c3", subject="child-2"))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(NEEDS_ROW,))
    planned(ledger, item("x1", agency="cedar"), entry_plan(practice="oak"))


def test_records_are_narrowed_down_by_state_practice_person_and_agency(ledger: Ledger) -> None:
    caseload(ledger)
    with ledger.read() as connection:
        assert names(browsing.find_records(connection)) == ["x1", "c3", "c2", "c1"]
        assert names(browsing.find_records(connection, agency=AGENCY)) == ["c3", "c2", "c1"]
        assert names(browsing.find_records(connection, agency=AGENCY, state="held")) == ["c3", "c2"]
        assert names(browsing.find_records(connection, state="delivered")) == ["c1"]
        assert names(browsing.find_records(connection, state="held", practice=PRACTICE)) == ["c2"]
        assert names(browsing.find_records(connection, practice="oak")) == ["x1"]
        assert names(browsing.find_records(connection, state="superseded")) == ["c1"]
        (found,) = browsing.find_person(connection, "child-2")
        assert names(browsing.find_records(connection, person_number=found["id"])) == ["c3"]


def test_records_come_page_by_page_with_the_entries_of_their_thread(ledger: Ledger) -> None:
    caseload(ledger)
    with ledger.read() as connection:
        first = browsing.find_records(connection, limit=2)
        assert names(browsing.find_records(connection, before=first[-1]["id"])) == ["c2", "c1"]
        last = browsing.find_records(connection)[-1]
        assert [(one["practice"], one["stands_id"]) for one in last["entries"]] == [(PRACTICE, "doc-1")]
        assert last["subject"] == CHILD


def test_what_somebody_decided_to_keep_is_found(ledger: Ledger) -> None:
    caseload(ledger)
    (hold,) = [one for one in open_holds(ledger) if one["record"] is not None]
    ledger.write(answers.decide_record, answers.RecordVerdict(hold["id"], hold["record"], False, "ana", NOW))
    with ledger.read() as connection:
        assert names(browsing.find_records(connection, state=browsing.KEPT)) == ["c3"]


def test_a_person_is_found_by_what_their_agency_calls_them(ledger: Ledger) -> None:
    caseload(ledger)
    assert consent(ledger)
    assert link(ledger)
    with ledger.read() as connection:
        both = browsing.find_person(connection, CHILD)
        assert [one["agency"] for one in both] == ["cedar", AGENCY]
        assert browsing.find_person(connection, CHILD, "nobody") == []
        found = browsing.one_person(connection, both[1]["id"])
        assert found is not None
        assert [(one["practice"], one["basis"]) for one in found["links"]] == [(PRACTICE, "roster")]
        assert browsing.one_person(connection, 0) is None


def test_each_practice_has_its_share_by_agency(ledger: Ledger) -> None:
    caseload(ledger)
    with ledger.read() as connection:
        everybody, ours = browsing.shares(connection), browsing.shares(connection, AGENCY)
    assert set(everybody) == {PRACTICE, "oak"}
    assert set(ours) == {PRACTICE}
    share = ours[PRACTICE]
    assert {state: count for state, count in share["entries"].items() if count} == {"delivered": 1, "held": 1}
    assert (share["holds"], share["oldest"]) == (1, None)
    assert everybody["oak"]["oldest"] == NOW


def test_what_came_last_into_charts_is_that_agencys_alone(ledger: Ledger) -> None:
    caseload(ledger)
    with ledger.read() as connection:
        (there,) = browsing.latest_delivered(connection, PRACTICE)
        assert there["stands_id"] == "doc-1"
        assert browsing.latest_delivered(connection, PRACTICE, "cedar") == []


def test_a_connection_that_is_down_says_why_until_it_works_again(ledger: Ledger) -> None:
    ledger.write(statements.keep, statements.Kept("one", b"{}", NOW))
    ledger.write(leases.set_circuit, leases.Circuit("one", NOW + 10, "login refused"))
    with ledger.read() as connection:
        assert browsing.connections(connection, NOW) == {"one": {"down": "login refused", "read_at": NOW}}
        assert browsing.connections(connection, NOW + 10)["one"]["down"] == "login refused"
    ledger.write(leases.set_circuit, leases.Circuit("one", 0, "", NOW + 11))
    with ledger.read() as connection:
        assert browsing.connections(connection, NOW + 11)["one"]["down"] == ""


def test_the_system_of_a_practices_numbers_is_known_from_its_list(ledger: Ledger) -> None:
    planned(ledger)
    with ledger.read() as connection:
        assert browsing.known_system(connection, ledger, AGENCY, PRACTICE) == ""
    assert link(ledger)
    with ledger.read() as connection:
        assert browsing.known_system(connection, ledger, AGENCY, PRACTICE) == "urn:mrn"
        assert browsing.known_system(connection, ledger, "cedar", PRACTICE) == ""


def test_under_way_counts_from_the_oldest(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    assert finish(ledger, lane, lane.entries[0], EntryState.READY, due=NOW + 99, now=NOW + 7)
    assert release(ledger, lane)
    with ledger.read() as connection:
        assert browsing.shares(connection)[PRACTICE]["oldest"] == NOW + 7
