"""Names that are assigned: whether anything reads them, what they hide, and what an unread one reads."""

from __future__ import annotations

from bridge.mappings.fhirpath.reads import Reading, reads
from bridge.mappings.fhirpath.shapes import root_shape
from bridge.mappings.fpml.template import trees
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.walking import Named, Walked


def check_names(subject: Subject, walked: Walked) -> None:
    """The names of one part."""
    for named in walked.named:
        if named.hides:
            rule = f"%{named.name} means something here already"
            subject.say("assign-hides", named.place.key, rule, named.name, "choose another name")
        if not named.used:
            subject.say("assign-unused", named.place.key, f"nothing reads %{named.name}", named.name, "take it out")
            _check_reads(subject, named)


def _check_reads(subject: Subject, named: Named) -> None:
    """What a name reads flows nowhere, and may not be read all the same."""
    kind = subject.kind
    reading = Reading(shape=root_shape(kind.schema.document))
    for node in trees(named.value):
        for read in sorted(reads(node, reading)):
            path = tuple(read.path.split("."))
            step = "take it out of the mapping"
            if any(path[-len(never) :] == never for never in kind.never):
                subject.say("mapping-never", node.position, "this field is never collected", read.path, step)
            elif any(path[: len(kept)] == kept for kept in kind.agency_only):
                subject.say("mapping-agency-only", node.position, "this field stays at the agency", read.path, step)
