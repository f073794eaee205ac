"""Rows → the files of a draft."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import BridgeError, ConfigError, Problem
from bridge.mappings.draft.columns import NEVER, Column, Sort, columns
from bridge.mappings.draft.declarations import declared
from bridge.mappings.draft.formats import as_named
from bridge.mappings.draft.kindtext import kind_lines
from bridge.mappings.draft.profile import Node, profile
from bridge.mappings.draft.shapes import Source, part_name, title
from bridge.mappings.draft.values import with_values
from bridge.mappings.draft.writing import case_text, mapping_text, query_text, table_text
from bridge.mappings.draft.yamltext import MARK, UNDECIDED
from bridge.mappings.load import load
from bridge.mappings.schema import Field
from bridge.model import type_json


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft: its files by their path in a pack's folder, and how many of the rows its kind would refuse (none)."""

    kind: str
    files: Mapping[str, str]
    columns: Sequence[Column]
    records: int
    refused: int
    problems: Sequence[Problem]

    def unsure(self) -> Iterator[tuple[str, int, str]]:
        """Every line that waits for a person: file, line from 1, and the reason."""
        for path, text in self.files.items():
            if path.endswith(".csv"):
                for number, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
                    if any(cell.startswith(UNDECIDED) for cell in cells):
                        yield path, number, "a row without a code"
            elif path.endswith(".yaml"):
                for number, line in enumerate(text.splitlines(), start=1):
                    if f"{MARK} " in line:
                        yield path, number, line.partition(f"{MARK} ")[2]


def draft(
    rows: Iterable[type_json],
    kind: str,
    source: str,
    *,
    fields: Iterable[str] = (),
    coded: Collection[str] = (),
    taken: Collection[str] = (),
) -> Drafted:
    """The draft of a kind (PACK/NAME) from rows, which are gone through three times and not kept.

    `source` is what the files call their origin; `fields` are those known to be there even if never filled; `coded`
    names those whose values are codes; table names in `taken` are not used. Raises ConfigError for a source that holds
    nothing, or whose first row reads like values instead of names.
    """
    root = profile(rows, fields)
    _usable(root, source)
    name = kind.split("/")[-1]
    found = list(columns(root, coded))
    unknown = sorted(set(coded) - {column.dotted for column in found})
    if unknown:
        raise ConfigError(
            Problem("draft-codes", "names no field of this source", "command line", one) for one in unknown
        )
    guessed = declared(found, name)
    if guessed.identity is None:
        rule = "no field of its records could tell one from another"
        raise ConfigError(Problem("draft-no-id", rule, source, next_step="give each record an id"))
    subject = guessed.subject[0].column.path if guessed.subject else None
    found = list(with_values(found, rows, subject, coded))
    guessed = declared(found, name)
    drawn = Source(
        name,
        root,
        found,
        guessed,
        _table_names(name, [one for one in found if one.path not in guessed.about_the_record], taken),
    )
    files = {
        f"{name}.kind.yaml": "\n".join(kind_lines(kind, title(name), root, found, guessed, source)) + "\n",
        f"{name}.yaml": mapping_text(drawn, kind),
        **{f"tables/{drawn.tables[one.path]}.csv": table_text(one) for one in found if one.path in drawn.tables},
    }
    inside = {f"{kind.split('/')[0]}/{path}": text for path, text in files.items()}
    files[f"{name}.cases.yaml"] = case_text(drawn, kind, inside)
    if source.lower().endswith(".csv") and (query := query_text(drawn, source)):
        files[f"{name}.sql"] = query
    refused, problems = _refused(rows, kind, inside)
    return Drafted(kind, files, found, root.parents, refused, problems)


def _refused(rows: Iterable[type_json], kind: str, files: Mapping[str, str]) -> tuple[int, tuple[Problem, ...]]:
    """How many rows the drafted kind refuses; the problems of the files themselves where they do not load."""
    try:
        drafted = load(files).kinds[kind]
    except BridgeError as error:
        return 0, error.problems
    return sum(1 for row in rows if drafted.check(drafted.strip(row))), ()


def _usable(root: Node, source: str) -> None:
    """Raises ConfigError for a source that nothing can be drafted from. Names may be values, so they are not shown."""
    if root.wide:
        raise ConfigError(Problem("draft-wide", "its records have more fields than a kind can describe", source))
    if not root.parents or not any(child.filled for child in root.children.values()):
        step = "give one with some records in it"
        raise ConfigError(Problem("draft-empty", "no record of this source holds anything", source, next_step=step))
    if root.parents == 1 and len(root.children) > 1 and all(child.is_object for child in root.children.values()):
        rule = "it is one object of objects: are these the records, each under a key of its own?"
        raise ConfigError(Problem("draft-keyed", rule, source, next_step="write them as a list, the key as a field"))
    for number, (name, child) in enumerate(root.children.items(), start=1):
        if not as_named(name) or (child.counts is not None and name in child.counts):
            rule = f"the first row must name the fields; the name of field {number} reads like a value"
            raise ConfigError(Problem("draft-names", rule, source, next_step="put a row with names above the records"))


def _table_names(name: str, found: Sequence[Column], taken: Collection[str]) -> dict[Field, str]:
    """The table of each coded column, under a name that is nobody else's: a project's table overlays its namesakes."""
    named: dict[Field, str] = {}
    for column in found:
        if column.sort is not Sort.CODE or column.stays == NEVER or not column.usable:
            continue
        wanted = "-".join((name, part_name(column)))
        while wanted in taken or wanted in named.values():
            wanted += "-codes"
        named[column.path] = wanted
    return named
