"""Whether what a site asks for can be made, is taken, and exists: known at start, not after the first record."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.documents.formats import FORMATS, PDF, missing
from bridge.ehr import ways
from bridge.ehr.facts import VendorFacts, of_project
from bridge.ehr.presets import of_site
from bridge.errors import ConfigError, Problem
from bridge.settings import Practice, Project
from bridge.settings.words import nearest


def unfit(project: Project) -> Iterator[Problem]:
    """A problem for each document format that a practice's EHR does not take or that cannot be made here, for each way
    in `routes` that there is not, and for all that is wrong in the project's own vendor files and ways.
    """
    try:
        own = ways.of_project(project.ways)
    except ConfigError as error:
        own = ways.shipped()
        yield from error.problems
    known: dict[str, VendorFacts] = {}
    for name in dict.fromkeys(connection.vendor for connection in project.connections.values()):
        try:
            known[name] = of_project(name, project.vendors)
        except ConfigError as error:
            yield from error.problems
    for practice in project.practices.values():
        yield from _routes(practice, own)
        vendor = known.get(project.connections[practice.connection].vendor)
        if vendor is not None:
            yield from _formats(practice, of_site(vendor, practice))


def _formats(practice: Practice, facts: VendorFacts) -> Iterator[Problem]:
    problem = missing(PDF) if practice.handoff is not None and practice.handoff.format == "pdf" else None
    if problem is not None:
        place = f"practices.{practice.id}.handoff.format"
        yield Problem(problem.code, problem.rule, "bridge.yaml", place, problem.next_step)
    taken = facts.document.mimes
    for field, mimes in (("mime", (practice.document.mime,)), ("otherwise", practice.document.otherwise)):
        for mime in mimes:
            place = f"practices.{practice.id}.document.{field}"
            if mime not in taken.value:
                ours = ", ".join(one for one in taken.value if one in FORMATS)
                rule = (
                    f"{facts.title} does not take documents as {mime} ({taken.source.what}, seen {taken.source.seen})"
                )
                yield Problem("document-mime", rule, "bridge.yaml", place, f"use one of: {ours}")
            problem = missing(mime)
            if problem is not None:
                yield Problem(problem.code, problem.rule, "bridge.yaml", place, problem.next_step)


def _routes(practice: Practice, own: ways.Ways) -> Iterator[Problem]:
    for kind, wanted in practice.routes.items():
        place = f"practices.{practice.id}.routes.{kind}"
        if kind not in own.kinds and kind != ways.OTHER and "/" not in kind:
            step = nearest(kind, [*own.kinds, ways.OTHER])
            yield Problem("routes-kind", "no ladder has this name, and it is no PACK/NAME", "bridge.yaml", place, step)
            continue
        known = own.ladder(kind).ways
        for name in wanted:
            if name not in known:
                rule = f"{name} is no way of this kind of record"
                yield Problem("routes-way", rule, "bridge.yaml", place, nearest(name, list(known)))
