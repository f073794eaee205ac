"""The clients a practice registered: what proves each of them, and their key sets, kept as long as they may be."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*(\d{1,9})")
_UNCACHED = re.compile(r"(?:^|[,\s])no-(?:store|cache)")
MOST = 256 * 1024


@dataclass(slots=True)
class KeySet:
    """One client's published keys: `fresh_until` on this process's clock; `lag` seconds it is kept beyond."""

    url: str
    lag: float = 0.0
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    fresh_until: float = 0.0
    fetched: int = 0
    failed: int = 0

    async def refresh(self, wanted: str, on_unknown: bool) -> None:
        """The keys are as fresh as the client's cache headers ask; read anew for a missing kid where `on_unknown`.

        Where the set cannot be read, keys that are still fresh stay, and others go.
        """
        now = time.monotonic()
        if now < self.fresh_until + self.lag and (wanted in self.keys or not on_unknown):
            return
        self.fetched += 1
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                answer = await client.get(self.url, headers={"Accept": "application/json"})
            answer.raise_for_status()
            found = orjson.loads(answer.content[:MOST])["keys"]
            self.keys = {str(key["kid"]): key for key in found if not PRIVATE & set(key)}
            self.fresh_until = now + max_age(answer.headers.get("cache-control", ""))
        except (httpx.HTTPError, OSError, orjson.JSONDecodeError, KeyError, TypeError):
            self.failed += 1
            if now >= self.fresh_until + self.lag:
                self.keys = {}


def parse_client(text: str) -> tuple[str, str]:
    """Client and address of `client=URL`; `ValueError` when it is not that."""
    client, _, url = text.partition("=")
    if not client or not url.startswith(("http://", "https://")):
        raise ValueError("a client is named with the http(s) address of its key set")
    return client, url


def max_age(header: str) -> float:
    """Seconds a set with this Cache-Control may be kept; none where it does not say."""
    found = _MAX_AGE.search(header.lower())
    return 0.0 if found is None or _UNCACHED.search(header.lower()) else float(found.group(1))
