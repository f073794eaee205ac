"""The database is opened so that both engines behave alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from traceback import format_exception

import pytest
from sqlalchemy import Integer, cast, func, select, update
from sqlalchemy.exc import DBAPIError

from bridge.errors import LedgerError
from bridge.store import tables
from bridge.store.engine import open_engine, sqlite_path
from bridge.store.ledger import Ledger, slices
from tests.postgres import KEY
from tests.unit.store.making import item, keep, rows


def test_sqlite_is_durable(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_postgresql_is_durable(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    engine.dispose()


def test_what_is_read_and_then_written_is_never_lost(ledger: Ledger) -> None:
    """With SQLAlchemy's defaults SQLite loses most of these, without an error."""
    mine = tables.counter.c.name == "id"

    def count(_: int) -> None:
        for _ in range(10):
            with ledger.engine.begin() as connection:
                before = connection.execute(select(tables.counter.c.next).where(mine).with_for_update()).scalar_one()
                connection.execute(update(tables.counter).where(mine).values(next=before + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
    assert next(row["next"] for row in rows(ledger, tables.counter) if row["name"] == "id") == 81


def test_who_reads_sees_one_moment_and_keeps_no_writer_waiting(ledger: Ledger) -> None:
    count = select(tables.record.c.id)
    with ledger.read() as connection:
        assert connection.execute(count).all() == []
        keep(ledger, item())
        assert connection.execute(count).all() == []
    with ledger.read() as connection:
        assert len(connection.execute(count).all()) == 1


def test_who_writes_keeps_no_reader_waiting(ledger: Ledger) -> None:
    with ledger.engine.begin() as writing:
        writing.execute(update(tables.era).values(reason="being written"))
        with ledger.read() as reading:
            assert reading.execute(select(tables.era.c.reason)).scalar_one() == "first"


def test_a_connection_for_reading_refuses_to_write_over_what_it_has_not_seen(ledger: Ledger) -> None:
    with ledger.read() as connection:
        connection.execute(select(tables.era)).all()
        keep(ledger, item())
        with pytest.raises(DBAPIError):
            connection.execute(update(tables.era).values(reason="overwritten"))


def test_no_error_of_a_reader_carries_what_was_asked_for(ledger: Ledger) -> None:
    asked = select(tables.era.c.reason).where(cast("a family matter", Integer) == func.abs("a family matter", 2))
    with pytest.raises(LedgerError) as caught, ledger.read() as connection:
        connection.execute(asked).all()
    assert "a family matter" not in "".join(format_exception(caught.value))
    assert caught.value.problems[0].code == "ledger-read"


def test_free_space_is_of_the_disk_of_the_file(sqlite_url: str) -> None:
    ledger = Ledger(sqlite_url, KEY)
    free = ledger.free_mebibytes()
    ledger.close()
    assert free is not None
    assert 0 < free < 2**40


def test_free_space_of_postgresql_is_not_ours_to_know(postgres_url: str) -> None:
    ledger = Ledger(postgres_url, KEY)
    assert ledger.free_mebibytes() is None
    ledger.close()


def test_a_relative_file_is_beside_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = open_engine("sqlite:///kept/ledger.sqlite")
    assert sqlite_path(engine.url) == Path("kept/ledger.sqlite")
    assert Path("kept").is_dir()
    engine.dispose()


def test_long_lists_are_cut() -> None:
    cut = list(slices(range(25_000, 0, -1)))
    assert [len(part) for part in cut] == [10_000, 10_000, 5_000]
    assert [number for part in cut for number in part] == list(range(1, 25_001))


def test_a_closed_ledger_leaves_no_thread(ledger: Ledger) -> None:
    ledger.close()
    assert not any(
        thread.name == "ledger-writer" and thread is ledger.writer._thread for thread in threading.enumerate()
    )
