"""Ids are unique whoever takes them."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from bridge.errors import LedgerError
from bridge.store.ids import BLOCK, Ids
from bridge.store.ledger import Ledger
from tests.postgres import Reopen

ROOT = Path(__file__).resolve().parents[3]
TAKE = """
import sys
from bridge.store.ledger import Ledger
ledger = Ledger(sys.argv[1], bytes(32))
print(*(ledger.ids.take() for _ in range(3000)))
ledger.close()
"""


def test_threads_and_workers_never_share_one(ledger: Ledger, reopen: Reopen) -> None:
    workers = [ledger, reopen(), reopen()]

    def take(number: int) -> list[int]:
        return [workers[number % 3].ids.take() for _ in range(BLOCK // 2 + 1)]

    with ThreadPoolExecutor(6) as pool:
        taken = [one for some in pool.map(take, range(6)) for one in some]
    assert len(set(taken)) == len(taken) == 6 * (BLOCK // 2 + 1)


def test_processes_never_share_one(ledger: Ledger) -> None:
    command = [sys.executable, "-c", TAKE, ledger.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        mine: list[int] = []
        while other.poll() is None or len(mine) < 3 * BLOCK:
            mine.append(ledger.ids.take())
            time.sleep(0.0001)
        theirs = [int(one) for one in other.communicate(timeout=60)[0].split()]
    assert len(theirs) == 3000
    assert len({*mine, *theirs}) == len(mine) + 3000


def test_ids_that_were_not_durably_reserved_are_not_given_out(ledger: Ledger) -> None:
    """The database fails after the block was read: what is given out next is a block of its own."""
    ids = Ids(ledger.engine)
    first = ids.take()
    ids._next = ids._end

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    event.listen(ledger.engine, "commit", fail)
    with pytest.raises(OSError, match="no space"):
        ids.take()
    event.remove(ledger.engine, "commit", fail)
    others = Ids(ledger.engine).take()
    mine = ids.take()
    assert mine >= others + BLOCK
    assert first + BLOCK <= others


def test_a_database_that_cannot_be_asked_is_a_ledger_error(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE counter RENAME TO elsewhere")
    with pytest.raises(LedgerError) as caught:
        ledger.ids.take()
    assert caught.value.problems[0].code == "ledger-ids"
