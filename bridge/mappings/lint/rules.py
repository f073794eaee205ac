"""All rules that look at more than one line, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge.errors import Problem
from bridge.fhir.definitions import Definitions
from bridge.mappings.lint.bindings import check_bindings
from bridge.mappings.lint.conditions import check_conditions
from bridge.mappings.lint.elements import check_elements
from bridge.mappings.lint.fields import check_fields
from bridge.mappings.lint.identifiers import check_identifiers
from bridge.mappings.lint.labelling import check_labels
from bridge.mappings.lint.lookups import Reached, check_lookups
from bridge.mappings.lint.names import check_names
from bridge.mappings.lint.references import check_references
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.surroundings import cases_of_nothing, removed_nothing, unlisted_tables
from bridge.mappings.lint.walking import walk
from bridge.mappings.load import Loaded
from bridge.mappings.rowplaces import RowPlaces

_OF_PARTS = (check_elements, check_bindings, check_references, check_conditions, check_names)


def looked_at(files: Mapping[str, str], loaded: Loaded, definitions: Definitions) -> Iterator[Problem]:
    """What the rules find in every mapping that was read, and in the tables and cases beside them.

    Where something cannot be read, nothing is said of what is missing for that reason.
    """
    rows, reached = RowPlaces(files), Reached()
    for laid in loaded.laid.values():
        kind = laid.mapping.kind
        kind_source = loaded.kind_sources[kind]
        files_of = (kind_source.file, *(one.source.file for one in laid.chain))
        sound = laid.sound and not any(
            one.where.startswith(tuple(f"{file}:" for file in files_of)) for one in loaded.problems
        )
        subject = Subject(laid, loaded.mappings.kinds[kind], kind_source, definitions, rows, sound)
        walked = list(walk(subject))
        for one in walked:
            for rule in _OF_PARTS:
                rule(subject, one)
        check_identifiers(subject, walked)
        check_lookups(subject, walked, reached)
        if sound:
            check_fields(subject, walked)
            check_labels(subject)
        yield from subject.found
        yield from first_taken(subject)
        yield from removed_nothing(laid)
    if not loaded.problems:
        yield from reached.unreached(rows)
        yield from unlisted_tables(loaded, rows)
    yield from cases_of_nothing(files, loaded)


def first_taken(subject: Subject) -> Iterator[Problem]:
    """Lists that are read as one value (FT11): it compiles, and the rest of them is lost without a word."""
    for part in subject.mapping.parts:
        for template in (part.body, *(section.template for section in part.sections)):
            for issue in template.compiled.issues:
                if issue.code == "FT11":
                    yield issue.as_problem()
