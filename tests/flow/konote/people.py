"""What has to stand beside the KoNote export before any of it may reach a practice, made up for the tests.

The export's own consent fields release nothing. So each client is given, by their place in the list and nothing else,
a practice, a patient number of that practice, and one of seven ways of having agreed or not. All of them are fictional
people; names and birth dates are the export's, because a practice would have the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from bridge.errors import Problem
from bridge.jobs.files import read_query, shipped_query
from bridge.model import type_json

PROJECT = Path(__file__).resolve().parents[3]
EXPORT = PROJECT.parent / "shared" / "data" / "konote" / "export-2026-11-21"
ABSENT = "the KoNote export is kept beside the project (../shared/data/konote) and is not here"

AGENCY = "harbour-house"
PRACTICES = ("riverside", "northgate")
MRN = "urn:oid:2.16.840.1.113883.19.5.{}"  # HL7's example root
FIRST_DAY = "2026-01-01"
"""Before every note of the export."""


class Agreed(StrEnum):
    """How a client stands with their practice; see `consents`."""

    NARRATIVE = "narrative"  # all of it, also what was written
    CODED = "coded"  # facts without narrative
    NOTHING = "nothing"  # was never asked
    OTHER = "other"  # agreed, for the other practice only
    EXPIRED = "expired"  # agreed, for a time that is over
    LATER = "later"  # agreed, for a time that has not begun
    REVOKED = "revoked"  # agreed, and took it back


# Of 20 clients: 9 with narrative, 5 without, and 1 or 2 of each reason to send nothing.
_TURN = (
    *[Agreed.NARRATIVE] * 5,
    *[Agreed.CODED] * 3,
    Agreed.NOTHING,
    Agreed.OTHER,
    *[Agreed.NARRATIVE] * 4,
    Agreed.EXPIRED,
    Agreed.LATER,
    *[Agreed.CODED] * 2,
    Agreed.REVOKED,
    Agreed.NOTHING,
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the export, the practice that knows them, and how they agreed."""

    id: str
    given: tuple[str, ...]
    family: str
    birth_date: str
    practice: str
    number: str
    agreed: Agreed


def clients(export: Path = EXPORT) -> list[Client]:
    """The 107 clients of the export, each with a practice and an agreement, the same on every run."""
    query = shipped_query("konote/client")
    assert query is not None
    found = []
    for row in read_query(query, export):
        assert not isinstance(row, Problem), row
        place, record = row.index - 1, row.record
        found.append(
            Client(
                id=record["id"],
                given=tuple(name for name in (record["first_name"], record["middle_name"]) if name),
                family=record["last_name"],
                birth_date=record["birth_date"],
                practice=PRACTICES[place % len(PRACTICES)],
                number=f"{400000 + 37 * place}",
                agreed=_TURN[place // len(PRACTICES) % len(_TURN)],
            )
        )
    return found


def consents(people: Iterable[Client], today: str = "") -> str:
    """The consents as the CSV an agency imports: `agency,person,practice,from,until,narrative`.

    Whoever is of age by `today` (the real one where none is given) signed as an adult.

    `until` is the last day covered. A revoked consent is in here as it was given; `revoked` says whose it is.
    """
    return _csv(
        ("agency", "person", "practice", "from", "until", "narrative"),
        [(AGENCY, *line) for person in people for line in _consents_of(person, today or date.today().isoformat())],
    )


def _consents_of(person: Client, today: str) -> list[tuple[str, ...]]:
    before, after = int(today[:4]) - 1, int(today[:4]) + 1
    first = _first_day(person, today)
    lines = {
        Agreed.NARRATIVE: (person.practice, first, "", "true"),
        Agreed.CODED: (person.practice, first, "", "false"),
        Agreed.OTHER: (other(person.practice), first, "", "true"),
        Agreed.EXPIRED: (person.practice, f"{before}-01-01", f"{before}-12-31", "true"),
        Agreed.LATER: (person.practice, f"{after}-01-01", "", "true"),
        Agreed.REVOKED: (person.practice, first, "", "true"),
    }
    return [(person.id, *lines[person.agreed])] if person.agreed in lines else []


def _first_day(person: Client, today: str) -> str:
    """The first day of the form: for somebody of age the day on which they could sign themselves, if that is later."""
    year, day = int(person.birth_date[:4]) + 18, person.birth_date[5:]
    of_age = f"{year}-{'03-01' if day == '02-29' else day}"
    return max(FIRST_DAY, of_age) if of_age <= today else FIRST_DAY


def revoked(people: Iterable[Client]) -> list[tuple[str, str]]:
    """The (person, practice) pairs whose consent is taken back after it was given."""
    return [(person.id, person.practice) for person in people if person.agreed is Agreed.REVOKED]


def rosters(people: Iterable[Client]) -> str:
    """The practices' own lists of whom they know, as the CSV they supply: `agency,person,practice,system,value`."""
    return _csv(
        ("agency", "person", "practice", "system", "value"),
        [(AGENCY, person.id, person.practice, system(person.practice), person.number) for person in people],
    )


def patients(people: Iterable[Client], practice: str) -> list[type_json]:
    """The FHIR Patients this practice has loaded in its EHR, with its own numbers and without ids of ours."""
    return [
        {
            "resourceType": "Patient",
            "active": True,
            "identifier": [
                {
                    "use": "usual",
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                    "system": system(practice),
                    "value": person.number,
                }
            ],
            "name": [{"use": "official", "family": person.family, "given": list(person.given)}],
            "gender": "unknown",  # the export has none that could be carried
            "birthDate": person.birth_date,
        }
        for person in people
        if person.practice == practice
    ]


def system(practice: str) -> str:
    """The system of a practice's own patient numbers."""
    return MRN.format(PRACTICES.index(practice) + 1)


def other(practice: str) -> str:
    """The practice a client of this one does not go to."""
    return PRACTICES[1 - PRACTICES.index(practice)]


def _csv(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()
