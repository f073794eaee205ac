"""Our signing keys as values: made, shown to EHRs, signing, and where each stands in its rotation.

Everything a key goes through follows from when it was made and when the next one signs, so that every process agrees
without being told. Source of the rules: SMART App Launch 2.2, client-confidential-asymmetric (repository
HL7/smart-app-launch, input/pages, seen 2024-05): RS384 or ES384, `kid` unique in the set, public members alone, the
overlap of a rotation at least as long as the set may be cached. joserfc makes and signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from bridge.settings import Algorithm

SECOND = 1_000_000
MAX_AGE = 300
"""Seconds an EHR may keep our key set (Cache-Control); it must not keep it longer."""

SLACK = 3300
"""Seconds for EHRs that keep it longer all the same, and for clocks."""

OVERLAP = (MAX_AGE + SLACK) * SECOND
"""From a key's publication to its first signature, and from its last to when it may be retired."""

RSA_BITS = 3072  # 2048 is the least that is taken
PREFERRED: tuple[Algorithm, ...] = ("ES384", "RS384")


class KeyState(StrEnum):
    """Where a key stands."""

    WAITING = "waiting"  # published; signs when every EHR can have it
    SIGNING = "signing"
    REPLACED = "replaced"  # published; signs no more
    RETIRABLE = "retirable"  # nothing it signed can still be under way
    RETIRED = "retired"  # not published; its private part is destroyed


@dataclass(frozen=True, slots=True)
class Key:
    """A key as everybody may see it. `public` is its JWK in JSON; instants are microseconds."""

    id: int
    kind: str  # of the connections it signs for: test | production
    algorithm: Algorithm
    kid: str
    public: str
    made_at: int
    signs_from: int
    retired_at: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A new key: `private` is PKCS #8 in DER."""

    algorithm: Algorithm
    kid: str
    public: str
    private: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs now."""

    kid: str
    algorithm: Algorithm
    private: bytes = field(repr=False)

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a signed JWT, `typ` JWT and `kid` in its header."""
        made = ECKey if self.algorithm == "ES384" else RSAKey
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        return jwt.encode(header, claims, made.import_key(self.private), algorithms=[self.algorithm])


def make(algorithm: Algorithm) -> Pair:
    """A fresh key; its `kid` is made of its thumbprint (RFC 7638)."""
    key = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(RSA_BITS)
    kid = f"bridge-{key.thumbprint()}"
    public = {**key.as_dict(private=False), "kid": kid, "alg": algorithm, "use": "sig"}
    return Pair(algorithm, kid, orjson.dumps(public, option=orjson.OPT_SORT_KEYS).decode(), key.as_der(private=True))


def replaced_at(key: Key, keys: Iterable[Key]) -> int | None:
    """When the next key of its kind and algorithm begins to sign; None where there is none."""
    later = [
        other.signs_from
        for other in keys
        if (other.kind, other.algorithm, other.retired_at) == (key.kind, key.algorithm, None)
        and (other.signs_from, other.id) > (key.signs_from, key.id)
    ]
    return min(later, default=None)


def state(key: Key, keys: Iterable[Key], now: int) -> KeyState:
    """Where the key stands among these."""
    if key.retired_at is not None:
        return KeyState.RETIRED
    if key.signs_from > now:
        return KeyState.WAITING
    replaced = replaced_at(key, keys)
    if replaced is None or replaced > now:
        return KeyState.SIGNING
    return KeyState.REPLACED if replaced + OVERLAP > now else KeyState.RETIRABLE


def signing(keys: Sequence[Key], kind: str, algorithms: Iterable[str], now: int) -> Key | None:
    """The key that signs for connections of this kind: of the first of these algorithms that has one."""
    for algorithm in algorithms:
        for key in keys:
            if (key.kind, key.algorithm) == (kind, algorithm) and state(key, keys, now) is KeyState.SIGNING:
                return key
    return None


def key_set(keys: Iterable[Key], kind: str) -> bytes:
    """The JWK Set an EHR reads (RFC 7517): every key of the kind that is not retired, the newest first."""
    shown = sorted((key for key in keys if key.kind == kind and key.retired_at is None), key=lambda key: -key.id)
    return orjson.dumps({"keys": [orjson.loads(key.public) for key in shown]})
