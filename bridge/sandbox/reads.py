"""read, vread and search: what a client sees, in the shape's way."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from bridge.sandbox.answers import FHIR_JSON, Finding, Refusal, Reply, note
from bridge.sandbox.call import Call, Pairs
from bridge.sandbox.ehr import Ehr
from bridge.sandbox.parameters import BadValue, Parameter, literal, matches
from bridge.sandbox.paths import Json
from bridge.sandbox.store import Entry, Version

PAGES_HELD = 500  # searches whose further pages can still be asked for


@dataclass(slots=True)
class Query:
    """A search as the shape reads it: ids asked for, criteria, page size, and what was not supported."""

    ids: list[str] | None = None
    criteria: list[tuple[Parameter, str, str]] = field(default_factory=list)
    size: int = 0
    unknown: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


def read(ehr: Ehr, call: Call) -> Reply:
    """The current version, or for a vread that version."""
    entry = ehr.store.get(call.type, call.id)
    versions = [version for version in entry.versions if version.id == call.version] if entry and call.version else []
    if entry and not call.version:
        versions = [entry.now]
    if not versions:
        raise Refusal(Finding("not-found", call.type))
    if call.type == "Patient" and call.id in ehr.merged and ehr.shape.conduct.merged.chosen == "redirected":
        raise Refusal(Finding("merged", call.type, located=f"{call.base}/Patient/{ehr.merged[call.id]}"))
    return Reply(200, [("content-type", FHIR_JSON), *stamps(ehr, versions[0])], versions[0].body)


def stamps(ehr: Ehr, version: Version) -> list[tuple[str, str]]:
    """ETag and Last-Modified of a version; without an ETag where the shape has no versions."""
    modified = ("last-modified", format_datetime(datetime.fromisoformat(version.at).astimezone(UTC), usegmt=True))
    return [modified] if ehr.shape.conduct.versions.chosen == "none" else [("etag", f'W/"{version.id}"'), modified]


def search(ehr: Ehr, call: Call) -> Reply:
    """A searchset page: of a new search, or the one a next link asks for."""
    asked = call.parameters(ehr.shape.conduct.post_search.chosen == "body")
    held = next((value for name, value in asked if name == ehr.shape.conduct.page.link), None)
    if held is not None:
        return _page(ehr, call, *_held(ehr, held))
    query = parse(ehr, call.type, asked)
    found = [entry.id for entry, _ in find(ehr, call.type, query, time.monotonic())]
    number = str(next(reversed(ehr.pages), "0").partition("-")[0])
    token = f"{int(number) + 1}-{query.size}"
    if len(found) > query.size > 0:
        ehr.pages[token] = found
        while len(ehr.pages) > PAGES_HELD:
            ehr.pages.popitem(last=False)
    return _page(ehr, call, token, found, 0, query)


def parse(ehr: Ehr, kind: str, asked: Pairs) -> Query:
    """The search these parameters ask for; `Refusal` where the shape refuses them."""
    conduct, offered, query = ehr.shape.conduct, ehr.searches[kind], Query(size=ehr.shape.conduct.page.size)
    for written, value in asked:
        name, _, modifier = written.partition(":")
        if name not in offered:
            if name != "_format":
                query.unknown.append(name)
            continue
        parameter = offered[name]
        if parameter is not None:
            query.criteria.append((parameter, modifier, value))
        elif name == "_id":
            query.ids = value.split(",")
        elif name == conduct.page.parameter:
            query.size = _size(name, value, conduct.page.most)
        query.names.add(name)
    if query.names & set(conduct.page.not_with):
        query.size = conduct.page.size
    if query.unknown and conduct.unknown_parameter.chosen == "refused":
        raise Refusal(Finding("parameter-unknown", kind))
    needs = ehr.shape.resources[kind].needs
    if needs and not any(query.names.issuperset(names) for names in needs):
        raise Refusal(Finding("parameter-missing", kind))
    if conduct.unqualified.chosen == "refused" and query.ids is None and not query.criteria:
        raise Refusal(Finding("parameter-missing", kind))
    return query


def find(ehr: Ehr, kind: str, query: Query, at: float) -> Iterator[tuple[Entry, Version]]:
    """Resources of the type that match, as searches see them at this monotonic second."""
    for entry in _candidates(ehr, kind, query):
        version = entry.seen(at)
        try:
            if version and all(matches(*criterion, version.resource) for criterion in query.criteria):
                yield entry, version
        except BadValue as error:
            raise Refusal(Finding("parameter-invalid", f"{kind}.{error}")) from None


def _candidates(ehr: Ehr, kind: str, query: Query) -> Iterable[Entry]:
    """The shortest list the indexes give that holds every match."""
    if query.ids is not None:
        return [entry for id in dict.fromkeys(query.ids) if (entry := ehr.store.get(kind, id))]
    for parameter, modifier, value in query.criteria:
        if "," in value or modifier == "missing":
            continue
        if parameter.name == "identifier" and not value.endswith("|"):
            return list(ehr.store.of_identifier(kind, value.partition("|")[2] if "|" in value else value))
        if parameter.kind == "reference" and parameter.name in ("patient", "subject"):
            target, id = literal(value) if "/" in value else (modifier or parameter.target, value)
            if target == "Patient" and ehr.parameters.patient(kind):
                return list(ehr.store.of_patient(kind, id))
    return list(ehr.store.all(kind))


def _size(name: str, value: str, most: int) -> int:
    if not value.isdecimal():
        raise Refusal(Finding("parameter-invalid", name))
    return min(int(value), most)


def _held(ehr: Ehr, token: str) -> tuple[str, list[str], int, Query]:
    key, _, start = token.rpartition("-")
    if key not in ehr.pages or not start.isdecimal():
        raise Refusal(Finding("page-expired"))
    return key, ehr.pages[key], int(start), Query(size=int(key.partition("-")[2]))


def _page(ehr: Ehr, call: Call, token: str, found: list[str], start: int, query: Query) -> Reply:
    conduct, end = ehr.shape.conduct, start + query.size
    links = [{"relation": "self", "url": f"{call.base}/{call.type}" + (f"?{call.query}" if call.query else "")}]
    if end < len(found) and query.size:
        following = urlencode({conduct.page.link: f"{token}-{end}"})
        links.append({"relation": "next", "url": f"{call.base}/{call.type}?{following}"})
    entries: list[Json] = []
    for id in found[max(0, start - conduct.page.repeats) : end]:
        entry = ehr.store.get(call.type, id)
        version = entry and entry.seen(time.monotonic())
        if version:
            content: Any = orjson.Fragment(version.body)
            url = f"{call.base}/{call.type}/{id}"
            entries.append({"fullUrl": url, "resource": content, "search": {"mode": "match"}})
    for code, text in _notes(ehr, found, query):
        entries.append({"resource": note(ehr.shape, code, text), "search": {"mode": "outcome"}})
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    if entries:
        bundle["entry"] = entries
    return Reply(200, [("content-type", FHIR_JSON)], orjson.dumps(bundle), ignored=len(query.unknown))


def _notes(ehr: Ehr, found: list[str], query: Query) -> Iterator[tuple[str, str]]:
    conduct = ehr.shape.conduct
    if query.unknown and conduct.unknown_parameter.chosen == "noted":
        yield conduct.unknown_parameter.code, "An unknown query parameter was supplied by the client."
    if not found and conduct.empty_search.chosen == "noted":
        yield conduct.empty_search.code, "Resource request returns no results."
