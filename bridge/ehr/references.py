"""References of a canonical part as this chart knows them: the EHR's Patient, what of ours already stands, else a name.

A reference to what the chart does not have stays as words (FHIR: a logical reference), never as a link that leads
nowhere: real servers refuse those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.model import type_json

PART_SYSTEM = "urn:dyad-bridge:part"
"""The identifier system of a part that is named without standing in the chart; its value is the part's opaque id."""

SUBJECTS = ("subject", "patient", "for")
_PATIENT = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9\-._~]{1,255})(?:/_history/[^/]*)?")
_LITERAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


def person_of(resource: type_json) -> str:
    """The canonical `Patient/<id>` the resource is about, or ""."""
    for key in SUBJECTS:
        found = resource.get(key)
        if isinstance(found, dict) and str(found.get("reference", "")).startswith("Patient/"):
            return str(found["reference"])
    return ""


def chart_of(resource: type_json) -> str:
    """The EHR's Patient id in whose chart a resource it gave stands; "" where it does not say."""
    for key in SUBJECTS:
        found = resource.get(key)
        said = _PATIENT.fullmatch(str(found.get("reference", ""))) if isinstance(found, dict) else None
        if said is not None:
            return said[1]
    return ""


def rewrite(resource: type_json, patient: str, standing: Mapping[str, str], named: Mapping[str, Any]) -> type_json:
    """The resource with each literal reference as the chart knows it.

    `patient` is the EHR's `Patient/<id>` of the person the resource is about; any other Patient is only named.
    `standing` maps canonical to EHR references of our own deliveries, `named` canonical references to the identifier of
    a part that does not stand there. Contained (`#…`) and absolute references stay.
    """
    known = {**standing, person_of(resource): patient}

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("reference"), str):
            return _reference(node, known, named)
        return {key: walk(item) for key, item in node.items()}

    return {key: walk(item) for key, item in resource.items()}


def _reference(node: type_json, known: Mapping[str, str], named: Mapping[str, Any]) -> type_json:
    literal = _LITERAL.fullmatch(node["reference"])
    if literal is None:
        return node
    if node["reference"] in known:
        return {**node, "reference": known[node["reference"]]}
    rest = {key: item for key, item in node.items() if key != "reference"}
    identifier = rest.get("identifier") or named.get(node["reference"]) or {"system": PART_SYSTEM, "value": literal[2]}
    return {**rest, "type": literal[1], "identifier": identifier}
