"""What workers must agree on besides lanes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bridge.model import EntryState
from bridge.store import leases, tables
from bridge.store.leases import Activation, Circuit, Run
from bridge.store.ledger import Ledger
from tests.postgres import Reopen
from tests.unit.store.making import (
    MINUTE,
    NOW,
    begin,
    claim_lane,
    deliver,
    entries,
    entry_plan,
    finish,
    item,
    one,
    planned,
    release,
    rows,
)  # fmt: skip

HOUR = 60 * MINUTE


# ── scheduled runs ────────────────────────────────────────────────────────────────────────────────────────────────
def run(owner: str = "w1", now: int = NOW) -> Run:
    return Run("digest", owner, now, now + MINUTE, HOUR)


def test_one_worker_runs_it(ledger: Ledger, reopen: Reopen) -> None:
    workers = [ledger, reopen()]
    start = threading.Barrier(6)

    def take(number: int) -> bool:
        start.wait()
        return workers[number % 2].write(leases.take_run, run(f"w{number}"))

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]
    assert one(ledger, tables.lease)["epoch"] == 1


def test_in_one_commit_too(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        other = replace(run("w3"), name="another")
        assert leases.take_run(connection, [run("w1"), run("w2"), other]) == [True, False, True]


def test_it_does_not_run_again_before_its_time(ledger: Ledger) -> None:
    assert ledger.write(leases.take_run, run())
    assert ledger.write(leases.end_run, run())
    assert not ledger.write(leases.take_run, run(now=NOW + HOUR - 1))
    assert ledger.write(leases.take_run, run("w2", NOW + HOUR))


def test_a_run_whose_worker_died_is_taken_over_when_its_time_has_come(ledger: Ledger) -> None:
    often = replace(run(), every=10)
    assert ledger.write(leases.take_run, often)
    assert not ledger.write(leases.take_run, replace(often, owner="w2", now=NOW + MINUTE - 1))
    assert ledger.write(leases.take_run, replace(often, owner="w2", now=NOW + MINUTE, until=NOW + 2 * MINUTE))
    assert ledger.write(leases.end_run, often), "ending what is another's by now changes nothing"
    assert one(ledger, tables.lease)["until"] == NOW + 2 * MINUTE


# ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────
def closed(ledger: Ledger, now: int) -> dict[str, str]:
    with ledger.read() as connection:
        return leases.closed_connections(connection, now)


def test_a_circuit_is_open_for_its_time_and_counts_failures_in_a_row(ledger: Ledger) -> None:
    assert ledger.write(leases.set_circuit, Circuit("elm", NOW + 10, "login refused")) == 1
    assert ledger.write(leases.set_circuit, Circuit("elm", NOW + 20, "login refused again")) == 2
    assert ledger.write(leases.set_circuit, Circuit("oak", NOW + 5, "down")) == 1
    assert closed(ledger, NOW) == {"elm": "login refused again", "oak": "down"}
    assert closed(ledger, NOW + 5) == {"elm": "login refused again"}
    assert closed(ledger, NOW + 20) == {}
    assert ledger.write(leases.set_circuit, Circuit("elm", 0, "")) == 0
    assert ledger.write(leases.set_circuit, Circuit("elm", NOW + 10, "once more")) == 1


# ── what is in force ──────────────────────────────────────────────────────────────────────────────────────────────
def activation(ledger: Ledger, hashed: str, now: int, what: str = "mappings") -> Activation:
    return Activation(ledger.ids.take(), what, hashed, {"contact.yaml": f"mapping: {hashed}"}, now, "ana")


def test_the_newest_activation_is_in_force(ledger: Ledger) -> None:
    def active() -> dict[str, str]:
        with ledger.read() as connection:
            return leases.active_mappings(connection)

    assert active() == {}
    assert ledger.write(leases.activate, activation(ledger, "h1", NOW))
    assert not ledger.write(leases.activate, activation(ledger, "h1", NOW + 1))
    assert ledger.write(leases.activate, activation(ledger, "h2", NOW + 2))
    assert active() == {"contact.yaml": "mapping: h2"}
    assert ledger.write(leases.activate, activation(ledger, "s1", NOW + 3, "settings"))
    assert active() == {"contact.yaml": "mapping: h2"}
    assert ledger.write(leases.activate, activation(ledger, "h1", NOW + 4)), "going back is an activation too"
    assert active() == {"contact.yaml": "mapping: h1"}


# ── restored ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_after_a_restore_nothing_is_sent_without_looking(ledger: Ledger) -> None:
    """What the ledger does not know to stand may stand: sent after the backup was made."""
    planned(ledger, item("c1", b"1"), entry_plan("stands"))
    deliver(ledger)
    planned(ledger, item("c2", b"2"), entry_plan("ready"), entry_plan("refused"), entry_plan("sending"))
    lane = claim_lane(ledger)
    of = {entry.name: entry for entry in lane.entries}
    assert finish(ledger, lane, of["refused"], EntryState.REFUSED)
    begin(ledger, lane, of["sending"])
    assert release(ledger, lane)
    before = ledger.ids.take()
    assert ledger.write(leases.new_era, (NOW, "restored from Monday's backup")) == 2
    assert {name: row["look_first"] for name, row in entries(ledger).items()} == {
        "stands": True, "ready": True, "refused": True, "sending": True,
    }  # fmt: skip
    assert [row["reason"] for row in rows(ledger, tables.era)] == ["first", "restored from Monday's backup"]
    assert ledger.write(leases.new_era, (NOW + 1, "again")) == 3
    again = Ledger(ledger.url, ledger_key())
    assert again.ids.take() > before + 1_000_000, "what was given out after the backup is not given out again"
    again.close()


def ledger_key() -> bytes:
    return bytes(range(32))
