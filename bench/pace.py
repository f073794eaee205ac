"""Worker processes that share a minute's budget at an EHR that counts, some of them killed: how much of it is used, how
often it says "too many".

    python -m bench.pace [--minutes N] [--workers N] [--budget N] [--kills N] [--json FILE]

The sandbox answers so many requests a minute, token calls included, and 429 for the rest of it. The last minute is not
counted: it is not over.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from bridge import sandbox
from bridge.store import tables
from tests.flow.campaign.crew import Crew, nursery
from tests.flow.pilot import Site, pilot
from tests.flow.test_line import PRACTICE, contact, patient
from tests.unit.store.making import rows

CLIENT, SECRET = "bridge", "a-secret-of-the-bench"


def main() -> None:
    """The figures, printed and where asked written."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, most in (("minutes", 4), ("workers", 4), ("budget", 250), ("kills", 6), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=most)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        found = run(Path(folder), asked)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def run(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """What the EHR counted."""
    chance, count = random.Random(asked.seed), asked.budget * (asked.minutes + 1) // 2
    own = {"requests_a_minute": asked.budget, "writeback": ["DocumentReference"]}
    with sandbox.start("ecw", site=own, secrets={CLIENT: SECRET}, token_seconds=60) as running:
        children = [f"c-{number}" for number in range(count)]
        known = [patient(f"m-{child}") for child in children]
        httpx.post(f"{running.admin_url}/load", json=known, timeout=60).raise_for_status()
        secret = folder / "client.secret"
        secret.touch(mode=0o600)
        secret.write_text(SECRET, encoding="utf-8")
        login = f"{{ client_secret: {{ client_id: {CLIENT}, secret: {{ file: '{secret}' }} }} }}"
        site = Site(
            PRACTICE, running.base_url, "ecw", ("DocumentReference",),
            f"{login}, pace: {{ per_minute: {asked.budget} }}",
        )  # fmt: skip
        with nursery(folder / "workers.log") as nurse, pilot(folder / "pilot", [site], lease=10) as opened:
            opened.links(PRACTICE, {child: f"m-{child}" for child in children})
            opened.consents(*(f"{child},{PRACTICE},2026-01-01,,yes" for child in children))
            opened.accept("ma-soc/contact", *(contact(f"k-{child}", child=child) for child in children))
            crew, begun = Crew(nurse, opened, chance), time.time()
            for _ in range(asked.workers):
                crew.start()
            until = begun + 60 * asked.minutes
            for kill in range(asked.kills):
                time.sleep(max(0.0, begun + (kill + 1) * 60 * asked.minutes / (asked.kills + 1) - time.time()))
                crew.kill()
                crew.start()
            time.sleep(max(0.0, until - time.time()))
            crew.kill_all()
            requests = httpx.get(f"{running.admin_url}/audit", params={"limit": 100_000}, timeout=60).json()["requests"]
            by_minute = Counter(int(one["at"] // 60) - int(begun // 60) for one in requests)
            steps, counts = rows(opened.line.ledger, tables.step), opened.counts()
    return {
        "commit": commit(),
        "python": platform.python_version(),
        **{name: getattr(asked, name) for name in ("minutes", "workers", "budget", "kills", "seed")},
        "requests by minute": {str(minute): by_minute[minute] for minute in sorted(by_minute)},
        "token calls": sum(one["interaction"] == "token" for one in requests),
        "answers 429": sum(one["status"] == 429 for one in requests),
        "entries": {state: number for state, number in counts.items() if number},
        "steps by code": dict(Counter(str(step["code"]) for step in steps)),
    }


def commit() -> str:
    """The commit that was measured."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
