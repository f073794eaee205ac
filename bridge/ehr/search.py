"""Searches: how one is asked so that no URL carries whom it looks for, and how its pages are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bridge.ehr.capability import Capability
from bridge.ehr.outcome import issues
from bridge.ehr.received import json_object
from bridge.fhir.client import same_origin
from bridge.model import Answer, AnswerClass, Request, Response, type_json

FRESH = {"Cache-Control": "no-cache"}
"""On every search: one server otherwise repeats a result for a minute (`facts`: hapi)."""

FORM = "application/x-www-form-urlencoded"
PAGE = 100
MOST_PAGES = 50
"""Pages one search is followed; beyond, it proves nothing."""

MOST_BYTES = 40 * 1024 * 1024
"""Bytes of one search's pages, unpacked, beyond which no further page is asked for: likewise, it proves nothing."""

_HIDES = frozenset({"suppressed", "incomplete", "timeout", "too-costly", "throttled", "exception", "security"})


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: its resources of the type asked for, the link to the next ("" = none), and whether the
    server said that it held something back.
    """

    resources: tuple[type_json, ...] = field(repr=False)
    next: str = ""
    whole: bool = True


def search(capability: Capability, type: str, parameters: tuple[tuple[str, str], ...]) -> Request:
    """A search of the type: by POST where the server takes it, else by GET; never out of a cache."""
    if capability.searches(type, "_count").yes:
        parameters = (*parameters, ("_count", str(PAGE)))
    if capability.by_post(type):
        return Request("POST", f"{type}/_search", {**FRESH, "Content-Type": FORM}, body=urlencode(parameters).encode())
    return Request("GET", type, FRESH, query=parameters)


def page(response: Response, type: str) -> Page | None:
    """The page in a successful answer; None where it is no searchset.

    `whole` is False where an issue among the entries says that something was held back or failed.
    """
    bundle = json_object(response.body)
    if bundle is None or bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("searchset", None):
        return None
    resources = list(_resources(bundle))
    outcomes = [issue for resource in resources for issue in issues(resource, type)]
    hidden = any(issue.is_error or issue.code in _HIDES for issue in outcomes)
    found = tuple(resource for resource in resources if resource.get("resourceType") == type)
    return Page(found, _next(bundle), not hidden)


def next_page(page: Page, base: str) -> Request | None:
    """The request for the next page, or None where there is none or it leads to another origin: then the search proves
    nothing, for a token goes nowhere else.
    """
    if not page.next or not same_origin(base, page.next):
        return None
    return Request("GET", page.next, FRESH)


def refused_post(request: Request, answer: Answer) -> bool:
    """Whether the server takes no search by POST: `(type, capability.SEARCH_BY_POST)` is learned and GET asked."""
    return request.method == "POST" and answer.kind is AnswerClass.UNSUPPORTED


def _resources(bundle: type_json) -> Iterator[type_json]:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def _next(bundle: type_json) -> str:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return ""
