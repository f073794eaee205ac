"""The plans of the hot queries: through their indexes, never through a whole table.

SQLite plans without looking at the data, so an empty ledger shows its plans. PostgreSQL weighs costs: its ledger holds
5,000 families' rows (most of them settled, as in a ledger that has worked for a while) and was analysed; no planner
setting is touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Select

from bridge.store import holds, lanes, persons, plans, records, rollups, tables, telling, views
from bridge.store.ledger import Ledger
from tests.postgres import ENGINES, KEY, Server
from tests.unit.store.listening import Statement, statements
from tests.unit.store.making import AGENCY, CONSENT_KEY, NOW, a_day

FAMILIES = 5_000
LARGE = (
    "person",
    "blob",
    "record",
    "translation",
    "lane",
    "entry",
    "member",
    "step",
    "hold",
    "consent",
    "link",
    "audit",
)
FILL = """
INSERT INTO person (id, agency, source, wrapped_key, wrapping_key)
  SELECT n, 'harbor', 'family-' || n, '', '' FROM generate_series(1, {n}) n;
INSERT INTO blob (id, agency, person, codec, content)
  SELECT n, 'harbor', 1 + mod(n, {n}), 'none', '' FROM generate_series(1, 2 * {n}) n;
INSERT INTO record (id, agency, program, thing, kind, source_id, ordinal, version, person, position, digest, state,
                    final, void, accepted_at, raw_blob, due_at)
  SELECT n, 'harbor', 'visits', 'harbor/kind/' || n, 'kind', 'f' || n, 1, '', 1 + mod(n, {n}), n, 'd', 'translated',
         true, false, 0, n, CASE WHEN mod(n, 100) = 0 THEN 9000000000000000 END FROM generate_series(1, 2 * {n}) n;
INSERT INTO lane (id, agency, practice, person, due_at)
  SELECT n, 'harbor', 'elm-street', n, CASE WHEN mod(n, 100) = 0 THEN 9000000000000000 END
  FROM generate_series(1, {n}) n;
INSERT INTO entry (id, agency, program, practice, lane, person, thread, name, kind, route, resource_type, parts, rank,
                   record, position, state, should, should_digest, reference, updated_at)
  SELECT n, 'harbor', 'visits', 'elm-street', 1 + mod(n, {n}), 1 + mod(n, {n}), 'harbor/kind/' || n, 'document', 'kind',
         'document', 'DocumentReference', 'note', 0, n, n, CASE WHEN mod(n, 50) = 0 THEN 'held' ELSE 'delivered' END,
         true, 'd', 'DB-' || n, 0 FROM generate_series(1, 2 * {n}) n;
INSERT INTO member (entry, thing, record, parts)
  SELECT n, 'harbor/kind/' || n, n, 'note' FROM generate_series(1, {n}) n;
INSERT INTO translation (record, person, parts_blob) SELECT n, 1 + mod(n, {n}), n FROM generate_series(1, 2 * {n}) n;
INSERT INTO step (id, agency, practice, entry, record, action, digest, begun_at)
  SELECT n, 'harbor', 'elm-street', n, n, 'create', 'd', 0 FROM generate_series(1, 2 * {n}) n;
INSERT INTO hold (id, agency, record, entry, reason, waits_for, owner, rule, next_step, opened_at, due_at, closed_at)
  SELECT n, 'harbor', CASE WHEN mod(n, 2) = 0 THEN n END, CASE WHEN mod(n, 2) = 1 THEN n END, 'consent',
         'consent:' || n, 'agency', '', '', 0, 0, CASE WHEN mod(n, 5) > 0 THEN 1 END FROM generate_series(1, {n}) n;
INSERT INTO consent (id, agency, person, practice, start, terms_blob, source, recorded_at, recorded_by)
  SELECT n, 'harbor', n, 'elm-street', 0, n, 'roster', 0, '' FROM generate_series(1, {n}) n;
INSERT INTO link (id, agency, person, practice, value_hash, value_blob, basis, recorded_at, recorded_by)
  SELECT n, 'harbor', n, 'elm-street', 'hash-' || n, n, 'roster', 0, '' FROM generate_series(1, {n}) n;
INSERT INTO audit (id, agency, at, actor, action, object, seal)
  SELECT n, 'harbor', 0, 'ana', 'read', 'record:1', 1 FROM generate_series(1, 2 * {n}) n;
UPDATE counter SET next = 1000000 WHERE name = 'id';
"""


@pytest.fixture(scope="module")
def filled_postgres(postgres_server: Server) -> Iterator[str]:
    postgres_server.execute(f"CREATE DATABASE filled TEMPLATE {postgres_server.template}")
    with psycopg.connect(postgres_server.url("filled"), autocommit=True) as connection:
        connection.execute(FILL.format(n=FAMILIES).encode())
        connection.execute("ANALYZE")
    yield postgres_server.url("filled")
    postgres_server.execute("DROP DATABASE filled WITH (FORCE)")


@pytest.fixture(params=ENGINES)
def filled(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A ledger that its engine plans for as for a large one."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "filled_postgres")
    ledger = Ledger(url, KEY)
    yield ledger
    ledger.close()


def plan(ledger: Ledger, statement: Statement) -> list[str]:
    """The plan, a line for each step of it."""
    how = "EXPLAIN (FORMAT JSON) " if ledger.many_writers else "EXPLAIN QUERY PLAN "
    with ledger.engine.connect() as connection:
        found = connection.exec_driver_sql(how + statement.text, statement.parameters).all()
    if not ledger.many_writers:
        return [str(row[-1]) for row in found]
    return list(nodes(found[0][0][0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[str]:
    """PostgreSQL's plan in words like SQLite's."""
    kind, table, index = node["Node Type"], node.get("Relation Name", ""), node.get("Index Name", "")
    yield f"SCAN {table}" if kind == "Seq Scan" else f"SEARCH {table} USING INDEX {index}" if index else kind
    for child in node.get("Plans", ()):
        yield from nodes(child)


def whole_tables(lines: list[str]) -> list[str]:
    """The steps that go through a large table, or through all of an index."""
    return [line for line in lines if re.match(rf"SCAN ({'|'.join(LARGE)})\b", line)]


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("ix_record_due", records.due_query(NOW, 64)),
        ("ix_lane_due", lanes.due_query(NOW, 32, ())),
        ("ix_lane_due", lanes.due_query(NOW, 32, ("oak-lane", "high-road"))),
        ("ix_lane_due", lanes.due_query(NOW, 32, (), lanes.URGENT)),
        ("ix_lane_due", lanes.due_query(NOW, 1, (), lanes.REPLAY, ("oak-lane",))),
        ("ix_lane_due", lanes.urgent_query(NOW, 32, ("oak-lane",))),
        ("ix_entry_lane", lanes.entries_query([11, 12, 13])),
        ("ix_lane_person", lanes.of_persons([11, 12, 13])),
    ],
    ids=[
        "records due",
        "lanes due",
        "lanes due, some practices closed",
        "urgent",
        "replay",
        "quiet",
        "entries of lanes",
        "lanes of persons",
    ],
)
def test_a_hot_query_uses_its_index(filled: Ledger, index: str, query: Select[Any]) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        connection.execute(query).all()
    lines = plan(filled, said[-1])
    assert whole_tables(lines) == []
    assert any(f"INDEX {index}" in line for line in lines), lines


def test_the_open_holds_of_a_key_are_found_by_it(filled: Ledger) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        holds.open_among(connection, tables.hold.c.waits_for.in_([CONSENT_KEY, "consent:9"]))
    lines = plan(filled, said[-1])
    assert whole_tables(lines) == []
    assert any("INDEX ix_hold_waits_for" in line for line in lines), lines


@pytest.mark.parametrize("column", ["record", "entry"])
def test_the_open_holds_of_a_thing_are_found_by_it(filled: Ledger, column: str) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        holds.still_held(connection, tables.hold.c[column], [11, 12])
    lines = plan(filled, said[-1])
    assert whole_tables(lines) == []
    assert any(f"INDEX ix_hold_{column}" in line for line in lines), lines


def test_whether_a_practice_is_full_asks_for_what_waits_alone(filled: Ledger) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        assert views.full_practices(connection, ["elm-street"], 100_000) == frozenset()
    lines = plan(filled, said[-1])
    assert whole_tables(lines) == []
    assert any("INDEX ix_entry_state" in line for line in lines), lines


def test_the_roll_ups_of_a_thing_and_the_members_of_a_roll_up_are_found_by_them(filled: Ledger) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        rollups.told(connection, ["harbor/kind/7", "harbor/kind/8"])
        connection.execute(plans.TOUCHED, {"people": [7], "things": ["harbor/kind/7"]}).all()
        rollups.members(connection, filled, 7, 8)
        telling.entries_of(connection, ["harbor/kind/7"])
    for statement in said:
        assert whole_tables(plan(filled, statement)) == [], statement.text
    assert any("INDEX ix_member_thing" in line for line in plan(filled, said[0]))


def test_the_versions_of_a_thing_are_found_by_its_name(filled: Ledger) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        records.versions(connection, {"harbor/kind/7", "harbor/kind/8"})
    lines = plan(filled, said[-1])
    assert whole_tables(lines) == []
    wanted = "uq_record_thing_ordinal" if filled.many_writers else "sqlite_autoindex_record"
    assert any(wanted in line for line in lines), lines


def test_persons_are_found_by_agency_and_source(filled: Ledger) -> None:
    with filled.engine.begin() as connection, statements(filled) as said:
        persons.fetch(connection, [(AGENCY, "family-7"), (AGENCY, "family-8")])
    lines = plan(filled, said[-1])
    assert whole_tables(lines) == []
    wanted = "uq_person_agency_source" if filled.many_writers else "sqlite_autoindex_person"
    assert any(wanted in line for line in lines), lines


def test_no_statement_of_the_line_goes_through_a_whole_table(filled: Ledger) -> None:
    """Two records from the door to the chart, with everything people say meanwhile: every statement is explained."""
    with statements(filled) as said:
        a_day(filled)
    explained = 0
    for statement in {one.text: one for one in said if re.match("SELECT|UPDATE|DELETE|WITH", one.text)}.values():
        if "audit" in statement.text and "UPDATE" not in statement.text and "seal IS NULL" not in statement.text:
            continue
        assert whole_tables(plan(filled, statement)) == [], statement.text[:500]
        explained += 1
    assert explained > 30
