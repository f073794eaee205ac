"""ConceptMaps and value sets that a mapping names by canonical url: those that ship with the bridge, and a site's own.

What a mapping names of a site's packages goes with its files (`project/definitions/NAME.json`), so that every worker
resolves it alike. A version after `|` is not looked at: the package at hand decides, and its digest is in the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from bridge.errors import DefinitionError, Problem
from bridge.fhir import terminology
from bridge.fhir.terminology import Members, Terminology
from bridge.mappings.conceptmap import take
from bridge.mappings.tables import Table

FHIR = "fhir"
"""The pack that tables made of ConceptMaps are named in."""

FOLDER = "definitions"
TABLE = "table:"
"""What memberOf() takes in place of a value set's url to ask whether a table has a row: `table:NAME`."""

_URL = re.compile(r"(?:https?://|urn:)[^\s'\"|,)\]}]+")


class Canonicals:
    """What is known by url. What ships with the bridge is read when it is first asked for."""

    def __init__(self, own: Iterable[terminology.Raw] = ()) -> None:
        self._own = terminology.terminology(own)

    @cached_property
    def _known(self) -> Terminology:
        base, own = terminology.shipped(), self._own
        opened = {url: drawn for url, drawn in {**base.open, **own.open}.items() if url not in own.value_sets}
        return Terminology(
            {**base.value_sets, **own.value_sets}, opened, {**base.concept_maps, **own.concept_maps}
        )  # fmt: skip

    def members(self, url: str) -> Members | None:
        """The codes of a value set by system, None where they are not at hand."""
        return self._known.value_sets.get(bare(url))

    def why_not(self, url: str) -> tuple[str, str]:
        """Why the codes of a value set are not at hand, and what to do."""
        if bare(url) not in self._known.open:
            return "no value set of this url is here", "correct it, or add its package with `bridge definitions add`"
        drawn = ", ".join(self._known.open[bare(url)]) or "other value sets"
        step = "list the codes that count in a table, and ask memberOf('table:NAME')"
        return f"the codes of this value set cannot be listed: it is drawn from {drawn}", step

    def table(self, url: str) -> Table | None:
        """The ConceptMap of this url as a table, None where there is none. Codes it leaves unclear have no row."""
        found = self._known.concept_maps.get(bare(url))
        return None if found is None else take(found, f"{FHIR}/{PurePosixPath(bare(url)).name}", url).table


def bare(url: str) -> str:
    """A canonical url without its version."""
    return url.split("|")[0]


def is_url(name: str) -> bool:
    """Whether a mapping names something by its canonical url."""
    return _URL.match(name) is not None


def named(entry: Any) -> tuple[str, str]:
    """An entry under `tables:` as (the name its mapping uses, the url or name it stands for).

    `place` and a url stand for themselves; `{use: URL}` gives the url a shorter name.
    """
    if isinstance(entry, dict) and len(entry) == 1:
        ((name, of),) = entry.items()
        return str(name), str(of)
    return str(entry), str(entry)


def by_url(tables: Mapping[str, Table], url: str) -> Table | None:
    """The table that says it is the ConceptMap of this url."""
    return next((table for table in tables.values() if table.about.url == bare(url)), None)


def add_tables(entries: Iterable[Any], tables: MutableMapping[str, Table], canonicals: Canonicals) -> None:
    """The ConceptMaps that these entries name are in `tables` too; a project's rows for them lie over them."""
    for url in sorted({of for _, of in map(named, entries) if is_url(of)}):
        made = canonicals.table(url) if by_url(tables, url) is None else None
        if made is None:
            continue
        name, again = made.name, 1
        while name in tables and tables[name].about.url:  # two urls may end alike
            again += 1
            name = f"{made.name}-{again}"
        made = replace(made, name=name)
        tables[name] = made.overlaid(tables[name]) if name in tables else made


def of_files(files: Mapping[str, str], problems: list[Problem]) -> Canonicals:
    """What a set of files brings with it, and what ships with the bridge."""
    own = []
    for file, text in sorted(files.items()):
        path = PurePosixPath(file)
        if path.parts[1:-1] != (FOLDER,) or path.suffix != ".json":
            continue
        try:
            own.append(orjson.loads(text))
        except orjson.JSONDecodeError:
            problems.append(Problem("definitions-unreadable", "this is not JSON", file))
    return Canonicals(own)


def collect(folder: Path, pack: str, found: dict[str, str], problems: list[Problem]) -> None:
    """What the files of `found` name of the packages added to a project is among them."""
    urls = {url for path, text in found.items() if path.endswith(".yaml") for url in _URL.findall(text)}
    for path in sorted((folder / terminology.FOLDER).glob("*.json")) if urls else ():
        try:
            kept = terminology.picked(terminology.read(path), urls)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        if kept:
            found[f"{pack}/{FOLDER}/{path.name}"] = json.dumps(kept, sort_keys=True, ensure_ascii=False)
