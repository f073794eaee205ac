"""The delivery reference: a short opaque word that every delivery carries, by which it is found again."""

from __future__ import annotations

import base64
import hmac
import re

SYSTEM = "urn:dyad-bridge:delivery"
"""The identifier system of delivery references."""

PATTERN = re.compile(r"\bDB-[A-Z2-7]{12}\b")


def delivery_reference(key: bytes, agency: str, entry: str, replacement: int = 0) -> str:
    """`DB-` and 12 letters or digits (60 bits) that say nothing of what they stand for.

    The same `entry` of the same `agency` always has the same one, under one `key` (at least 16 secret bytes).
    `replacement` counts the documents that replaced the first: each is a delivery of its own, so that looking for the
    new one never finds the one it replaces. Raises ValueError for a shorter key.
    """
    if len(key) < 16:
        raise ValueError("the key of delivery references has at least 16 bytes")
    message = "\x1f".join(("delivery", agency, entry, str(replacement))).encode()
    digest = hmac.digest(key, message, "sha256")
    return "DB-" + base64.b32encode(digest)[:12].decode()


def mentions(text: str | bytes, reference: str) -> bool:
    """Whether the text carries this very reference as its own: the last it names, for a document ends with it.

    A document that takes another's place, or asks to disregard one, names that one's reference before.
    """
    found = PATTERN.findall(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    return bool(found) and found[-1] == reference
