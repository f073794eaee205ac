"""What routing costs: planning a record and shaping what leaves of it, for each vendor, over every case of the packs.

    python -m bench.routes [--seconds 2] [--out FILE]

Microseconds are CPU time for one record about one person, the median over the records of as many rounds as fit.
`plan` decides the ways with everything that the EHR takes enabled; `document` renders and shapes the one note as text,
`discrete` one part. Memory is the process's resident set.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.documents import memory_mib
from bridge import consent
from bridge.ehr import facts
from bridge.ehr.capability import Capability
from bridge.ehr.context import ShapeContext
from bridge.ehr.route import NEVER_ALONE, plan
from bridge.ehr.shape import discrete, document
from bridge.ehr.ways import shipped
from bridge.mappings.cases import read_cases, translate_case
from bridge.mappings.classes import GRANTABLE
from bridge.mappings.load import available_packs, load, read_all
from bridge.mappings.translate import Translator
from bridge.model import Decision, Interaction, Part
from bridge.sandbox.ehr import Ehr, Settings
from bridge.sandbox.statement import capability_statement
from bridge.settings import Handoff

SHAPES = ("open", "epic", "oracle", "ecw", "athena", "nextgen", "openemr")
CREATE = Interaction.CREATE
Record = tuple[str, tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Everything:
    """A site that enabled every type."""

    id: str = "bench"
    enable: frozenset[str] = frozenset(shipped().types)
    routes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    handoff: Handoff | None = None


def main() -> int:
    """Measure and print; with --out also as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each cell")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    known = records()
    before = memory_mib()
    result: dict[str, Any] = {"python": platform.python_version(), "records": len(known), "us": {}}
    print(f"{'µs a record':12}{'entries':>9}{'plan':>8}{'document':>10}{'discrete':>10}")
    for shape in SHAPES:
        row = measured(shape, known, asked.seconds)
        result["us"][shape] = row
        print(f"{shape:12}" + "".join(f"{row[name]!s:>{width}}" for name, width in WIDTHS.items()))
    result["memory_mib"] = {"before": before, "after": memory_mib()}
    print(f"memory, MiB: {result['memory_mib']}")
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


WIDTHS = {"entries": 9, "plan": 8, "document": 10, "discrete": 10}


def records() -> list[Record]:
    """Kind and released parts of every case of the packs, by person, that a practice would be sent."""
    files = read_all(available_packs())
    translator, all_of_it = Translator(load(files)), Decision(True, GRANTABLE, "bench")
    found: list[Record] = []
    for case in read_cases(files):
        translation, _ = translate_case(case, translator)
        for person in dict.fromkeys(part.about for part in translation.parts) if translation is not None else ():
            parts = consent.release(translation.parts, person, all_of_it).parts if translation is not None else ()
            if any(part.type == "Composition" for part in parts):
                found.append((case.kind, parts))
    return found


def measured(shape: str, known: Sequence[Record], seconds: float) -> dict[str, Any]:
    """One EHR's row; None where it takes nothing of the sort."""
    site, vendor = Everything(), facts.vendor(shape)
    ehr = Ehr(shape, Settings(site={"writeback": sorted(site.enable)} if shape == "ecw" else {}))
    statement = capability_statement(ehr, "http://127.0.0.1/fhir")
    capability = Capability.from_statement(statement, vendor, site.enable)
    context = ShapeContext("p1", "DB-AAAAAAAAAAAA", vendor, "Harbor", "America/New_York")
    planned = [plan(kind, parts, capability, site) for kind, parts in known]
    notes: list[Callable[[], object]] = []
    alone: list[Callable[[], object]] = []
    for (_, parts), entries in zip(known, planned, strict=True):
        going = {name for entry in entries if entry.hold is None for name in entry.route.parts}
        if any(entry.hold is None and entry.route.kind == "document" for entry in entries):
            notes.append(partial(document, parts, context))
        alone += [
            partial(discrete, part, context, parts)
            for part in parts
            if part.name in going and part.type not in NEVER_ALONE and capability.allows(part.type, CREATE).yes
        ]
    plans = [partial(plan, kind, parts, capability, site) for kind, parts in known]
    return {
        "entries": sum(entry.hold is None for entries in planned for entry in entries),
        "plan": micros(plans, seconds),
        "document": micros(notes, seconds),
        "discrete": micros(alone, seconds),
    }


def micros(calls: Sequence[Callable[[], object]], seconds: float) -> float | None:
    """The median CPU microseconds of one call, over whole rounds through all of them."""
    if not calls:
        return None
    took, until = list[float](), time.perf_counter() + seconds
    while not took or time.perf_counter() < until:
        for call in calls:
            started = time.thread_time()
            call()
            took.append(time.thread_time() - started)
    return round(statistics.median(took) * 1_000_000, 1)


if __name__ == "__main__":
    sys.exit(main())
