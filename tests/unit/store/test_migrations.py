"""Migrations make the tables the code knows, once, whoever comes first."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select

from bridge.store import tables
from bridge.store.ledger import Ledger
from tests.postgres import KEY

ROOT = Path(__file__).resolve().parents[3]
MIGRATE = "import sys; from bridge.store.ledger import Ledger; Ledger(sys.argv[1], bytes(32)).migrate()"


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        defaults = engine.dialect.name == "postgresql"  # of SQLite's Alembic cannot read an empty text
        context = MigrationContext.configure(connection, opts={"compare_server_default": defaults})
        return list(compare_metadata(context, tables.metadata))


def index_conditions(engine: Engine) -> dict[str, str]:
    """The conditions of partial indexes by name, without the spelling that differs between what made them."""
    option = f"{engine.dialect.name}_where"
    found = {}
    for table in tables.metadata.tables:
        for index in inspect(engine).get_indexes(table):
            condition = index.get("dialect_options", {}).get(option)
            if condition is not None:
                found[str(index["name"])] = str(condition)
    return found


def test_what_migrations_make_is_what_the_code_knows(ledger: Ledger) -> None:
    assert differences(ledger.engine) == []


def test_partial_indexes_have_the_conditions_the_code_knows(ledger: Ledger, tmp_path: Path) -> None:
    """Alembic does not compare them, and a query that says another condition word for word does not use the index."""
    made = Ledger(f"sqlite:///{tmp_path / 'made.sqlite'}", KEY)
    tables.metadata.create_all(made.engine)
    if ledger.engine.dialect.name == "sqlite":
        assert index_conditions(ledger.engine) == index_conditions(made.engine)
    else:
        assert set(index_conditions(ledger.engine)) == set(index_conditions(made.engine))
    made.close()


def test_migrating_again_changes_nothing(ledger: Ledger) -> None:
    ledger.migrate()
    ledger.migrate()
    with ledger.read() as connection:
        assert connection.execute(select(tables.era.c.number)).scalars().all() == [1]
        counters = {row.name: row.next for row in connection.execute(select(tables.counter))}
    assert counters == {"id": 1, "rows": 1}
    assert differences(ledger.engine) == []


def test_a_folder_is_made_for_a_new_ledger(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'a folder' / '50% more' / 'ledger.sqlite'}", KEY)
    ledger.migrate()
    assert differences(ledger.engine) == []
    ledger.close()


def test_workers_that_start_at_once_migrate_one_after_another(empty_postgres_url: str) -> None:
    """Threads of one process and another process, all on one empty database."""
    other = subprocess.Popen([sys.executable, "-c", MIGRATE, empty_postgres_url], cwd=ROOT)
    ledgers = [Ledger(empty_postgres_url, KEY) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Ledger.migrate, ledgers))
    assert other.wait(60) == 0
    assert differences(ledgers[0].engine) == []
    for ledger in ledgers:
        ledger.close()
