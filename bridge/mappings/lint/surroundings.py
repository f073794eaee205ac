"""What stands beside the mappings: tables nothing lists, cases of what is not there, variations of nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.errors import Problem
from bridge.mappings.load import CASES, Loaded
from bridge.mappings.mappingfile import Laid
from bridge.mappings.rowplaces import RowPlaces
from bridge.mappings.source import Path, Source, read


def unlisted_tables(loaded: Loaded, rows: RowPlaces) -> Iterator[Problem]:
    """Table files that no mapping lists."""
    used = {table.name.rpartition("/")[2] for one in loaded.laid.values() for table in one.mapping.tables.values()}
    for file, name in rows.files.items():
        if name not in used:
            rule = "no mapping lists this table"
            yield Problem("table-unlisted", rule, f"{file}:1:1", name, "list it under `tables`, or delete the file")


def cases_of_nothing(files: Mapping[str, str], loaded: Loaded) -> Iterator[Problem]:
    """Case files of a kind without a mapping, and cases that expect parts their mapping does not make."""
    for file, text in sorted(files.items()):
        if not file.endswith(CASES):
            continue
        problems: list[Problem] = []
        source = read(file, text, problems)
        yield from problems
        if not isinstance(source.value, dict):
            continue
        kind = source.value.get("kind")
        laid = next((one for one in loaded.laid.values() if one.mapping.kind == kind), None)
        if laid is not None:
            yield from _cases(source, laid) if laid.sound else ()
        elif kind is not None and str(kind) not in loaded.kind_sources:
            near = difflib.get_close_matches(str(kind), loaded.kind_sources, 1)
            step = f"did you mean {near[0]}?" if near else ""
            yield Problem("case-kind", "no file declares this kind", _at(source, ("kind",)), str(kind), step)


def _cases(source: Source, laid: Laid) -> Iterator[Problem]:
    parts = {part.name: part.each is not None for part in laid.mapping.parts}
    cases = source.value.get("cases")
    for index, case in enumerate(cases if isinstance(cases, list) else []):
        expect = case.get("expect") if isinstance(case, dict) else None
        for place, name in _named(expect) if isinstance(expect, dict) else ():
            if not _made(str(name), parts):
                near = difflib.get_close_matches(str(name), parts, 1)
                step = f"did you mean {near[0]}?" if near else f"its parts are {', '.join(parts)}"
                where = source.where(("cases", index, "expect", *place, name))
                yield Problem("case-part", f"{laid.mapping.name} makes no such part", where, str(name), step)


def _named(expect: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The parts that an expectation names, and beneath what: of the translation, and of each person's chart."""
    said, charts = expect.get("parts"), expect.get("released")
    yield from ((("parts",), name) for name in (said if isinstance(said, dict) else ()))
    for person, chart in charts.items() if isinstance(charts, dict) else ():
        yield from ((("released", person), name) for name in (chart if isinstance(chart, dict) else ()))


def _made(name: str, parts: Mapping[str, bool]) -> bool:
    """Is it the name of a part, or of an entry of one that is made for each of several."""
    return any(name == part or (each and name.startswith(f"{part}-")) for part, each in parts.items())


def removed_nothing(laid: Laid) -> Iterator[Problem]:
    """Lines of a variation that remove what is not there."""
    if len(laid.chain) < 2:
        return
    below = laid.chain[0].source
    for one in laid.chain[1:]:
        yield from _removed(below.value, one.source.value, one.source, ())
        below = below.override(one.source)


def _removed(base: Any, top: Any, source: Source, path: Path) -> Iterator[Problem]:
    if not isinstance(top, dict):
        return
    for key, value in top.items():
        known = isinstance(base, dict) and key in base
        if value is None and not known:
            near = difflib.get_close_matches(str(key), list(base) if isinstance(base, dict) else [], 1)
            step = f"did you mean {near[0]}?" if near else "take the line out"
            yield Problem("extends-nothing", "there is nothing here to remove", source.where((*path, key)), key, step)
        elif known and isinstance(base, dict):
            yield from _removed(base[key], value, source, (*path, key))


def _at(source: Source, path: Path) -> str:
    place = source.place(path)
    return source.where(path) if place is None else str(place.value)
