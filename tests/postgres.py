"""A real PostgreSQL server for the tests that need one, and the ledger over both engines.

A plugin module, registered by `tests/conftest.py`.
The server is Debian's (or whatever `initdb` and `postgres` are on the PATH), started once for the suite on a free port
with a folder of its own, as an unprivileged user, and stopped by its process id. Where it is not installed the tests
that ask for it are skipped.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from bridge.store import tables
from bridge.store.engine import open_engine
from bridge.store.ledger import Ledger
from tests.absent import absent

KEY = bytes(range(32))
START_SECONDS = 30
WORKED_IN = "worked_in"
KEPT = ("counter", "era")  # tables that migrations put rows into
ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.live))

Reopen = Callable[..., Ledger]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for the server talks to a real one."""
    for item in items:
        if "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.live)


def binary(name: str) -> str | None:
    """One of PostgreSQL's programs: from the PATH, else the newest of Debian's."""
    found = shutil.which(name)
    if found is not None:
        return found
    versions = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
    return max(versions, key=lambda path: float(path.split("/")[4])) if versions else None


@dataclass(frozen=True)
class Server:
    """A server that runs: where it listens, on loopback and in a folder of sockets."""

    port: int
    folder: Path
    template: str = "migrated"

    def url(self, database: str) -> str:
        return f"postgresql://bridge@127.0.0.1:{self.port}/{database}"

    def maintenance(self) -> psycopg.Connection[Any]:
        """A connection through the folder of sockets to the maintenance database."""
        where = f"host={self.folder} port={self.port} dbname=postgres user=bridge"
        return psycopg.connect(where, autocommit=True)

    def execute(self, statement: str) -> None:
        """One statement outside a transaction."""
        with self.maintenance() as connection:
            connection.execute(statement.encode())


def unprivileged() -> dict[str, Any]:
    """How to run the server, which refuses to be root: as itself where it can, else as nobody."""
    if os.getuid() != 0:
        return {}
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def quick_folder() -> str | None:
    """Memory, where this machine gives some, so that hundreds of durable writes do not wait for its disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return str(memory) if roomy else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """PostgreSQL, running, with one database that has the newest tables, to be copied."""
    initdb, postgres = binary("initdb"), binary("postgres")
    if initdb is None or postgres is None:
        absent("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    who = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="bridge-pg-", dir=quick_folder()))
    if who:
        os.chown(folder, who["user"], who["group"])
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    data = folder / "data"
    try:
        command = [initdb, "-D", str(data), "-U", "bridge", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=environment, **who)
        port = free_port()
        server = Server(port, folder)
        command = [postgres, "-D", str(data), "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "fsync=off"]  # no test pulls the machine's plug
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", env=environment, **who)
        try:
            wait_until_it_answers(server, process)
            make_template(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            process.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_template(server: Server) -> None:
    """A database with the newest tables, and beside them what the migrations put into them."""
    server.execute(f"CREATE DATABASE {server.template}")
    ledger = Ledger(server.url(server.template), KEY)
    ledger.migrate()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA pristine")
        for table in KEPT:
            connection.exec_driver_sql(f"CREATE TABLE pristine.{table} AS TABLE public.{table}")
    ledger.close()


def wait_until_it_answers(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((server.folder / "log").read_text(errors="replace"))
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """A new database without tables."""
    name = f"test_{time.time_ns()}"
    postgres_server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres_server.url(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """A database with the newest tables and nothing in them.

    A new one takes a third of a second, so the last test's is emptied, and made anew only where its tables were
    touched or something still holds on to it.
    """
    server = postgres_server
    try:
        with psycopg.connect(server.url(WORKED_IN), options="-c lock_timeout=2s", connect_timeout=5) as connection:
            empty(connection)
    except psycopg.Error:
        server.execute(f"DROP DATABASE IF EXISTS {WORKED_IN} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {WORKED_IN} TEMPLATE {server.template}")
    return server.url(WORKED_IN)


def empty(connection: psycopg.Connection[Any]) -> None:
    """Every table is as the migrations left it."""
    everything = ", ".join(f'"{name}"' for name in tables.metadata.tables)
    connection.execute(f"TRUNCATE {everything}".encode())
    for table in KEPT:
        connection.execute(f'INSERT INTO "{table}" SELECT * FROM pristine."{table}"'.encode())


@pytest.fixture(scope="session")
def migrated_sqlite() -> Iterator[Path]:
    """An SQLite ledger with the newest tables, closed, to be copied."""
    with tempfile.TemporaryDirectory(prefix="bridge-ledger-", dir=quick_folder()) as folder:
        path = Path(folder) / "migrated.sqlite"
        ledger = Ledger(f"sqlite:///{path}", KEY)
        ledger.migrate()
        ledger.close()
        yield path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path) -> str:
    """A new SQLite ledger with the newest tables and nothing in them; always of the same name."""
    path = migrated_sqlite.with_name("worked_in.sqlite")
    for ending in ("", "-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    return f"sqlite:///{shutil.copy(migrated_sqlite, path)}"


@pytest.fixture(params=ENGINES)
def ledger_url(request: pytest.FixtureRequest) -> str:
    """A new ledger's address, on each engine in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def reopen(ledger_url: str) -> Iterator[Reopen]:
    """Opens the same ledger again, as another worker would; all are closed at the end."""
    opened: list[Ledger] = []

    def another(key: bytes = KEY) -> Ledger:
        opened.append(Ledger(ledger_url, key))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def engines() -> dict[str, Engine]:
    """One engine for each address, for the whole suite: what was compiled for one test is used by the next."""
    return {}


@pytest.fixture
def ledger(ledger_url: str, engines: dict[str, Engine]) -> Iterator[Ledger]:
    """A new, empty ledger, on each engine in turn."""

    def kept(url: str) -> Engine:
        if url not in engines:
            engines[url] = open_engine(url)
        return engines[url]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bridge.store.ledger.open_engine", kept)
        one = Ledger(ledger_url, KEY)
    yield one
    one.close()
