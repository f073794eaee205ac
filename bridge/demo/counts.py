"""What came of it, counted twice: in the ledger, and in what the EHRs say they received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, func, select

from bridge.demo.cast import Cast, Site
from bridge.demo.ehrs import Ehr, stands
from bridge.model import EntryState
from bridge.moves.line import Line
from bridge.store import needs, tables, views

entry = tables.entry
DOCUMENT = "DocumentReference"
IN_CHART = (EntryState.DELIVERED.value, EntryState.HANDED_OVER.value)


@dataclass(frozen=True, slots=True)
class Counts:
    """`answer` is what a program reads; `wrong` names each place where ledger and EHRs differ."""

    answer: dict[str, Any]
    wrong: tuple[str, ...]
    standing: int
    lost: int
    piles: list[dict[str, Any]] = field(default_factory=list)


def counted(line: Line, cast: Cast, ehrs: Mapping[str, Ehr], never: Collection[str], seconds: float) -> Counts:
    """The counts of a finished run. `never` are sentences that must stand in no chart."""
    with line.ledger.read() as connection:
        answer: dict[str, Any] = {
            "records": views.record_counts(connection),
            "entries": views.entry_counts(connection),
            "withheld_parts": views.withheld(connection),
        }
        states = views.practice_counts(connection)
        rows = connection.execute(STANDING).mappings().all()
        piles = needs.piles(connection, needs.Scope())
    practices: dict[str, dict[str, Any]] = {}
    wrong: list[str] = []
    for site in cast.sites:
        mine = [row for row in rows if row["practice"] == site.id]
        of = states.get(site.id, {"entries": dict.fromkeys(answer["entries"], 0), "routes": {}})
        there = chart_counts(ehrs[site.id])
        known = {row["resource_type"]: int(row["standing"]) for row in mine if row["standing"]}
        wrong += [*differences(site.id, known, there["standing"]), *unasked(site, there["standing"])]
        wrong += disclosed(site, ehrs[site.id].everything(), never)
        practices[site.id] = {
            "ehr": site.shape,
            "entries": of["entries"],
            "delivered": {kind: sum(by.get(state, 0) for state in IN_CHART) for kind, by in of["routes"].items()},
            "held": reasons(piles, site.id),
            "withheld_parts": sum(int(row["withheld"]) for row in mine),
            **there,
        }
    duplicates = sum(of["duplicates"] for of in practices.values())
    if duplicates:
        wrong.append(f"{duplicates} resources stand more than once")
    answer |= {"practices": practices, "duplicates": duplicates, "seconds": round(seconds, 1)}
    standing = sum(sum(of["standing"].values()) for of in practices.values())
    return Counts(answer, tuple(wrong), standing, sum(ehr.faults_met() for ehr in ehrs.values()), piles)


def chart_counts(ehr: Ehr) -> dict[str, Any]:
    """What the EHR says: resources received by type, those of them that stand, and doubles."""
    received = ehr.received()
    return {
        "received": dict(Counter(resource["resourceType"] for resource in received)),
        "standing": dict(Counter(resource["resourceType"] for resource in received if stands(resource))),
        "duplicates": ehr.doubles(),
    }


STANDING = select(
    entry.c.practice,
    entry.c.resource_type,
    func.sum(case((entry.c.stands_id.isnot(None) & (entry.c.state != EntryState.RETRACTED.value), 1), else_=0)).label(
        "standing"
    ),
    func.sum(entry.c.withheld).label("withheld"),
).group_by(entry.c.practice, entry.c.resource_type)
"""Per practice and type: what the ledger says stands, and the parts that stayed behind."""


def differences(practice: str, known: Mapping[str, int], believed: Mapping[str, int]) -> list[str]:
    """Where the ledger's count of what stands is not the EHR's."""
    return [
        f"{practice}: the ledger says {known.get(kind, 0)} {kind} stand there, the EHR says {believed.get(kind, 0)}"
        for kind in sorted({*known, *believed})
        if known.get(kind, 0) != believed.get(kind, 0)
    ]


def unasked(site: Site, believed: Mapping[str, int]) -> list[str]:
    """The types that stand in a chart beside documents though the practice never asked for them."""
    return [
        f"{site.id}: {count} {kind} stand there, and the practice did not enable it"
        for kind, count in believed.items()
        if kind != DOCUMENT and kind not in site.enable
    ]


def disclosed(site: Site, written: str, never: Collection[str]) -> list[str]:
    """Whether sentences that must stay with the agency are in what was written to a practice; how many, not which."""
    count = sum(sentence in written for sentence in never)
    return [f"{site.id}: {count} sentences that must stay with the agency are in its charts"] if count else []


def reasons(piles: list[dict[str, Any]], practice: str) -> dict[str, int]:
    """Open holds of a practice by reason, the most first."""
    found: Counter[str] = Counter()
    for pile in piles:
        if pile["practice"] == practice:
            found[pile["reason"]] += pile["holds"]
    return dict(found.most_common())
