"""The ledger opened: engine, ids, keys, the writer, and the blobs they protect."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, bindparam, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import LedgerError
from bridge.store import tables
from bridge.store.engine import failed, open_engine, reading_engine, run_each, sqlite_path
from bridge.store.ids import Ids
from bridge.store.keys import ERASED, Keyring, seal, unseal
from bridge.store.writer import Operation, Writer

P = TypeVar("P")
R = TypeVar("R")
KEYS_KEPT = 50_000
SLICE = 10_000
MIGRATING = threading.Lock()  # Alembic's environment belongs to the process


WRAPPED = select(tables.person.c.id, tables.person.c.wrapped_key).where(
    tables.person.c.id.in_(bindparam("ids", expanding=True))
)
PUT = insert(tables.blob)
GET = select(tables.blob).where(tables.blob.c.id.in_(bindparam("ids", expanding=True)))


class PersonKeys:
    """Unwrapped person keys by person id, kept in memory up to a bound."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._keys: dict[int, bytes] = {}

    def add(self, person: int, wrapped: bytes) -> bytes:
        """The plain key of `person`, remembered."""
        found = self._keys.get(person)
        if found is None:
            if len(self._keys) >= KEYS_KEPT:
                self._keys.clear()
            found = self._keys[person] = self._keyring.unwrap(wrapped)
        return found

    def load(self, connection: Connection, persons: Iterable[int]) -> dict[int, bytes]:
        """The keys of these persons; a person whose key was destroyed is missing."""
        found, missing = {}, []
        for person in set(persons):
            kept = self._keys.get(person)
            if kept is None:
                missing.append(person)
            else:
                found[person] = kept
        if missing:
            rows = connection.execute(WRAPPED, {"ids": missing})
            found |= {row.id: self.add(row.id, row.wrapped_key) for row in rows if row.wrapped_key}
        return found


class Ledger:
    """One ledger, opened; safe to share between the threads of a process. Close it to stop its writer."""

    def __init__(self, url: str, master_key: bytes) -> None:
        self.url = url
        self.engine = open_engine(url)
        self._reading = reading_engine(self.engine)
        self.keyring = Keyring(master_key)
        self.keys = PersonKeys(self.keyring)
        self.ids = Ids(self.engine)
        self.writer = Writer(self.engine)

    @property
    def many_writers(self) -> bool:
        """Whether the engine locks rows (PostgreSQL) and not the whole database (SQLite)."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for looking only: it sees one moment, and no writer waits for it.

        LedgerError where the database cannot be read (PostgreSQL's own words would quote what was asked for).
        """
        try:
            with self._reading.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise failed(error, "ledger-read", "the ledger could not be read") from None

    def free_mebibytes(self) -> int | None:
        """What is free on the disk of the SQLite file; None for PostgreSQL, whose disk is another machine's matter."""
        path = sqlite_path(self.engine.url)
        return None if path is None else shutil.disk_usage(path.absolute().parent).free // 2**20

    def migrate(self) -> None:
        """The tables are at the newest version; running it again changes nothing."""
        config = Config()
        location = str(Path(__file__).with_name("migrations"))
        config.set_main_option("script_location", location.replace("%", "%%"))
        with MIGRATING, self.engine.begin() as connection:
            if self.many_writers:  # workers starting at once migrate one after another
                connection.execute(text("SELECT pg_advisory_xact_lock(7259201)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def submit(self, operation: Operation[P, R], parameter: P) -> Future[R]:
        """See `Writer.submit`."""
        return self.writer.submit(operation, parameter)

    def write(self, operation: Operation[P, R], parameter: P) -> R:
        """The result of `operation`, once durable."""
        return self.submit(operation, parameter).result()

    def close(self) -> None:
        """What was submitted is written; connections are closed."""
        self.writer.close()
        self.engine.dispose()


def put_blobs(connection: Connection, keys: Mapping[int, bytes], blobs: Iterable[tuple[int, str, int, bytes]]) -> None:
    """Keeps `(id, agency, person, plain bytes)` each encrypted with its person's key; LedgerError without a key."""
    rows = []
    for blob_id, agency, person, plain in blobs:
        if person not in keys:
            raise LedgerError(ERASED)
        codec, content = seal(keys[person], blob_id, plain)
        rows.append({"id": blob_id, "agency": agency, "person": person, "codec": codec, "content": content})
    run_each(connection, PUT, rows)


def get_blobs(
    connection: Connection, keys: PersonKeys, ids: Iterable[int], damaged: set[int] | None = None
) -> dict[int, bytes]:
    """The plain bytes of these blobs, by id; one whose person's key was destroyed is missing.

    LedgerError when the ledger was written with another key, or a blob was changed; with `damaged` given that one is
    missing too, and named there.
    """
    found: dict[int, bytes] = {}
    for some in slices(ids):
        rows = connection.execute(GET, {"ids": some}).all()
        known = keys.load(connection, (row.person for row in rows))
        for row in rows:
            if row.person in known:
                try:
                    found[row.id] = unseal(known[row.person], row.id, row.codec, row.content)
                except LedgerError:
                    if damaged is None:
                        raise
                    damaged.add(row.id)
    return found


def slices(ids: Iterable[int]) -> Iterator[list[int]]:
    """These ids in ascending order, each once, in lists short enough for one statement (SQLite takes 32,766 values)."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), SLICE):
        yield ordered[start : start + SLICE]
