"""What validating a 12-resource bundle costs: ours beside fhir.resources, in one run.

    python -m bench.validate

Times drift with the machine; the ratios are what counts. The ways take turns, a few runs at a time, and the best round
of each is kept.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from fhir.resources.R4B.bundle import Bundle

from bridge.fhir.definitions import load
from bridge.fhir.validate import Validator

FAMILY = Path(__file__).resolve().parents[1] / "tests/unit/fhir/family.json"
ROUNDS = 60
RUNS = 20  # in a row, as a worker validates one translation after another
OURS = "types, profiles, bindings, targets, invariants"


def ways(bundle: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """What is compared, by the name in the table."""
    text = orjson.dumps(bundle)
    resources = [entry["resource"] for entry in bundle["entry"]]
    validator = Validator(load())
    return {
        "reading the JSON (orjson)": lambda: orjson.loads(text),
        f"12 resources: {OURS}": lambda: [validator.check(resource, advise=False) for resource in resources],
        "12 resources: and must-support": lambda: [validator.check(resource) for resource in resources],
        "the bundle: all of it": lambda: validator.check(bundle),
        "fhir.resources R4B: types only": lambda: Bundle.model_validate(bundle),
    }


def best(compared: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The best round of each way, in microseconds."""
    found = dict.fromkeys(compared, float("inf"))
    for _ in range(ROUNDS):
        for name, way in compared.items():
            way()  # what the one before left in the processor's caches is not measured
            begun = time.perf_counter()
            for _ in range(RUNS):
                way()
            found[name] = min(found[name], (time.perf_counter() - begun) / RUNS)
    return {name: seconds * 1e6 for name, seconds in found.items()}


def main() -> int:
    """Prints the table; 1 when the bundle is not valid, for then something else was measured."""
    bundle = orjson.loads(FAMILY.read_bytes())
    begun = time.perf_counter()
    validator = Validator(load())
    built = time.perf_counter() - begun
    if validator.check(bundle, advise=False):
        sys.stdout.write("the bundle is not valid\n")
        return 1
    taken = best(ways(bundle))
    slowest = max(taken.values())
    size = len(orjson.dumps(bundle)) / 1000
    sys.stdout.write(f"{size:.1f} kB, {len(bundle['entry'])} resources; validator built in {built * 1000:.0f} ms\n\n")
    sys.stdout.write(f"{'':62}{'µs':>8}{'times faster':>14}\n")
    for name, microseconds in taken.items():
        sys.stdout.write(f"{name:62}{microseconds:8.0f}{slowest / microseconds:14.1f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
