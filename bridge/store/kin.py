"""Who is near a person, by the records that speak of both: for what leaves, read once for all lanes of a claim."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update

from bridge.store import persons, tables
from bridge.store.ledger import Ledger, get_blobs, slices

MOST = 60
"""People at the most beside one person on each step: a family, not an agency."""

one, other, record = tables.translation.alias("one"), tables.translation.alias("other"), tables.record
NEAR = (
    select(one.c.person.label("of"), other.c.person, record.c.person.label("subject"))
    .join(other, other.c.record == one.c.record)
    .join(record, record.c.id == one.c.record)
    .where(one.c.person.in_(bindparam("people", expanding=True)), other.c.person != one.c.person)
    .distinct()
    .order_by(one.c.person, other.c.person)
)
PATIENTS = select(tables.person.c.id, tables.person.c.patient_blob).where(
    tables.person.c.id.in_(bindparam("people", expanding=True)), tables.person.c.patient_blob.isnot(None)
)


@dataclass(frozen=True, slots=True)
class Near:
    """Names: the person's `own`, those of a child's `caregivers` or a caregiver's children, all `others` of the family.

    In the clear only here and in what is made of it; nobody keeps it. `patients` are the canonical Patients (JSON) of
    everybody near.
    """

    own: tuple[str, ...] = field(default=(), repr=False)
    caregivers: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    patients: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class Kin:
    """Who is near each of these people (of a claim's lanes), read for all when somebody first asks about one."""

    people: tuple[int, ...] = ()
    _near: dict[int, Near] | None = field(default=None, repr=False)

    def of(self, ledger: Ledger, person: int) -> Near:
        """Who is near this one of them."""
        if self._near is None:
            with ledger.read() as connection:
                self._near = near(connection, ledger, self.people)
        return self._near.get(person, Near())


@dataclass(frozen=True, slots=True)
class Family:
    """Of one person: those whose own record speaks of them or theirs of those, and whoever is near these."""

    close: frozenset[int]
    others: frozenset[int]


def families(connection: Connection, people: Sequence[int]) -> dict[int, Family]:
    """Who is near each of these people; nobody of whom nobody is near.

    Close are those whose own record speaks of the person, and of whom the person's own records do; others are whoever
    else those records speak of, and whoever is close to the close (a brother, another child's father).
    """
    first = beside(connection, people)
    close = {of: {who for who, subject in rows if subject in (who, of)} for of, rows in first.items()}
    second = beside(connection, sorted(set[int]().union(*close.values())))
    found = {}
    for of, rows in first.items():
        further = {who for between in close[of] for who, _ in second.get(between, ())}
        others = ({who for who, _ in rows} | further) - close[of] - {of}
        found[of] = Family(frozenset(close[of]), frozenset(others))
    return found


def beside(connection: Connection, people: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """For each person who else a record speaks of, and whose record that is."""
    found: dict[int, list[tuple[int, int]]] = {}
    for some in slices(people):
        for row in connection.execute(NEAR, {"people": some}):
            rows = found.setdefault(row.of, [])
            if len(rows) < MOST:
                rows.append((row.person, row.subject))
    return found


def near(connection: Connection, ledger: Ledger, people: Sequence[int]) -> dict[int, Near]:
    """The names of these people and of those near, as the latest record of each gives them; few statements for all.

    Nothing at all of a person where nobody is near.
    """
    around = families(connection, people)
    everybody = set(around).union(*(family.close | family.others for family in around.values()))
    blobs: dict[int, int] = {}
    for some in slices(everybody):
        blobs |= {row.id: row.patient_blob for row in connection.execute(PATIENTS, {"people": some})}
    content = get_blobs(connection, ledger.keys, list(blobs.values()))
    patients = {person: content[blob] for person, blob in blobs.items() if blob in content}

    def of(group: Collection[int]) -> tuple[str, ...]:
        return tuple(name for one in sorted(group) for name in names(patients.get(one, b"")))

    return {
        person: Near(
            of({person}),
            of(family.close),
            of(family.others),
            tuple(patients[one] for one in sorted(family.close | family.others) if one in patients),
        )
        for person, family in around.items()
    }


def in_danger(
    connection: Connection, ledger: Ledger, agency: str, sources: Sequence[str], marked: Callable[[bytes], bool]
) -> frozenset[str]:
    """Those of these people near whom somebody must not be found, by what `marked` says of a canonical Patient."""
    rows = persons.fetch(connection, [(agency, source) for source in sources], lock=False)
    around = near(connection, ledger, sorted(row.id for row in rows.values()))
    found = {person for person, those in around.items() if any(marked(patient) for patient in those.patients)}
    return frozenset(source for (_, source), row in rows.items() if row.id in found)


HELD = select(tables.lane.c.id).where(tables.lane.c.person == tables.person.c.id, tables.lane.c.until > bindparam("at"))
ANEW = (
    update(tables.person)
    .where(tables.person.c.id.in_(bindparam("people", expanding=True)), HELD.exists())
    .values(consent_revision=tables.person.c.consent_revision + 1)
)
IN_ORDER = (
    select(tables.person.c.id)
    .where(tables.person.c.id.in_(bindparam("people", expanding=True)))
    .order_by(tables.person.c.id)
    .with_for_update(key_share=True)
)


def anew(connection: Connection, people: Collection[int], now: int) -> None:
    """No step about these people that was decided before leaves any more; their rows are locked in order.

    Who they are, when they come of age and whether they may be found decide what leaves, and a lane is claimed with
    what was known then. Only of lanes that somebody holds: whoever claims one later reads it anew.
    """
    for some in slices(sorted(people)):
        connection.execute(IN_ORDER, {"people": some}).all()
        connection.execute(ANEW, {"people": some, "at": now})


def names(patient: bytes) -> Iterator[str]:
    """Every name of a canonical Patient; none where there is no Patient."""
    written: dict[str, Any] = orjson.loads(patient) if patient else {}
    for name in written.get("name", []):
        yield from (said for said in (name.get("family"), *name.get("given", [])) if said)
