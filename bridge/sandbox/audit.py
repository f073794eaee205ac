"""Every request that was asked, without bodies or values: enough to prove a client polite."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

from bridge.sandbox.answers import Verdict

KEPT = 100_000  # entries; counts go on


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `status` 0 when no whole answer went out, `committed` when the store had changed by then.

    `marks` are digests of the identifiers that a request which met a fault carried or asked for: who knows what it sent
    can tell which fault that met.
    """

    number: int
    at: float
    method: str
    type: str
    interaction: str
    status: int
    verdict: str
    fault: str
    committed: bool
    ignored_parameters: int
    marks: tuple[str, ...]


class Audit:
    """The requests since the start or the last clearing."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Nothing was asked yet."""
        self._asked: deque[Asked] = deque(maxlen=KEPT)
        self._number = 0
        self._verdicts: Counter[str] = Counter()
        self._interactions: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._faults: Counter[str] = Counter()
        self._ignored = 0
        self._unsupported: Counter[str] = Counter()

    def add(
        self,
        method: str,
        kind: str,
        interaction: str,
        status: int,
        verdict: Verdict,
        fault: str,
        committed: bool,
        ignored: int,
        marks: tuple[str, ...] = (),
    ) -> None:
        """One more request was asked and answered (or not)."""
        self._number += 1
        self._asked.append(
            Asked(
                self._number, time.time(), method, kind, interaction, status, verdict, fault, committed, ignored, marks
            )
        )
        self._verdicts[verdict.value] += 1
        self._interactions[interaction] += 1
        self._statuses[status] += 1
        self._ignored += ignored
        if verdict is Verdict.UNSUPPORTED:
            self._unsupported[f"{interaction} {kind}".rstrip()] += 1
        if fault:
            self._faults[fault] += 1

    def counts(self) -> dict[str, Any]:
        """How often what was asked and answered; every verdict, zeros too.

        `unsupported_asked` says what of `unsupported`: interaction and type, each with how often it was asked for.
        """
        return {
            "requests": self._number,
            **{verdict.value: self._verdicts[verdict.value] for verdict in Verdict},
            "ignored_parameters": self._ignored,
            "interactions": dict(self._interactions),
            "statuses": {str(status): count for status, count in self._statuses.items()},
            "faults": dict(self._faults),
            "unsupported_asked": dict(self._unsupported),
        }

    def entries(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Requests with a number above `after`, oldest first."""
        found = (asdict(asked) for asked in self._asked if asked.number > after)
        return [asked for asked, _ in zip(found, range(limit), strict=False)]
