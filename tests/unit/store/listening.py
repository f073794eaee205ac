"""What the ledger says to its database while a test looks on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from bridge.store.ledger import Ledger


@dataclass(frozen=True)
class Statement:
    """One statement as it went to the driver; of many alike, the first one's parameters."""

    text: str
    parameters: Any

    @property
    def values(self) -> int:
        return len(self.parameters or ())


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[Statement]]:
    """Every statement of the ledger's connections, in order."""
    heard: list[Statement] = []

    def hear(_: Connection, __: Any, text: str, parameters: Any, ___: Any, many: bool) -> None:
        heard.append(Statement(text, parameters[0] if many else parameters))

    event.listen(ledger.engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(ledger.engine, "before_cursor_execute", hear)


BEGIN = "BEGIN"


@contextmanager
def transactions(ledger: Ledger) -> Iterator[list[Statement]]:
    """The same, with a statement `BEGIN` before each transaction's first."""
    with statements(ledger) as heard:

        def begin(_: Connection) -> None:
            heard.append(Statement(BEGIN, ()))

        event.listen(ledger.engine, "begin", begin)
        try:
            yield heard
        finally:
            event.remove(ledger.engine, "begin", begin)
