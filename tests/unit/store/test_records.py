"""Records are kept once, in order, and claimed by one worker at a time."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bridge.model import Fate, RecordState
from bridge.store import persons, records, tables
from bridge.store.ledger import Ledger
from tests.postgres import Reopen
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    MINUTE,
    NEEDS_ROW,
    NOW,
    UNTIL,
    claim,
    fate,
    item,
    keep,
    open_holds,
    person,
    rows,
    save,
)  # fmt: skip


def test_a_new_record_is_kept_whole(ledger: Ledger) -> None:
    (answer,) = keep(ledger, item("c1", b'{"said":"hello"}', version="3", practice="elm-street"))
    assert answer.fate is Fate.NEW
    (row,) = rows(ledger, tables.record)
    assert row["id"] == answer.record
    expected = {
        "agency": "harbor", "program": "visits", "thing": "harbor/ma-soc/contact/c1", "kind": "ma-soc/contact",
        "source_id": "c1", "ordinal": 1, "version": "3", "position": 1, "state": "accepted", "final": True,
        "void": False, "occurred_at": NOW - MINUTE, "accepted_at": NOW, "due_at": NOW, "claims": 0, "owner": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    (work,) = claim(ledger)
    assert work.raw == b'{"said":"hello"}'
    assert (work.subject, work.occurred_at) == (CHILD, NOW - MINUTE)
    assert person(ledger)["practice"] == "elm-street"


def test_answers_come_in_the_order_asked(ledger: Ledger) -> None:
    asked = [(index, item(f"c{index}", b"%d" % index)) for index in (4, 2, 9)]
    assert [answer.index for answer in records.keep_items(ledger, asked, fate, NOW)] == [4, 2, 9]


def test_a_resend_is_recognised_and_nothing_is_kept(ledger: Ledger) -> None:
    first, again = keep(ledger, item("c1", b"1"), item("c1", b"1"))
    (later,) = keep(ledger, item("c1", b"1"), now=NOW + MINUTE)
    assert [answer.fate for answer in (first, again, later)] == [Fate.NEW, Fate.RESEND, Fate.RESEND]
    assert first.record == again.record == later.record
    assert len(rows(ledger, tables.record)) == len(rows(ledger, tables.blob)) == 1
    assert person(ledger)["position"] == 1


def test_a_resend_of_an_earlier_version_names_that_version(ledger: Ledger) -> None:
    first, second = keep(ledger, item("c1", b"1", version="1"), item("c1", b"2", version="2"))
    (again,) = keep(ledger, item("c1", b"1", version="1"))
    assert again.fate is Fate.RESEND
    assert again.record == first.record != second.record


def test_two_contacts_on_one_day_stay_two(ledger: Ledger) -> None:
    """R20: ids make things; the same words under two ids are two records."""
    first, second = keep(ledger, item("c1", b"same"), item("c2", b"same"))
    assert (first.fate, second.fate) == (Fate.NEW, Fate.NEW)
    assert first.record != second.record


def test_the_same_id_at_two_agencies_or_of_two_kinds_is_two_things(ledger: Ledger) -> None:
    answers = keep(ledger, item(), item(agency="quay"), item(kind="ma-soc/screening"))
    assert [answer.fate for answer in answers] == [Fate.NEW] * 3
    assert len(rows(ledger, tables.person)) == 2


def test_a_new_version_supersedes_the_one_before_and_its_holds(ledger: Ledger) -> None:
    keep(ledger, item("c1", b"1"))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(NEEDS_ROW,))
    (answer,) = keep(ledger, item("c1", b"2"), now=NOW + MINUTE)
    assert answer.fate is Fate.VERSION
    old, new = rows(ledger, tables.record)
    assert (old["state"], old["due_at"]) == ("superseded", None)
    assert (new["state"], new["ordinal"], new["position"]) == ("accepted", 2, 2)
    assert open_holds(ledger) == []
    (closed,) = rows(ledger, tables.hold)
    assert (closed["closed_at"], closed["closed_by"]) == (NOW + MINUTE, "superseded")


def test_versions_in_one_request_supersede_each_other(ledger: Ledger) -> None:
    keep(ledger, *(item("c1", b"%d" % number, version=str(number)) for number in (1, 2, 3)))
    assert [row["state"] for row in rows(ledger, tables.record)] == ["superseded", "superseded", "accepted"]
    assert [work.raw for work in claim(ledger)] == [b"3"]


def test_an_older_version_that_comes_late_is_kept_as_superseded_and_changes_nothing(ledger: Ledger) -> None:
    keep(ledger, item("c1", b"2", version="2", practice="elm-street"))
    (late,) = keep(ledger, item("c1", b"1", version="1", practice="oak-lane"))
    assert late.fate is Fate.OLDER
    assert {row["version"]: (row["state"], row["due_at"]) for row in rows(ledger, tables.record)} == {
        "2": ("accepted", NOW),
        "1": ("superseded", None),
    }
    assert person(ledger)["practice"] == "elm-street"


def test_what_is_unfinished_is_kept_and_not_due(ledger: Ledger) -> None:
    keep(ledger, item("c1", b"draft", final=False))
    (row,) = rows(ledger, tables.record)
    assert (row["state"], row["final"], row["due_at"]) == ("accepted", False, None)
    assert claim(ledger) == []


def test_what_is_unfinished_replaces_only_what_was_unfinished(ledger: Ledger) -> None:
    keep(ledger, item("c1", b"signed"))
    keep(ledger, item("c1", b"draft", final=False))
    keep(ledger, item("c1", b"second draft", final=False))
    assert [row["state"] for row in rows(ledger, tables.record)] == ["accepted", "superseded", "accepted"]
    keep(ledger, item("c1", b"amended"))
    assert [row["state"] for row in rows(ledger, tables.record)] == ["superseded"] * 3 + ["accepted"]
    assert [work.raw for work in claim(ledger)] == [b"amended"]


def test_another_practice_named_for_a_person_is_a_reason_to_decide_anew(ledger: Ledger) -> None:
    keep(ledger, item("c1", b"1", practice="elm-street"))
    assert person(ledger)["consent_revision"] == 1
    keep(ledger, item("c2", b"2", practice="elm-street"), item("c3", b"3"))
    assert person(ledger)["consent_revision"] == 1
    keep(ledger, item("c4", b"4", practice="oak-lane"))
    assert (person(ledger)["practice"], person(ledger)["consent_revision"]) == ("oak-lane", 2)


def test_positions_rise_strictly_whoever_accepts(ledger: Ledger, reopen: Reopen) -> None:
    """Two workers, eight threads, three children: no position twice, none missing, none out of order for its thread."""
    workers = [ledger, reopen()]
    children = [f"child-{number}" for number in range(3)]

    def accept(number: int) -> None:
        order = random.Random(number)
        for round_ in range(6):
            some = [item(f"c-{number}-{round_}-{one}", b"%d" % one, subject=one_of) for one, one_of in
                    enumerate(order.sample(children, 3))]  # fmt: skip
            assert all(answer.fate is Fate.NEW for answer in keep(workers[number % 2], *some))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(accept, range(8)))
    by_child: dict[int, list[int]] = {}
    for row in rows(ledger, tables.record):
        by_child.setdefault(row["person"], []).append(row["position"])
    assert [sorted(positions) for positions in by_child.values()] == [list(range(1, 49))] * 3
    assert {row["position"] for row in rows(ledger, tables.person)} == {48}
    of = {row["source_id"]: row["position"] for row in rows(ledger, tables.record)}
    for number in range(8):
        for child in children:
            mine = [
                row["position"]
                for row in rows(ledger, tables.record)
                if row["source_id"].startswith(f"c-{number}-") and row["person"] == child_id(ledger, child)
            ]
            assert len(mine) == 6
    assert len(of) == 144


def child_id(ledger: Ledger, source: str) -> int:
    found: int = person(ledger, source)["id"]
    return found


def test_one_thing_accepted_by_many_at_once_is_one_thing(ledger: Ledger, reopen: Reopen) -> None:
    """The same record from eight threads of two workers, and eight versions of another: one new, the rest known."""
    workers = [ledger, reopen()]
    start = threading.Barrier(8)

    def accept(number: int) -> list[Fate]:
        start.wait()
        same, version = item("c1", b"same"), item("c2", b"%d" % number, subject=f"child-{number % 3}")
        return [answer.fate for answer in keep(workers[number % 2], same, version)]

    with ThreadPoolExecutor(8) as pool:
        fates = list(pool.map(accept, range(8)))
    assert sorted(same for same, _ in fates) == [Fate.NEW] + [Fate.RESEND] * 7
    assert sorted(version for _, version in fates) == [Fate.NEW] + [Fate.VERSION] * 7
    states = [row["state"] for row in rows(ledger, tables.record) if row["source_id"] == "c2"]
    ordinals = sorted(row["ordinal"] for row in rows(ledger, tables.record) if row["source_id"] == "c2")
    assert sorted(states) == ["accepted"] + ["superseded"] * 7
    assert ordinals == list(range(1, 9))


# ── claims ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_two_workers_never_get_the_same_record(ledger: Ledger, reopen: Reopen) -> None:
    keep(ledger, *(item(f"c{number}", b"%d" % number, subject=f"child-{number % 5}") for number in range(60)))
    workers = [ledger, reopen()]

    def take(number: int) -> list[int]:
        got: list[int] = []
        while some := claim(workers[number % 2], f"w{number}", limit=7):
            got += [work.id for work in some]
        return got

    with ThreadPoolExecutor(4) as pool:
        taken = [one for some in pool.map(take, range(4)) for one in some]
    assert len(taken) == len(set(taken)) == 60


def test_a_claim_that_ran_out_is_claimed_again(ledger: Ledger) -> None:
    keep(ledger, item())
    (first,) = claim(ledger, "w1", NOW, NOW + 10)
    assert claim(ledger, "w2", NOW + 9, UNTIL) == []
    (second,) = claim(ledger, "w2", NOW + 10, UNTIL)
    assert (first.id, first.claims, second.claims) == (second.id, 1, 2)


def test_who_lost_a_claim_saves_nothing(ledger: Ledger) -> None:
    keep(ledger, item())
    (first,) = claim(ledger, "w1", NOW, NOW + 10)
    (second,) = claim(ledger, "w2", NOW + 10, UNTIL)
    assert not save(ledger, first, owner="w1")
    assert rows(ledger, tables.translation) == rows(ledger, tables.entry) == []
    assert save(ledger, second, owner="w2")
    assert not save(ledger, second, owner="w2")


def test_what_was_superseded_while_it_was_translated_is_not_saved(ledger: Ledger) -> None:
    keep(ledger, item("c1", b"1"))
    (work,) = claim(ledger)
    keep(ledger, item("c1", b"2"))
    assert not save(ledger, work)
    assert [row["state"] for row in rows(ledger, tables.record)] == ["superseded", "accepted"]
    assert rows(ledger, tables.translation) == []


def test_claims_come_in_the_order_of_a_persons_positions(ledger: Ledger) -> None:
    keep(ledger, *(item(f"c{number}", b"%d" % number) for number in range(5)))
    assert [work.position for work in claim(ledger)] == [1, 2, 3, 4, 5]


def test_a_claim_takes_no_more_than_asked(ledger: Ledger) -> None:
    keep(ledger, *(item(f"c{number}", b"%d" % number) for number in range(5)))
    assert len(claim(ledger, limit=2)) == 2
    assert len(claim(ledger, limit=9)) == 3
    assert claim(ledger, now=NOW - 1) == []


def test_the_states_are_checked_by_the_database(ledger: Ledger) -> None:
    assert {state.value for state in RecordState} == {"accepted", "translated", "held", "superseded"}
    with ledger.engine.connect() as connection:
        checks = connection.dialect.get_check_constraints(connection, "record")
    assert len(checks) == 1


def test_who_accepts_for_one_person_waits_for_who_came_first(ledger: Ledger, reopen: Reopen) -> None:
    """The position is the counter's under its lock: the second transaction sees the first one's."""
    keep(ledger, item("c0", b"0"))
    other, done = reopen(), list[Fate]()
    second = threading.Thread(target=lambda: done.append(keep(other, item("c2", b"2"))[0].fate))
    first = records.Keep(
        ledger, 0, item("c1", b"1"), fate, ledger.ids.take(), ledger.ids.take(),
        persons.prepare(ledger, AGENCY, CHILD), NOW,
    )  # fmt: skip
    with ledger.engine.begin() as connection:
        assert [answer.fate for answer in records.keep(connection, [first])] == [Fate.NEW]
        second.start()
        time.sleep(0.3)
        assert done == []
    second.join(10)
    assert done == [Fate.NEW]
    assert {row["source_id"]: row["position"] for row in rows(ledger, tables.record)} == {"c0": 1, "c1": 2, "c2": 3}
