"""What two statements of one server say differently: types, interactions, search parameters, versions, software."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bridge.ehr.capability import Capability


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing stated before and not now, or the other way round. `of`: type, interaction, parameter, versions
    (whether an update of it names one) or software; `name` is "" for a type and its versions.
    """

    type: str
    of: str
    name: str
    now: bool

    def as_dict(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return asdict(self)

    def __str__(self) -> str:
        what = {"parameter": f"search by {self.name}", "versions": "versioned update"}.get(self.of, self.name)
        subject = "software" if self.of == "software" else self.type
        before, after = ("no", "yes") if self.now else ("yes", "no")
        return f"{' '.join(filter(None, (subject, what)))}: {before} before, {after} now"


def differences(before: Capability, after: Capability) -> tuple[Difference, ...]:
    """What `after` states that `before` did not, and the other way round, by type; nothing of facts and settings."""
    return tuple(_all(before, after))


def _all(before: Capability, after: Capability) -> Iterator[Difference]:
    if before.software != after.software:
        yield Difference("", "software", before.software, False)
        yield Difference("", "software", after.software, True)
    for type in sorted({*before.stated, *after.stated}):
        if (type in before.stated) != (type in after.stated):
            yield Difference(type, "type", "", type in after.stated)
        for of, was, now in (
            ("interaction", before.stated, after.stated),
            ("parameter", before.parameters, after.parameters),
        ):
            for name in sorted(was.get(type, frozenset()) ^ now.get(type, frozenset())):
                yield Difference(type, of, name, name in now.get(type, ()))
        if (type in before.versioned) != (type in after.versioned):
            yield Difference(type, "versions", "", type in after.versioned)
