"""Fault by fault: how many requests met it, whose entries those were, and what became of them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.ehr.delivery import SYSTEM
from bridge.model import EntryState
from tests.flow.campaign.proof import Facts

NONE = "none"
"""What met no fault at all."""

STATES = {
    EntryState.DELIVERED: "delivered",
    EntryState.RETRACTED: "withdrawn",
    EntryState.CANCELLED: "withdrawn",
    EntryState.HELD: "with a person",
    EntryState.REFUSED: "with a person",
}
COLUMNS = ("delivered", "withdrawn", "with a person", "unsettled", "lost", "twice", "named")


@dataclass(slots=True)
class Row:
    """One fault. `entries` met it at least once; each stands in one of the columns, and may be `twice` and `named`."""

    fault: str
    requests: int = 0
    interactions: Counter[str] = field(default_factory=Counter)
    entries: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """As it is kept."""
        told = {name: self.outcomes[name] for name in COLUMNS}
        return {
            "requests": self.requests,
            "of": dict(sorted(self.interactions.items())),
            "entries": self.entries,
            **told,
        }


def mark(reference: str) -> str:
    """What a sandbox's audit writes for a delivery reference."""
    return hashlib.blake2b(f"{SYSTEM}|{reference}".encode(), digest_size=8).hexdigest()


def met(found: Facts, asked: Iterable[dict[str, Any]]) -> dict[str, set[str]]:
    """Fault → the delivery references of the requests that met it."""
    known = {mark(entry["reference"]): entry["reference"] for entry in found.entries}
    known |= {mark(reference): reference for reference in found.standing}
    faults: dict[str, set[str]] = defaultdict(set)
    for request in asked:
        if request["fault"]:
            faults[request["fault"]] |= {known[one] for one in request["marks"] if one in known}
    return faults


def table(found: Facts, asked: Sequence[dict[str, Any]], wrong: dict[str, list[str]], named: set[str]) -> list[Row]:
    """A row a fault, the rarest last, and one for the entries that met none."""
    faults = met(found, asked)
    rows = {fault: Row(fault) for fault in faults}
    for request in asked:
        if request["fault"]:
            row = rows[request["fault"]]
            row.requests += 1
            row.interactions[request["interaction"]] += 1
    entries = {entry["reference"]: entry for entry in found.entries}
    lost = {word for told in wrong.get("delivered, but not there", ()) for word in told.split()}
    for fault, references in [*faults.items(), (NONE, set(entries) - set().union(*faults.values()))]:
        row = rows.setdefault(fault, Row(fault))
        for reference in references & set(entries):
            row.entries += 1
            row.outcomes[STATES.get(EntryState(entries[reference]["state"]), "unsettled")] += 1
            row.outcomes["lost"] += reference in lost
            if len(found.standing.get(reference, ())) + len(found.copies.get(reference, ())) > 1:
                row.outcomes["twice"] += 1
                row.outcomes["named"] += reference in named
    return sorted(rows.values(), key=lambda row: (row.fault == NONE, -row.requests, row.fault))


def printed(rows: Sequence[Row]) -> str:
    """The table as text."""
    lines = [f"{'fault':16}{'requests':>9}{'entries':>9}" + "".join(f"{name:>15}" for name in COLUMNS)]
    for row in rows:
        told = "".join(f"{row.outcomes[name]:15}" for name in COLUMNS)
        lines.append(f"{row.fault:16}{row.requests:9}{row.entries:9}{told}")
    return "\n".join(lines)
