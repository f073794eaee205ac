"""Consents one at a time and as FHIR: given, listed, exported, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from bridge.errors import ConfigError, Problem
from bridge.jobs import rosters
from bridge.mappings import fhirconsent
from bridge.mappings.kinds import Permission
from bridge.model import Consent, type_json
from bridge.moves import granting
from bridge.moves.line import Line
from bridge.store import permissions

EMPTY = dict.fromkeys(("agency", "person", "practice", "from", "until", *rosters.TERMS), "")


def give(line: Line, cells: Mapping[str, str], by: str, now: int) -> bool:
    """One form that a person entered is recorded; False where it was known. `cells` are named as in a list.

    The same form again replaces what was said before; after it was taken back or suspended it is another form. Raises
    ConfigError for cells that make no consent.
    """
    row = rosters.checked(line.project.agencies, {**EMPTY, **cells}, "answer")
    said = rosters.permission(line.project.agencies, row) if isinstance(row, dict) else row
    if isinstance(said, Problem):
        raise ConfigError(said)
    agency, permission = said
    ref = f"person:{rosters.roster_ref(permission)}"
    over = any(
        one.source == "person" and one.start == permission.start and one.grantor == permission.terms.grantor
        for one in of_person(line, agency, permission.person)
        if one.practice == permission.practice and (one.revoked or one.suspended)
    )
    return granting.give(line, agency, permission, f"{ref}/{now}" if over else ref, by, now)


def of_person(line: Line, agency: str, person: str) -> tuple[Consent, ...]:
    """Every form recorded of this person, the latest last."""
    with line.ledger.read() as connection:
        known = permissions.of_persons(connection, line.ledger, agency, [person])
    found = known[person].consents if person in known else ()
    return tuple(sorted(found, key=lambda one: (one.start, one.recorded, one.id)))


def of_agency(line: Line, agency: str) -> Iterator[Consent]:
    """Every form recorded of this agency's persons, one person after the other."""
    with line.ledger.read() as connection:
        for person in permissions.with_consents(connection, agency):
            yield from permissions.of_persons(connection, line.ledger, agency, [person])[person].consents


def as_fhir(line: Line, agency: str, now: int) -> Iterator[type_json]:
    """The agency's forms as Consent resources."""
    return (fhirconsent.to_fhir(one, now) for one in of_agency(line, agency))


def import_fhir(line: Line, agency: str, path: Path, by: str, now: int) -> rosters.Imported:
    """Each Consent of a file (a resource, a Bundle, a list, or one a line) is recorded, or a problem says why not."""
    problems, asked = [], []
    for where, resource in resources(path):
        said = read(line, agency, resource, where, now)
        if isinstance(said, Problem):
            problems.append(said)
            continue
        ref = f"fhir:{identifier(resource) or rosters.roster_ref(said)}"
        asked.append(granting.consent_of(line, agency, said, "fhir", ref, by, now))
    news = granting.give_all(line, asked, now)
    return rosters.Imported(sum(news), len(news) - sum(news), tuple(problems))


def read(line: Line, agency: str, resource: Any, where: str, now: int) -> Permission | Problem:
    """The permission of one resource, for a practice that the agency works with."""
    if not isinstance(resource, dict):
        return Problem("consent-unreadable", "is not a FHIR resource", where)
    said = fhirconsent.from_fhir(resource, agency, line.project.agencies[agency].timezone, now, where)
    if isinstance(said, Permission) and said.practice not in line.project.agencies[agency].practices:
        return Problem("roster-practice", "this agency works with no practice of this id", where, "provision.actor")
    return said


def identifier(resource: type_json) -> str:
    """The sender's own name of a Consent, which recognises it when it comes again; "" where it has none."""
    known = [one for one in resource.get("identifier", ()) if isinstance(one, dict) and one.get("value")]
    return f"{known[0].get('system', '')}|{known[0]['value']}" if known else ""


def resources(path: Path) -> Iterator[tuple[str, Any]]:
    """Where each resource of a file stands, and the resource. Raises ConfigError where there is no JSON in it."""
    try:
        content = path.read_bytes()
    except OSError:
        raise ConfigError(Problem("roster-missing", "there is no file of this name", path.name)) from None
    try:
        if path.suffix == ".ndjson":
            for number, line in enumerate(content.splitlines(), 1):
                if line.strip():
                    yield f"{path.name}:{number}", orjson.loads(line)
            return
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ConfigError(Problem("roster-unreadable", "this is not JSON in UTF-8", path.name)) from None
    listed = whole if isinstance(whole, list) else [whole]
    if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
        listed = [entry.get("resource") for entry in whole.get("entry", ()) if isinstance(entry, dict)]
    for index, one in enumerate(listed, 1):
        yield f"{path.name} item {index}", one
