"""What planning asks of the ledger: the parts of a record, and what should stand of them in which charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from bridge.model import EntryState, Hold
from bridge.store import persons, records
from bridge.store.lanes import REPLAY, ROUTINE
from bridge.store.ledger import Ledger

Chart = tuple[str, str, int]  # agency, practice, person
MAY_STAND = (EntryState.SENDING.value, EntryState.UNKNOWN.value, EntryState.HANDED_OVER.value)
"""States of what may stand without a known id of its own."""


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """One thing that should stand in one chart, as planned from one record."""

    practice: str
    person: str
    name: str
    kind: str
    route: str
    resource_type: str
    rank: int
    parts: tuple[str, ...]
    digest: str  # "" = nothing of it may leave under the consent in force
    reference: str
    withheld: int
    hold: Hold | None = None
    due: int | None = None  # not before; None = at once
    urgency: int = 0  # 1 urgent, 0 routine, -1 replay: whose lane is claimed first
    gathered: Gathering | None = None  # where it is told, unless it stands as its own note already
    unwanted: bool = False  # the practice wants no note of this record; one that stands already is kept right


@dataclass(frozen=True, slots=True)
class Gathering:
    """The roll-up of one chart that a record is told in, and when it is due there: at its window's end or later."""

    thread: str
    since: int
    until: int
    due: int
    reference: str


@dataclass(frozen=True, slots=True)
class Translated:
    """What became of one claimed record: its parts by person and its entries, or the holds that keep it.

    `ids` must hold one for each of `parts`, `patients` and `holds`, and three for each entry. `revisions` (person →
    `Permissions.revision`) and `rows` (`permissions.rows_version`) say what the plan rests on, read before it was made.
    """

    ledger: Ledger
    work: records.Work
    owner: str
    now: int
    parts: dict[str, bytes] = field(repr=False)  # the agency's id of the person → JSON of the parts about them
    patients: dict[str, bytes] = field(repr=False)  # the person → their canonical Patient, where there is one
    entries: tuple[EntryPlan, ...]
    holds: tuple[Hold, ...]
    hashes: tuple[str, str, str]
    hold_due: int
    people: dict[str, persons.NewPerson] = field(default_factory=dict)
    ids: tuple[int, ...] = ()  # spare ids for what this writes
    revisions: Mapping[str, int] = field(default_factory=dict)
    rows: int | None = None
    roles: Mapping[str, Spoken] = field(default_factory=dict)
    arrives: tuple[str, ...] = ()  # the keys of holds that wait for this record
    endangered: frozenset[str] = frozenset()  # people of whom it says that they must not be found


@dataclass(frozen=True, slots=True)
class Spoken:
    """In which role a record speaks of a person, and what the plan was made on: "" where nobody did before."""

    role: str
    before: str


@dataclass(frozen=True, slots=True)
class Mine:
    """A translation to keep, with the rows it rests on. `look_first`: new entries are looked for before they are sent,
    for the ledger cannot prove after a restore that what happened before it was never sent.
    """

    ask: Translated
    people: Mapping[str, Row[Any]]
    ordinal: int
    look_first: bool
    ids: Iterator[int]
    caught_up: bool = False  # for a practice that came to know the person late

    def urgency(self, plan: EntryPlan, row: Row[Any] | None, ordinal: int | None = None) -> int:
        """How urgent what is planned is; `row` is how it stands by now, from the version `ordinal`.

        What is planned again, caught up with or sent again after a restore goes behind what is new; a correction of
        what stands, or may, does not.
        """
        if row is not None and (row.stands_id is not None or row.state in MAY_STAND):
            return max(plan.urgency, ROUTINE)
        again = self.look_first or self.caught_up or (row is not None and ordinal == self.ordinal)
        return REPLAY if again and plan.urgency == ROUTINE else plan.urgency

    def lane_of(self, plan: EntryPlan) -> Chart:
        """Agency, practice and person of the chart a plan is for."""
        return self.ask.work.agency, plan.practice, self.people[plan.person].id
