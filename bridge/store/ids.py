"""Ids in blocks: unique across workers, taken before a transaction, without asking the database for each."""

from __future__ import annotations

import threading

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from bridge.store.engine import failed
from bridge.store.tables import counter

BLOCK = 2048


class Ids:
    """Hands out ids unique across all workers of one ledger; gaps are normal, order means nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._next = self._end = 0

    def take(self) -> int:
        """The next id. Must not be called inside a ledger transaction (SQLite has one writer at a time).

        LedgerError when a new block is needed and the database cannot be written.
        """
        with self._lock:
            if self._next == self._end:
                first = self._reserve()
                self._next, self._end = first, first + BLOCK  # only once the block is durably ours
            self._next += 1
            return self._next - 1

    def _reserve(self) -> int:
        try:
            with self._engine.begin() as connection:
                mine = counter.c.name == "id"
                first = connection.execute(select(counter.c.next).where(mine).with_for_update()).scalar_one()
                connection.execute(update(counter).where(mine).values(next=first + BLOCK))
        except SQLAlchemyError as error:
            raise failed(error, "ledger-ids", "the ledger gave no ids") from None
        return int(first)
