"""Workers killed without warning: nothing accepted is lost, nothing is sent twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge import sandbox
from tests.flow.pilot import Pilot, Site, pilot
from tests.flow.test_line import PRACTICE, Ehr, contact, patient

CHILDREN, CONTACTS, KILLS = 10, 4, 6
LEASE = 7  # seconds; longer than a request's deadline
PROJECT = Path(__file__).resolve().parents[2]


def worker(folder: Path) -> subprocess.Popen[bytes]:
    """A worker of its own process."""
    command = [sys.executable, "-m", "bridge", "--log-level", "error", "work", "--project", str(folder)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)


def delivered(maple: Pilot) -> int:
    return maple.counts()["delivered"]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_r1_workers_killed_at_random_moments_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    rolls = random.Random(20261122)
    with sandbox.start("open") as running:
        ehr = Ehr(running)
        ehr.load(*(patient(f"m-{child}") for child in range(CHILDREN)))
        with pilot(tmp_path, [Site(PRACTICE, running.base_url)], lease=LEASE) as maple:
            maple.links(PRACTICE, {f"c-{child}": f"m-{child}" for child in range(CHILDREN)})
            maple.consents(*(f"c-{child},{PRACTICE},2026-01-01,,yes" for child in range(CHILDREN)))
            ehr.fault(fault="slow", count=40, seconds=0.3, match={"method": "POST", "type": "DocumentReference"})
            maple.accept(
                "ma-soc/contact",
                *(contact(f"k-{n}", child=f"c-{n % CHILDREN}") for n in range(CHILDREN * CONTACTS)),
            )
            for _ in range(KILLS):
                process = worker(tmp_path)
                before = delivered(maple)
                while delivered(maple) == before and process.poll() is None:  # it is at work
                    time.sleep(0.05)
                time.sleep(rolls.random() * 0.5)
                process.send_signal(signal.SIGKILL)
                process.wait()
                if delivered(maple) == CHILDREN * CONTACTS:
                    break
                maple.clock.skip(LEASE)
            for _ in range(20):  # leases run out on the clock of this process
                maple.clock.skip(LEASE)
                maple.settle()
                if delivered(maple) == CHILDREN * CONTACTS:
                    break
            assert maple.counts() == {**dict.fromkeys(maple.counts(), 0), "delivered": CHILDREN * CONTACTS}
            stands = {found["id"] for found in ehr.stored("DocumentReference")}
            assert stands == {entry["stands_id"] for entry in maple.entries()}
            assert len(stands) == CHILDREN * CONTACTS
