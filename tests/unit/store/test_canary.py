"""R24: what people said is in no byte of the database, whatever column it might have slipped into."""

from __future__ import annotations

from pathlib import Path

import psycopg
from sqlalchemy import make_url

from bridge.model import EntryState, Stands
from bridge.store import tables
from bridge.store.engine import sqlite_path
from bridge.store.ledger import Ledger, get_blobs
from tests.unit.store.making import (
    CHILD,
    begin,
    claim,
    claim_lane,
    entry_plan,
    finish,
    item,
    keep,
    link,
    release,
    rows,
    save,
)  # fmt: skip

PHRASES = ("raw", "parts", "patient", "request", "receipt", "link")
LONG = 200  # so often said that it is compressed before it is encrypted


def planted(place: str) -> str:
    return f"canary of the {place} Ñandú"


def everything(url: str) -> bytes:
    """Every byte of the database: SQLite's files, or each table of PostgreSQL copied out in binary."""
    path = sqlite_path(make_url(url))
    if path is not None:
        return b"".join(
            Path(f"{path}{end}").read_bytes() for end in ("", "-wal", "-shm") if Path(f"{path}{end}").exists()
        )
    found = b""
    with psycopg.connect(url) as connection:
        for table in tables.metadata.sorted_tables:
            with connection.cursor().copy(f'COPY "{table.name}" TO STDOUT (FORMAT binary)'.encode()) as copy:
                found += b"".join(bytes(part) for part in copy)
    return found


def test_nothing_that_was_said_is_readable_in_the_database(ledger: Ledger) -> None:
    said = {place: planted(place).encode() * (LONG if place in ("parts", "request") else 1) for place in PHRASES}
    keep(ledger, item("c1", said["raw"]), item("c2", said["raw"] * LONG))
    for work in claim(ledger):
        assert save(ledger, work, entry_plan(), parts={CHILD: said["parts"]}, patients={CHILD: said["patient"]})
    assert link(ledger, planted("link"))
    lane = claim_lane(ledger)
    for entry in lane.entries:
        _, step = begin(ledger, lane, entry, request=said["request"])
        there = Stands("doc-1", "1", "d1")
        assert finish(ledger, lane, entry, EntryState.DELIVERED, stands=there, step=step, receipt=said["receipt"])
    assert release(ledger, lane)
    with ledger.read() as connection:
        kept = get_blobs(connection, ledger.keys, [row["id"] for row in rows(ledger, tables.blob)])
    for place in PHRASES:
        assert any(planted(place).encode() in plain for plain in kept.values()), f"{place} was not kept at all"

    for stage in ("open", "closed"):
        found = everything(ledger.url)
        assert CHILD.encode() in found, "the search finds what is there"
        for place in PHRASES:
            for part in (planted(place), f"canary of the {place}", "canary", "Ñandú"):
                for spelt in (part.encode(), part.encode("utf-16-le"), part.encode().hex().encode()):
                    assert spelt not in found, f"{place}, {stage}"
        ledger.close()
