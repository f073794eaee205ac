"""Consents as a file says them, with no ledger: a list as CSV, FHIR Consents, or the agency's own records of consents.

Read by the same rules as where they are recorded: the same form again replaces what it said before, and what cannot be
read is a problem and lets nothing leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bridge.errors import Problem, RecordError
from bridge.jobs import rosters
from bridge.jobs.consents import identifier, resources
from bridge.mappings import fhirconsent
from bridge.mappings.kinds import Kind, Permission
from bridge.mappings.records import tidy
from bridge.model import Consent
from bridge.settings import Agency

ELSEWHERE = frozenset({"roster-agency", "roster-practice"})
"""Problems of a list's row that only say that it is about others."""
Form = tuple[str, str, Permission | Problem]
"""Where a form stands in its file, what recognises it when it comes again, and what it says."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a file says of one agency's consents: the forms, by their number where each stands, and what is no consent.

    `elsewhere` counts rows of agencies and practices that are not those asked about.
    """

    consents: tuple[Consent, ...] = field(default=(), repr=False)
    places: Mapping[int, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    elsewhere: int = 0


def read(path: Path, agency: Agency, kinds: Mapping[str, Kind], now: int) -> Signed:
    """Every form of a file about this agency's persons. Raises ConfigError for a file that cannot be read at all."""
    found = list(_listed(path, agency) if path.suffix.lower() == ".csv" else _written(path, agency, kinds, now))
    latest = {ref: (where, said) for where, ref, said in found if isinstance(said, Permission)}
    consents, places = [], {}
    for number, (where, said) in enumerate(latest.values(), 1):
        consents.append(_consent(number, agency.id, said))
        places[number] = where
    problems = [said for _, _, said in found if isinstance(said, Problem)]
    wrong = tuple(one for one in problems if one.code not in ELSEWHERE)
    return Signed(tuple(consents), places, wrong, len(problems) - len(wrong))


def _listed(path: Path, agency: Agency) -> Iterator[Form]:
    agencies = {agency.id: agency}
    for row in rosters.rows_of(agencies, path, rosters.CONSENTS, rosters.TERMS):
        if isinstance(row, Problem):
            yield row.where, "", row
            continue
        found = rosters.permission(agencies, row)
        if isinstance(found, Problem):
            yield found.where, "", found
            continue
        said = found[1]
        yield row["where"], f"{said.person}/{said.practice}/{rosters.roster_ref(said)}", said


def _written(path: Path, agency: Agency, kinds: Mapping[str, Kind], now: int) -> Iterator[Form]:
    for where, one in resources(path):
        if isinstance(one, dict) and "resourceType" in one:
            said = fhirconsent.from_fhir(one, agency.id, agency.timezone, now, where)
            ref = identifier(one) or (rosters.roster_ref(said) if isinstance(said, Permission) else "")
            person = f"{said.person}/{said.practice}/" if isinstance(said, Permission) else ""
            yield where, f"{person}{ref}", said
        else:
            yield _recorded(where, one, agency, kinds, now)


def _recorded(where: str, record: Any, agency: Agency, kinds: Mapping[str, Kind], now: int) -> Form:
    """A record of the first kind that carries consents and whose schema it fits."""
    consenting = [kind for kind in kinds.values() if kind.consent is not None]
    kept = [(kind, kind.strip(record)) for kind in consenting] if isinstance(record, dict) else []
    for kind, one in kept:
        if kind.check(one):
            continue
        try:
            opened = kind.open(tidy(one), agency.timezone)
            said = kind.permission(tidy(one), agency.timezone)
        except RecordError as error:
            return where, "", replace(error.problems[0], where=where)
        if said is not None and opened.final:
            ends = replace(said, revoked=said.revoked or now) if opened.void else said
            return where, f"{kind.name}/{opened.source_id}", ends
        return where, "", Problem("consent-unsigned", "is not signed yet: it counts once it is", where)
    if len(kept) == 1:
        ((kind, one),) = kept
        return where, "", replace(kind.check(one)[0], where=where)
    rule = "is neither a FHIR Consent nor a record of a kind that carries consents"
    return where, "", Problem("consent-unreadable", rule, where, "", "name the pack of its kind with --pack")


def _consent(number: int, agency: str, said: Permission) -> Consent:
    terms = said.terms
    return Consent(
        id=number,
        agency=agency,
        person=said.person,
        practice=said.practice,
        start=said.start,
        until=said.until,
        classes=terms.classes,
        revoked=said.revoked,
        grantor=terms.grantor,
        authority=terms.authority,
        purpose=terms.purpose,
        language=terms.language,
        document=terms.document,
        source="file",
    )
