"""Workers killed at any moment, under every fault: nothing accepted is lost, nothing is sent twice. Slices of
`bench/faults.py` and `bench/kills.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.model import RecordState
from bridge.store import records
from tests.flow.campaign import outcomes, proof
from tests.flow.campaign.crew import Nursery, Orphan
from tests.flow.campaign.proof import Facts
from tests.flow.campaign.sites import Held, Site, sandboxes
from tests.flow.campaign.torment import Plan, campaign
from tests.flow.pilot import Pilot, pilot
from tests.flow.pilot import Site as Practice
from tests.flow.test_line import PRACTICE, contact, ready

pytestmark = pytest.mark.timeout(240)
STORM = (
    "drop-before=2,drop-after=3,error-before=1,error-after=2,half-body=2,reset=1,slow=1/0.2,429=1/0,503=1/0,"
    "expire=0.5,unknown-kid=0.5,read-only=0.1/0.2,duplicated=0.5"
)
LEASE = 120 * 1_000_000


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    """A sandbox in a process of its own, for one campaign after another."""
    with sandboxes(["maple"], tmp_path_factory.mktemp("ehr") / "sandbox.log") as running:
        yield running


def test_r1_workers_killed_under_every_fault_lose_nothing_and_send_nothing_twice(nursery: Nursery, quick: Path) -> None:
    """R1, R29. Both EHRs want a SMART login; the key is rotated and its set cannot be read for a while."""
    plan = Plan(
        seed=20261122, kills=6, lanes=10, contacts=3, faults=STORM, rate=0.15, longest=5.0, timeout=3.0, lease=7,
        signing=True,
    )  # fmt: skip
    with campaign(plan, nursery, quick) as run:
        run.run()
        found = run.facts()
        wrong = run.wrong(found)
        assert wrong == {}
        told = run.report(found, wrong)
        assert told["kills"] >= 6
        assert told["lanes held by killed workers"] > 0
        assert told["requests with a fault"] > 3
        assert told["steps settled by a look"] > 0
        assert (told["keys rotated"], told["keys destroyed"]) == (1, 1)
        assert told["duplicates"] == 0
        assert (
            told["resources made"]
            == told["delivery references"]
            == told["entries delivered"] + told["entries retracted"]
        )
        rows = {row.fault: row for row in outcomes.table(found, run.asked, wrong, run.named(found))}
        assert sum(row.requests for row in rows.values()) == told["requests with a fault"]
        met = [row for row in rows.values() if row.fault != outcomes.NONE]
        assert sum(row.entries for row in met) > 5
        for row in rows.values():
            assert row.entries == sum(row.outcomes[name] for name in ("delivered", "withdrawn", "with a person"))


@pytest.mark.parametrize(
    ("broken", "faults", "rule"),
    [
        ("blind", "drop-after=1", "there twice"),
        ("hasty", "", "created before its step"),
        ("disorderly", "", "out of its thread's order"),
        ("grabbing", "slow=1/0.4", "two requests of one lane at once"),
        ("deaf", "slow=1/0.2", "sent to a suspended practice"),
    ],
)
def test_a_broken_sender_is_caught(
    nursery: Nursery, quick: Path, ehr: list[Site], broken: str, faults: str, rule: str
) -> None:
    plan = Plan(
        seed=3, kills=1, lanes=4, contacts=2, practices=("maple",), faults=faults, rate=0.5, longest=15.0, broken=broken
    )
    if broken == "deaf":
        plan = replace(plan, kills=3, lanes=8, shut="maple")
    for seed in (3, 4, 5):  # what it does wrong shows only where a fault, a kill or the suspension meets it
        with campaign(replace(plan, seed=seed), nursery, quick, ehr) as run:
            run.run()
            wrong = run.wrong(run.facts())
        if rule in wrong:
            return
    raise AssertionError(wrong)


# ── what the proof would notice ───────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def sound(nursery: Nursery, ehr: list[Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facts]:
    """What is left of a small campaign in which all went well."""
    plan = Plan(seed=5, kills=1, workers=1, lanes=2, contacts=2, practices=("maple",), longest=15.0)
    with campaign(plan, nursery, tmp_path_factory.mktemp("sound"), ehr) as run:
        run.run()
        found = run.facts()
        assert run.wrong(found) == {}
        yield found


def changed(rows: list[proof.Row], **values: object) -> list[proof.Row]:
    """The rows, with another first one."""
    return [rows[0] | values, *rows[1:]]


DOCTORED: dict[str, Callable[[Facts], Facts]] = {
    "record lost": lambda f: replace(f, records=changed(f.records, state="accepted", final=True)),
    "entry unsettled": lambda f: replace(f, entries=changed(f.entries, state="unknown")),
    "delivered, but not there": lambda f: replace(f, held=[h for h in f.held if not found_by(f.entries[0], h)]),
    "there, but not known": lambda f: replace(f, entries=changed(f.entries, reference="DB-UNKNOWN")),
    "there twice": lambda f: replace(f, held=[*f.held, replace(f.held[0], id="another")]),
    "withdrawn, but there": lambda f: replace(f, entries=changed(f.entries, state="retracted", should=False)),
    "created again after it stood": lambda f: replace(f, steps=[*f.steps, again(f)]),
    "created without a step": lambda f: replace(f, posts=len(f.steps) + 1),
    "created before its step": lambda f: replace(f, steps=[step | {"begun_at": at(f) + 10**9} for step in f.steps]),
    "out of its thread's order": lambda f: replace(f, held=[late(h) for h in f.held]),
    "two requests of one lane at once": lambda f: replace(f, steps=[*f.steps, again(f) | {"begun_at": at(f) + 1}]),
    "leased step taken by another": lambda f: replace(f, orphans=[orphan(f)]),
    "held by nothing": lambda f: replace(f, entries=changed(f.entries, state="held")),
}


def found_by(entry: proof.Row, held: Held) -> bool:
    return entry["reference"] in held.references


def at(found: Facts) -> int:
    """When the last step began."""
    return max(int(step["begun_at"]) for step in found.steps)


def again(found: Facts) -> proof.Row:
    """A create of the same entry as the last, an hour later."""
    last = max(found.steps, key=lambda step: step["begun_at"])
    return last | {"id": last["id"] + 1, "action": "create", "begun_at": at(found) + 3_600_000_000}


def late(held: Held) -> Held:
    """An Encounter that came after its document."""
    return replace(held, born="2036-01-01T00:00:00Z") if held.type == "Encounter" else held


def orphan(found: Facts) -> Orphan:
    """A lane that was a killed worker's when its last step began."""
    last = max(found.steps, key=lambda step: step["begun_at"])
    (lane,) = (entry["lane"] for entry in found.entries if entry["id"] == last["entry"])
    return Orphan(lane, at(found) - 1, at(found) + 1)


@pytest.mark.parametrize("rule", DOCTORED)
def test_the_proof_notices(sound: Facts, rule: str) -> None:
    assert rule in proof.wrong(DOCTORED[rule](replace(sound, skipped=None)))


# ── what the kills have taught ────────────────────────────────────────────────────────────────────────────────────
def test_what_a_killed_worker_was_translating_is_tried_alone_so_that_none_is_blamed_for_another(quick: Path) -> None:
    with pilot(quick, [Practice(PRACTICE, "http://127.0.0.1:9/fhir")]) as maple:
        ready(maple)
        maple.accept("ma-soc/contact", *(contact(f"k-{number}") for number in range(5)))
        assert len(claimed(maple, "killed-1")) == 5
        maple.clock.skip(121)
        assert len(claimed(maple, "killed-2")) == 1
        maple.clock.skip(121)
        maple.work()
        states = [record["state"] for record in maple.records()]
        assert sorted(states) == [RecordState.HELD] + [RecordState.TRANSLATED] * 4
        (hold,) = maple.holds()
        assert "stopped the worker" in hold["rule"]


def claimed(opened: Pilot, owner: str) -> list[records.Work]:
    """Records claimed by a worker of which nothing more is heard."""
    now, ledger = opened.clock(), opened.line.ledger
    return ledger.write(records.claim, records.Claim(ledger, owner, 64, now, now + LEASE))
