"""Who is near a person, by the records that speak of both: for the guard on what leaves, read when it is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select

from bridge.store import tables
from bridge.store.ledger import Ledger, get_blobs

MOST = 60
"""People at the most on each step: a family, not an agency."""

one, other, record = tables.translation.alias("one"), tables.translation.alias("other"), tables.record
NEAR = (
    select(one.c.person.label("of"), other.c.person, record.c.person.label("subject"))
    .join(other, other.c.record == one.c.record)
    .join(record, record.c.id == one.c.record)
    .where(one.c.person.in_(bindparam("people", expanding=True)), other.c.person != one.c.person)
    .distinct()
    .limit(MOST)
)
PATIENTS = select(tables.person.c.id, tables.person.c.patient_blob).where(
    tables.person.c.id.in_(bindparam("people", expanding=True)), tables.person.c.patient_blob.isnot(None)
)


@dataclass(frozen=True, slots=True)
class Near:
    """Names: the person's `own`, those of a child's `caregivers` or a caregiver's children, all `others` of the family.

    In the clear only here and in what is made of it; nobody keeps it.
    """

    own: tuple[str, ...] = field(default=(), repr=False)
    caregivers: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)


def near(connection: Connection, ledger: Ledger, person: int) -> Near:
    """The names of the person and of those near, as the latest record of each gives them.

    Close are those whose own record speaks of the person, and of whom the person's own records do; others are whoever
    else those records speak of, and whoever is close to the close (a brother, another child's father). Nothing at all
    where nobody is near.
    """
    rows = connection.execute(NEAR, {"people": [person]}).all()
    if not rows:
        return Near()
    close = {row.person for row in rows if row.subject in (row.person, person)}
    others = {row.person for row in rows} - close
    if close:
        others |= {row.person for row in connection.execute(NEAR, {"people": sorted(close)})} - close - {person}
    blobs: dict[int, int] = {
        row.id: row.patient_blob for row in connection.execute(PATIENTS, {"people": sorted({person, *close, *others})})
    }
    content = get_blobs(connection, ledger.keys, list(blobs.values()))

    def of(people: Collection[int]) -> tuple[str, ...]:
        return tuple(name for one in people for name in names(content.get(blobs.get(one, 0), b"")))

    return Near(of({person}), of(close), of(others))


def names(patient: bytes) -> Iterator[str]:
    """Every name of a canonical Patient; none where there is no Patient."""
    written: dict[str, Any] = orjson.loads(patient) if patient else {}
    for name in written.get("name", []):
        yield from (said for said in (name.get("family"), *name.get("given", [])) if said)
