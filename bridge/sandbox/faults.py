"""Faults on demand and by a seeded schedule: what goes wrong with a request, and whether it was carried out.

drop-before    the connection closes without an answer, nothing done
reset          the same, by a TCP reset
error-before   `status` (500), nothing done
429, 503       that status, nothing done; Retry-After of `seconds` when given
unauthorized   `status` (401), nothing done
drop-after     done, then the connection closes without an answer
error-after    done, then `status` (500)
half-body      done, then half an answer and the connection closes
slow           done, answered `seconds` later
expire         every access token is void from here on; then answered as usual
unknown-kid    a token call is refused, as by a server whose copy of the client's key set is old
commit-late    the connection closes at once, or `status` is answered; done `seconds` later
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

BEFORE = frozenset({"drop-before", "reset", "error-before", "429", "503", "unauthorized"})
AFTER = frozenset({"drop-after", "error-after", "half-body", "slow"})
KINDS = BEFORE | AFTER | {"commit-late"}
LOGIN = frozenset({"expire", "unknown-kid"})
"""Asked for by name alone: a seeded schedule is one of `KINDS`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. `status` 0 and `seconds` None stand for the kind's own."""

    kind: str
    seconds: float | None = None
    status: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS | LOGIN:
            raise ValueError(f"not a fault: one of {', '.join(sorted(KINDS | LOGIN))}")


@dataclass(slots=True)
class Ordered:
    """A fault somebody asked for: how often yet (None: until cleared), and for which requests ("" any)."""

    fault: Fault
    count: int | None = 1
    method: str = ""
    type: str = ""
    interaction: str = ""

    def concerns(self, method: str, kind: str, interaction: str) -> bool:
        """Whether the request is one of those meant."""
        asked = ((self.method, method), (self.type, kind), (self.interaction, interaction))
        return all(want in ("", have) for want, have in asked)


@dataclass(frozen=True, slots=True)
class Plan:
    """A seeded schedule: each request for a type meets a fault with probability `rate`, chosen by weight.

    The draw depends on the seed, the request (method, path, body) and how often that same request came, not on the
    clock or on what other clients do: a campaign can be run again.
    """

    seed: int
    rate: float
    weights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(sorted(KINDS), 1.0))
    seconds: float = 0.2

    def draw(self, request: bytes, times: int) -> Fault | None:
        """The fault of the request's `times`-th coming, if any."""
        digest = hashlib.blake2b(b"%d|%d|" % (self.seed, times) + request, digest_size=16).digest()
        if int.from_bytes(digest[:8], "big") / 2**64 >= self.rate:
            return None
        left = int.from_bytes(digest[8:], "big") / 2**64 * sum(self.weights.values())
        for kind, weight in self.weights.items():
            left -= weight
            if left < 0:
                return Fault(kind, self.seconds if kind in ("slow", "commit-late") else None)
        return None


def parse_plan(text: str) -> Plan:
    """The plan of `seed:rate` or `seed:rate:fault=weight,...`; `ValueError` when it is not one."""
    seed, _, rest = text.partition(":")
    rate, _, weighted = rest.partition(":")
    plan = Plan(int(seed), float(rate))
    if not 0 <= plan.rate <= 1:
        raise ValueError("the rate of faults is between 0 and 1")
    if not weighted:
        return plan
    weights = {kind: float(weight) for kind, _, weight in (item.partition("=") for item in weighted.split(","))}
    for kind in weights:
        Fault(kind)
    return replace(plan, weights=weights)


class Faults:
    """What will go wrong: faults asked for come first, in their order, then the schedule's."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.ordered: list[Ordered] = []
        self._came: Counter[bytes] = Counter()

    def add(self, ordered: Ordered) -> None:
        """The fault waits for its requests."""
        self.ordered.append(ordered)

    def clear(self) -> None:
        """No fault that was asked for is left; the schedule stays."""
        self.ordered.clear()

    def take(self, method: str, kind: str, interaction: str, path: str, body: bytes) -> Fault | None:
        """The fault this request meets, counted down."""
        for ordered in self.ordered:
            if ordered.concerns(method, kind, interaction):
                if ordered.count is not None:
                    ordered.count -= 1
                    if ordered.count <= 0:
                        self.ordered.remove(ordered)
                return ordered.fault
        if self.plan is None or not kind:
            return None
        request = hashlib.blake2b(b"\n".join((method.encode(), path.encode(), body)), digest_size=16).digest()
        self._came[request] += 1
        return self.plan.draw(request, self._came[request])
