"""What of a record may leave, read and released once for all the entries that follow each other in its lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from bridge.model import Decision, Part, Released
from bridge.release import withhold
from bridge.release.withhold import Conditions
from bridge.settings import Practice
from bridge.store.kin import Near
from bridge.store.lanes import EntryWork


@dataclass(slots=True)
class Leaving:
    """The parts of the record asked for last, about one person: those of a record come one after another."""

    person: str  # the agency's id
    who_is_near: Callable[[], Near]
    _translation: bytes | None = field(default=None, repr=False)
    _parts: Sequence[Part] = field(default=(), repr=False)
    _released: dict[tuple[bool, Decision, Conditions], Released] = field(default_factory=dict, repr=False)
    _near: Near | None = field(default=None, repr=False)

    def parts(self, entry: EntryWork) -> Sequence[Part]:
        """Everything the record says about the person. Whoever reads them leaves them as they are."""
        if entry.translation is not self._translation:
            self._translation = entry.translation
            self._released.clear()
            self._parts = [Part.from_dict(kept) for kept in orjson.loads(entry.translation)]
        return self._parts

    def released(self, entry: EntryWork, decision: Decision, conditions: Conditions, practice: Practice) -> Released:
        """What of it may leave under this decision and these conditions, by the entry's way into the chart."""
        parts = self.parts(entry)
        facts = withhold.facts_only_by(entry.route, parts, entry.kind, practice)
        asked = facts, decision, conditions
        if asked not in self._released:
            by_way = withhold.facts_only(decision) if facts else decision
            self._released[asked] = withhold.released(parts, self.person, by_way, conditions)
        return self._released[asked]

    def near(self) -> Near:
        """Who is near the person, read once a claim."""
        if self._near is None:
            self._near = self.who_is_near()
        return self._near
