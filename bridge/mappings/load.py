"""Files → kinds, mappings and tables, ready to run; or every problem in them at once, each with file:line:column.

A set of files is a plain mapping of relative path to text, so that the set in force can be kept in the ledger and read
back there by every worker. Paths: `PACK/NAME.kind.yaml`, `PACK/NAME.yaml`, `PACK/tables/NAME.csv`, beside which a
`NAME.yaml` may say what the table is; the project's own
files are the pack `project`, and its tables add rows to the packs' tables of the same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path as FilePath
from pathlib import PurePosixPath

from bridge.errors import ConfigError, Problem
from bridge.mappings import canonicals
from bridge.mappings import source as sources
from bridge.mappings.kindfile import read_kind
from bridge.mappings.kinds import Kind
from bridge.mappings.mappingfile import Laid, MappingFile, RecordMapping, read_mapping
from bridge.mappings.rowplaces import PROJECT as PROJECT
from bridge.mappings.tablefile import read_about, read_table
from bridge.mappings.tables import About, Table
from bridge.mappings.watching import Watching

PACK = "pack.yaml"
"""The file that makes a folder a pack."""
CASES = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class Mappings:
    """All that is needed to open and translate records; `mappings` goes by the kind a mapping reads."""

    kinds: Mapping[str, Kind]
    mappings: Mapping[str, RecordMapping]
    tables: Mapping[str, Table]
    hash: str


def available_packs() -> list[str]:
    """The packs that ship with the bridge."""
    return sorted(entry.name for entry in _packs().iterdir() if entry.joinpath(PACK).is_file())


def read_packs(names: Iterable[str], project_dir: FilePath | None = None) -> dict[str, str]:
    """The files of these packs and of the project's own `mappings/` and `tables/`, cases left out; with what they name
    of the packages added to the project.

    Raises ConfigError for a pack that is not there or a file that is not UTF-8.
    """
    return {path: text for path, text in read_all(names, project_dir).items() if not path.endswith(CASES)}


def read_all(names: Iterable[str], project_dir: FilePath | None = None) -> dict[str, str]:
    """As `read_packs`, with the cases."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name in names:
        if name not in available_packs():
            rule = f"there is no pack of this name; there are {', '.join(available_packs())}"
            problems.append(Problem("pack-unknown", rule, field=name))
            continue
        _collect(_packs().joinpath(name), name, found, problems)
    if project_dir is not None:
        for folder in ("mappings", "tables", "cases"):
            path = project_dir / folder
            inside = f"{PROJECT}/tables" if folder == "tables" else PROJECT
            if path.is_dir():
                _collect(path, inside, found, problems)
        canonicals.collect(project_dir / canonicals.FOLDER, PROJECT, found, problems)
    if problems:
        raise ConfigError(problems)
    return found


def read_pack(folder: FilePath) -> dict[str, str]:
    """The files of a pack that is being worked on, with its cases, under the folder's own name.

    Raises ConfigError for a file that is not UTF-8.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    _collect(folder, folder.name, found, problems)
    if problems:
        raise ConfigError(problems)
    return found


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a set of files says, as far as it can be read, and every problem in it; `laid` goes by mapping name."""

    mappings: Mappings
    kind_sources: Mapping[str, sources.Source]
    laid: Mapping[str, Laid]
    problems: tuple[Problem, ...]


def load(files: Mapping[str, str], watching: Watching | None = None) -> Mappings:
    """The kinds, mappings and tables in a set of files. Raises ConfigError with every problem there is.

    With `watching` they are slower, and say what cases reach of them. Without, the same files are read once a process.
    """
    found = read_files(files, watching) if watching is not None else _read_once(tuple(sorted(files.items())))
    if found.problems:
        raise ConfigError(found.problems)
    return found.mappings


def read_files(files: Mapping[str, str], watching: Watching | None = None) -> Loaded:
    """As `load`, with the places of what was read, and with the problems instead of an exception."""
    problems: list[Problem] = []
    tables = _tables(files, problems)
    kinds: dict[str, Kind] = {}
    kind_sources: dict[str, sources.Source] = {}
    broken: set[str] = set()
    for file, text in sorted(files.items()):
        if file.endswith(".kind.yaml") and (source := _source(file, text, problems)):
            kind = read_kind(source, problems)
            if kind is not None and kind.name in kinds:
                where = source.where(("kind",))
                problems.append(Problem("kind-twice", "another file declares this kind", where, kind.name))
            if kind is not None:
                kinds[kind.name], kind_sources[kind.name] = kind, source
            elif isinstance(source.value, dict):
                broken.add(str(source.value.get("kind")))
    written = [
        MappingFile.of(source, PurePosixPath(file).parts[0], problems)
        for file, text in sorted(files.items())
        if file.endswith(".yaml") and not file.endswith((".kind.yaml", CASES, "/pack.yaml")) and not _of_table(file)
        if (source := _source(file, text, problems))
    ]
    by_name = {one.name: one for one in written if one is not None}
    official = canonicals.of_files(files, problems)
    canonicals.add_tables((entry for one in by_name.values() for entry in one.tables), tables, official)
    extended = {one.extends for one in by_name.values()}
    mappings: dict[str, RecordMapping] = {}
    laid: dict[str, Laid] = {}
    for name, one in by_name.items():
        found = read_mapping(one, by_name, kinds, tables, official, problems, frozenset(broken), watching)
        if found is None or name in extended:
            continue
        mapping = found.mapping
        if mapping.kind in mappings:
            rule = f"{mappings[mapping.kind].name} reads this kind too; let one extend the other"
            problems.append(Problem("mapping-twice", rule, one.source.where(("reads",)), mapping.kind))
        mappings[mapping.kind], laid[name] = mapping, found
    return Loaded(Mappings(kinds, mappings, tables, digest(files)), kind_sources, laid, tuple(dict.fromkeys(problems)))


@lru_cache(maxsize=4)
def _read_once(files: tuple[tuple[str, str], ...]) -> Loaded:
    """What was read is never changed, and reading it is most of a command's time."""
    return read_files(dict(files))


def digest(files: Mapping[str, str]) -> str:
    """A hash of a set of files by path and content; cases do not count."""
    running = hashlib.sha256()
    for path, text in sorted(files.items()):
        if not path.endswith(CASES):
            for piece in (path, text):
                data = piece.encode(errors="surrogatepass")
                running.update(len(data).to_bytes(8, "big") + data)
    return running.hexdigest()


def _source(file: str, text: str, problems: list[Problem]) -> sources.Source | None:
    """The values of a file, None where reading it found it to be no YAML."""
    before = len(problems)
    source = sources.read(file, text, problems)
    return None if source.value is None and len(problems) > before else source


def _tables(files: Mapping[str, str], problems: list[Problem]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    own: list[tuple[str, str, Table]] = []
    for file, text in sorted(files.items()):
        path = PurePosixPath(file)
        if path.suffix != ".csv" or len(path.parts) < 3 or path.parts[1] != "tables":
            continue
        pack = path.parts[0] if len(path.parts) == 3 else path.parts[2]
        beside = str(path.with_suffix(".yaml"))
        source = _source(beside, files[beside], problems) if beside in files else None
        about = read_about(source, problems) if source is not None else About()
        table = read_table(f"{pack}/{path.stem}", file, text, problems, about)
        if path.parts[0] == PROJECT:
            own.append((pack, path.stem, table))
        else:
            tables[table.name] = table
    for pack, name, table in own:
        full = [
            known for known in tables if known == f"{pack}/{name}" or (pack == PROJECT and known.endswith(f"/{name}"))
        ]
        for known in full or [table.name]:
            tables[known] = tables.get(known, Table(known)).overlaid(table)
    return tables


def _of_table(file: str) -> bool:
    return PurePosixPath(file).parts[1] == "tables"


def _packs() -> Traversable:
    return package_files("bridge.mappings").joinpath("packs")


def _collect(folder: Traversable | FilePath, path: str, found: dict[str, str], problems: list[Problem]) -> None:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        here = f"{path}/{entry.name}"
        if entry.is_dir():
            _collect(entry, here, found, problems)
        elif entry.name.endswith((".yaml", ".csv")):
            try:
                found[here] = entry.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError:
                problems.append(Problem("file-encoding", "this file is not UTF-8", here, next_step="save it as UTF-8"))
