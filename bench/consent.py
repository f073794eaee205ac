"""What a consent decision costs: beside the release of what it lets leave and the digest of that, in one run.

    python -m bench.consent

Times drift with the machine; the ratios are what counts. The ways take turns, and the best round of each is kept.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson

from bridge import consent
from bridge.consent import DAY, Subject
from bridge.model import Authority, Consent, Part

FAMILY = Path(__file__).resolve().parents[1] / "tests/unit/fhir/family.json"
RESULTS = Path(__file__).with_name("results")
NOW = 1_780_000_000_000_000
ROUNDS, RUNS = 60, 200
WORDS = frozenset({"ordinary", "narrative"})
ONE = Consent(1, "a", "k", "elm", NOW - 10 * DAY, NOW + 90 * DAY, WORDS, grantor="g-1", authority=Authority.PARENT)
CHILD = Subject(NOW + 4000 * DAY)
DIGEST = "release and digest of a 12-resource record"


def forms(count: int) -> list[Consent]:
    """So many forms of three grantors, some over, some to come."""
    who = ("g-1", "g-2", "dcf")
    starts = (NOW - (n % 40) * DAY for n in range(count))
    return [
        replace(ONE, id=n, grantor=who[n % 3], start=start, until=start + 50 * DAY) for n, start in enumerate(starts)
    ]


def ways() -> dict[str, Callable[[], object]]:
    """What is compared, by its name."""
    resources = [entry["resource"] for entry in orjson.loads(FAMILY.read_bytes())["entry"]]
    parts = [Part(f"p{n}", "k", "child", resource) for n, resource in enumerate(resources)]
    permit = consent.decide([ONE], "elm", NOW, CHILD)

    def released() -> str:
        leaving = consent.release(parts, "k", permit).parts
        said = orjson.dumps([part.resource for part in leaving], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(said).hexdigest()

    made: dict[str, Callable[[], object]] = {DIGEST: released}
    for count in (0, 1, 3, 30):
        mine = forms(count)
        made[f"decision, {count} forms"] = partial(consent.decide, mine, "elm", NOW, CHILD)
    made["18th birthday of a birth date"] = lambda: consent.adult_from("2021-03-04", "America/New_York")
    return made


def best(way: Callable[[], object]) -> float:
    """Microseconds of one of `RUNS` in a row."""
    begun = time.perf_counter()
    for _ in range(RUNS):
        way()
    return (time.perf_counter() - begun) / RUNS * 1e6


def main() -> int:
    """Prints the table and keeps it."""
    compared = ways()
    took = {name: min(best(way) for _ in range(ROUNDS)) for name, way in compared.items()}
    ratios = {name: round(one / took[DIGEST], 3) for name, one in took.items()}
    for name, one in took.items():
        sys.stdout.write(f"{name:48} {one:8.1f} µs  {ratios[name]:6.3f}\n")
    said = {
        "command": "python -m bench.consent", "python": platform.python_version(), "ratio_to": DIGEST, "ratios": ratios,
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "consent.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
