"""FHIR packages (`.tgz`): read safely, and a site's own added to its project folder as compact definitions."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import orjson

from bridge.errors import DefinitionError, Problem
from bridge.fhir.compact import STANDARD, Compactor, Skipped
from bridge.fhir.definitions import FORMAT, load
from bridge.fhir.terminology import FOLDER, at_hand, compact

MOST_ARCHIVE = 64 * 1024 * 1024  # bytes of the .tgz; the R4 core package has 4.5 million
MOST_UNPACKED = 512 * 1024 * 1024  # bytes of all members together
MOST_MEMBER = 32 * 1024 * 1024
MOST_MEMBERS = 50_000
KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap")
NAME = re.compile(r"[a-z][a-zA-Z0-9-]*(\.[a-zA-Z0-9-]+)+")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,39}")


@dataclass(frozen=True, slots=True)
class Package:
    """What a FHIR package holds that the bridge needs: `resources` by type, in the order of the archive."""

    name: str
    version: str
    resources: dict[str, list[dict[str, Any]]]

    @property
    def label(self) -> str:
        return f"{self.name}#{self.version}"


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a package came to. `skipped` are definitions that cannot be used here, with the reason;
    `uncovered` are invariants that are kept but not checked, because nobody compiled them. `listed` are the value sets
    whose codes are all there, `open` those that cannot be listed; these and `concept_maps` stand in `codes`.
    """

    package: str
    file: Path
    profiles: tuple[str, ...]
    value_sets: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    uncovered: tuple[str, ...]
    codes: Path
    listed: tuple[str, ...]
    open: tuple[str, ...]
    concept_maps: tuple[str, ...]


def add_package(path: Path, directory: Path) -> Added:
    """The package's profiles stand as one compact file in `directory` (made if absent), and its value sets and
    ConceptMaps, for mappings that name them, as one in a folder inside it.

    The files of an earlier addition of the same package and version are replaced. Raises `DefinitionError` when `path`
    is not a FHIR R4 package with snapshots, is too large, or holds nothing usable; then nothing is written.
    """
    package = read_package(path)
    shipped = load()
    targets = {STANDARD + name: name for name in shipped.resources}
    targets.update((url, profile.type) for url, profile in shipped.profiles.items())
    compactor = Compactor(package.label, package.resources, shipped.types, shipped.invariants, targets)
    profiles = compactor.profiles()
    codes = compact(package.label, package.resources, at_hand())
    if not (profiles or codes["value_sets"] or codes["concept_maps"]):
        rule = "a package to add holds a profile on a type the bridge knows, with its snapshot, or codes or ConceptMaps"
        raise DefinitionError(_wrong(path, "definitions-nothing-usable", rule, "build the package with snapshots"))
    document = {"format": FORMAT, "package": package.label, **compactor.document(profiles=profiles)}
    target = directory / f"{package.name}-{package.version}.json"
    write(document, target)
    beside = directory / FOLDER / target.name
    write(codes, beside)
    return Added(
        package=package.label,
        file=target,
        profiles=tuple(profiles),
        value_sets=tuple(document["value_sets"]),
        skipped=tuple(compactor.skipped),
        uncovered=tuple(sorted(document["invariants"])),
        codes=beside,
        listed=tuple(codes["value_sets"]),
        open=tuple(codes["open"]),
        concept_maps=tuple(codes["concept_maps"]),
    )


def write(document: dict[str, Any], target: Path) -> None:
    """`target` holds the document, one definition a line (small, and differences can be read)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            rows = (f"{_dump(key)}:{_dump(item)}" for key, item in value.items())
            lines.append(f"{_dump(name)}:{{\n" + ",\n".join(rows) + "\n}")
        else:
            lines.append(f"{_dump(name)}:{_dump(value)}")
    half = target.with_suffix(".part")
    half.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    half.replace(target)


def read_package(path: Path) -> Package:
    """The package's definitions, read in memory; nothing is unpacked to disk.

    Raises `DefinitionError` for anything that is not a FHIR R4 package of acceptable size.
    """
    try:
        if path.stat().st_size > MOST_ARCHIVE:
            raise DefinitionError(
                _wrong(path, "definitions-too-large", f"a package has at most {MOST_ARCHIVE >> 20} MiB")
            )
        members = dict(_members(path))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        rule, step = "a FHIR package is a gzipped tar archive", "take the package.tgz of the implementation guide"
        raise DefinitionError(_wrong(path, "definitions-not-a-package", rule, step)) from error
    manifest = members.pop("package.json", None)
    if not isinstance(manifest, dict):
        rule = "a FHIR package has package/package.json"
        raise DefinitionError(_wrong(path, "definitions-no-manifest", rule))
    name, version = str(manifest.get("name", "")), str(manifest.get("version", ""))
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
        rule = "package.json names the package (like hl7.fhir.us.core) and its version"
        raise DefinitionError(_wrong(path, "definitions-bad-manifest", rule))
    releases = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or []
    if not any(str(release).startswith("4.0.") for release in releases):
        rule = "the package is for FHIR R4 (fhirVersions 4.0.x)"
        raise DefinitionError(
            _wrong(path, "definitions-wrong-release", rule, "ask for the R4 edition of this implementation guide")
        )
    resources: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for content in members.values():
        kind = content.get("resourceType") if isinstance(content, dict) else None
        if kind in resources:
            resources[str(kind)].append(content)
    return Package(name, version, resources)


def _members(path: Path) -> Iterator[tuple[str, Any]]:
    """(file name, parsed JSON) of package.json and the definitions directly in `package/`."""
    unpacked = 0
    with tarfile.open(path, mode="r:gz") as archive:
        for count, member in enumerate(archive):
            unpacked += member.size
            if unpacked > MOST_UNPACKED or member.size > MOST_MEMBER or count > MOST_MEMBERS:
                raise DefinitionError(
                    _wrong(path, "definitions-too-large", f"a package unpacks to at most {MOST_UNPACKED >> 20} MiB")
                )
            inside = PurePosixPath(member.name)
            if inside.is_absolute() or ".." in inside.parts or not (member.isfile() or member.isdir()):
                rule = "every member of a package is a plain file inside it"
                raise DefinitionError(_wrong(path, "definitions-unsafe-member", rule))
            if inside.parts[:1] != ("package",) or len(inside.parts) != 2 or inside.suffix != ".json":
                continue
            if inside.name != "package.json" and not inside.name.startswith(KINDS):
                continue
            stream = archive.extractfile(member)
            if stream is not None:
                yield inside.name, _json(path, inside.name, stream)


def _json(path: Path, name: str, stream: IO[bytes]) -> Any:
    try:
        return orjson.loads(stream.read())
    except orjson.JSONDecodeError as error:
        problem = Problem("definitions-bad-json", "a definition is JSON", f"{path.name}:{name}")
        raise DefinitionError(problem) from error


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _wrong(path: Path, code: str, rule: str, next_step: str = "") -> Problem:
    return Problem(code, rule, path.name, next_step=next_step)
