"""What happens to everybody at once during a campaign: keys rotate, the key set is away, a practice is suspended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bridge.jobs.worker import system_clock
from bridge.moves import signing
from bridge.store import suspending
from bridge.store.ledger import Ledger
from tests.flow.campaign.sites import Site
from tests.flow.keys import KeyServer, published

CLIENT = "bridge-client"
LOGIN = f"{{ smart: {{ client_id: {CLIENT} }} }}"
TOKENS = 2  # seconds a token lasts
OVERLAP = 3  # seconds a new key is published before it signs
KEPT = 1  # seconds an EHR may keep the key set


@dataclass
class Upheavals:
    """What happened, and when (microseconds)."""

    keys: KeyServer | None
    ledger: Ledger
    sites: Sequence[Site]
    shut: str = ""
    away: list[tuple[int, int]] = field(default_factory=list)
    suspended: list[tuple[int, int]] = field(default_factory=list)
    rotations: int = 0
    retired: int = 0

    def begin(self) -> None:
        """Where logins are signed, there is a key, and every EHR knows where it is published."""
        if self.keys is None:
            return
        self.keys.ledger, self.keys.max_age = self.ledger, KEPT
        signing.new(self.ledger, "test", "ES384", "test", system_clock())
        for site in self.sites:
            site.change(token_seconds=TOKENS, reread_keys=False)

    def at(self, part: float) -> None:
        """What belongs to this part of the campaign (0 to 1) has happened."""
        if self.keys is not None and part >= 0.2 and self.rotations == 0:
            signing.rotate(self.ledger, "test", "ES384", OVERLAP * 1_000_000, "test", system_clock())
            self.rotations += 1
        if self.keys is not None and part >= 0.35 and not self.away:
            self.keys.away = True
            self.away.append((system_clock(), 0))
        if part >= 0.5:
            self.end_outage()
        if part >= 0.55 and self.shut and not self.suspended:
            suspend = suspending.Suspend(self.shut, "campaign", "test", system_clock())
            self.ledger.write(suspending.suspend, suspend)
            self.suspended.append((system_clock(), 0))
        if part >= 0.8:
            self.end_suspension()

    def over(self) -> None:
        """Nothing is away or suspended any more, tokens last, and keys that no longer sign are destroyed."""
        self.end_outage()
        self.end_suspension()
        if self.keys is None:
            return
        for site in self.sites:
            site.change(token_seconds=300)
        time.sleep(KEPT + 0.2)
        now = system_clock()
        current = signing.signer(self.ledger, "test", ["ES384"], now)
        for key in signing.keys(self.ledger):
            if current is not None and key.kid != current.kid and now > (self.away or [(0, 0)])[-1][1]:
                signing.retire(self.ledger, key.kid, True, "test", now)
                self.retired += 1

    def end_outage(self) -> None:
        """The key set can be read again, if it could not be."""
        if self.keys is None or not self.keys.away:
            return
        self.keys.away = False
        self.away[-1] = self.away[-1][0], system_clock()

    def end_suspension(self) -> None:
        """The practice is sent to again, if it was not."""
        if not self.suspended or self.suspended[-1][1]:
            return
        self.suspended[-1] = self.suspended[-1][0], system_clock()
        self.ledger.write(suspending.resume, self.shut)

    def report(self) -> dict[str, Any]:
        """In numbers."""
        logins = [site.logins() for site in self.sites] if self.keys is not None else []
        return {
            "keys rotated": self.rotations,
            "keys destroyed": self.retired,
            "seconds without a key set": round(sum(end - start for start, end in self.away) / 1e6, 1),
            "tokens given": sum(one["given"] for one in logins),
            "tokens refused": sum(sum(one["refused"].values()) for one in logins),
            "seconds suspended": round(sum(end - start for start, end in self.suspended) / 1e6, 1),
        }


@contextmanager
def key_server(wanted: bool) -> Iterator[KeyServer | None]:
    """A server of our keys, where they are wanted."""
    if not wanted:
        yield None
        return
    with published() as keys:
        yield keys
