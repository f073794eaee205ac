"""Ids that come out the same on every run, on every machine."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:dyad-bridge")


def stable_id(agency: str, kind: str, source_id: str, part: str) -> str:
    """The FHIR id of one part of one record: 36 characters, lower case, the same whenever it is asked.

    Only `source_id` is the agency's own text; the other three never hold `|`, so no two parts share an id.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{agency}|{kind}|{source_id}|{part}"))


def person_id(agency: str, person: str) -> str:
    """The id of the canonical Patient of a person an agency knows as `person`, child or adult."""
    return stable_id(agency, "person", person, "Patient")


def related_id(agency: str, person: str, patient: str) -> str:
    """The id of the canonical RelatedPerson that says what `person` is to `patient` (FHIR: one patient each)."""
    return stable_id(agency, "related-person", f"{len(patient)}:{patient}|{person}", "RelatedPerson")
