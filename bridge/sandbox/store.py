"""What the EHR holds: every resource with its versions, in memory, indexed by patient and by identifier."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from bridge.sandbox.parameters import Parameters, identifiers, references
from bridge.sandbox.paths import Json


@dataclass(slots=True)
class Version:
    """One version as it is served; `visible` is the monotonic second from which searches see it."""

    id: str
    resource: Json
    body: bytes
    at: str
    visible: float


@dataclass(slots=True)
class Entry:
    """One resource: its versions, oldest first, and whether a client made it or it was loaded as the practice's own."""

    type: str
    id: str
    loaded: bool
    copy_of: str = ""  # the id of what it is a copy of, filed again behind its maker's back
    versions: list[Version] = field(default_factory=list)

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def seen(self, at: float) -> Version | None:
        """The newest version searches see at this monotonic second."""
        for version in reversed(self.versions):
            if version.visible <= at:
                return version
        return None


class Store:
    """Resources by type and id; `ids` and `versions` are the shape's ways to number them."""

    def __init__(self, parameters: Parameters, ids: str, versions: str) -> None:
        self._parameters = parameters
        self._ids = ids
        self._versions = versions
        self.clear()

    def clear(self) -> None:
        """Nothing is held; numbering starts again."""
        self._types: dict[str, dict[str, Entry]] = defaultdict(dict)
        self._by_patient: dict[tuple[str, str], dict[str, Entry]] = defaultdict(dict)
        self._by_identifier: dict[tuple[str, str], dict[str, Entry]] = defaultdict(dict)
        self._count = 0

    def get(self, kind: str, id: str) -> Entry | None:
        """The resource of that type and id, if there is one."""
        return self._types[kind].get(id) if kind in self._types else None

    def all(self, kind: str | None = None) -> Iterator[Entry]:
        """Every resource of the type, or of all types, in the order they came."""
        for held in [self._types.get(kind, {})] if kind else list(self._types.values()):
            yield from held.values()

    def of_patient(self, kind: str, id: str) -> Iterable[Entry]:
        """Resources of the type that ever named this patient; the caller looks again."""
        return self._by_patient.get((kind, id), {}).values()

    def of_identifier(self, kind: str, value: str) -> Iterable[Entry]:
        """Resources of the type that ever had an identifier of this value; the caller looks again."""
        return self._by_identifier.get((kind, value), {}).values()

    def create(
        self, resource: Json, visible: float = 0.0, *, id: str = "", loaded: bool = False, copy_of: str = ""
    ) -> Entry:
        """A new resource is held, with an id of its own unless one is given."""
        kind = str(resource["resourceType"])
        entry = Entry(kind, id or self.new_id(kind), loaded, copy_of)
        self._types[kind][entry.id] = entry
        self.replace(entry, resource, visible)
        return entry

    def replace(self, entry: Entry, resource: Json, visible: float = 0.0) -> Version:
        """The entry has a new current version."""
        self._count += 1
        at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        number = str(12_000_000 + self._count) if self._versions == "opaque" else str(len(entry.versions) + 1)
        meta = {key: value for key, value in _object(resource.get("meta")).items() if key != "versionId"}
        meta = (
            {**meta, "lastUpdated": at}
            if self._versions == "none"
            else {"versionId": number, **meta, "lastUpdated": at}
        )
        rest = {key: value for key, value in resource.items() if key not in ("resourceType", "id", "meta")}
        stamped = {"resourceType": entry.type, "id": entry.id, "meta": meta, **rest}
        version = Version(number, stamped, orjson.dumps(stamped), at, visible)
        entry.versions.append(version)
        for patient in references(self._parameters.patient(entry.type), stamped, "Patient"):
            self._by_patient[entry.type, patient][entry.id] = entry
        for _, value in identifiers(self._parameters.identifier(entry.type), stamped):
            self._by_identifier[entry.type, value][entry.id] = entry
        return version

    def new_id(self, kind: str) -> str:
        """An id nothing has yet, in the shape's way."""
        self._count += 1
        if self._ids == "numeric":
            return str(18_000_000 + self._count)
        digest = hashlib.blake2b(f"{kind}/{self._count}".encode(), digest_size=16).hexdigest()
        if self._ids == "opaque":
            return f"e{digest[:22]}"
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
