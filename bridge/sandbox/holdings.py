"""What the EHR holds, seen from the outside: loading as the practice would, counting, and looking for doubles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Literal

import orjson

from bridge.sandbox.call import is_id
from bridge.sandbox.ehr import Ehr
from bridge.sandbox.parameters import identifiers, literal
from bridge.sandbox.paths import Json, compile_path, readdressed, values
from bridge.sandbox.store import Entry

_TITLE = compile_path("content.attachment.title")


def load_all(ehr: Ehr, content: Any) -> list[Entry]:
    """A Bundle's resources, a list's or the one are held as the practice's own, past every rule and visible at once.

    An id given is kept (a resource of that id gets a new version); references to a Bundle entry's `fullUrl` become
    references to what it was stored as. `ValueError`, and nothing stored, when one is not a resource.
    """
    orjson.dumps(content)  # nothing is held that cannot be served
    named, addresses = [], {}
    for resource, url in _resources(content):
        id = str(resource.get("id") or ehr.store.new_id(str(resource["resourceType"])))
        named.append({**resource, "id": id})
        if url:
            addresses[url] = f"{resource['resourceType']}/{id}"
    return [_held(ehr, readdressed(resource, addresses)) for resource in named]


def count(ehr: Ehr) -> dict[str, dict[str, int]]:
    """Per type: resources held, those clients made, those loaded, and versions beyond the first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in ehr.store.all():
        counts["counts"][entry.type] += 1
        counts["loaded" if entry.loaded else "received"][entry.type] += 1
        counts["updates"][entry.type] += len(entry.versions) - 1
    return {name: dict(counts[name]) for name in ("counts", "received", "loaded", "updates")}


def repeated(ehr: Ehr, by: Literal["identifier", "title"], kind: str | None) -> Json:
    """Groups of resources of one type that share an identifier or an attachment's title, and how many are too many.

    Only groups with something a client made count; a document that another replaces (`relatesTo`) is no double of it.
    """
    replaced = {literal(target) for entry in ehr.store.all() for target in _replaced(entry.now.resource)}
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in ehr.store.all(kind):
        if (entry.type, entry.id) not in replaced:
            for key in dict.fromkeys(_keys(ehr, entry, by)):
                groups[entry.type, key].append(entry)
    doubles = [group for group in groups.values() if len(group) > 1 and not all(entry.loaded for entry in group)]
    told = [{"type": group[0].type, "ids": [entry.id for entry in group]} for group in doubles]
    return {"by": by, "duplicates": sum(len(group) - 1 for group in doubles), "groups": told}


def stored(entry: Entry) -> Json:
    """One resource as held, with its earlier versions, for the sandbox's own address."""
    history = [orjson.Fragment(version.body) for version in entry.versions[:-1]]
    held = {
        "type": entry.type,
        "id": entry.id,
        "version": entry.now.id,
        "loaded": entry.loaded,
        "copy_of": entry.copy_of,
    }
    return {**held, "resource": orjson.Fragment(entry.now.body), "history": history}


def _keys(ehr: Ehr, entry: Entry, by: str) -> Iterator[str]:
    if by == "title":
        yield from (str(value) for value in values(entry.now.resource, _TITLE))
    else:
        found = identifiers(ehr.parameters.identifier(entry.type), entry.now.resource)
        yield from (f"{system}|{value}" for system, value in found)


def _replaced(resource: Json) -> Iterator[Any]:
    related = resource.get("relatesTo")
    for item in related if isinstance(related, list) else ():
        if isinstance(item, dict) and item.get("code") == "replaces":
            yield item.get("target")


def _resources(content: Any) -> list[tuple[Json, str]]:
    items = content if isinstance(content, list) else [content]
    if isinstance(content, dict) and content.get("resourceType") == "Bundle":
        entries = [entry for entry in content.get("entry", []) if isinstance(entry, dict)]
        found = [(entry.get("resource"), str(entry.get("fullUrl") or "")) for entry in entries]
    else:
        found = [(item, "") for item in items]
    for index, (resource, _) in enumerate(found):
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise ValueError(f"item {index} is not a resource")
        if not is_id(str(resource.get("id", "1"))):
            raise ValueError(f"item {index} has an id that is not a FHIR id")
    return [(resource, url) for resource, url in found if isinstance(resource, dict)]


def _held(ehr: Ehr, resource: Json) -> Entry:
    entry = ehr.store.get(str(resource["resourceType"]), str(resource["id"]))
    if entry is None:
        return ehr.store.create(resource, id=str(resource["id"]), loaded=True)
    ehr.store.replace(entry, resource)
    return entry
