"""Who may do what, as data: roles, actions, tenancy, and which agency an API key speaks for.

What is not granted is denied, and so is a question that does not say whose agency or practice it is about.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import AccessError, Problem
from bridge.settings import Person, Project


class Role(StrEnum):
    """What someone, or some system, is to the bridge."""

    AGENCY_SYSTEM = "agency-system"  # the agency's own software, with its API key
    PRACTICE_SYSTEM = "practice-system"  # the practice's own software, with its API key
    AGENCY_STAFF = "agency-staff"
    PRACTICE_READER = "practice-reader"
    ENGINEER = "engineer"


class Action(StrEnum):
    """What can be asked."""

    SUBMIT = "submit"  # hand in records
    REFER = "refer"  # hand in a practice's referral to an agency
    SEE_STATUS = "see-status"  # states, counts, where a record got to
    SEE_RECORD = "see-record"  # an agency's own words
    SEE_DELIVERED = "see-delivered"  # what was released to a practice
    ANSWER = "answer"  # close a hold with a decision
    CONSENT = "consent"  # record what a family agreed to
    LINK = "link"  # say which chart is whose
    TABLE = "table"  # add a row to a code table
    RETRY = "retry"  # try a held step again
    OPERATE = "operate"  # stop, resume, recall


GRANTS: Mapping[Role, frozenset[Action]] = {
    Role.AGENCY_SYSTEM: frozenset({Action.SUBMIT, Action.SEE_STATUS}),
    Role.PRACTICE_SYSTEM: frozenset({Action.REFER}),
    Role.AGENCY_STAFF: frozenset(
        {Action.SUBMIT, Action.SEE_STATUS, Action.SEE_RECORD, Action.SEE_DELIVERED}
        | {Action.ANSWER, Action.CONSENT, Action.LINK, Action.TABLE, Action.RETRY}
    ),
    Role.PRACTICE_READER: frozenset({Action.SEE_STATUS, Action.SEE_DELIVERED}),
    # An engineer runs the bridge and needs no family's words for it.
    Role.ENGINEER: frozenset(
        {Action.SEE_STATUS, Action.ANSWER, Action.LINK, Action.TABLE, Action.RETRY, Action.OPERATE}
    ),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `agency` or `practice` is the one they belong to; an engineer belongs to neither."""

    name: str
    role: Role
    agency: str = ""
    practice: str = ""


def may(principal: Principal, action: Action, *, agency: str = "", practice: str = "") -> bool:
    """Whether `principal` may do this with what belongs to `agency` and, where it leaves, to `practice`."""
    if action not in GRANTS[principal.role]:
        return False
    if principal.role is Role.ENGINEER:
        return True
    if principal.role in (Role.PRACTICE_READER, Role.PRACTICE_SYSTEM):
        return bool(practice) and practice == principal.practice
    return bool(agency) and agency == principal.agency


def require(principal: Principal, action: Action, *, agency: str = "", practice: str = "") -> None:
    """Returns when `may` says so, else raises AccessError; the message does not tell whether the thing exists."""
    if not may(principal, action, agency=agency, practice=practice):
        rule = f"a {principal.role.value} may not do this here"
        raise AccessError(Problem("access-denied", rule, field=action.value, next_step="ask who runs the bridge"))


def principal_of(person: Person) -> Principal:
    """The principal a signed-in person of the project acts as."""
    return Principal(person.id, Role(person.role), person.agency, person.practice)


class ApiKeys:
    """The API keys of agencies and practices, kept as digests; each look-up takes the same time, found or not."""

    def __init__(self, project: Project) -> None:
        self._digests = [
            (digest(agency.key.reveal()), Principal(agency.id, Role.AGENCY_SYSTEM, agency.id))
            for agency in project.agencies.values()
            if agency.key is not None
        ] + [
            (digest(practice.key.reveal()), Principal(practice.id, Role.PRACTICE_SYSTEM, practice=practice.id))
            for practice in project.practices.values()
            if practice.key is not None
        ]

    def principal(self, key: str) -> Principal | None:
        """The agency's or practice's system this key speaks for."""
        asked, found = digest(key), None
        for known, principal in self._digests:
            if hmac.compare_digest(known, asked):
                found = principal
        return found


def digest(key: str) -> bytes:
    """What is kept of a key. Keys are random and long (settings: key-form), so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(key.encode()).digest()
