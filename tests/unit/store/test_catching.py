"""Practices that come late catch up a few records at a time, and custody changes suspend: over both engines."""

from __future__ import annotations

import pytest

from bridge.model import Authority, Hold, HoldReason, Owner, Terms
from bridge.store import catching, custody, notices, persons, plans, tables
from bridge.store.ledger import Ledger
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    CONSENT_KEY,
    MINUTE,
    NOW,
    PARTS,
    PRACTICE,
    claim,
    consent,
    deliver,
    entries,
    entry_plan,
    item,
    keep,
    link,
    one,
    open_holds,
    person,
    planned,
    revoke,
    rows,
    save,
    translated,
)  # fmt: skip

OAK = "oak-lane"
OWN = Terms(authority=Authority.SELF)
PARENTS = Terms(authority=Authority.PARENT)


def due(ledger: Ledger, chunk: int = 10, now: int = NOW) -> list[catching.Missed]:
    with ledger.read() as connection:
        return catching.due(connection, ledger, now, 10, chunk)


def reached(ledger: Ledger, after: int | None, revision: int | None = None) -> bool:
    return ledger.write(catching.reached, catching.Reached(person(ledger)["id"], OAK, after, revision, NOW))


# ── catching up ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("by", ["consent", "link"])
def test_r29_a_practice_that_comes_late_catches_up(ledger: Ledger, by: str) -> None:
    planned(ledger, item("c1", b"1"))
    planned(ledger, item("c2", b"2"))
    assert due(ledger) == []
    said = consent(ledger, practice=OAK, source_ref="2") if by == "consent" else link(ledger, practice=OAK)
    assert said
    (missed,) = due(ledger)
    assert (missed.source, missed.agency, missed.practice, missed.more) == (CHILD, AGENCY, OAK, False)
    assert [row.source_id for row, _ in missed.records] == ["c1", "c2"]
    assert [parts for _, parts in missed.records] == [PARTS] * 2
    assert reached(ledger, None)
    assert due(ledger) == []


def test_it_catches_up_a_few_at_a_time_and_begins_again_where_something_changed(ledger: Ledger) -> None:
    for number in range(3):
        planned(ledger, item(f"c{number}", f"{number}".encode()))
    consent(ledger, practice=OAK, source_ref="2")
    (missed,) = due(ledger, chunk=2)
    assert (len(missed.records), missed.more) == (2, True)
    revision = person(ledger)["consent_revision"]
    assert reached(ledger, missed.last, revision)
    (missed,) = due(ledger, chunk=2)
    assert ([row.source_id for row, _ in missed.records], missed.more) == (["c2"], False)
    link(ledger, practice=OAK)
    assert not reached(ledger, None, revision)
    assert len(due(ledger)[0].records) == 3


def test_nothing_is_marked_where_nothing_was_missed(ledger: Ledger) -> None:
    consent(ledger)
    planned(ledger)
    link(ledger)
    keep(ledger, item("c9", b"9"))
    assert due(ledger) == []


def test_what_was_planned_before_is_left_as_it_is(ledger: Ledger) -> None:
    work = planned(ledger)
    deliver(ledger)
    before = entries(ledger)
    ask = translated(ledger, work, entry_plan(digest="another"), entry_plan(practice=OAK), parts={})
    assert ledger.write(plans.add, ask)
    assert ledger.write(plans.add, translated(ledger, work, entry_plan(practice=OAK), parts={}))
    (mine,) = [row for row in rows(ledger, tables.entry) if row["practice"] == OAK]
    assert (mine["state"], mine["record"], mine["position"]) == ("ready", work.id, 1)
    assert mine["urgency"] == -1, "what catches up goes behind what is new"
    assert [row for row in rows(ledger, tables.entry) if row["practice"] == PRACTICE] == list(before.values())


def test_a_version_that_was_replaced_is_not_planned_for_it(ledger: Ledger) -> None:
    work = planned(ledger, item("c1", b"1"))
    keep(ledger, item("c1", b"2"))
    assert not ledger.write(plans.add, translated(ledger, work, entry_plan(practice=OAK), parts={}))
    (newer,) = claim(ledger)
    assert save(ledger, newer, entry_plan())
    consent(ledger, practice=OAK, source_ref="2")
    assert [row.id for row, _ in due(ledger)[0].records] == [newer.id]


def test_a_plan_made_before_a_revocation_is_not_written(ledger: Ledger) -> None:
    work = planned(ledger)
    consent(ledger, practice=OAK, source_ref="2")
    revision = person(ledger)["consent_revision"]
    consent(ledger, practice=OAK, source_ref="2", revoked=NOW)
    ask = translated(ledger, work, entry_plan(practice=OAK), parts={}, revisions={CHILD: revision})
    assert not ledger.write(plans.add, ask)


def test_a_practice_that_a_record_names_later_catches_up_too(ledger: Ledger) -> None:
    planned(ledger, item("c1", b"1", practice=PRACTICE))
    keep(ledger, item("child", b"2", practice=OAK))
    assert [missed.practice for missed in due(ledger)] == [OAK]


# ── custody ───────────────────────────────────────────────────────────────────────────────────────────────────────
def suspend(ledger: Ledger, said: str | None = None, now: int = NOW) -> int:
    question = Hold(HoldReason.CONSENT, CONSENT_KEY, Owner.AGENCY, "who may consent?", "ask")
    new = persons.prepare(ledger, AGENCY, CHILD)
    ask = custody.Suspend(ledger, new, said, {PRACTICE: (ledger.ids.take(), question)}, NOW + MINUTE, now)
    return ledger.write(custody.suspend, ask)


def test_r26_a_change_suspends_what_others_signed_and_asks(ledger: Ledger) -> None:
    consent(ledger, terms=PARENTS)
    consent(ledger, terms=OWN, source_ref="own")
    revision = person(ledger)["consent_revision"]
    assert suspend(ledger, now=NOW + 1) == 1
    assert [row["suspended"] for row in rows(ledger, tables.consent)] == [NOW + 1, None]
    assert person(ledger)["consent_revision"] == revision + 1
    (asked,) = open_holds(ledger)
    assert (asked["subject"], asked["practice"], asked["owner"]) == (person(ledger)["id"], PRACTICE, "agency")
    assert suspend(ledger, now=NOW + 2) == 0
    assert consent(ledger, terms=PARENTS, source_ref="new", now=NOW + 3)
    assert open_holds(ledger) == []


def test_what_a_record_says_first_and_again_is_no_change(ledger: Ledger) -> None:
    """Kept is a hash that differs from person to person."""
    consent(ledger, terms=PARENTS)
    assert [suspend(ledger, said) for said in ("mother", "mother", "state", "state", "mother")] == [0, 0, 1, 0, 0]
    assert "mother" not in str(rows(ledger, tables.person))


def test_what_is_said_again_stays_suspended_and_ended(ledger: Ledger) -> None:
    consent(ledger, terms=PARENTS)
    suspend(ledger)
    revoke(ledger)
    assert consent(ledger, terms=PARENTS, until=NOW + MINUTE)
    row = one(ledger, tables.consent)
    assert (row["suspended"], row["ended"]) == (NOW, NOW)
    assert consent(ledger, terms=PARENTS, start=NOW + 1)
    row = one(ledger, tables.consent)
    assert (row["suspended"], row["ended"]) == (None, None)


def test_terms_stand_in_no_column(ledger: Ledger) -> None:
    """R26: who signed and what may leave are no less personal than what leaves."""
    consent(ledger, terms=Terms(frozenset({"ordinary", "substance-use"}), "adult-7", Authority.STATE))
    said = str(rows(ledger, tables.consent))
    assert not [word for word in ("substance", "adult-7", "state") if word in said]


# ── notices ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_practice_is_told_once_and_only_of_a_chart_it_has(ledger: Ledger) -> None:
    def told() -> bool:
        hold = Hold(HoldReason.NOTICE, "notice:1", Owner.PRACTICE, "no more", "chart {patient}")
        tell = notices.Tell(AGENCY, CHILD, PRACTICE, ledger.ids.take(), hold, NOW, NOW, of_chart=True)
        return ledger.write(notices.tell, tell)

    assert not told()
    consent(ledger)
    link(ledger)
    planned(ledger)
    assert not told()
    deliver(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(tables.link.update().values(patient="pat-1"))
    assert told()
    assert not told()
    (hold,) = open_holds(ledger)
    assert hold["next_step"] == "chart pat-1"
    with ledger.read() as connection:
        assert notices.count(connection, "no more") == {PRACTICE: 1}
        assert notices.persons_with_consents(connection, AGENCY, "", 5) == [CHILD]
