"""Whether the documents a site asks for can be made and are taken: known at start, not after the first record."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.documents.formats import FORMATS, PDF, missing
from bridge.ehr.facts import vendor
from bridge.errors import Problem
from bridge.settings import Project


def unfit(project: Project) -> Iterator[Problem]:
    """A problem for each practice whose `document.mime` its EHR does not take, or that cannot be made here.

    Raises ConfigError for a vendor nobody knows.
    """
    for name, practice in project.practices.items():
        facts, mime = vendor(project.connections[practice.connection].vendor), practice.document.mime
        field = f"practices.{name}.document.mime"
        taken = facts.document.mimes
        if mime not in taken.value:
            ours = ", ".join(one for one in taken.value if one in FORMATS)
            rule = f"{facts.title} does not take documents as {mime} ({taken.source.what}, seen {taken.source.seen})"
            yield Problem("document-mime", rule, "bridge.yaml", field, f"use one of: {ours}")
        handed = practice.handoff is not None and practice.handoff.format == "pdf"
        problem = missing(PDF if handed else mime)
        if problem is not None:
            yield Problem(problem.code, problem.rule, "bridge.yaml", field, problem.next_step)
