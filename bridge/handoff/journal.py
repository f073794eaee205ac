"""A file in a folder that others read: whole or not at all, never overwritten, and after a kill it is known which.

Beside the folder's files stands `.bridge/`, which nobody else touches. A file is written there as NAME.part and made
durable, then NAME.given is, with a keyed digest of what it said, then NAME.part becomes the folder's NAME by one
rename. So afterwards, whoever took the file away meanwhile: where NAME.part stands it was not given; where only
NAME.given stands it was; where neither stands it was never begun. What is given stays: a ledger that comes back from a
backup finds in it what had gone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

OWN = ".bridge"
PART, GIVEN = ".part", ".given"
PRIVATE = 0o600


class Stage(StrEnum):
    """How far a file came."""

    NONE = "none"
    BEGUN = "begun"
    GIVEN = "given"


def stage(folder: Path, name: str) -> Stage:
    """How far the file of this name came."""
    own = folder / OWN
    if (own / f"{name}{PART}").exists():
        return Stage.BEGUN
    return Stage.GIVEN if (own / f"{name}{GIVEN}").exists() else Stage.NONE


def said(folder: Path, name: str) -> str:
    """The digest of what the file of this name said; "" where none was given, or none is known."""
    given = folder / OWN / f"{name}{GIVEN}"
    return given.read_text(encoding="ascii", errors="replace").strip() if stage(folder, name) is Stage.GIVEN else ""


def put(folder: Path, name: str, content: bytes, digest: str = "") -> bool:
    """The folder has this file, durably; False where it was given before, and nothing is written.

    `digest` is remembered beside it.

    Raises FileExistsError where another's file has the name, OSError where the folder cannot be written.
    """
    own = folder / OWN
    own.mkdir(mode=0o700, exist_ok=True)
    with alone(own):
        if stage(folder, name) is Stage.GIVEN:
            return False
        if (folder / name).exists():
            raise FileExistsError(name)
        part, given = own / f"{name}{PART}", own / f"{name}{GIVEN}"
        write(part, content)
        settle(own)
        write(given, digest.encode())
        settle(own)
        part.rename(folder / name)
        settle(folder)
        settle(own)
    return True


@contextmanager
def alone(own: Path) -> Iterator[None]:
    """Nobody else writes there meanwhile: one that was given up as slow may still be at it."""
    descriptor = os.open(own / "lock", os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """The file has this content, durably; only its owner may read it until it is given."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def settle(folder: Path) -> None:
    """The folder's own entries are durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
