"""Encryption: a key per person, wrapped by a key from outside the ledger, so that erasure destroys a key.

AES-256-GCM for content (the blob's id and codec are authenticated with it; its owner's key opens no other's), AES key
wrap (RFC 3394) for keys, HMAC-SHA-256 for what must be found without being readable.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from bridge.errors import ConfigError, LedgerError, Problem

NONCE = 12
ERASED = Problem("person-erased", "this person's key was destroyed: nothing of theirs is kept")
COMPRESS_FROM = 1024  # bytes; below this zlib gains little
WINDOW, MEMORY = 13, 6
"""zlib's bits of window and of working memory: our blobs are a few kilobytes, and clearing the quarter of a megabyte
that the defaults take costs more than compressing them."""


class Keyring:
    """The wrapping key and what is derived from it."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise ConfigError(
                Problem(
                    "key-length", "the ledger key must be 32 bytes, base64", next_step="run `bridge init` for a new one"
                )
            )
        self._wrapping = hashlib.sha256(b"dyad-bridge wrap" + master).digest()
        self._hiding = hashlib.sha256(b"dyad-bridge signing" + master).digest()
        self._hashing = hashlib.sha256(b"dyad-bridge hash" + master).digest()
        self.reference_key = hashlib.sha256(b"dyad-bridge delivery" + master).digest()
        self.name = hashlib.sha256(b"dyad-bridge name" + master).hexdigest()[:12]

    def new_person_key(self) -> tuple[bytes, bytes]:
        """A fresh person key and its wrapped form."""
        plain = os.urandom(32)
        return plain, aes_key_wrap(self._wrapping, plain)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The person key; LedgerError when it was destroyed or the wrapping key is not the one it was wrapped with."""
        if not wrapped:
            raise LedgerError(ERASED)
        try:
            return aes_key_unwrap(self._wrapping, wrapped)
        except InvalidUnwrap:
            raise LedgerError(
                Problem(
                    "key-wrong",
                    "the ledger was written with another key",
                    next_step="restore the key file that belongs to it",
                )
            ) from None

    def hide(self, name: str, plain: bytes) -> bytes:
        """What belongs to no person, encrypted; it opens under this name alone."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self._hiding).encrypt(nonce, plain, name.encode())

    def show(self, name: str, content: bytes) -> bytes:
        """What was hidden under this name; LedgerError when it was changed, moved or hidden with another key."""
        try:
            return AESGCM(self._hiding).decrypt(content[:NONCE], content[NONCE:], name.encode())
        except (InvalidTag, ValueError):
            step = "restore the key file that belongs to the ledger, or make a new signing key"
            raise LedgerError(
                Problem("key-wrong", "this does not open with the ledger's key", next_step=step)
            ) from None

    def hash(self, *values: str) -> str:
        """A keyed hash for search columns: equal values, equal hash, unreadable without the key."""
        return hmac.digest(self._hashing, "\x1f".join(values).encode(), "sha256").hex()[:40]


def parse_key(text: str) -> bytes:
    """The 32 bytes of a base64 key as kept in a key file or environment variable."""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except ValueError:
        return b""


def make_key_file(path: Path) -> None:
    """A new random ledger key at `path`, readable by its owner only; an existing file is left alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(base64.b64encode(os.urandom(32)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())  # what the ledger makes durable must not outlive its key


def seal(key: bytes, blob_id: int, plain: bytes) -> tuple[str, bytes]:
    """`(codec, content)` as kept in the blob table."""
    codec, body = ("zlib", deflated(plain)) if len(plain) >= COMPRESS_FROM else ("none", plain)
    nonce = os.urandom(NONCE)
    return codec, nonce + AESGCM(key).encrypt(nonce, body, bound(blob_id, codec))


def deflated(plain: bytes) -> bytes:
    """The bytes as `zlib.decompress` takes them."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, WINDOW, MEMORY)
    return deflate.compress(plain) + deflate.flush()


def unseal(key: bytes, blob_id: int, codec: str, content: bytes) -> bytes:
    """The plain bytes; LedgerError when the content was changed or belongs to another blob or person."""
    try:
        body = AESGCM(key).decrypt(content[:NONCE], content[NONCE:], bound(blob_id, codec))
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        raise LedgerError(
            Problem("blob-damaged", "a stored blob does not open with its key", where=f"blob {blob_id}")
        ) from None
    return zlib.decompress(body) if codec == "zlib" else body


def bound(blob_id: int, codec: str) -> bytes:
    """What is authenticated with a blob's content: it opens only where it was put, read as it was written."""
    return f"{blob_id}/{codec}".encode()
