"""What of a record may leave, read and released once for all the entries that follow each other in its lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from bridge import consent
from bridge.model import Decision, Part, Released
from bridge.store.lanes import EntryWork


@dataclass(slots=True)
class Leaving:
    """The parts of the record asked for last, about one person: those of a record come one after another."""

    person: str  # the agency's id
    _translation: bytes | None = field(default=None, repr=False)
    _parts: Sequence[Part] = field(default=(), repr=False)
    _released: Released | None = field(default=None, repr=False)

    def parts(self, entry: EntryWork) -> Sequence[Part]:
        """Everything the record says about the person. Whoever reads them leaves them as they are."""
        if entry.translation is not self._translation:
            self._translation, self._released = entry.translation, None
            self._parts = [Part.from_dict(kept) for kept in orjson.loads(entry.translation)]
        return self._parts

    def released(self, entry: EntryWork, decision: Decision) -> Released:
        """What of it may leave under this decision."""
        parts = self.parts(entry)
        if self._released is None or self._released.decision != decision:
            self._released = consent.release(parts, self.person, decision)
        return self._released
