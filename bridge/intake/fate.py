"""New, resend or new version; final, unfinished or void: decided from what the ledger already holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.model import Fate, Item, RecordState


class Known(Protocol):
    """What is needed of a version kept before; `version` is a whole number as text, or "" where none is declared."""

    @property
    def version(self) -> str: ...
    @property
    def digest(self) -> str: ...


def fate(item: Item, known: Sequence[Known]) -> tuple[Fate, RecordState]:
    """The fate of an item and the state it is kept in (for a resend nothing is kept).

    `known` are all versions held of the thing, as they came. A resend has the digest of the newest version, or of any
    where the kind declares versions. A declared version older than the newest is kept as superseded; without
    declared versions, what comes last is newest. Ids make things: two contacts on one day stay two (R20).
    """
    if not known:
        return first(item), RecordState.ACCEPTED
    if known[-1].digest == item.digest or (item.version and any(v.digest == item.digest for v in known)):
        return Fate.RESEND, RecordState.ACCEPTED
    if item.version and int(item.version) < max(int(version.version or 0) for version in known):
        return Fate.OLDER, RecordState.SUPERSEDED
    return (Fate.VERSION if item.final and not item.void else first(item)), RecordState.ACCEPTED


def first(item: Item) -> Fate:
    """What an item is called that nothing was known of, or that stops what was known."""
    if item.void:
        return Fate.VOID
    return Fate.NEW if item.final else Fate.UNFINISHED
