"""A synthetic family's twelve resources, and ways to break them."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from bridge.fhir.definitions import load
from bridge.fhir.validate import Validator
from bridge.model import Severity

FAMILY = Path(__file__).parent / "family.json"
PACKAGES = Path(__file__).resolve().parents[3] / "../shared/data/fhir-packages"
ABSENT = "the FHIR packages are kept beside the project (../shared/data/fhir-packages) and are not here"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
GONE = object()

Resource = dict[str, Any]


def bundle() -> Resource:
    """The family as a collection Bundle of twelve resources."""
    found: Resource = json.loads(FAMILY.read_text(encoding="utf-8"))
    return found


def sample(kind: str) -> Resource:
    """The family's resource of this type (there is one of each)."""
    return next(entry["resource"] for entry in bundle()["entry"] if entry["resource"]["resourceType"] == kind)


def changed(resource: Resource, changes: dict[str, Any]) -> Resource:
    """A copy with values put at dotted paths (numbers are list positions), or taken away with GONE."""
    made = copy.deepcopy(resource)
    for path, value in changes.items():
        *above, last = (int(step) if step.isdigit() else step for step in path.split("."))
        target: Any = made
        for step in above:
            target = target[step]
        if value is GONE:
            del target[last]
        elif isinstance(target, list) and last == len(target):
            target.append(value)
        else:
            target[last] = value
    return made


@lru_cache(maxsize=1)
def validator() -> Validator:
    """One validator for all tests: it takes 0.2 s to build."""
    return Validator(load())


def errors(resource: Resource, *profiles: str) -> dict[str, set[str]]:
    """The codes of the findings that are no information, each with the paths it was found at."""
    found: dict[str, set[str]] = {}
    for finding in validator().check(resource, profiles or None, advise=False):
        assert finding.severity is not Severity.INFORMATION
        found.setdefault(finding.code, set()).add(finding.path)
    return found
