"""A mapping to try, found by name or file, with all it needs: no server, no ledger, no project where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import ConfigError, Problem
from bridge.fhir.validate import Validator
from bridge.jobs.open import OWN_DEFINITIONS, validator
from bridge.mappings.functions import AgencyContext
from bridge.mappings.load import CASES, Mappings, available_packs, load, read_packs
from bridge.mappings.source import read
from bridge.mappings.translate import Translator
from bridge.settings import Project
from bridge.settings.words import nearest

OUTSIDE = AgencyContext("agency", "An agency", "program", "America/New_York")
"""The agency of a record that is tried outside any project."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What records are tried with."""

    translator: Translator
    validator: Validator
    kind: str
    agency: AgencyContext

    @property
    def mapping(self) -> str:
        """The name of the mapping in force for the kind."""
        return self.translator.mappings.mappings[self.kind].name


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody at the command line named: a mapping, packs, and the project and agency, where there are any."""

    mapping: str
    packs: Sequence[str]
    project: Project | None
    agency: AgencyContext

    @property
    def file(self) -> Path | None:
        """The mapping or kind file, where that is what was named."""
        path = Path(self.mapping)
        return path if path.suffix in (".yaml", ".yml") or path.is_file() else None

    def watched(self) -> Iterator[Path]:
        """Every file of mappings, tables and kinds that the next reading would read, packs left out."""
        for ending in ("*.yaml", "*.csv"):
            if self.file is not None:
                yield from self.file.parent.glob(ending)
                yield from (self.file.parent / "tables").glob(ending)
            if self.project is not None:
                for name in ("mappings", "tables"):
                    yield from (self.project.directory / name).rglob(ending)


def opened(asked: Asked) -> Trial:
    """The mapping that was asked for, compiled. Raises ConfigError with every problem there is in its files."""
    if asked.file is not None and not asked.file.is_file():
        raise ConfigError(Problem("try-mapping", "there is no file of this name", str(asked.file)))
    packs, own, directory = _packs(asked), {}, None
    if asked.project is not None:
        directory = asked.project.directory
    if asked.file is not None and not _inside(asked.file, directory):
        own = {path: text for path, text in _folder(asked.file).items() if not path.endswith(CASES)}
        packs = [pack for pack in packs if pack != asked.file.resolve().parent.name]
    mappings = load({**read_packs(packs, directory), **own})
    own_definitions = [str(directory / OWN_DEFINITIONS)] if directory and (directory / OWN_DEFINITIONS).is_dir() else []
    kind = _kind(asked, mappings)
    return Trial(Translator(mappings), validator(*own_definitions), kind, asked.agency)


def _packs(asked: Asked) -> list[str]:
    packs = list(dict.fromkeys([*(asked.project.packs if asked.project is not None else ()), *asked.packs]))
    named = asked.mapping.partition("/")[0]
    if asked.file is None and named in available_packs() and named not in packs:
        packs.append(named)
    return packs


def _inside(file: Path, directory: Path | None) -> bool:
    return directory is not None and file.resolve().is_relative_to(directory.resolve() / "mappings")


def _folder(file: Path) -> dict[str, str]:
    """The YAML files beside a mapping's file, and the tables' below it, as the pack that is called as their folder."""
    pack = file.resolve().parent.name
    found: dict[str, str] = {}
    problems = []
    tables = (file.parent / "tables", f"{pack}/tables")
    for (folder, path), ending in (((file.parent, pack), ".yaml"), (tables, ".csv"), (tables, ".yaml")):
        for entry in sorted(folder.glob(f"*{ending}")):
            try:
                found[f"{path}/{entry.name}"] = entry.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError:
                problems.append(Problem("file-encoding", "this file is not UTF-8", str(entry), "", "save it as UTF-8"))
    if problems:
        raise ConfigError(problems)
    return found


def _kind(asked: Asked, mappings: Mappings) -> str:
    """The kind that the named mapping reads."""
    wanted = asked.mapping
    if asked.file is not None:
        value = read(str(asked.file), asked.file.read_text(encoding="utf-8"), []).value
        wanted = str(value.get("reads") or value.get("kind") or "") if isinstance(value, dict) else ""
        if not wanted:
            rule = "this is neither a mapping (`mapping: …`, `reads: …`) nor a kind (`kind: …`)"
            raise ConfigError(Problem("try-mapping", rule, f"{asked.file}:1"))
    by_name = {mapping.name: kind for kind, mapping in mappings.mappings.items()}
    names = {**by_name, **{kind: kind for kind in mappings.mappings}}
    found = {kind for name, kind in names.items() if wanted in (name, name.split("/")[-1])}
    if wanted in names:
        found = {names[wanted]}
    if len(found) == 1:
        return found.pop()
    if found:
        rule = f"more than one mapping has this name: {', '.join(sorted(found))}"
        raise ConfigError(Problem("try-mapping", rule, "command line", wanted, "name its kind, PACK/NAME"))
    rule = f"no mapping has this name; there are {', '.join(sorted(names)) or 'none'}"
    raise ConfigError(Problem("try-mapping", rule, "command line", wanted, nearest(wanted, names)))
