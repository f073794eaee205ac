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
commit-late    the connection closes at once, or `status` is answered; done `seconds` later

What changes beside a request, which is then answered as usual:
expire         every access token is void from here on
pages-expire   no further page of a search that was begun before can be had
read-only      for `seconds` (1) from here on no write is taken, this one neither
duplicated     what the request creates is there once more, as if an interface engine had filed it again
merge          the Patient whom the request names was merged into another just before it came
unknown-kid    a token call is refused, as by a server whose copy of the client's key set is old
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

BEFORE = frozenset({"drop-before", "reset", "error-before", "429", "503", "unauthorized"})
AFTER = frozenset({"drop-after", "error-after", "half-body", "slow"})
KINDS = BEFORE | AFTER | {"commit-late"}
"""What a schedule without names draws from: what goes wrong with one request alone."""

CHANGES = frozenset({"expire", "pages-expire", "read-only", "duplicated", "merge", "unknown-kid"})
"""Drawn only where they are asked for by name."""

TIMED = frozenset({"slow", "commit-late", "read-only"})

ONLY = {
    "unknown-kid": ("token",),
    "read-only": ("create", "update"),
    "duplicated": ("create",),
    "merge": ("create", "update", "read"),
    "pages-expire": ("search-type",),
}
"""The interactions a schedule draws them for; the others it draws for any request."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. `status` 0 and `seconds` None stand for the kind's own."""

    kind: str
    seconds: float | None = None
    status: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS | CHANGES:
            raise ValueError(f"not a fault: one of {', '.join(sorted(KINDS | CHANGES))}")


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
    """A seeded schedule: each request for a type, or for a token, meets a fault with probability `rate`, by weight.

    The draw depends on the seed, the request (method, path, body) and how often that same request came, not on the
    clock or on what other clients do: a campaign can be run again. Of a token call, which no two share, only how many
    came before counts.
    """

    seed: int
    rate: float
    weights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(sorted(KINDS), 1.0))
    seconds: float = 0.2
    lasts: dict[str, float] = field(default_factory=dict)  # seconds of single kinds

    def draw(self, request: bytes, times: int, interaction: str = "") -> Fault | None:
        """The fault of the request's `times`-th coming, if any."""
        weights = {
            kind: weight for kind, weight in self.weights.items() if interaction in ONLY.get(kind, (interaction,))
        }
        digest = hashlib.blake2b(b"%d|%d|" % (self.seed, times) + request, digest_size=16).digest()
        if int.from_bytes(digest[:8], "big") / 2**64 >= self.rate:
            return None
        left = int.from_bytes(digest[8:], "big") / 2**64 * sum(weights.values())
        for kind, weight in weights.items():
            left -= weight
            if left < 0:
                return Fault(kind, self.lasts.get(kind, self.seconds if kind in TIMED else None))
        return None


def parse_plan(text: str) -> Plan:
    """The plan of `seed:rate` or `seed:rate:fault=weight[/seconds],...`; `ValueError` when it is not one."""
    seed, _, rest = text.partition(":")
    rate, _, weighted = rest.partition(":")
    plan = Plan(int(seed), float(rate))
    if not 0 <= plan.rate <= 1:
        raise ValueError("the rate of faults is between 0 and 1")
    if not weighted:
        return plan
    weights: dict[str, float] = {}
    lasts: dict[str, float] = {}
    for item in weighted.split(","):
        kind, _, said = item.partition("=")
        weight, slash, seconds = said.partition("/")
        weights[Fault(kind).kind] = float(weight)
        if slash:
            lasts[kind] = float(seconds)
    return replace(plan, weights=weights, lasts=lasts)


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
        if self.plan is None or not (kind or interaction == "token"):
            return None
        said = (b"token",) if interaction == "token" else (method.encode(), path.encode(), body)
        request = hashlib.blake2b(b"\n".join(said), digest_size=16).digest()
        self._came[request] += 1
        return self.plan.draw(request, self._came[request], interaction)
