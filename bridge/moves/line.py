"""Everything one process needs to move records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar

from bridge.ehr.chart import Chart
from bridge.fhir.validate import Validator
from bridge.handoff.over import Hand
from bridge.mappings.tables import Table, row_of, table_of
from bridge.mappings.translate import AgencyContext, Translator
from bridge.moves.channels import Channel
from bridge.moves.pacing import Pacer
from bridge.moves.results import Results
from bridge.settings import Project
from bridge.store import permissions, statements
from bridge.store.ledger import Ledger
from bridge.store.writer import Operation

P = TypeVar("P")
R = TypeVar("R")
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class AddedRows:
    """The rows people added, agency → table; `version` (a ledger's begins at 1) is what a plan rests on."""

    version: int = 0
    tables: Mapping[str, Mapping[str, Table]] = field(default_factory=dict)

    def of(self, agency: str) -> Mapping[str, Table]:
        """One agency's."""
        return self.tables.get(agency, {})


@dataclass(slots=True)
class Line:
    """Opened by `jobs.open`; `charts` are the practices' by id, `paces` the connections'.

    `hands` are the ways of those practices that are handed documents, `channels` say whether those work as a whole.
    """

    project: Project
    ledger: Ledger
    translator: Translator
    validator: Validator
    charts: dict[str, Chart] = field(default_factory=dict)
    hands: dict[str, Hand] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    paces: dict[str, Pacer] = field(default_factory=dict)
    added: AddedRows = field(default_factory=AddedRows)
    results: Results = field(init=False, repr=False)
    _learning: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.results = Results(self.ledger.writer.ask)
        self.ledger.writer.after.append(self.results.hand_over)

    def agency_context(self, agency: str, program: str) -> AgencyContext:
        """What a mapping may know of the agency."""
        known = self.project.agencies[agency]
        return AgencyContext(known.id, known.name, program, known.timezone, known.language, known.phone)

    def learn_rows(self) -> AddedRows:
        """The rows people added to code tables, as the ledger has them now; used from here on."""
        with self._learning, self.ledger.read() as connection:
            version = permissions.rows_version(connection)
            if version != self.added.version:
                added = permissions.added_rows(connection)
                self.added = AddedRows(
                    version,
                    {
                        agency: {name: table_of(name, map(row_of, rows)) for name, rows in tables.items()}
                        for agency, tables in added.items()
                    },
                )
            return self.added

    async def learn(self, practice: str, type: str, interaction: str, now: int) -> None:
        """The refusal is durable, and the charts behind this practice's connection know of it from here on."""
        of = self.charts[practice].connection.id
        lesson = statements.Lesson(of, type, interaction, "refused as unsupported", now)
        await self.write(statements.learn, lesson)
        for name, chart in self.charts.items():
            if chart.connection.id == of and chart.capability is not None:
                learned = chart.capability.learned | {(type, interaction)}
                self.charts[name] = replace(chart, capability=replace(chart.capability, learned=learned))

    def hold_due(self, now: int) -> int:
        """When a hold opened now becomes overdue."""
        return now + self.project.limits.hold_due_days * 86_400 * SECOND

    def ids(self, count: int) -> tuple[int, ...]:
        """Fresh ids for what one move writes."""
        return tuple(self.ledger.ids.take() for _ in range(count))

    async def write(self, operation: Operation[P, R], parameter: P) -> R:
        """The operation's result, once durable, without blocking the requests under way."""
        return await self.results.of(operation, parameter)

    def write_all(self, operation: Operation[P, R], parameters: Sequence[P]) -> list[R]:
        """The results of many, in order, grouped into few commits."""
        futures: list[Future[R]] = [self.ledger.submit(operation, parameter) for parameter in parameters]
        return [future.result() for future in futures]
