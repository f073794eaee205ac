"""An agency's export files read by a query that yields one JSON record a row.

The query is SQL in a file, run by DuckDB over one folder, which it names as `getvariable('folder')`:

    SELECT json FROM read_json_objects(getvariable('folder') || '/clients.json', format = 'array')

It returns one column of type JSON (or STRUCT), or several columns, which become the object's keys. DuckDB reads files
below the folder and nothing else: no network, no other file, no extension, no writing, no Python object.
(duckdb.org/docs/stable/operations_manual/securing_duckdb/overview, seen 2026-11-22; each refusal has a test.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.errors import ConfigError, Problem
from bridge.intake.rows import Limits, Row, StrictJson, as_row, unreadable

if TYPE_CHECKING:
    import duckdb

_BATCH = 500
_TEXT_IT = "select it as text, or strftime(…, '%Y-%m-%dT%H:%M:%SZ') of an instant in UTC"


def read_query(query: Path, folder: Path, *, limits: Limits | None = None) -> Iterator[Row | Problem]:
    """Every record the query in the file `query` makes of the export files in `folder`, in the query's order.

    Raises ConfigError where DuckDB is not installed. A query that cannot run, or stops in the middle, is a Problem
    that names its line; DuckDB's own words are not passed on, because they quote the data.
    """
    limits = limits or Limits()
    try:
        import duckdb
    except ModuleNotFoundError:
        raise ConfigError(missing_package("a query over an export", "duckdb")) from None
    if not query.is_file():
        yield unreadable(query.name, "missing", "there must be a file of this name")
        return
    if not folder.is_dir():
        yield unreadable(folder.name, "missing", "there must be a folder of this name")
        return
    connection = _open(folder, limits)
    try:
        yield from _run(connection, query, limits)
    except (duckdb.Error, UnicodeError) as error:  # UnicodeError: the query itself, or a string, is not UTF-8
        yield _failed(query.name, error)
    finally:
        connection.close()


def shipped_query(kind: str) -> Path | None:
    """The query that the pack of a kind brings for the export its records come from, where it brings one."""
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", kind):
        return None
    pack, name = kind.split("/")
    path = Path(str(files("bridge.mappings").joinpath("packs", pack, "queries", f"{name}.sql")))
    return path if path.is_file() else None


def missing_package(task: str, package: str) -> Problem:
    """The problem of a format whose reader is an extra."""
    rule = f"{task} needs the package {package}, which is not installed"
    return Problem(code="file-package", rule=rule, next_step="pip install 'dyad-bridge[collect]'")


def _open(folder: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    """A connection in memory that can read below `folder` and nothing else, and cannot be told otherwise."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",  # else a table name may read a Python variable
            "temp_directory": "",  # records are never spilled to disk in the clear
            "memory_limit": f"{limits.query_mib}MiB",
            "threads": str(limits.query_threads),
        },
    )
    place = str(folder.resolve())
    connection.execute("SET VARIABLE folder = ?", [place])
    connection.execute("SET allowed_directories = ['{}']".format(place.replace("'", "''")))
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _run(connection: duckdb.DuckDBPyConnection, query: Path, limits: Limits) -> Iterator[Row | Problem]:
    import duckdb

    text = query.read_text(encoding="utf-8-sig")
    try:
        statements = connection.extract_statements(text)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            yield unreadable(query.name, "query", "a query file must hold one SELECT statement and nothing else")
            return
        relation = connection.sql(statements[0].query, alias="record")
    except duckdb.Error as error:
        yield _failed(query.name, error, at_line=True)
        return
    kinds = [str(kind) for kind in relation.types]
    for column, kind in zip(relation.columns, kinds, strict=True):
        if "TIME" in kind:  # their JSON spelling is DuckDB's own, not the source's
            rule = "a date-time must leave the query as text, as the source wrote it"
            yield Problem(code="file-query", rule=rule, where=query.name, field=column, next_step=_TEXT_IT)
            return
    if len(kinds) == 1 and kinds[0] == "JSON":
        texts = relation.project("CAST(#1 AS VARCHAR)")  # the text as it stood in the file: 7.00 stays 7.00
    elif len(kinds) == 1 and kinds[0].startswith("STRUCT"):
        texts = relation.project("CAST(to_json(#1) AS VARCHAR)")
    else:
        texts = relation.project("CAST(to_json(record) AS VARCHAR)")
    strict, index = StrictJson(), 0
    result = connection.execute(texts.sql_query())
    while batch := result.fetchmany(_BATCH):
        for (text,) in batch:
            index += 1
            yield _row(strict, text, index, f"{query.name} row {index}", limits)


def _row(strict: StrictJson, text: str | None, index: int, where: str, limits: Limits) -> Row | Problem:
    text = text or "null"
    try:
        value, _, fault = strict.take(text)
    except ValueError:
        return unreadable(where, "json", "the row must be JSON")
    return as_row(value, fault, text, index, where, limits)


def _failed(name: str, error: Exception, at_line: bool = False) -> Problem:
    """The problem of a query that did not run, from the error's class and, before it ran, its line only."""
    found = re.search(r"^LINE (\d+):", str(error), re.MULTILINE) if at_line else None
    where = f"{name}:{found.group(1)}" if found else name
    kind = type(error).__name__.removesuffix("Exception").removesuffix("Error")
    rule = f"the query must run over this folder; DuckDB answered with an error of its kind {kind}"
    return unreadable(where, "query", rule, _NEXT.get(kind, _RUN_IT))


_RUN_IT = "run it in DuckDB's own shell: its message says more, and quotes the data"
_NEXT = {
    "IO": "a file it reads is not in the folder: compare the names",
    "Permission": "it reads a file outside the folder: begin each path with getvariable('folder')",
    "OutOfMemory": "it needs more memory than `query_mib` allows",
}
