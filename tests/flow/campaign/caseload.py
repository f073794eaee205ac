"""What the agency says in a campaign: families with contacts, of which some are amended and some withdrawn later."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bridge.model import type_json
from tests.flow.pilot import SYSTEM, Pilot

KIND = "ma-soc/contact"
FIRST, AMENDED, VOID = 1, 2, 3


@dataclass
class Caseload:
    """Children with contacts; `latest` is the edition of each contact that was said last."""

    lanes: int
    contacts: int
    latest: dict[str, int] = field(default_factory=dict)
    accepted: int = 0

    @property
    def children(self) -> list[str]:
        return [f"c-{number}" for number in range(1, self.lanes + 1)]

    @property
    def patients(self) -> list[type_json]:
        """The practice's Patients."""
        return [
            {
                "resourceType": "Patient",
                "active": True,
                "identifier": [{"system": SYSTEM, "value": f"m-{child}"}],
                "name": [{"family": "Ejemplo", "given": ["Luz"]}],
                "birthDate": "2021-03-04",
            }
            for child in self.children
        ]

    def permit(self, pilot: Pilot, practices: Sequence[str]) -> None:
        """Every child is linked and consented, at every practice."""
        for practice in practices:
            pilot.links(practice, {child: f"m-{child}" for child in self.children})
        pilot.consents(*(f"{child},{practice},2026-01-01,,yes" for child in self.children for practice in practices))

    def say(self, pilot: Pilot, editions: Sequence[tuple[str, int]]) -> None:
        """These editions of these contacts are at the door."""
        records = [contact(id, edition) for id, edition in editions]
        fates = [accepted.fate.value for accepted in pilot.accept(KIND, *records)]
        assert set(fates) <= {"new", "version", "void"}, fates
        self.latest |= dict(editions)
        self.accepted += len(fates)

    def beginnings(self) -> list[tuple[str, int]]:
        """The first edition of every contact."""
        return [(f"{child}.{number}", FIRST) for child in self.children for number in range(1, self.contacts + 1)]

    def changes(self, chance: random.Random, batches: int) -> Iterator[list[tuple[str, int]]]:
        """Later editions in so many batches: a third of the contacts amended, a tenth of those withdrawn again."""
        ids = list(self.latest)
        amended = chance.sample(ids, len(ids) // 3)
        void = chance.sample(amended, max(1, len(amended) // 10))
        after = max(1, batches // 2)
        for batch in range(batches):
            said = [(id, AMENDED) for id in amended[batch::batches]] if batch < after else []
            if batch >= after:
                said = [(id, VOID) for id in void[batch - after :: batches - after]]
                said += [(id, AMENDED) for id in amended[batch::batches] if id not in void]
            yield said


def contact(id: str, edition: int) -> type_json:
    """One edition of a signed home visit; its narrative says which."""
    child, number = id.split(".")
    later = f"2026-03-{edition + 1:02}T10:00:00-05:00"
    if edition == VOID:
        return {"id": id, "status": "void", "child": child, "updated_at": later}
    return {
        "id": id,
        "status": "signed" if edition == FIRST else "amended",
        "updated_at": later,
        "child": child,
        "started": f"2026-03-01T{int(number) % 12 + 8:02}:00:00-05:00",
        "mode": "in-person",
        "place": "home",
        "outcome": "reached",
        "purposes": ["follow-up"],
        "supports": ["emotional"],
        "attendees": [{"role": "caregiver"}],
        "staff": [{"role": "family-partner", "name": "Rosa Vega"}],
        "narrative": words(id, edition),
    }


def words(id: str, edition: int) -> str:
    """What only this edition says."""
    return f"Visit {id}, edition {edition}, as told."
