"""The least a durable step can cost here: six prepared statements of plain sqlite3 in two commits, encrypted as ours.

    python -m bench.floor

CPU and clock microseconds a step, for groups of so many steps a commit. Beside it `bench.line` shows what the ledger's
begin, finish and commit take, with their locks, leases, consents and plans.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from bridge.store import tables
from bridge.store.keys import seal
from bridge.store.ledger import Ledger

GROUPS = (1, 4, 16, 32, 64)
STEPS, ROUNDS = 1280, 3
REQUEST = b'{"resourceType":"DocumentReference","description":"' + b"a visit, and what was said. " * 100 + b'"}'
RECEIPT = b'{"status":201,"failure":"","headers":{"etag":"W/\\"1\\""},"body":""}'
PUT = "INSERT INTO blob (id, agency, person, codec, content) VALUES (?, 'harbor', 1, ?, ?)"
ADD = (
    "INSERT INTO step (id, agency, practice, entry, record, action, digest, consent, begun_at, request_blob)"
    " VALUES (?, 'harbor', 'elm-street', ?, 1, 'create', ?, 1, 1, ?)"
)
SENDING = "UPDATE entry SET state = 'sending', claims = claims + 1, updated_at = 1 WHERE id = ?"
ANSWERED = (
    "UPDATE step SET answered_at = 2, answer = 'done', status = 201, stands_id = ?, receipt_blob = ? WHERE id = ?"
)
DELIVERED = "UPDATE entry SET state = 'delivered', stands_id = ?, due_at = NULL, claims = 0 WHERE id = ?"


def opened(path: Path) -> sqlite3.Connection:
    """A ledger's file with entries to send, opened as the ledger opens it; its foreign keys are not looked up."""
    ledger = Ledger(f"sqlite:///{path}", os.urandom(32))
    ledger.migrate()
    ledger.close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    names = [column.name for column in tables.entry.columns if not column.nullable and column.server_default is None]
    fill = f"INSERT INTO entry ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    connection.execute("BEGIN")
    for number in range(STEPS):
        said = {"id": number, "thread": f"harbor/kind/{number}", "state": "ready"}
        connection.execute(fill, [said.get(name, 1) for name in names])
    connection.execute("COMMIT")
    return connection


def steps(connection: sqlite3.Connection, group: int, first: int) -> tuple[float, float]:
    """CPU and clock seconds a step; `first` is a blob and step id that nobody has yet."""
    key, cpu, wall = os.urandom(32), time.process_time(), time.perf_counter()
    for start in range(0, STEPS, group):
        entries = range(start, start + group)
        connection.execute("BEGIN IMMEDIATE")
        for entry in entries:
            connection.execute(PUT, (first + entry, *seal(key, first + entry, REQUEST)))
            connection.execute(ADD, (first + entry, entry, "digest", first + entry))
            connection.execute(SENDING, (entry,))
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        for entry in entries:
            receipt = first + STEPS + entry
            connection.execute(PUT, (receipt, *seal(key, receipt, RECEIPT)))
            connection.execute(ANSWERED, ("1", receipt, first + entry))
            connection.execute(DELIVERED, ("1", entry))
        connection.execute("COMMIT")
    return (time.process_time() - cpu) / STEPS, (time.perf_counter() - wall) / STEPS


def main() -> int:
    """Prints the table: the best of a few rounds."""
    sys.stdout.write(f"{'steps a commit':>14}{'CPU µs a step':>15}{'clock µs a step':>17}\n")
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        connection = opened(Path(folder) / "ledger.sqlite")
        first = 10**6
        for group in GROUPS:
            found = []
            for _ in range(ROUNDS):
                found.append(steps(connection, group, first))
                first += 2 * STEPS
            cpu, wall = min(found)
            sys.stdout.write(f"{group:14}{1e6 * cpu:15.0f}{1e6 * wall:17.0f}\n")
        connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
