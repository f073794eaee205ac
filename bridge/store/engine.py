"""Opening the ledger's database so that both engines behave alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Delete, Dialect, Engine, Insert, Update, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.pool import ConnectionPoolEntry

from bridge.errors import LedgerDown, LedgerError, Problem

Row = Mapping[str, Any]
READING = "reading"  # the execution option of connections that only look


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///…` or `postgresql://…` (psycopg).

    SQLite: WAL, synchronous FULL, foreign keys on, and every transaction begins IMMEDIATE: with SQLAlchemy's defaults
    600 of 800 concurrent read-then-write updates were lost without an error, with this none.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True)
    path = sqlite_path(parsed)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def cause(error: SQLAlchemyError) -> str:
    """The name of what the driver raised: its words may quote a row, so nobody else sees them."""
    return type(getattr(error, "orig", None) or error).__name__


def failed(error: SQLAlchemyError, code: str, what: str) -> LedgerError:
    """The error for whoever asked: `LedgerDown` but where the database refused what was asked and nothing else.

    SQLite says of a statement it cannot run what it says of a disk that is full, under another number.
    """
    asked = isinstance(error, IntegrityError | DataError)
    asked |= isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    asked |= getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    problem = Problem(code, f"{what} ({cause(error)})", next_step="see `bridge doctor`")
    return LedgerError(problem) if asked else LedgerDown(problem)


def sqlite_path(url: URL) -> Path | None:
    """The file of an SQLite database; None for any other."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def reading_engine(engine: Engine) -> Engine:
    """The same engine for looking only: every transaction sees one moment and keeps no writer waiting."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def begin_sqlite(connection: Connection) -> None:
    """Begins with the write lock, so that what a transaction read is still so when it writes; a look needs none."""
    looking = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if looking else "BEGIN IMMEDIATE")


def prepare_sqlite(connection: Any, entry: ConnectionPoolEntry) -> None:
    """Durable settings for one SQLite connection; the driver itself must not begin transactions."""
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - narrows the type; only SQLite engines listen
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def run_each(connection: Connection, statement: Insert | Update | Delete, rows: Sequence[Row]) -> None:
    """`statement` ran for each of `rows`, none or many, which all name the same parameters at every call.

    What `connection.execute(statement, rows)` does, without the 7 µs that SQLAlchemy spends on each row; a statement is
    compiled once, so keep it: made anew for every call it would be compiled for every call.
    """
    if rows:
        text, taken = compiled(statement, connection.dialect, frozenset(rows[0]))
        connection.exec_driver_sql(text, [taken(row) for row in rows])


@lru_cache(maxsize=256)
def compiled(
    statement: Insert | Update | Delete, dialect: Dialect, names: frozenset[str]
) -> tuple[str, Callable[[Row], Any]]:
    """The statement's text for parameters of these names, and what makes of a row the parameters its driver takes."""
    made = statement.compile(dialect=dialect, column_keys=sorted(names))
    fixed, order = dict(made.params), getattr(made, "positiontup", None)
    if order is None:
        return str(made), lambda row: {**fixed, **row}
    if names.issuperset(order):
        return str(made), lambda row: tuple([row[name] for name in order])
    return str(made), lambda row: tuple([row[name] if name in row else fixed[name] for name in order])
