"""Whether somebody of whom another's record tells is known by a record of their own, and the hold of what waits for it.

An id alone does not say who is meant: an agency may number caregivers and children apart, and the practice's list and a
wide consent may know a child by the id under which a contact tells of its mother. A record of their own, in that role,
says that the agency has such a person; two roles of one id are then told apart (`planning.two_people`) before anything
leaves (R25).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from bridge.mappings.kinds import Kind
from bridge.mappings.load import Mappings
from bridge.model import Hold, HoldReason, Owner, Part
from bridge.moves.turning import Turn
from bridge.store import persons


def own_key(agency: str, person: str, role: str) -> str:
    """What the facts about somebody wait for who is known from others' records only."""
    return f"own:{agency}/{person}/{role}"


def speaks_for_itself(kind: Kind | None, role: str) -> bool:
    """Whether records of this kind are of whoever has this role in them; where they may be of either, of the first.

    (A screening is a child's, and where no child is named a caregiver's: a caregiver's is then told of by an id alone.)
    """
    return kind is None or kind.people.get(role) == kind.subject[0]


def own_kinds(mappings: Mappings, role: str) -> frozenset[str]:
    """The kinds of record that make the Patient of their own subject, in this role."""
    return frozenset(
        mapping.kind
        for mapping in mappings.mappings.values()
        if mappings.kinds[mapping.kind].people.get(role) in mappings.kinds[mapping.kind].subject
        and any(part.type == "Patient" and part.about == role for part in mapping.parts)
    )


def arrivals(agency: str, parts: Sequence[Part], subject: str) -> tuple[str, ...]:
    """What waits for this record: the facts about its subject in the role in which it makes their Patient."""
    return tuple(
        own_key(agency, part.about, part.role) for part in parts if part.type == "Patient" and part.about == subject
    )


def missing(turn: Turn, kind: str, parts: Sequence[Part], *, own: bool) -> Hold | None:
    """The hold where these parts of a record of this kind tell of somebody who has no record of their own; else None.

    `own` says that the record is theirs, and does not only tell of them.
    """
    line, lane = turn.line, turn.lane
    roles = told_of(line.translator.mappings, kind, parts, own=own)
    if not roles:
        return None
    with line.ledger.read() as connection:
        return waits(connection, line.translator.mappings, lane.agency, lane.source, lane.person, roles)


def told_of(mappings: Mappings, kind: str, parts: Sequence[Part], *, own: bool) -> tuple[str, ...]:
    """The roles in which these parts, all about one person, tell of them by a record that does not speak for itself."""
    declared = mappings.kinds.get(kind)
    roles = sorted({part.role for part in parts})
    return tuple(role for role in roles if not (own and speaks_for_itself(declared, role)))


def waits(
    connection: Connection, mappings: Mappings, agency: str, source: str, person: int, roles: Sequence[str]
) -> Hold | None:
    """The hold of what tells of this person in these roles, while no record of their own is in force."""
    for role in roles:
        kinds = own_kinds(mappings, role)
        if not persons.has_record(connection, person, kinds):
            return hold(agency, source, role, kinds)
    return None


def hold(agency: str, person: str, role: str, kinds: Collection[str]) -> Hold:
    """What other records tell of somebody stays until a record of their own comes."""
    by = " or ".join(sorted(kinds)) or "of a kind that makes their Patient"
    return Hold(
        HoldReason.RECORD,
        own_key(agency, person, role),
        Owner.AGENCY,
        f"this person is known only from other people's records, as their {role}: whose chart it is, is not certain",
        f"send the {role}'s own record ({by}) with this id; what waits is sent then by itself",
    )
