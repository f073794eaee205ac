"""Any order of claims, steps, releases, plans and time: only the holder of a lane's last lease ever writes to it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.model import EntryState, Stands
from bridge.store import lanes, tables
from bridge.store.lanes import LaneWork, Lease
from bridge.store.ledger import Ledger
from bridge.store.steps import Begun
from tests.postgres import KEY
from tests.unit.store.making import (
    NOW,
    begin,
    claim,
    claim_lanes,
    consent,
    entry_plan,
    finish,
    item,
    keep,
    planned,
    release,
    rows,
    save,
)  # fmt: skip

CHILDREN = ("child-1", "child-2")
WORKERS = st.sampled_from(["w1", "w2", "w3"])
TERM = 10


class Leases(RuleBasedStateMachine):
    """The ledger beside a model of who holds what: {lane: (owner, epoch, until)}."""

    migrated: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(dir=self.migrated.parent)
        self.ledger = Ledger(f"sqlite:///{shutil.copy(self.migrated, self.folder)}", KEY)
        self.now = NOW
        self.version = 0
        self.holders: dict[int, tuple[str, int, int]] = {}
        self.remembered: list[LaneWork] = []  # by anybody, lost or not
        self.revisions: dict[int, int] = {}
        self.consents: dict[int, int] = {}

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    @initialize()
    def two_lanes(self) -> None:
        for child in CHILDREN:
            planned(self.ledger, item(child, child.encode(), subject=child), entry_plan(person=child))
        self.read()

    def read(self) -> None:
        """What no worker changes: plans and consents, as they are now."""
        self.revisions = {row["id"]: row["revision"] for row in rows(self.ledger, tables.entry)}
        self.consents = {row["id"]: row["consent_revision"] for row in rows(self.ledger, tables.person)}

    def holds(self, work: LaneWork) -> bool:
        return self.holders.get(work.id, ("", 0, 0))[:2] == (work.owner, work.epoch)

    def untouched(self) -> list[list[dict[str, object]]]:
        return [rows(self.ledger, table) for table in (tables.lane, tables.entry, tables.step, tables.hold)]

    @rule(owner=WORKERS, limit=st.integers(1, 2))
    def claims(self, owner: str, limit: int) -> None:
        due = {row["id"]: row["due_at"] for row in rows(self.ledger, tables.lane)}
        free = {
            lane
            for lane, at in due.items()
            if at is not None and at <= self.now and self.holders.get(lane, ("", 0, 0))[2] <= self.now
        }
        found = claim_lanes(self.ledger, owner, self.now, self.now + TERM, limit)
        assert {work.id for work in found} <= free
        assert len(found) == min(limit, len(free))
        for work in found:
            assert work.epoch == self.holders.get(work.id, ("", 0, 0))[1] + 1
            self.holders[work.id] = (owner, work.epoch, self.now + TERM)
            self.remembered.append(work)

    @rule(passed=st.integers(1, 2 * TERM))
    def time_passes(self, passed: int) -> None:
        self.now += passed

    @precondition(lambda self: self.remembered)
    @rule(which=st.integers(0, 99))
    def begins(self, which: int) -> None:
        work = self.remembered[which % len(self.remembered)]
        before = self.untouched()
        for entry in work.entries[:1]:
            begun, _ = begin(self.ledger, work, entry, now=self.now)
            same = (self.revisions[entry.id], self.consents[work.person]) == (entry.revision, work.consent_revision)
            expected = Begun.LEASE_LOST if not self.holds(work) else Begun.YES if same else Begun.CHANGED
            assert begun is expected
            assert (self.untouched() == before) == (begun is not Begun.YES)

    @precondition(lambda self: self.remembered)
    @rule(which=st.integers(0, 99), state=st.sampled_from([EntryState.DELIVERED, EntryState.UNKNOWN, EntryState.READY]))
    def finishes(self, which: int, state: EntryState) -> None:
        work = self.remembered[which % len(self.remembered)]
        before = self.untouched()
        for entry in work.entries[:1]:
            due = None if state is EntryState.DELIVERED else self.now
            there = Stands("doc", "1", "d1")
            mine = finish(self.ledger, work, entry, state, due=due, stands=there, now=self.now)
            assert mine == self.holds(work)
            if not mine:
                assert self.untouched() == before
            elif state is EntryState.DELIVERED and self.revisions[entry.id] != entry.revision:
                (row,) = [row for row in rows(self.ledger, tables.entry) if row["id"] == entry.id]
                assert row["state"] == "ready"

    @precondition(lambda self: self.remembered)
    @rule(which=st.integers(0, 99))
    def releases(self, which: int) -> None:
        work = self.remembered[which % len(self.remembered)]
        mine = self.holds(work)
        assert release(self.ledger, work) == mine
        if mine:
            self.holders[work.id] = ("", work.epoch, 0)

    @precondition(lambda self: self.remembered)
    @rule(which=st.integers(0, 99))
    def extends(self, which: int) -> None:
        work = self.remembered[which % len(self.remembered)]
        mine, until = self.holds(work), self.now + 3 * TERM
        assert self.ledger.write(lanes.extend, (Lease.of(work), until)) == mine
        if mine:
            self.holders[work.id] = (work.owner, work.epoch, until)

    @rule(child=st.sampled_from(CHILDREN))
    def a_newer_version_is_planned(self, child: str) -> None:
        self.version += 1
        keep(self.ledger, item(child, b"%d" % self.version, subject=child), now=self.now)
        (work,) = claim(self.ledger, now=self.now, until=self.now + TERM)
        assert save(self.ledger, work, entry_plan(digest=f"d{self.version}", person=child), now=self.now)
        self.read()

    @rule()
    def a_consent_comes(self) -> None:
        self.version += 1
        consent(self.ledger, source_ref=f"form-{self.version}", now=self.now)
        self.read()

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        for row in rows(self.ledger, tables.lane):
            owner, epoch, until = self.holders.get(row["id"], ("", 0, 0))
            assert (row["owner"] or "", row["epoch"], row["until"]) == (owner, epoch, until)


def test_only_the_holder_of_the_last_lease_writes(migrated_sqlite: Path) -> None:
    Leases.migrated = migrated_sqlite
    run_state_machine_as_test(
        Leases,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
