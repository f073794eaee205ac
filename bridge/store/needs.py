"""What waits for people, as they meet it: piles of the same question, the cases in a pile, one case with all it holds.

A pile is one question (agency, practice, reason, whose turn, rule); a case is one answer to give: all holds of a pile
that wait for the same thing, a person's consent, say, for which fourteen notes wait. Nothing here changes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from bridge.store import tables

hold, record, entry, person = tables.hold, tables.record, tables.entry, tables.person
OF_PILE = (hold.c.agency, hold.c.practice, hold.c.reason, hold.c.owner, hold.c.rule)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose holds are asked for; "" leaves open."""

    agency: str = ""
    practice: str = ""
    owner: str = ""

    def where(self) -> list[ColumnElement[bool]]:
        """The conditions that leave only these."""
        asked = ((hold.c.agency, self.agency), (hold.c.practice, self.practice), (hold.c.owner, self.owner))
        return [tables.OPEN_HOLD, *(column == value for column, value in asked if value)]


@dataclass(frozen=True, slots=True)
class Pile:
    """One question; its fields tell it from every other."""

    agency: str
    practice: str
    reason: str
    owner: str
    rule: str

    def where(self) -> ColumnElement[bool]:
        """The open holds of this pile."""
        values = (self.agency, self.practice, self.reason, self.owner, self.rule)
        same = (column == value for column, value in zip(OF_PILE, values, strict=True))
        return and_(tables.OPEN_HOLD, *same)


def piles(connection: Connection, scope: Scope) -> list[dict[str, Any]]:
    """The piles, what is due first above: with `hold` (one of them), `holds` and `cases` in it, `due_at`, `since`."""
    rows = connection.execute(
        select(
            *OF_PILE,
            func.min(hold.c.id).label("hold"),
            func.count().label("holds"),
            func.count(hold.c.waits_for.distinct()).label("cases"),
            func.min(hold.c.due_at).label("due_at"),
            func.min(hold.c.opened_at).label("since"),
        )
        .where(*scope.where())
        .group_by(*OF_PILE)
        .order_by(func.min(hold.c.due_at), func.min(hold.c.id))
    )
    return [dict(row._mapping) for row in rows]


def count_cases(connection: Connection, scope: Scope) -> int:
    """How many cases wait."""
    distinct = select(*OF_PILE, hold.c.waits_for).where(*scope.where()).distinct().subquery()
    return int(connection.execute(select(func.count()).select_from(distinct)).scalar_one())


def cases(connection: Connection, pile: Pile, limit: int, after: int = 0) -> list[dict[str, Any]]:
    """The cases of a pile from hold `after` on, the oldest first: each as its oldest hold with `holds` that wait."""
    grouped = (
        select(func.min(hold.c.id).label("hold"), func.count().label("holds"))
        .where(pile.where())
        .group_by(hold.c.waits_for)
        .having(func.min(hold.c.id) > after)
        .order_by(func.min(hold.c.id))
        .limit(limit)
    )
    counts = {row.hold: row.holds for row in connection.execute(grouped)}
    rows = connection.execute(about().where(hold.c.id.in_(counts)).order_by(hold.c.id))
    return [{**row._mapping, "holds": counts[row.id]} for row in rows]


def one_case(connection: Connection, hold_id: int) -> dict[str, Any] | None:
    """One hold, open or closed, with what it is about."""
    row = connection.execute(about().where(hold.c.id == hold_id)).first()
    return dict(row._mapping) if row is not None else None


def waiting_with(connection: Connection, found: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """The open holds of the same agency that wait for the same thing as `found`, itself among them."""
    same = (hold.c.waits_for == found["waits_for"], hold.c.agency == found["agency"], tables.OPEN_HOLD)
    rows = connection.execute(about().where(*same).order_by(hold.c.id).limit(limit))
    return [dict(row._mapping) for row in rows]


def holds_of_record(connection: Connection, record_id: int) -> Sequence[dict[str, Any]]:
    """The open holds on one record itself."""
    rows = connection.execute(select(hold).where(hold.c.record == record_id, tables.OPEN_HOLD).order_by(hold.c.id))
    return [dict(row._mapping) for row in rows]


def open_in(connection: Connection, pile: Pile) -> list[dict[str, Any]]:
    """Every open hold of a pile, with its record or entry."""
    rows = connection.execute(select(hold.c.id, hold.c.record, hold.c.entry).where(pile.where()).order_by(hold.c.id))
    return [dict(row._mapping) for row in rows]


def about() -> Select[Any]:
    """A hold with what it is about: kind, the agency's ids of the thing and the person, the record, the entry."""
    of = case((hold.c.record.isnot(None), hold.c.record), else_=entry.c.record)
    return (
        select(
            hold,
            record.c.id.label("about"),
            record.c.kind,
            record.c.source_id,
            record.c.state.label("record_state"),
            record.c.occurred_at,
            person.c.id.label("person_number"),
            person.c.source.label("person"),
            entry.c.state.label("entry_state"),
            entry.c.should,
            entry.c.recalled,
            entry.c.name.label("entry_name"),
            entry.c.resource_type,
            entry.c.reference,
            entry.c.stands_id,
        )
        .outerjoin(entry, entry.c.id == hold.c.entry)
        .outerjoin(record, record.c.id == of)
        .outerjoin(person, person.c.id == func.coalesce(entry.c.person, record.c.person, hold.c.subject))
    )
