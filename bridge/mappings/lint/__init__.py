"""Lint: what is wrong with a set of mapping files, seen from the records they read and the FHIR they make.

`lint(files)` gives errors and warnings, each a `Problem` with a code of `codes.py` and a file:line:column. Whatever
`load` refuses is an error here too, under the same code. Nothing is run and no record is needed; files that are broken
or half-written are looked at as far as they can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bridge.errors import Problem
from bridge.fhir.definitions import Definitions
from bridge.fhir.definitions import load as load_definitions
from bridge.mappings.lint.codes import severity_of
from bridge.mappings.lint.drafts import unsure
from bridge.mappings.lint.order import in_order
from bridge.mappings.lint.rules import looked_at
from bridge.mappings.load import read_files
from bridge.model import Severity

__all__ = ["Linted", "lint"]


@dataclass(frozen=True, slots=True)
class Linted:
    """What lint found, in the order of the files and their lines. Warnings never stop a load."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def findings(self) -> tuple[Problem, ...]:
        """Errors and warnings together, in the order of the files and their lines."""
        return in_order((*self.errors, *self.warnings))


@cache
def shipped() -> Definitions:
    """The definitions that ship with the bridge, read once."""
    return load_definitions()


def lint(files: Mapping[str, str], definitions: Definitions | None = None) -> Linted:
    """What is wrong with these files: relative path → text, as `load` takes them; cases may be among them.

    `definitions` are those of FHIR that the site uses; without them, the ones that ship with the bridge.
    """
    loaded = read_files(files)
    found = [*loaded.problems, *unsure(files), *looked_at(files, loaded, definitions or shipped())]
    return Linted(
        errors=in_order(one for one in found if severity_of(one.code) is Severity.ERROR),
        warnings=in_order(one for one in found if severity_of(one.code) is not Severity.ERROR),
    )
